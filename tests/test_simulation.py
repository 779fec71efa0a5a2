"""A simulated day: what sounds when, against what the rules say, and against a second-by-second oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, asset, job

from schedules import policy, precedence
from schedules.simulation import Day, Stretch, simulate
from wire.config import NodeConfig, QuietHours
from wire.errors import Reason
from wire.plan import AfterCut, BulletinClass, Job, Late, Level
from wire.receipt import Step

DAY = datetime(2026, 2, 16, 17, 0, tzinfo=UTC)  # 17 February in Lạng Sơn, New Year's day of the moon
CONFIG = NodeConfig("loa-1", 1, DAY, ("lang-son",), "http://127.0.0.1/audio", HANOI)


def at(clock: str) -> datetime:
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def day_of(*jobs: Job, **config: object) -> Day:
    import msgspec

    told = msgspec.structs.replace(CONFIG, **config)
    return simulate({each.id: each for each in jobs}, told, DAY, DAY + timedelta(days=1))


def heard(day: Day) -> list[tuple[str, datetime, datetime]]:
    return [(each.job.id, each.since, each.until) for each in day.stretches]


def endings(day: Day) -> dict[str, tuple[Step, Reason | None]]:
    return {each.job.id: (each.step, each.reason) for each in day.endings}


def test_an_item_sounds_at_its_second_for_its_length() -> None:
    day = day_of(job("b1", start=at("05:00"), asset=asset("a", 90)))
    assert heard(day) == [("b1", at("05:00"), at("05:01:30"))]
    assert endings(day) == {"b1": (Step.SOUNDED, None)}


def test_two_at_the_same_second_sound_one_after_the_other() -> None:
    first, second = job("b1", start=at("17:00")), job("b2", start=at("17:00"), level=Level.PROVINCE)
    assert heard(day_of(first, second)) == [
        ("b2", at("17:00"), at("17:01")),
        ("b1", at("17:01"), at("17:02")),
    ]


def test_an_emergency_cuts_in_and_what_it_cut_goes_on_starts_over_or_is_given_up() -> None:
    urgent = job(
        "e1", start=at("17:00:20"), bulletin_class=BulletinClass.EMERGENCY, late=Late.UNTIL_EXPIRY, asset=asset("e", 10)
    )
    cut = ("b1", at("17:00"), at("17:00:20"))  # it fades out as the emergency comes up
    alarm = ("e1", at("17:00:20"), at("17:00:30"))
    rest = {AfterCut.RESUME: at("17:01:10"), AfterCut.RESTART: at("17:01:30")}
    for after, until in rest.items():
        day = day_of(job("b1", start=at("17:00"), after_cut=after), urgent)
        assert heard(day) == [cut, alarm, ("b1", at("17:00:30"), until)]
        assert endings(day)["b1"] == (Step.SOUNDED, None)
    day = day_of(job("b1", start=at("17:00"), after_cut=AfterCut.DROP), urgent)
    assert heard(day) == [cut, alarm]
    assert endings(day)["b1"] == (Step.PREEMPTED, Reason.OUTRANKED)


def test_an_emergency_of_a_higher_level_interrupts_an_interrupt() -> None:
    day = day_of(
        job("b1", start=at("17:00")),
        job("e1", start=at("17:00:10"), bulletin_class=BulletinClass.EMERGENCY),
        job("e2", start=at("17:00:20"), bulletin_class=BulletinClass.EMERGENCY, level=Level.PROVINCE),
    )
    assert [each.job.id for each in day.stretches] == ["b1", "e1", "e2", "e1", "b1"]
    assert {step for step, _ in endings(day).values()} == {Step.SOUNDED}


def test_a_relay_set_wrongly_to_three_fifteen_never_sounds() -> None:
    day = day_of(job("b1", start=at("03:15")))
    assert heard(day) == []
    assert endings(day) == {"b1": (Step.REFUSED, Reason.QUIET_HOURS)}
    never = day_of(job("b1", start=at("03:15")), quiet_hours=QuietHours("00:00", "00:00"))
    assert heard(never) == [("b1", at("03:15"), at("03:16"))]


def test_what_waits_too_long_is_missed_and_says_why() -> None:
    long = job("b1", start=at("17:00"), asset=asset("a", 3600))
    day = day_of(long, job("b2", start=at("17:10"), deadline=at("17:20")))
    assert endings(day)["b2"] == (Step.MISSED, Reason.OUTRANKED)


def test_an_item_that_sounds_at_the_end_of_the_window_is_shown_up_to_it() -> None:
    day = day_of(job("b1", start=at("23:59:30"), bulletin_class=BulletinClass.EMERGENCY))
    assert heard(day) == [("b1", at("23:59:30"), at("24:00"))]
    assert endings(day) == {}


_jobs = st.lists(
    st.builds(
        lambda number, second, seconds, kind, level, after, late, duck: job(
            f"b{number}",
            start=at("20:58") + timedelta(seconds=second),
            asset=asset("abcdef"[number % 6], seconds),
            bulletin_class=kind,
            level=level,
            after_cut=after,
            duck=duck,
            deadline=at("20:58") + timedelta(seconds=second + late),
        ),
        st.integers(0, 30),
        st.integers(0, 240),
        st.integers(1, 90),
        st.sampled_from(BulletinClass),
        st.sampled_from(Level),
        st.sampled_from(AfterCut),
        st.sampled_from([0, 30, 600]),
        st.booleans(),
    ),
    max_size=7,
    unique_by=lambda each: each.id,
)


@given(_jobs)
def test_every_job_ends_once_and_nothing_sounds_that_may_not(jobs: list[Job]) -> None:
    day = day_of(*jobs)
    assert sorted(each.job.id for each in day.endings) == sorted(each.id for each in jobs)
    alone = [each for each in day.stretches if not each.beneath]
    for one, other in pairwise(alone):
        assert one.until <= other.since
    for each in day.stretches:
        covers = [over for over in alone if over.since < each.until and each.since < over.until]
        assert not each.beneath or {over.job.bulletin_class for over in covers} <= {BulletinClass.EMERGENCY}
    for each in day.stretches:
        assert each.since >= each.job.start
        for moment in (each.since, each.until - timedelta(microseconds=1)):
            assert policy.may_sound(each.job.bulletin_class, moment, CONFIG.quiet_hours, HANOI)
    for ending in day.endings:
        if ending.step is Step.SOUNDED:
            assert _sounded_ms(day, ending.job) >= ending.job.asset.duration_ms - 300  # type: ignore[union-attr]


@given(_jobs)
def test_no_second_is_silent_or_low_while_something_higher_wants_it(jobs: list[Job]) -> None:
    day = day_of(*jobs)
    ended = {each.job.id: each.at for each in day.endings}
    for second in range(0, 420, 7):
        moment = at("20:58") + timedelta(seconds=second, milliseconds=500)
        sounding = [each for each in day.stretches if each.since <= moment < each.until and not each.beneath]
        urgent = [
            each
            for each in jobs
            if each.bulletin_class is BulletinClass.EMERGENCY and each.start <= moment < ended[each.id]
        ]
        if urgent:
            assert sounding, f"silence at {moment} while an emergency waits"
            assert precedence.rank(sounding[0].job) <= min(map(precedence.rank, urgent))


def _sounded_ms(day: Day, wanted: Job) -> float:
    last: list[Stretch] = [each for each in day.stretches if each.job.id == wanted.id]
    whole = last[-1].from_ms + (last[-1].until - last[-1].since) / timedelta(milliseconds=1)
    return float(whole)
