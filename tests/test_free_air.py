"""Free air: whatever the plans say, nothing begins while it is said to last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers_node import T0, after, make_config, make_emergency, make_job, make_relay

from schedules import free_air
from schedules.docket import Docket, Situation
from schedules.due import PRIME, Cut, OnAir, Phase, Record, Start, due, fresh
from wire.config import QuietHours
from wire.plan import BulletinClass, Job, Late

MOST = timedelta(minutes=15)
NEVER_QUIET = QuietHours("00:00", "00:00")


def situation(*jobs: Job, records: dict[str, Record] | None = None, **changed: object) -> Situation:
    known = {job.id: fresh(job) for job in jobs} if records is None else records
    config = changed.pop("config", make_config(quiet_hours=NEVER_QUIET))
    base = Situation(Docket({job.id: job for job in jobs}, known), None, config, T0)  # type: ignore[arg-type]
    return replace(base, **changed)  # type: ignore[arg-type]


def free_until(s: Situation, most: timedelta) -> datetime | None:
    return free_air.free_until(s, s.jobs.values(), most)


def test_without_a_job_the_air_is_free_as_far_as_one_looks() -> None:
    assert free_until(situation(), MOST) == T0 + MOST


def test_it_ends_when_the_next_job_is_handed_to_the_player() -> None:
    assert free_until(situation(make_job(start=after(600))), MOST) == after(600) - PRIME
    early = make_config(quiet_hours=NEVER_QUIET, offset_ms=-1500)
    assert free_until(situation(make_job(start=after(600)), config=early), MOST) == after(598.5) - PRIME


@pytest.mark.parametrize(
    "taken",
    [
        situation(on_air=OnAir(make_job(), sounding=True)),
        situation(on_air=OnAir(make_job(), sounding=False)),
        situation(make_job()),
        situation(make_job(start=after(-60))),
        situation(make_emergency(start=after(-1))),
        situation(make_job(start=after(1))),
        situation(clock_known=False),
        situation(make_job(start=after(3600)), records={"b1": Record("b1", Phase.PAUSED, after(3600), after(3700))}),
    ],
)
def test_what_holds_the_air_or_may_take_it_at_any_moment_leaves_none(taken: Situation) -> None:
    assert free_until(taken, MOST) is None


def test_what_is_over_takes_no_air() -> None:
    job = make_job(start=after(-60))
    ended = {"b1": Record("b1", Phase.ENDED, job.start, job.deadline)}
    assert free_until(situation(job, records=ended), MOST) == T0 + MOST


def test_an_alarm_holds_the_air_until_its_deadline_though_it_has_sounded_and_no_longer_before_its_start() -> None:
    alarm = make_emergency(start=after(-60), late_for=600)
    over = situation(alarm, records={"e1": Record("e1", Phase.ENDED, alarm.start, alarm.deadline)})
    assert free_air.free_until(over, [alarm], MOST) is None
    assert free_air.free_until(replace(over, now=after(541)), [alarm], MOST) == after(541) + MOST
    assert free_until(situation(make_emergency(start=after(86_400))), MOST) == T0 + MOST


@st.composite
def jobs(draw: st.DrawFn) -> list[Job]:
    made = []
    for number in range(draw(st.integers(0, 4))):
        start = after(draw(st.integers(-2000, 2000)))
        late_for = draw(st.sampled_from([0.0, 5.0, 600.0, 4000.0]))
        kind = draw(st.sampled_from(["plain", "emergency", "relay", "priority"]))
        if kind == "relay":
            made.append(make_relay(f"j{number}", start, draw(st.integers(10, 3000))))
        elif kind == "emergency":
            made.append(make_emergency(f"j{number}", start, late_for=late_for))
        else:
            rank = BulletinClass.PRIORITY if kind == "priority" else BulletinClass.ORDINARY
            late = draw(st.sampled_from([Late.SKIP, Late.PLAY_LATE]))
            made.append(make_job(f"j{number}", start, late_for=late_for, bulletin_class=rank, late=late))
    return made


@settings(max_examples=300, deadline=None)
@given(jobs(), st.data())
def test_nothing_begins_in_free_air(held: list[Job], data: st.DataObject) -> None:
    records = {}
    for job in held:
        phase = data.draw(st.sampled_from([None, *Phase]))
        if phase is not None:
            position = 0 if phase is Phase.WAITING else data.draw(st.integers(0, 9000))
            records[job.id] = Record(job.id, phase, job.start, job.deadline, fresh(job).asset, position)
    offset = data.draw(st.integers(-2000, 2000))
    quiet = data.draw(st.sampled_from([NEVER_QUIET, QuietHours("10:00", "10:20"), QuietHours("21:00", "05:00")]))
    config = make_config(offset_ms=offset, quiet_hours=quiet, maintenance=data.draw(st.booleans()))
    known = data.draw(st.booleans())
    s = situation(*held, records=records, config=config, clock_known=known)
    free = free_until(s, MOST)
    if free is None:
        return
    assert T0 < free <= T0 + MOST
    for part in (0.0, data.draw(st.floats(0, 1)), 1.0):
        moment = T0 + part * (free - T0)
        moment = min(moment, free - timedelta(milliseconds=1))
        assert not [act for act in due(replace(s, now=moment)) if isinstance(act, Start | Cut)], moment
