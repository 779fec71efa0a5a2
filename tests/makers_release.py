"""Makers of releases: tiny wheels, bundles and statements, a prefix with two environments, a supervisor of a node."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import io
import os
import platform
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from makers_node import HAMLET, NODE, ROOT

from edge_node.releases import progress, signs
from edge_node.releases.environment import lead
from edge_node.releases.progress import Progress
from edge_node.releases.updater import Place
from edge_node.settings import Settings
from wire import codec, seal
from wire.release import KIND, Release
from wire.seal import Envelope, Signer

PROJECT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PYTHON = ".".join(platform.python_version_tuple()[:2])
MACHINE = platform.machine().lower()

# what the tiny distribution does: it is a node as far as the updater sees one
PROGRAM = """
import json, os, pathlib, sys, time, uuid
VERSION, MANNER = "{version}", "{manner}"

def main():
    if sys.argv[1:3] == ["node", "prove"]:
        if MANNER == "hangs when asked":
            time.sleep(600)
        print(json.dumps({{"version": "9.9" if MANNER == "lies" else VERSION, "good": MANNER != "is bad"}}))
        return 0
    config = dict(line.split(" = ") for line in open(sys.argv[4]).read().splitlines() if " = " in line)
    folder = pathlib.Path(json.loads(config["state_dir"])) / "update"
    with open(folder / "lives", "a") as lives:
        lives.write(VERSION + "\\n")
    if MANNER == "crashes":
        return 1
    if MANNER == "hangs":
        time.sleep(600)
    boot, process, begun = open("/proc/sys/kernel/random/boot_id").read().strip(), uuid.uuid4().hex, time.monotonic()
    prefix = pathlib.Path(sys.prefix)
    while True:
        mono = time.monotonic()
        well = mono - begun > 0.3 and MANNER != "is never well"
        sign = {{"environment": prefix.name, "process": process, "boot": boot, "at": mono}}
        say(folder / "sign", sign | {{"healthy": well, "free": True}})
        say(folder / "lease", {{"boot": boot, "until": mono + 15}})
        if MANNER == "dies young" and mono - begun > 0.2:
            return 1
        time.sleep(0.05)

def say(path, what):
    aside = path.with_name("." + path.name)
    aside.write_text(json.dumps(what))
    aside.replace(path)
"""


def wheel(name: str, version: str, files: dict[str, str], scripts: str = "") -> tuple[str, bytes]:
    """File name and bytes of a pure wheel."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    held = dict(files)
    held[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    held[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        held[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n"
    lines = []
    for path, text in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text.encode())}")
    held[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]) + "\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in held.items():
            archive.writestr(path, text)
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl", out.getvalue()


def program(version: str, manner: str = "good") -> tuple[str, bytes]:
    """The tiny distribution: its ``loa`` behaves in that manner."""
    source = PROGRAM.format(version=version, manner=manner)
    return wheel("loa-radio", version, {"loa_tiny.py": source}, "loa = loa_tiny:main")


def form(version: str, python: str = PYTHON, machine: str = MACHINE) -> str:
    return f'version = "{version}"\npython = "{python}"\nmachine = "{machine}"\nmade_at = "2026-11-24T03:00:00Z"\n'


def needs(*wheels: tuple[str, bytes]) -> str:
    lines = []
    for file, content in wheels:
        name, version = file.split("-")[:2]
        lines.append(f"{name.replace('_', '-')}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    return "\n".join(lines) + "\n"


def tar(members: dict[str, bytes], more: Callable[[tarfile.TarFile], None] = lambda tar: None) -> bytes:
    """An uncompressed tar of plain files, and what ``more`` adds."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
        more(made)
    return out.getvalue()


def members(version: str, manner: str = "good") -> dict[str, bytes]:
    """What a bundle holds, by name."""
    wheels = [program(version, manner), wheel("tiny-need", "1.0", {"tiny_need.py": ""})]
    texts = {"bundle.toml": form(version).encode(), "requirements.txt": needs(*wheels).encode()}
    return texts | {f"wheels/{name}": content for name, content in wheels}


def bundle(version: str, manner: str = "good") -> bytes:
    return tar(members(version, manner))


def statement(content: bytes, version: str, serial: int = 1, **changed: object) -> Release:
    """What the root would say of the bundle ``content``."""
    digest = hashlib.sha256(content).hexdigest()
    issued, until = NOW, datetime.now(UTC) + timedelta(days=365)
    made = Release(version, PYTHON, MACHINE, digest, len(content), serial, issued, until)
    return msgspec.structs.replace(made, **changed)


def sealed(release: Release, signer: Signer = ROOT, kind: str = KIND) -> bytes:
    return seal.seal(kind, codec.write(release), signer)


def envelope(release: Release, signer: Signer = ROOT) -> Envelope:
    return seal.unwrap(sealed(release, signer), 8192)


@dataclass
class Machine:
    """A machine whose time passes when somebody waits, which may lose its power, and what its node does meanwhile."""

    seconds: float = 1000.0
    run: str = "boot-1"
    restarts: int = 0
    meanwhile: Callable[[], None] = lambda: None
    restarted: Callable[[], None] = lambda: None

    def boot(self) -> str:
        return self.run

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += max(seconds, 0.5)
        self.meanwhile()

    def restart(self) -> bool:
        self.restarts += 1
        self.restarted()
        return True


@dataclass
class Home:
    """A node's folder and a prefix with the environments a (runs) and maybe b."""

    folder: Path
    version: str = "1.0"
    place: Place = field(init=False)

    def __post_init__(self) -> None:
        self.prefix, self.state = self.folder / "opt", self.folder / "node"
        for path in (self.prefix / "a", self.state / "audio", self.state / "update"):
            path.mkdir(parents=True)
        lead(self.prefix, "current", "a")
        self.config = self.folder / "node.toml"
        told = {"node": NODE, "home": HAMLET, "state_dir": str(self.state), "player": "null", "clock": "trust"}
        lines = [f'{name} = "{value}"' for name, value in told.items()] + [f'root_keys = ["{ROOT.public.hex}"]']
        self.config.write_text("\n".join(lines) + "\n")
        settings = Settings(NODE, HAMLET, (ROOT.public.hex,), self.state, player="null", clock="trust")
        self.place = Place(self.prefix, self.config, settings, self.version)

    def offer(self, content: bytes, release: Release, signer: Signer = ROOT) -> None:
        """The bundle is fetched, and the agent asks for it."""
        (self.state / "audio" / release.sha256).write_bytes(content)
        (self.state / "update" / "request").write_bytes(sealed(release, signer))

    def lease(self, machine: Machine, seconds: float = 15.0) -> None:
        made = codec.write(signs.Lease(machine.run, machine.seconds + seconds))
        (self.state / "update" / "lease").write_bytes(made)

    def sign(self, machine: Machine, **changed: object) -> None:
        told = signs.Sign(self.current, "p1", machine.run, machine.seconds, True, True)
        (self.state / "update" / "sign").write_bytes(codec.write(msgspec.structs.replace(told, **changed)))

    @property
    def current(self) -> str:
        return os.readlink(self.prefix / "current")

    @property
    def steady(self) -> str:
        return os.readlink(self.prefix / "steady")

    @property
    def progress(self) -> Progress:
        return progress.load(self.prefix)


class Supervisor:
    """What systemd does for the node: keeps ``current/bin/loa node run`` running; `systemctl` on PATH restarts it.

    Whoever asks for a restart while a process is just being started waits until it is known: no request is lost.
    """

    def __init__(self, home: Home, *arguments: str, **environment: str) -> None:
        self._home, self._stopped = home, threading.Event()
        self._arguments, self._environment = arguments, {**os.environ, **environment}
        self.pid, self._starting = home.folder / "pid", home.folder / "starting"
        self.tools = home.folder / "tools"
        self.tools.mkdir()
        self._starting.touch()
        tool = self.tools / "systemctl"
        ends = f"flock {self._starting} sh -c 'kill -TERM $(cat {self.pid})'"
        tool.write_text(f'#!/bin/sh\necho "$@" >>{self.tools}/asked\n{ends} || true\n')
        tool.chmod(0o755)
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with self._alone(), suppress(ProcessLookupError):  # it may just have ended by itself
            if self.pid.exists():
                os.kill(int(self.pid.read_text()), signal.SIGKILL)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _keep(self) -> None:
        while running := self._start():
            running.wait()
            self._stopped.wait(0.1)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """A process, known by its id as soon as anybody may want to end it; None when all is over."""
        program = [str(self._home.prefix / "current/bin/loa"), "node", "run", "--config", str(self._home.config)]
        with self._alone():
            if self._stopped.is_set():
                return None
            running = subprocess.Popen([*program, *self._arguments], env=self._environment)
            self.pid.write_text(str(running.pid))
            return running

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._starting.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


SLOW = "Pace(60, no_life_seconds=40, hung_seconds=20, healthy_seconds=1, trial_seconds=60, beat_seconds=0.5)"
QUICK = "Pace(20, no_life_seconds=3, hung_seconds=2, healthy_seconds=0.5, trial_seconds=4, beat_seconds=0.2)"
UPDATER = """
import logging, pathlib, sys
from datetime import UTC, datetime
from edge_node.releases import updater
from edge_node.releases.machine import Machine
from edge_node.releases.trial import Pace
from edge_node.settings import load
logging.basicConfig(level="INFO")
config, prefix, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
place = updater.Place(prefix, config, load(config, {}), version)
with updater.alone(prefix):
    updater.open_at(place, Machine("loa-node.service"), PACE).run(datetime.now(UTC))
"""


def start_updater(
    home: Home, tools: Path | None = None, version: str = "", pace: str = QUICK
) -> subprocess.Popen[bytes]:
    """The updater as a process group of its own, as its unit starts it, but with short waits."""
    path = f"{tools}:{os.environ['PATH']}" if tools else os.environ["PATH"]
    line = [
        sys.executable,
        "-c",
        UPDATER.replace("PACE", pace),
        str(home.config),
        str(home.prefix),
        version or home.version,
    ]
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(line, env=environment, start_new_session=True, stderr=subprocess.PIPE)


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
