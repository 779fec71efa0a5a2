"""The docket: what is near is all that a look needs; what it leaves out would have changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job

from schedules.docket import Docket, Situation
from schedules.due import OnAir, Phase, due, fresh, next_look
from wire.config import QuietHours
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job, Level

SECONDS = [-86400, -1900, -1800, -60, -3, -2, -1, 0, 1, 2, 3, 60, 3600, 5 * 86400]


class Exhaustive(Docket):
    """Looks at everything, always."""

    def reached(self, until: datetime) -> list[Job]:
        return [job for job in self._by_start if job.start <= until] + [
            job for job in self._by_start if job.start > until
        ]

    def beyond(self, until: datetime) -> Iterator[Job]:
        yield from ()


@st.composite
def some_jobs(draw: st.DrawFn) -> list[Job]:
    made = {}
    for _ in range(draw(st.integers(0, 8))):
        make = make_emergency if draw(st.integers(0, 3)) == 0 else make_job
        name = f"b{draw(st.integers(0, 9))}"
        changed: dict[str, object] = {
            "after_cut": draw(st.sampled_from(AfterCut)),
            "duck": draw(st.booleans()),
            "level": draw(st.sampled_from(Level)),
            "late_for": draw(st.sampled_from([0, 5, 1800])),
            "asset": make_asset(draw(st.sampled_from("ab")), draw(st.sampled_from([1, 7000, 60_000]))),
        }
        if make is make_job:
            changed["bulletin_class"] = draw(st.sampled_from([BulletinClass.ORDINARY, BulletinClass.PRIORITY]))
            changed["before"] = tuple(draw(st.lists(st.sampled_from(["b1", "b2"]), max_size=1)))
        made[name] = make(name, after(draw(st.sampled_from(SECONDS))), **changed)
    return list(made.values())


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    jobs = draw(some_jobs())
    records = {}
    for job in jobs:
        if draw(st.booleans()):
            phase = draw(st.sampled_from(Phase))
            moved = timedelta(seconds=draw(st.sampled_from([0, 0, 0, 60, -86400])))
            position = 0 if phase is Phase.WAITING else draw(st.sampled_from([0, 900, 6900]))
            record = msgspec.structs.replace(fresh(job), phase=phase, position_ms=position, start=job.start + moved)
            records[job.id] = record
    gone = draw(st.sets(st.sampled_from([job.id for job in jobs]))) if jobs else set()
    planned = {job.id: job for job in jobs if job.id not in gone}
    docket = Docket(planned, records)
    held = draw(st.sampled_from([None, *docket.jobs.values()]))
    on_air = OnAir(held, draw(st.booleans())) if held and held.id in docket.records else None
    under = draw(st.sampled_from([None, *(job for job in docket.jobs.values() if job.id in docket.records)]))
    if on_air and under and under != held and on_air.job.bulletin_class is BulletinClass.EMERGENCY:
        on_air = replace(on_air, beneath=under)
    quiet = draw(st.sampled_from([QuietHours(), QuietHours("19:00", "20:00"), QuietHours("00:00", "00:00")]))
    config = make_config(
        offset_ms=draw(st.sampled_from([0, -2000, 2000])), maintenance=draw(st.booleans()), quiet_hours=quiet
    )
    unready = dict.fromkeys(draw(st.sets(st.sampled_from(["b1", "b3"]))), Reason.NO_AUDIO)
    return Situation(docket, on_air, config, T0, draw(st.booleans()), unready)


@given(situations())
def test_a_look_at_what_is_near_decides_what_a_look_at_everything_would(s: Situation) -> None:
    everything = replace(s, docket=Exhaustive(s.jobs, s.records))
    assert sorted(map(repr, due(s))) == sorted(map(repr, due(everything)))
    assert due(s)[-1:] == due(everything)[-1:], "and gives the loudspeaker to the same job"
    if not due(s):
        assert next_look(s, timedelta(days=9)) == next_look(everything, timedelta(days=9))


def test_a_look_touches_no_job_that_is_far_ahead() -> None:
    touched: list[str] = []

    class Watched(Docket):
        def reached(self, until: datetime) -> list[Job]:
            found = super().reached(until)
            touched.extend(job.id for job in found)
            return found

        def beyond(self, until: datetime) -> Iterator[Job]:
            for job in super().beyond(until):
                touched.append(job.id)
                yield job

    jobs = {f"b{number}": make_job(f"b{number}", after(60 * number + 60)) for number in range(2000)}
    s = Situation(Watched(jobs, {name: fresh(job) for name, job in jobs.items()}), None, make_config(), T0)
    assert due(s) == []
    assert next_look(s, timedelta(hours=1)) == after(58)
    assert touched == ["b0", "b1"]


def test_what_has_ended_is_left_out_and_what_no_plan_holds_may_be_hidden() -> None:
    job, gone, over = make_job("b1"), make_job("b2"), make_job("b3")
    records = {each.id: fresh(each) for each in (job, gone, over)}
    records["b3"] = msgspec.structs.replace(records["b3"], phase=Phase.ENDED)
    docket = Docket({"b1": job, "b3": over}, records)
    assert (set(docket.jobs), set(docket.records)) == ({"b1"}, {"b1", "b2"})
    assert [record.job for record in docket.strays] == ["b2"]
    hidden = docket.without_strays(["b2"])
    assert (hidden.strays, set(hidden.records)) == ((), {"b1"})
    assert docket.strays, "the first one is as it was"
