"""Access rules: what those of 10,000 nodes cost the station to write, and each broker to read again.

- Processor time: what else the machine does counts as little as it can. A reload is over when the broker's own has
  stood still for a second.
- Floor in the same run: writing the same bytes to a file; and the same reload with the rules of half of the nodes.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.results import Figure, Measurement
from controller import durable
from fleet import mosquitto, nats
from wire import nats_access, topics

NODES, QUICK_NODES = 10_000, 200
COMMUNES = 66
STILL_SECONDS = 1.0
READY_SECONDS = 60.0
Places = list[tuple[str, list[str]]]


def measure(quick: bool) -> Measurement:
    """The whole measurement; a broker that is not installed is left out, and that is noted."""
    many = _places(QUICK_NODES if quick else NODES)
    few = many[: len(many) // 2]
    brokers: dict[str, tuple[str | None, Callable[[Places], str]]] = {
        "mosquitto": (mosquitto.find(), lambda places: topics.access_rules("station", places)),
        "nats": (nats.find(), lambda places: nats_access.rules("station", places)),
    }
    figures: list[Figure] = []
    for name, (program, rules) in brokers.items():
        with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
            figures += _written(name, Path(folder), many, rules)
            if program:
                figures += _reloaded(name, program, Path(folder), rules(many), rules(few))
    notes = tuple(f"{name} is not installed" for name, (program, _) in brokers.items() if not program)
    return Measurement("access", tuple(figures), (f"{len(many)} nodes in {COMMUNES} communes", *notes))


def _places(count: int) -> Places:
    return [
        (
            f"loa-{number:05d}",
            ["lang-son", f"lang-son:xa-{number % COMMUNES}", f"lang-son:xa-{number % COMMUNES}:thon-1"],
        )
        for number in range(count)
    ]


def _written(name: str, folder: Path, places: Places, rules: Callable[[Places], str]) -> list[Figure]:
    text = rules(places)
    made = _cpu(lambda: rules(places))
    floor = _cpu(lambda: durable.lay(folder / "access", text))
    return [
        Figure(f"{name}: rules, size", len(text) / 1e6, "MB"),
        Figure(f"{name}: rules made, processor", made * 1000, "ms"),
        Figure(f"{name}: made × writing the same bytes", made / max(floor, 1e-4), "×"),
    ]


def _reloaded(name: str, program: str, folder: Path, many: str, few: str) -> list[Figure]:
    """A broker of its own, reloaded with few rules, then with all."""
    port, rules = _free_port(), folder / "rules"
    (folder / "data").mkdir()
    rules.write_text(few)
    if name == "mosquitto":
        text = f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {rules}\nuser root\n"
    else:
        text = f'server_name: b\nlisten: "127.0.0.1:-1"\njetstream {{ store_dir: "{folder}/data" }}\ninclude "rules"\n'
        text += f'mqtt {{ listen: "127.0.0.1:{port}" }}\n'
    (folder / "conf").write_text(text)
    process = subprocess.Popen([program, "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
    try:
        _await_port(port)
        one = _reload(process, rules, few)
        all_of_them = _reload(process, rules, many)
        memory = psutil.Process(process.pid).memory_info().rss
    finally:
        process.terminate()
        process.wait()
    return [
        Figure(f"{name}: reload, processor", all_of_them * 1000, "ms"),
        Figure(f"{name}: reload × the same with half of the nodes", all_of_them / max(one, 0.01), "×"),
        Figure(f"{name}: memory afterwards", memory / 2**20, "MiB"),
    ]


def _reload(process: subprocess.Popen[bytes], rules: Path, text: str) -> float:
    """Processor seconds that it spends on them."""
    about = psutil.Process(process.pid)
    rules.write_text(text)
    before = sum(about.cpu_times()[:2])
    process.send_signal(signal.SIGHUP)
    spent, still_since = before, time.monotonic()
    while time.monotonic() - still_since < STILL_SECONDS:
        time.sleep(0.05)
        now = sum(about.cpu_times()[:2])
        if now - spent > 0.02:
            spent, still_since = now, time.monotonic()
    return float(sum(about.cpu_times()[:2]) - before)


def _cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < until, "the broker does not listen"
            time.sleep(0.05)
        else:
            return
