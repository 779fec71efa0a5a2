"""What has gone wrong elsewhere, named, and held against our own decision. The others of their kind: `test_programme`
(Monday 05:00 armed for Tuesday, clipped at midnight), `test_planner` (validity over 25 days, offline when booked)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from makers_node import T0, make_asset, make_config, make_emergency, make_job
from makers_store import COMMUNE, furnish
from makers_world import World, happen, run

from controller.desk import Desk, DeskError, rules
from controller.desk.programming import Programming
from controller.restraint import Restraint
from controller.settings import Settings
from controller.store import Store
from schedules import due as decision
from schedules import holding, planner
from schedules.relays import Source
from schedules.simulation import Day, simulate
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job, Level, Relay
from wire.receipt import Step

HANOI = "Asia/Ho_Chi_Minh"
EDGE = T0 + timedelta(hours=11)
OCCURRENCES = 100_000
SEED = 20260217


def endings(*jobs: Job) -> dict[str, tuple[Step, Reason | None]]:
    config = make_config(quiet_hours=QuietHours("00:00", "00:00"))
    day = simulate({job.id: job for job in jobs}, config, T0 - timedelta(minutes=1), T0 + timedelta(hours=6))
    return {each.job.id: (each.step, each.reason) for each in day.endings}


def test_priority_refused_never_deferred() -> None:
    """Elsewhere an item that met a higher one was dropped in silence. Here it waits, or ends with its reason."""
    alarm = make_emergency("e1", asset=make_asset("a", 120_000))
    waits = make_job("b1", T0 + timedelta(seconds=10), late_for=600)
    cannot = make_job("b2", T0 + timedelta(seconds=10), late_for=30)
    assert endings(alarm, waits, cannot) == {
        "e1": (Step.SOUNDED, None),
        "b1": (Step.SOUNDED, None),
        "b2": (Step.MISSED, Reason.OUTRANKED),
    }


def test_interrupt_of_an_interrupt() -> None:
    """A bulletin, cut by a commune's alarm, cut by a province's: each goes on as it says, the lower ones after."""
    item = make_job("b1", T0, asset=make_asset("a", 60_000), after_cut=AfterCut.RESUME, late_for=1800)
    commune = make_emergency("e1", T0 + timedelta(seconds=20), asset=make_asset("b", 30_000), late_for=1800)
    province = make_emergency(
        "e2", T0 + timedelta(seconds=30), asset=make_asset("c", 10_000), level=Level.PROVINCE, late_for=1800
    )
    config = make_config(quiet_hours=QuietHours("00:00", "00:00"))
    jobs = {job.id: job for job in (item, commune, province)}
    day = simulate(jobs, config, T0 - timedelta(minutes=1), T0 + timedelta(hours=1))
    assert [(each.job.id, each.from_ms > 0) for each in day.stretches] == [
        *(("b1", False), ("e1", False), ("e2", False)),
        *(("e1", False), ("b1", True)),
    ]
    assert {each.step for each in day.endings} == {Step.SOUNDED}


NIGHT = datetime.fromisoformat("2026-11-25T03:15:00+07:00")
EVENING, MORNING = NIGHT - timedelta(hours=8), NIGHT + timedelta(hours=2)
MIS_SET = f"""[programme]
area = "{COMMUNE}"
title = "Khung chương trình Đài truyền thanh xã"

[[slot]]
label = "Tiếp sóng"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
start = "03:15"
minutes = 30

[[slot.item]]
kind = "relay"
source = "vov1"
"""
# guard -> what takes it away. Whoever builds another adds it here, or the last of these tests fails
GUARDS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "desk": lambda patch: patch.setattr(Programming, "_audible", lambda *_: None),
    "planner": lambda patch: patch.setattr(holding, "policy", Yes()),
    "node": lambda patch: patch.setattr(decision, "_forbidden", lambda *_: None),
}


class Yes:
    """A policy that lets everything sound."""

    def may_sound(self, *_: object) -> bool:
        return True


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/loa.db", [Source("vov1", "https://vov.example/1", "VOV1")])
    store.migrate()
    furnish(store)
    yield store
    store.close()


def night(commune: Store) -> Day:
    """The whole way of a programme with a relay at 03:15, and what a node of the commune makes of it that night."""
    approver = commune.people.by_name("hoa")
    assert approver
    Desk(commune, HANOI, lambda: None).apply_programme(MIS_SET, None, approver, EVENING)
    restraint = Restraint(commune, Settings())
    restraint.know(commune.roster.nodes(), {})
    plans = restraint.apply(planner.plan(commune.airing.to_plan(EVENING), EVENING), EVENING)
    jobs = planner.of_areas(plans, (COMMUNE,), EVENING)
    return simulate({job.id: job for job in jobs}, make_config(), EVENING, MORNING)


def test_trung_loc_0315_the_desk_alone_refuses_the_programme(commune: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """December 2025: a relay mis-set to 03:15 woke a commune. Here each guard suffices without the others."""
    without(monkeypatch, but="desk")
    with pytest.raises(DeskError) as refused:
        night(commune)
    assert refused.value.key == "desk.programme_quiet"
    assert commune.programmes.standings() == {}


def test_trung_loc_0315_the_planner_alone_holds_it_back(commune: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, but="planner")
    assert night(commune) == Day((), ())
    held = commune.held.since(EVENING)
    assert {each.reason for each in held} == {Reason.QUIET_HOURS}
    assert NIGHT in {each.start for each in held}


def test_trung_loc_0315_the_node_alone_refuses_the_relay(commune: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, but="node")
    day = night(commune)
    assert day.stretches == ()
    assert [(each.job.start, each.step, each.reason) for each in day.endings] == [
        (NIGHT, Step.REFUSED, Reason.QUIET_HOURS)
    ]


def test_trung_loc_0315_without_any_guard_it_would_have_sounded(
    commune: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commune is woken again: so the three tests above show what the guards do, and no other guard is forgotten."""
    without(monkeypatch, but="")
    (stretch,) = night(commune).stretches
    assert stretch.job.relay == Relay("https://vov.example/1", 30 * 60_000 - 1000)
    assert (stretch.since, stretch.until) == (NIGHT, NIGHT + timedelta(minutes=30, seconds=-1))


def without(patch: pytest.MonkeyPatch, but: str) -> None:
    """Take every guard away but one."""
    for name, take_away in GUARDS.items():
        if name != but:
            take_away(patch)


def test_a_single_broadcast_at_0315_is_refused_by_the_desk_as_well() -> None:
    with pytest.raises(DeskError) as refused:
        rules.start(NIGHT, BulletinClass.ORDINARY, NIGHT - timedelta(days=1), HANOI, QuietHours())
    assert refused.value.key == "desk.quiet_hours"


def test_of_a_hundred_thousand_occurrences_under_faults_each_has_one_outcome() -> None:
    """Power cuts, a clock that hops or is not known, missing audio, edits, withdrawals, maintenance."""
    chance = random.Random(SEED)
    occurred = 0
    while occurred < OCCURRENCES:
        world = World({}, chance.choice((0, 0, 700, -700)), EDGE - timedelta(seconds=100))
        for number in range(chance.randint(2, 6)):
            happen(world, "plan", some_job(chance, f"b{number}"))
        for _ in range(chance.randint(0, 6)):
            happen(world, *some_fault(chance))
            world.look()
        world.known, world.maintenance = True, False
        run(world, max(world.now, EDGE) + timedelta(seconds=1000), timedelta(hours=1))
        assert {job: len(steps) for job, steps in world.outcomes.items()} == dict.fromkeys(world.seen, 1)
        occurred += len(world.seen)


def some_job(chance: random.Random, name: str) -> Job:
    make = make_emergency if chance.random() < 0.25 else make_job
    start = EDGE + timedelta(seconds=chance.choice((-90, -30, -5, -1, 0, 1, 2, 20, 40)))
    asset = make_asset(chance.choice("abc"), chance.choice((1, 500, 7000, 60_000)))
    made = make(
        name,
        start,
        after_cut=chance.choice(list(AfterCut)),
        level=chance.choice(list(Level)),
        late_for=chance.choice((0, 5, 30, 300)),
        asset=asset,
    )
    if chance.random() < 0.2:
        return msgspec.structs.replace(made, asset=None, relay=Relay("https://radio.example/live", asset.duration_ms))
    return made


def some_fault(chance: random.Random) -> tuple[str, object]:
    what = chance.choice(
        ("plan", "withdraw", "unready", "ready", "crash", "unknown", "known", "maintenance", "jump", "wait")
    )
    if what == "plan":
        return what, some_job(chance, f"b{chance.randint(0, 5)}")
    if what in ("withdraw", "unready", "ready"):
        return what, chance.randint(0, 5)
    if what == "jump":
        return what, chance.choice((-30, -3, 5, 60))
    return what, chance.choice((0.05, 0.3, 1, 3, 20, 100)) if what == "wait" else None
