"""The processes of a small radio on one machine: a broker, a controller and nodes, each a real program.

- Every child is tethered: it ends when we end, even of kill -9; what it says goes to its log file.
- Started in order, stopped in reverse; a child that cannot start is an error that carries its last words.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from fleet.broker import EmbeddedBroker
from fleet.tether import Tethered
from words import Said

READY_SECONDS = 120.0
LOOK_SECONDS = 0.1


class CrewError(Said):
    """A program of the radio could not be started, or ended by itself."""


class Crew:
    """Everything that runs, in ``folder``, which exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = EmbeddedBroker(folder / "broker")
        self.controller: Tethered | None = None
        self.nodes: dict[str, Tethered] = {}

    def start_controller(self, settings: Mapping[str, object]) -> None:
        """Start web and station with these settings, and wait until the web answers. Raises CrewError."""
        file = self.folder / "controller.toml"
        file.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in settings.items()), "utf-8")
        self.controller = self._program("controller", "controller", "--config", str(file))
        self.controller.start()
        host, port = str(settings["web_host"]), int(str(settings["web_port"]))
        until = time.monotonic() + READY_SECONDS
        while not _answers(host, port):
            if self.controller.wait(LOOK_SECONDS) or time.monotonic() > until:
                raise CrewError("fleet.cannot_start", what="controller", why=self.controller.last_words() or "-")

    def start_node(self, settings: Mapping[str, object]) -> None:
        """Start one node with these settings. Raises OSError when the program cannot be started."""
        name = str(settings["node"])
        file = self.folder / f"{name}.toml"
        file.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in settings.items()), "utf-8")
        self.nodes[name] = self._program(name, "node", "run", "--config", str(file))
        self.nodes[name].start()

    def check(self) -> None:
        """Raises CrewError when something has ended by itself."""
        watched = {"controller": self.controller, **self.nodes}
        for name, child in watched.items():
            if child is not None and not child.alive():
                raise CrewError("fleet.ended", what=name, code=child.exit_code, why=child.last_words() or "-")
        if not self.broker.alive():
            raise CrewError("fleet.ended", what="broker", code="-", why="-")

    def stop(self) -> None:
        """Ask everything to end, nodes first, and wait for it. Idempotent."""
        for node in self.nodes.values():
            node.ask_to_end()
        for node in self.nodes.values():
            node.stop()
        if self.controller is not None:
            self.controller.stop()
        self.broker.stop()

    def _program(self, name: str, *arguments: str) -> Tethered:
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        return Tethered([sys.executable, "-m", "loa", *arguments], self.folder, None, log)


def _answers(host: str, port: int) -> bool:
    with closing(HTTPConnection(host, port, timeout=2)) as connection:
        try:
            connection.request("GET", "/suc-khoe")
            return bool(json.load(connection.getresponse())["web"] == "ok")
        except (OSError, HTTPException, ValueError, KeyError):
            return False


def _toml(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False)
