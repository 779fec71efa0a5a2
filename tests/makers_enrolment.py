"""A station with its web, the broker as `deploy/mosquitto.conf` makes it, and nodes that come in by one-time codes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import libfaketime
from ports import free_port

from controller import authority, bootstrap, keys
from controller.desk import Enrolment
from controller.guestlist import Guestlist
from controller.roster import Area, AreaKind
from controller.settings import Settings
from controller.store.rows import User
from fleet import mosquitto
from wire.onetime import Code

TOP = Path(__file__).parent.parent
HOME = "lang-son:dong-dang:thon-1"
HOST = "127.0.0.1"
FOREVER_SECONDS = 180.0
REREADS = "Reloading config"  # mosquitto, before it does, and before it looks at its connections again
HANDED_OVER = ("ca.pem", "broker.pem", "broker.key", "revoked.pem", "access")  # as deploy/give-broker-files.sh


def utc_now() -> datetime:
    return datetime.now(UTC)


def eventually(truth: Callable[[], object], seconds: float = FOREVER_SECONDS) -> None:
    """Wait until it is so."""
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until, "never true"
        time.sleep(0.05)


class Commune:
    """Everything of one station in ``folder``; use it in ``with``."""

    hosts: tuple[str, ...] = (HOST,)  # of the broker

    def __init__(self, folder: Path) -> None:
        self.folder, self.broker_port = folder, free_port()
        station, own = folder / "station", folder / "station" / "keys"
        self.settings = Settings(
            *(station, "", "Asia/Ho_Chi_Minh", "Truyền thanh Đồng Đăng", HOST, free_port(), HOST, self.broker_port),
            broker_ca=str(own / authority.CERTIFICATE),
            broker_cert=str(own / "mqtt.pem"),
            broker_key=str(own / "mqtt.key"),
            quiet_since="00:00",
            quiet_until="00:00",
            health_seconds=5,
            now_lead_seconds=1.0,
        )
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Commune:
        with ExitStack() as begun:
            self.store = bootstrap.open_store(self.settings)
            begun.callback(self.store.close)
            self.desk = bootstrap.make_desk(self.settings, self.store)
            keys.establish(keys.Keyring(self.settings.keys_dir), self.store, ("*",), utc_now())
            self.boss: User = self.desk.open_house("quan-tri", "một câu rất dài để nhớ", utc_now())
            for name, kind in (("lang-son", "province"), ("lang-son:dong-dang", "commune"), (HOME, "hamlet")):
                self.desk.add_area(Area(name, name, AreaKind(kind)), self.boss, utc_now())
            Guestlist(self.store, self.settings).certify(list(self.hosts), utc_now())
            begun.callback(self._stop_broker)
            self._start_broker()
            self.running = bootstrap.start(self.settings)
            begun.callback(self.running.stop)
            begun.callback(self._stop_nodes)
            self._begun = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._begun.close()

    @property
    def address(self) -> str:
        return self.settings.web_url()

    def code(self, node: str = "loa-01") -> Code:
        """A code for a new node."""
        return self.desk.invite_node(Enrolment(node, f"Cụm {node}", HOME), self.boss, utc_now())

    def enrol(self, code: str, device: str, fake: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        """`loa node enrol` on a device of that name; with ``fake`` its clock is another."""
        home = self.folder / device
        home.mkdir(exist_ok=True)
        line = ("enrol", code, "--station", self.address, "--config", str(home / "node.toml"))
        places = (*line, "--state-dir", str(home / "state"), "--player", "file")
        command, environment = [sys.executable, "-m", "loa", "node", *places], {**outside(), **(fake or {})}
        return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, check=False)

    def run(self, device: str, fake: dict[str, str] | None = None) -> None:
        """`loa node run` there; with ``fake`` its clock is another."""
        environment = {**outside(), **(fake or {"LOA_NODE_CLOCK": "trust", "LOA_NODE_FAST": "true"})}
        command = [sys.executable, "-m", "loa", "node", "run", "--config", str(self.folder / device / "node.toml")]
        with (self.folder / f"{device}.log").open("wb") as log:
            self.nodes[device] = subprocess.Popen(command, cwd=TOP, env=environment, stdout=log, stderr=log)

    def checked(self, device: str) -> str:
        """What `loa node check` says there."""
        command = [sys.executable, "-m", "loa", "node", "check", "--config", str(self.folder / device / "node.toml")]
        return subprocess.run(command, cwd=TOP, env=outside(), capture_output=True, check=False).stdout.decode()

    def kill(self, device: str) -> None:
        """It dies as with its power."""
        self.nodes[device].kill()
        self.nodes[device].wait()

    def online(self, node: str) -> bool:
        return bool(self.store.health.condition(node).online) if self.store.health.condition(node) else False

    def take_over(self) -> None:
        """What `loa-broker-files.service` does: the broker gets what the station wrote, and reads it again.

        On return it is about to: whatever comes to it from now on is judged by the new files.
        """
        self._hand_over()
        heard = self.broker_log().count(REREADS)
        self.broker.send_signal(signal.SIGHUP)
        eventually(lambda: self.broker_log().count(REREADS) > heard or self.broker.poll() is not None)

    def broker_log(self) -> str:
        return (self.folder / "broker.log").read_text("utf-8", "replace")

    def _hand_over(self) -> None:
        place = self.folder / "etc" / "broker"
        place.mkdir(parents=True, exist_ok=True)
        for name in HANDED_OVER:  # by name: a file that the station is just writing lies beside them
            aside = place / f"{name}.new"  # the broker may just be reading the one that it has
            aside.write_bytes((self.settings.broker_dir / name).read_bytes())
            aside.replace(place / name)

    def _start_broker(self) -> None:
        """`deploy/mosquitto.conf`, its places moved into our folder."""
        self._hand_over()
        (self.folder / "data").mkdir()
        text = (TOP / "deploy" / "mosquitto.conf").read_text("utf-8")
        text = text.replace("/etc/loa/", f"{self.folder}/etc/").replace("/var/lib/loa-broker/", f"{self.folder}/data/")
        text = text.replace("listener 8883", f"listener {self.broker_port} {HOST}")
        user = "user root\n" if os.geteuid() == 0 else ""  # it cannot read a test's folder otherwise
        (self.folder / "mosquitto.conf").write_text(f"{text}log_type information\n{user}")
        self.run_broker()

    def run_broker(self) -> None:
        """With the files that it had."""
        program = mosquitto.find()
        assert program
        with (self.folder / "broker.log").open("ab") as log:
            self.broker = subprocess.Popen([program, "-c", str(self.folder / "mosquitto.conf")], stderr=log)
        eventually(lambda: answers(self.broker_port))

    def _stop_broker(self) -> None:
        self.broker.terminate()
        self.broker.wait()

    def _stop_nodes(self) -> None:
        for process in self.nodes.values():
            process.terminate()
        for process in self.nodes.values():
            process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def outside() -> dict[str, str]:
    """This environment without what a tester set for a radio of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOA_")} | {"LOA_LANG": "en"}


def in_1970() -> dict[str, str]:
    """A clock as a machine without a battery has it: variables for a process."""
    library = next(Path(libfaketime.__file__).parent.rglob("libfaketime.so.1"))
    return {"LD_PRELOAD": str(library), "FAKETIME": "@1970-01-01 00:00:05", "DONT_FAKE_MONOTONIC": "1"}
