"""A version on trial that fills the disk: it is given up once and for all, whatever is cut."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from makers_release import Home
from makers_updater import Cut, Knife, World
from msgspec.structs import replace

from edge_node import disk
from edge_node.releases import environment, progress
from edge_node.releases.progress import Phase, Progress
from wire.release import Hitch

ACTS = 24


class Filled:
    """The disk of ``world``: from the first process of the new version on nothing can be made; what is there stays."""

    def __init__(self, world: World, write: Callable[..., None]) -> None:
        self._world, self._write, self._begin = world, write, world.begin
        self.full, self.trials = False, 0
        world.begin = self.begin  # type: ignore[method-assign]

    def begin(self) -> None:
        before = self._world.runs
        self._begin()
        if self._world.runs == "b":
            self.full = True
            self.trials += before == "a"

    def link(self, path: Path, target: str) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        os.symlink(target, path)

    def write(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._write(path, data, mode)


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], Filled]:
    """Every act of the updater of this world can be cut by its knife."""

    def arm(world: World) -> Filled:
        made = Filled(world, disk.write)
        monkeypatch.setattr(disk, "write", world.knife(made.write))
        for room, act in (
            (disk, "keep_record"),
            (disk, "write_record"),
            (environment, "lead"),
            (environment, "keep_way"),
            (environment, "remove"),
        ):
            monkeypatch.setattr(room, act, world.knife(getattr(room, act)))
        monkeypatch.setattr(Path, "symlink_to", lambda path, target: made.link(path, target))
        return made

    return arm


@pytest.mark.parametrize(("at", "after", "power"), [*itertools.product(range(-1, ACTS), (False, True), (False, True))])
def test_it_is_tried_once_and_given_up_whatever_is_cut(
    tmp_path: Path, filled: Callable[[World], Filled], at: int, after: bool, power: bool
) -> None:
    world = World(tmp_path, "no life", Knife(at, after))
    disk_ = filled(world)
    for _ in range(4):
        try:
            world.update()
        except Cut:
            world.reboot() if power else None
    assert (world.home.progress.phase, world.home.progress.reason) == (Phase.FAILED, Hitch.NO_LIFE)
    assert (world.home.current, world.home.steady, world.runs) == ("a", "a", "a")
    assert (disk_.trials, world.cuts) == (1, [])
    restarts, disk_.full = world.machine.restarts, False
    world.update()  # what filled it is gone with the version
    assert (world.home.progress.phase, world.machine.restarts, disk_.trials) == (Phase.FAILED, restarts, 1)


def test_there_are_no_more_acts_on_a_full_disk_than_were_cut_at(
    tmp_path: Path, filled: Callable[[World], Filled]
) -> None:
    world = World(tmp_path, "no life")
    filled(world)
    world.update()
    assert 12 < world.knife.count < ACTS


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def refusing(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


BUILT = Progress(Phase.BUILT, serial=7, target="b", previous="a")
TRIAL = replace(BUILT, phase=Phase.TRIAL, boot="m", since=5.0)


def test_what_follows_a_trial_counts_until_the_state_can_be_replaced(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.keep_room(home.prefix)
    progress.save(home.prefix, TRIAL)
    told = replace(TRIAL, detail="\N{LATIN SMALL LETTER E WITH ACUTE}\x00" * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "write", refusing)
        for phase in (Phase.RETURNING, Phase.FAILED):
            progress.save(home.prefix, replace(told, phase=phase))
            assert replace(home.progress, detail="") == replace(TRIAL, phase=phase)
    assert home.progress.phase is Phase.FAILED
    progress.save(home.prefix, BUILT)
    assert home.progress == BUILT


@pytest.mark.parametrize("stands", [None, b"{", BUILT])
def test_before_a_trial_what_cannot_be_written_is_raised(
    home: Home, monkeypatch: pytest.MonkeyPatch, stands: Progress | bytes | None
) -> None:
    progress.keep_room(home.prefix)
    if isinstance(stands, Progress):
        progress.save(home.prefix, stands)
    elif stands:
        disk.write(progress.place(home.prefix), stands)
    monkeypatch.setattr(disk, "write", refusing)
    with pytest.raises(OSError, match=r"No space|No such file"):
        progress.save(home.prefix, TRIAL)


def test_without_room_kept_the_way_back_is_gone_all_the_same(tmp_path: Path, filled: Callable[[World], Filled]) -> None:
    """As an updater before this one left it; the disk takes nothing, also no record."""
    world = World(tmp_path, "no life")
    disk_ = filled(world)
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(OSError):
        patch.setattr(disk, "write_record", refusing)
        world.update()
    assert (world.home.current, world.runs, disk_.trials) == ("a", "a", 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize(
    ("bounds", "each_bytes", "stands"), [("size=512k", 1 << 20, b'"trial"'), ("size=1m,nr_inodes=60", 0, b'"failed"')]
)
def test_a_disk_that_is_really_full_takes_the_end_of_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bounds: str, each_bytes: int, stands: bytes
) -> None:
    """Full of bytes; and full of files, where the way back itself gives one free."""
    world, prefix = World(tmp_path, "no life"), tmp_path / "opt"
    small = ["mount", "-t", "tmpfs", "-o", bounds, "none", str(prefix)]
    if subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    begin = world.begin

    def filling() -> None:
        begin()
        if world.runs == "b":
            with contextlib.suppress(OSError):
                for number in itertools.count():
                    (prefix / f"filler{number}").write_bytes(bytes(each_bytes))

    try:
        (prefix / "a").mkdir()
        (prefix / "a" / "whole").touch()
        environment.lead(prefix, "current", "a")
        monkeypatch.setattr(world, "begin", filling)
        monkeypatch.setattr("edge_node.releases.updater.RESERVE_BYTES", -(1 << 40))
        world.update()
        assert stands in progress.place(prefix).read_bytes()
        assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.FAILED, "a", "a")
        restarts = world.machine.restarts
        for filler in prefix.glob("filler*"):
            filler.unlink()
        world.update()
        assert (world.home.progress.phase, world.machine.restarts) == (Phase.FAILED, restarts)
    finally:
        subprocess.run(["umount", str(prefix)], check=True)
