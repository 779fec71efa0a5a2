"""The updater and air time: it restarts the node, there and back, in free air only, however long the disk takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_updater import Cut, World
from msgspec.structs import replace

from edge_node.releases import environment, progress
from edge_node.releases.machine import Machine
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.signs import Sign
from edge_node.releases.trial import FRESH_SECONDS, Pace, Trial, holds_up
from edge_node.releases.updater import Works
from wire.release import Hitch


@pytest.mark.parametrize("since", [1000.0, 80_000.0])
def test_one_that_is_never_well_is_ended_in_the_next_free_air(tmp_path: Path, since: float) -> None:
    world = World(tmp_path, "never well")
    ended: list[tuple[bool, float]] = []

    def live() -> None:
        trying = world.runs == "b"
        world.free = not trying or world.machine.seconds > since + 10_000
        world.live()

    def restarted() -> None:
        ended.append((world.free, world.machine.seconds))
        world.restarted()

    world.machine.seconds = since
    world.machine.meanwhile, world.machine.restarted = live, restarted
    world.update()
    assert (world.home.progress.reason, world.home.current) == (Hitch.NOT_HEALTHY, "a")
    assert ended[-1][0], "in air time"
    assert since + 10_000 <= ended[-1][1] < since + 10_100


def test_one_that_knows_no_free_air_for_a_day_or_no_more_of_it_is_ended_nevertheless() -> None:
    state, pace = Progress(phase=Phase.TRIAL, target="b", previous="a", boot="m", since=0.0), Pace()
    sign = Sign("b", "p", "m", 0.0)
    watched = Trial(state, pace)
    for at in range(0, int(pace.longest_seconds), 30):
        assert watched.look(replace(sign, at=float(at)), at) is None
    assert (verdict := watched.look(replace(sign, at=pace.longest_seconds), pace.longest_seconds + 1))
    assert verdict.hitch is Hitch.NOT_HEALTHY
    watched = Trial(state, pace)
    late = pace.trial_seconds + 100
    assert watched.look(replace(sign, at=late, free=True), late + FRESH_SECONDS + 1) is None, "an old word of free air"
    assert (verdict := watched.look(replace(sign, at=late, free=True), late + pace.hung_seconds + 1))
    assert verdict.hitch is Hitch.HUNG


def test_while_the_air_is_taken_it_is_made_and_not_switched_to(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.free = False
    world.update()
    assert (world.home.progress.phase, world.home.progress.reason) == (Phase.BUILT, Hitch.AIR_TAKEN)
    assert (world.machine.restarts, world.home.current) == (0, "a")
    world.free = True
    world.works = Works(None, None)  # type: ignore[arg-type]  # it is not made again
    world.update()
    assert (world.home.progress.phase, world.home.current) == (Phase.DONE, "b")


@pytest.mark.parametrize(
    "changed",
    [{"boot": "another"}, {"until": 999.0}, {"until": 1_000_000.0}, None],
    ids=["boot", "over", "long", "bad"],
)
def test_a_lease_of_another_run_an_old_one_or_one_too_long_is_none(
    tmp_path: Path, changed: dict[str, object] | None
) -> None:
    world = World(tmp_path)
    lease = {"boot": world.machine.run, "until": 1010.0} | (changed or {})
    written = b"{" if changed is None else str(lease).replace("'", '"').encode()

    def live() -> None:
        (world.home.state / "update" / "lease").write_bytes(written)

    world.machine.meanwhile = live
    world.update()
    assert (world.home.progress.phase, world.machine.restarts) == (Phase.BUILT, 0)


def test_a_lease_that_is_taken_back_right_before_the_switch_holds_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, save = World(tmp_path), progress.save

    def saving(prefix: Path, state: Progress) -> None:
        save(prefix, state)
        if state.phase is Phase.TRIAL and world.free:
            world.free = False  # a plan came while the disk was busy
            (world.home.state / "update" / "lease").unlink()

    monkeypatch.setattr(progress, "save", saving)
    world.update()
    assert (world.home.progress.phase, world.machine.restarts, world.home.current) == (Phase.BUILT, 0, "a")


def test_a_lease_that_is_taken_back_while_the_link_is_written_holds_up_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, lead, taken = World(tmp_path), environment.lead, []

    def leading(prefix: Path, link: str, name: str) -> None:
        lead(prefix, link, name)
        if (link, name) == ("current", "b") and not taken:
            taken.append(world.machine.seconds)  # an emergency came while the card was flushed
            world.free = False
            (world.home.state / "update" / "lease").unlink()

    def live() -> None:
        if taken and not world.free:
            assert (world.home.current, world.home.progress.phase, world.runs) == ("a", Phase.BUILT, "a")
            world.free = world.machine.seconds > taken[0] + 300
        world.live()

    monkeypatch.setattr(environment, "lead", leading)
    world.machine.meanwhile = live
    world.update()
    assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.DONE, "b", "b")
    assert (world.machine.restarts, world.cuts) == (1, [])


@pytest.mark.parametrize("loses", [False, True], ids=["taken", "and once more while it writes"])
def test_an_updater_that_died_before_the_restart_makes_up_for_it_in_free_air_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loses: bool
) -> None:
    world, save = World(tmp_path), progress.save

    def dead() -> None:
        raise Cut

    monkeypatch.setattr(world.machine, "restart", dead)
    with pytest.raises(Cut):
        world.update()
    assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.TRIAL, "b", "a")
    monkeypatch.undo()
    begun, losing = world.machine.seconds, [loses]
    world.free = False
    (world.home.state / "update" / "lease").unlink()

    def live() -> None:
        world.free = world.machine.seconds > begun + 3000
        world.live()

    def saving(prefix: Path, state: Progress) -> None:
        save(prefix, state)
        if losing[0]:
            losing[0] = False
            (world.home.state / "update" / "lease").unlink()

    monkeypatch.setattr(progress, "save", saving)
    world.machine.meanwhile = live
    world.update()
    assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.DONE, "b", "b")
    assert (world.machine.restarts, world.cuts) == (1, [])
    assert world.since > begun + 3000


def test_what_begins_while_the_way_back_is_written_is_heard_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, lead, taken, ended = World(tmp_path, "never well"), environment.lead, [], []

    def leading(prefix: Path, link: str, name: str) -> None:
        lead(prefix, link, name)
        if world.home.progress.phase is Phase.RETURNING and link == "current":
            taken.append(world.machine.seconds)  # an emergency came while the card was flushed
            world.free = False
            world.live()

    def live() -> None:
        world.free = not taken or world.machine.seconds > taken[0] + 400
        world.live()

    def restarted() -> None:
        ended.append(world.machine.seconds)
        world.restarted()

    monkeypatch.setattr(environment, "lead", leading)
    world.machine.meanwhile, world.machine.restarted = live, restarted
    world.update()
    assert (world.home.progress.phase, world.home.progress.reason) == (Phase.FAILED, Hitch.NOT_HEALTHY)
    assert (world.runs, len(ended)) == ("a", 2)
    assert taken[0] + 400 < ended[1] < taken[0] + 410


@pytest.mark.parametrize("code", [0, 1, None], ids=["done", "refused", "no systemctl"])
def test_whether_the_supervisor_restarts_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    if code is not None:
        (tmp_path / "systemctl").write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Machine("a.service").restart() is (code == 0)


@pytest.mark.parametrize("meanwhile", ["", "it comes by itself"])
def test_a_way_back_whose_restart_failed_is_begun_again_unless_the_node_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    world = World(tmp_path, "never well")
    restart = world.machine.restart
    monkeypatch.setattr(
        world.machine, "restart", lambda: world.home.progress.phase is not Phase.RETURNING and restart()
    )
    with pytest.raises(OSError, match="not restarted"):
        world.update()
    assert (world.home.progress.phase, world.home.current, world.runs) == (Phase.RETURNING, "a", "b")
    monkeypatch.undo()
    if meanwhile:
        world.begin()
    world.machine.wait(60.0)
    world.update()
    assert (world.home.progress.phase, world.runs) == (Phase.FAILED, "a")
    assert world.machine.restarts == (1 if meanwhile else 2), "nothing is cut that runs already"


@pytest.mark.parametrize(
    ("reason", "sign"),
    [
        (Hitch.HUNG, {}),
        (Hitch.CRASHED, {}),
        (Hitch.NOT_HEALTHY, {"free": True}),
        (Hitch.NOT_HEALTHY, {"at": 90.0}),
        (Hitch.NOT_HEALTHY, {"at": 110.0}),
        (Hitch.NOT_HEALTHY, {"boot": "another"}),
        (Hitch.NOT_HEALTHY, {"environment": "a"}),
        (Hitch.NOT_HEALTHY, None),
    ],
)
def test_the_way_back_waits_for_no_version_that_does_not_walk(reason: Hitch, sign: dict[str, object] | None) -> None:
    state = Progress(phase=Phase.RETURNING, target="b", previous="a", boot="m", reason=reason.value)
    taken = Sign("b", "p", "m", 105.0)
    told = replace(taken, **sign) if sign is not None else None
    assert not holds_up(state, told, ("m", 106.0), Pace())
    assert holds_up(replace(state, reason=Hitch.NOT_HEALTHY.value), taken, ("m", 106.0), Pace())
    state = replace(state, reason=Hitch.NOT_HEALTHY.value)
    assert not holds_up(state, replace(taken, at=86_500.0), ("m", 86_501.0), Pace()), "not for more than a day"
