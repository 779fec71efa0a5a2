"""The updater's walk, a power cut or a kill at every act of it, and all that it must not do. The steps that take long
are stood in for here; `test_updater_real` does them with pip, processes and a supervisor."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_node import STATION
from makers_release import NOW, Home, Machine, bundle, statement
from makers_updater import CONTENT, NEW, Cut, Knife, World

from edge_node import disk
from edge_node.releases import environment, progress, updater
from edge_node.releases.environment import NotMade
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.trial import MOST_TRIES, Pace
from edge_node.releases.updater import Works
from wire.release import Hitch, Release


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Knife], None]:
    def arm(knife: Knife) -> None:
        monkeypatch.setattr(progress, "save", knife(progress.save))
        monkeypatch.setattr(environment, "lead", knife(environment.lead))
        monkeypatch.setattr(environment, "remove", knife(environment.remove))

    return arm


def test_a_release_is_made_switched_to_in_free_air_and_proven(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.update()
    held = world.home.progress
    assert (held.phase, held.version, held.serial) == (Phase.DONE, "1.1", 7)
    assert (world.home.current, world.home.steady, world.runs) == ("b", "b", "b")
    assert (world.machine.restarts, world.cuts) == (1, [])
    world.update()  # asked again: it was dealt with
    assert world.machine.restarts == 1


@pytest.mark.parametrize(
    ("manner", "hitch", "most_seconds"),
    [("no life", Hitch.NO_LIFE, 120), ("hangs", Hitch.HUNG, 120), ("crashes", Hitch.CRASHED, 120)],
)
def test_a_version_that_does_not_live_is_gone_after_two_minutes_at_most(
    tmp_path: Path, manner: str, hitch: Hitch, most_seconds: int
) -> None:
    world = World(tmp_path, manner)
    world.update()
    held = world.home.progress
    assert (held.phase, held.reason, held.ran) == (Phase.FAILED, hitch, True)
    assert (world.home.current, world.home.steady, world.runs) == ("a", "a", "a")
    assert world.machine.seconds - 1000 < most_seconds
    restarts = world.machine.restarts
    world.update()  # the same statement is not tried again
    assert (world.machine.restarts, world.home.current) == (restarts, "a")
    again = statement(CONTENT, "1.1", 8)
    world.manner = "good"
    world.home.offer(CONTENT, again)
    world.update()
    assert (world.home.progress.phase, world.home.current) == (Phase.DONE, "b")


def test_a_version_that_walks_but_is_never_well_is_given_its_time_and_then_ended(tmp_path: Path) -> None:
    world = World(tmp_path, "never well")
    world.update()
    assert (world.home.progress.reason, world.home.current) == (Hitch.NOT_HEALTHY, "a")
    assert 1800 < world.machine.seconds - 1000 < 2000


def every_cut() -> Iterator[tuple[str, int, bool, bool]]:
    for manner, after, power in itertools.product(("good", "no life"), (False, True), (False, True)):
        for at in range(20):
            yield manner, at, after, power


@pytest.mark.parametrize(("manner", "at", "after", "power"), [*every_cut()])
def test_a_cut_at_any_act_leaves_a_node_that_runs_and_an_update_that_ends(
    tmp_path: Path, cutting: Callable[[Knife], None], manner: str, at: int, after: bool, power: bool
) -> None:
    knife = Knife(at, after)
    world = World(tmp_path, manner, knife)
    cutting(knife)
    for _ in range(3):
        try:
            world.update()
        except Cut:
            world.reboot() if power else None
        assert (world.home.prefix / world.home.current / "whole").exists()
    good = manner == "good"
    held = world.home.progress
    assert held.phase is (Phase.DONE if good else Phase.FAILED), held
    assert (world.home.current, world.home.steady, world.runs) == (("b",) * 3 if good else ("a",) * 3)
    assert world.cuts == []


def test_there_are_no_more_acts_than_were_cut_at(tmp_path: Path, cutting: Callable[[Knife], None]) -> None:
    for manner in ("good", "no life"):
        knife = Knife()
        cutting(knife)
        (tmp_path / manner).mkdir()
        World(tmp_path / manner, manner, knife).update()
        assert 10 < knife.count < 20


def test_a_machine_that_starts_again_and_again_on_trial_goes_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(MOST_TRIES + 1):
        world.machine.meanwhile = lambda: (_ for _ in ()).throw(Cut()) if world.runs == "b" else world.live()
        with pytest.raises(Cut):
            world.update()
        world.reboot()
        if world.home.progress.tries == MOST_TRIES:
            break
    world.machine.meanwhile = world.live
    world.update()
    assert (world.home.progress.reason, world.home.current, world.runs) == (Hitch.POWER_CUTS, "a", "a")


REFUSED: list[tuple[str, Callable[[Home], None]]] = [
    ("a station's seal", lambda home: home.offer(CONTENT, NEW, STATION)),
    ("another machine", lambda home: home.offer(CONTENT, statement(CONTENT, "1.1", 7, machine="riscv64"))),
    ("another Python", lambda home: home.offer(CONTENT, statement(CONTENT, "1.1", 7, python="3.99"))),
    ("a lower version", lambda home: home.offer(CONTENT, statement(CONTENT, "0.9", 7))),
    ("run out", lambda home: home.offer(CONTENT, statement(CONTENT, "1.1", 7, valid_until=NOW - timedelta(days=1)))),
    ("no statement", lambda home: _write(home, b"{}")),
    ("too long", lambda home: _write(home, b" " * 100_000)),
    ("a link", lambda home: _link(home)),
    ("none", lambda home: (home.state / "update" / "request").unlink()),
]


def _write(home: Home, content: bytes) -> None:
    (home.state / "update" / "request").write_bytes(content)


def _link(home: Home) -> None:
    request = home.state / "update" / "request"
    request.rename(home.folder / "true")
    request.symlink_to(home.folder / "true")


@pytest.mark.parametrize("spoil", [spoil for _, spoil in REFUSED], ids=[name for name, _ in REFUSED])
def test_what_is_not_the_roots_newest_word_for_this_machine_changes_nothing(
    tmp_path: Path, spoil: Callable[[Home], None]
) -> None:
    world = World(tmp_path)
    spoil(world.home)
    world.update()
    assert world.home.progress == Progress()
    assert (world.home.current, world.machine.restarts) == ("a", 0)
    assert not (world.home.prefix / "b").exists()


def test_an_older_statement_is_refused_and_a_sealed_way_back_is_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.update()
    place = updater.Place(world.home.prefix, world.home.config, world.home.place.settings, "1.1")
    world.home.place = place
    old = bundle("1.0")
    for refused in (statement(old, "1.0", 6, roll_back=True), statement(old, "1.0", 8)):
        world.home.offer(old, refused)
        world.update()
        assert (world.home.progress.serial, world.home.current) == (7, "b")
    world.home.offer(old, statement(old, "1.0", 9, roll_back=True))
    world.update()
    assert (world.home.progress.version, world.home.current, world.home.progress.phase) == ("1.0", "a", Phase.DONE)


def offered(home: Home, content: bytes, release: Release = NEW) -> None:
    home.offer(CONTENT, release)
    (home.state / "audio" / release.sha256).write_bytes(content)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"x", CONTENT[:-1] + b"\x01"])
def test_a_bundle_that_is_not_the_sealed_one_is_not_unpacked_and_waited_for(tmp_path: Path, content: bytes) -> None:
    world = World(tmp_path)
    offered(world.home, content)
    world.update()
    assert (world.home.progress.phase, world.home.progress.reason) == (Phase.BUILDING, Hitch.NO_BUNDLE)
    assert world.home.current == "a"
    offered(world.home, CONTENT)
    world.update()
    assert world.home.progress.phase is Phase.DONE


def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    monkeypatch.setattr(updater, "RESERVE_BYTES", 1 << 60)
    world.update()
    assert (world.home.progress.phase, world.home.progress.reason) == (Phase.BUILDING, Hitch.DISK_FULL)
    assert not (world.home.prefix / "update" / "work").exists()
    monkeypatch.setattr(updater, "RESERVE_BYTES", 0)
    world.update()
    assert world.home.progress.phase is Phase.DONE


@pytest.mark.parametrize("hitch", [Hitch.NOT_BUILT, Hitch.NOT_PROVEN])
def test_what_cannot_be_made_is_not_tried_again(tmp_path: Path, hitch: Hitch) -> None:
    world = World(tmp_path)

    def fails(*_: object) -> None:
        raise NotMade(hitch, "why")

    good = world.works
    world.works = Works(fails, good.prove) if hitch is Hitch.NOT_BUILT else Works(good.build, fails)
    world.update()
    held = world.home.progress
    assert (held.phase, held.reason, held.ran, held.detail) == (Phase.FAILED, hitch, False, "why")
    world.works = good
    world.update()
    assert (world.home.progress, world.home.current) == (held, "a")


@pytest.mark.parametrize("spoilt", [b"", b"{", b"\xff" * 100, b'{"phase":"trial","target":"zz"}', b" " * 10_000])
def test_a_spoilt_state_leads_back_to_what_is_proven(tmp_path: Path, spoilt: bytes) -> None:
    world = World(tmp_path)
    world.update()
    environment.lead(world.home.prefix, "current", "a")  # as it would be in a trial of a
    disk.write(progress.place(world.home.prefix), spoilt)
    (world.home.state / "update" / "request").unlink()
    world.update()
    assert (world.home.progress, world.home.current, world.runs) == (Progress(), "b", "b")
    assert world.machine.restarts == 2
    world.update()
    assert world.machine.restarts == 2


def test_one_updater_is_at_work_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with updater.alone(home.prefix), pytest.raises(updater.NoPrefix, match="at work"), updater.alone(home.prefix):
        pass


def test_nothing_is_installed_from_where_others_may_write(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prefix.chmod(0o755)
    updater.guarded(home.prefix)
    for mode in (0o775, 0o757):
        home.prefix.chmod(mode)
        with pytest.raises(updater.NoPrefix, match="others than root"):
            updater.guarded(home.prefix)
    with pytest.raises(updater.NoPrefix):
        updater.guarded(home.prefix / "nothing")


def test_a_prefix_without_its_link_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (home.prefix / "current").unlink()
    with pytest.raises(updater.NoPrefix, match="current"):
        updater.open_at(home.place, Machine(), Pace())  # type: ignore[arg-type]
    (home.prefix / "current").symlink_to("/usr")
    with pytest.raises(updater.NoPrefix, match="neither"):
        updater.open_at(home.place, Machine(), Pace())  # type: ignore[arg-type]


def test_a_version_that_dies_between_being_proven_and_written_down_goes_back_whole(
    tmp_path: Path, cutting: Callable[[Knife], None]
) -> None:
    for at in range(20):
        (folder := tmp_path / str(at)).mkdir()
        knife = Knife(at, after=True)
        world = World(folder, "good", knife)
        cutting(knife)
        with pytest.raises(Cut):
            world.update()
        if (
            (world.home.prefix / "steady").exists()
            and world.home.steady == "b"
            and world.home.progress.phase is Phase.TRIAL
        ):
            break
    world.manner = "no life"
    world.reboot()
    world.update()
    assert (world.home.progress.phase, world.home.current, world.home.steady) == (Phase.FAILED, "a", "a")


def test_a_disk_that_takes_no_more_words_does_not_keep_a_bad_version_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, save = World(tmp_path, "no life"), progress.save

    def full(prefix: Path, state: Progress) -> None:
        if state.phase is Phase.RETURNING:
            raise OSError(28, "No space left on device")
        save(prefix, state)

    monkeypatch.setattr(progress, "save", full)
    world.update()
    assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.FAILED, "a", "a")


def test_a_machine_that_was_set_up_anew_meanwhile_is_not_switched_to_what_stands_there_now(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.free = False
    world.update()
    assert world.home.progress.phase is Phase.BUILT
    (world.home.prefix / "b" / "by hand").touch()
    for link in ("current", "steady"):
        environment.lead(world.home.prefix, link, "b")
    world.begin()
    world.free = True
    world.update()
    assert (world.home.progress.phase, world.home.current) == (Phase.DONE, "a")
    assert (world.home.prefix / "b" / "by hand").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_really_full_is_waited_for_and_leaves_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, prefix = World(tmp_path), tmp_path / "opt"
    small = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(prefix)]
    if subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        (prefix / "a").mkdir()
        (prefix / "a" / "whole").touch()
        environment.lead(prefix, "current", "a")
        monkeypatch.setattr(updater, "RESERVE_BYTES", -(1 << 40))  # it believes that there is room
        release = statement(big := CONTENT + bytes(200_000), "1.1", 7)
        world.home.offer(big, release)
        world.update()
        held = world.home.progress
        assert (held.phase, held.reason) == (Phase.BUILDING, Hitch.DISK_FULL)
        assert world.home.current == "a"
        assert not (prefix / "update" / "work").exists()
    finally:
        subprocess.run(["umount", str(prefix)], check=True)
