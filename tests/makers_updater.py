"""A machine with an updater and a node, whose power may go at every act: what takes long is stood in for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from makers_release import NOW, Home, Machine, bundle, statement

from edge_node.releases.environment import Person
from edge_node.releases.progress import OPEN, Phase
from edge_node.releases.trial import Pace
from edge_node.releases.updater import Updater, Works

CONTENT = bundle("1.1")
NEW = statement(CONTENT, "1.1", 7)


class Cut(BaseException):
    """The power is gone, or the process was killed."""


@dataclass
class Knife:
    """Cuts before or after the n-th act that changes anything."""

    at: int = -1
    after: bool = False
    count: int = 0
    cut: bool = False

    def __call__(self, act: Callable[..., object]) -> Callable[..., object]:
        def cutting(*arguments: object) -> object:
            mine = self.count == self.at
            self.count += 1
            if mine and not self.after:
                self.cut = True
                raise Cut
            done = act(*arguments)
            if mine:
                self.cut = True
                raise Cut
            return done

        return cutting


class World:
    """A machine with an updater and a node whose new version is ``good``, gives no sign, or is never well."""

    def __init__(self, folder: Path, manner: str = "good", knife: Knife | None = None) -> None:
        self.home, self.machine, self.manner = Home(folder), Machine(), manner
        self.knife = knife or Knife()
        self.runs, self.since, self.processes = "a", self.machine.seconds, 0
        self.free = True
        self.cuts: list[str] = []  # restarts that no lease allowed
        self.machine.meanwhile, self.machine.restarted = self.live, self.knife(self.restarted)  # type: ignore[assignment]
        (self.home.prefix / "a" / "whole").touch()
        self.home.offer(CONTENT, NEW)
        self.works = Works(self.knife(self.build), self.prove)  # type: ignore[arg-type]

    def build(self, unpacked: Path, target: Path) -> None:
        assert target.name != self.runs, "what runs is made anew"
        target.mkdir()
        (target / "whole").touch()

    def prove(self, target: Path, version: str, config: Path, who: Person) -> None:
        assert (target / "whole").exists()

    def restarted(self) -> None:
        held = self.home.progress
        if held.phase is not Phase.RETURNING and not self.leased:
            self.cuts.append(f"{held.phase} in {self.machine.run}")
        self.begin()

    @property
    def leased(self) -> bool:
        return (self.home.state / "update" / "lease").exists()

    def begin(self) -> None:
        """A process of the node begins, from wherever ``current`` leads."""
        self.runs, self.since = self.home.current, self.machine.seconds
        self.processes += 1
        assert (self.home.prefix / self.runs / "whole").exists(), "it runs from half an environment"
        (self.home.state / "update" / "lease").unlink(missing_ok=True)

    def live(self) -> None:
        """What the agent does meanwhile."""
        held = self.home.progress
        tried = held.phase in (Phase.TRIAL, Phase.RETURNING)
        trying = tried and held.target == self.runs
        if trying and self.manner != "no life":
            if self.manner == "crashes" and self.machine.seconds - self.since > 10:
                self.begin()
            well = self.machine.seconds - self.since > 300 and self.manner == "good"
            if self.manner != "hangs" or self.machine.seconds - self.since < 20:
                self.sign(well)
        elif not trying:
            if self.free and held.phase in OPEN:
                self.home.lease(self.machine)
            if tried:
                self.sign(False)

    def sign(self, well: bool) -> None:
        told = {"environment": self.runs, "process": f"p{self.processes}", "healthy": well, "free": self.free}
        self.home.sign(self.machine, **told)

    def update(self) -> None:
        updater_ = Updater(self.home.place, self.machine, Pace(look_seconds=3), self.works)
        updater_.run(NOW)

    def reboot(self) -> None:
        self.machine.run, self.machine.seconds = f"{self.machine.run}+", 5.0
        self.begin()
