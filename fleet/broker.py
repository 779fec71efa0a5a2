"""The embedded broker: a real MQTT server as a child of this process, for demos, tests and a commune's own machine.

- Mosquitto if it is installed, else the NATS server; both only on 127.0.0.1, each in a folder of its own.
- Unprivileged, and gone when this process is gone, even on kill -9.
- What cannot be: a port in use, no broker installed, a broker that dies – is a BrokerError of one sentence.
"""

from __future__ import annotations

import logging
import pwd
import shutil
import socket
import time
from pathlib import Path
from types import ModuleType
from typing import Literal, Self

from fleet import mosquitto, nats
from fleet.ports import can_listen, free_port
from fleet.tether import Tethered, own
from fleet.wanted import Access, Wanted
from words import Said

HOST = "127.0.0.1"
ENGINES: dict[str, ModuleType] = {"mosquitto": mosquitto, "nats": nats}
START_SECONDS = 60.0  # from starting it to its first accepted connection
PORT_SECONDS = 3.0  # how long a port may still be held by a broker that is just ending
TRIES = 3  # with another free port, when the port was left to us

log = logging.getLogger(__name__)


class BrokerError(Said):
    """The embedded broker cannot run; the sentence says why."""


class EmbeddedBroker:
    """One broker process; use it in ``with``, or `start` and `stop` it."""

    host = HOST

    def __init__(
        self,
        state_dir: Path,
        port: int = 0,
        engine: Literal["auto", "mosquitto", "nats"] = "auto",
        access: Access | None = None,
    ) -> None:
        """``state_dir`` becomes the broker's own; ``port`` 0 picks a free one at the first start and keeps it.

        ``access`` is enforced by mosquitto only. Raises BrokerError when no broker is installed.
        """
        if access is not None and engine == "auto":
            engine = "mosquitto"
        found = [(name, module.find()) for name, module in ENGINES.items() if engine in ("auto", name)]
        installed = [(name, path) for name, path in found if path]
        if not installed:
            raise BrokerError("broker.none_installed" if engine == "auto" else "broker.not_installed", engine=engine)
        self.engine: str = installed[0][0]
        self._program: str = installed[0][1]
        self.port = port
        self._any_port = port == 0
        self._module = ENGINES[self.engine]
        self._folder, self._access = state_dir.absolute() / self.engine, access
        self._child: Tethered | None = None
        self.version = ""

    def start(self) -> None:
        """Start it and wait until it accepts connections. Raises BrokerError."""
        if self.alive():
            return
        self.version = self._module.version(self._program)
        tries = TRIES if self._any_port and self.port == 0 else 1
        for left in reversed(range(tries)):
            port = self.port or free_port()
            try:
                self._start_on(port)
            except BrokerError:
                if left == 0:
                    raise
            else:
                self.port = port
                break
        log.info("broker=up engine=%s version=%s port=%d pid=%d", self.engine, self.version, self.port, self.pid)

    def stop(self) -> None:
        """Ask it to save and end, and wait for that. Idempotent."""
        if self._child is not None:
            self._child.stop()
            log.info("broker=down engine=%s port=%d exit=%s", self.engine, self.port, self._child.exit_code)
            self._child = None

    def kill(self) -> None:
        """End it as a power cut would: nothing is saved, no will is said. `start` brings it back."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def wipe(self) -> None:
        """Kill it, delete all that it remembered, start it again on the same port. Raises BrokerError."""
        self.kill()
        shutil.rmtree(self._module.store(self._folder), ignore_errors=True)
        self.start()

    def alive(self) -> bool:
        """Whether its process runs."""
        return self._child is not None and self._child.alive()

    @property
    def pid(self) -> int:
        """Its process id; only while started."""
        assert self._child is not None
        return self._child.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_on(self, port: int) -> None:
        _wait_for_port(port)
        user = self._module.user()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o711)  # its user passes through, and sees only what is its own
            store = self._module.store(self._folder)
            store.mkdir(exist_ok=True)
            own(store, user)
            group = pwd.getpwnam(user).pw_gid if user else None
            arguments = self._module.configure(Wanted(HOST, port, self._folder, group, self._access))
            self._child = Tethered([self._program, *arguments], self._folder, user, self._folder / "broker.log")
            self._child.start()
        except OSError as wrong:
            self._child = None
            raise BrokerError("broker.cannot_start", engine=self.engine, why=str(wrong)) from wrong
        try:
            _wait_until_it_listens(self._child, port, self.engine)
        except BrokerError:
            self._child = None
            raise


def _wait_until_it_listens(child: Tethered, port: int, engine: str) -> None:
    """Return when ``port`` answers; raises BrokerError when the child ends, or is silent for too long."""
    until = time.monotonic() + START_SECONDS
    while child.alive() and time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), timeout=1.0).close()
        except OSError:
            child.wait(0.01)
            continue
        if not child.wait(0.02):  # it was the child that answered
            return
    code = child.exit_code
    child.kill()
    if code is None:
        raise BrokerError("broker.silent", engine=engine, seconds=int(START_SECONDS))
    raise BrokerError("broker.died", engine=engine, code=code, why=child.last_words() or "-")


def _wait_for_port(port: int) -> None:
    """Return when ``port`` can be had; raises BrokerError when somebody keeps it."""
    until = time.monotonic() + PORT_SECONDS
    while not can_listen(port, HOST):
        if time.monotonic() > until:
            raise BrokerError("broker.port_in_use", port=port)
        time.sleep(0.05)
