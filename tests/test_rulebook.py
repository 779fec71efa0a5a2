"""Rulebooks: what a day takes, what it does not, the ways out that really fit, and the text of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, areas, job
from makers_wire import config

from schedules import moments, rulebook, rulebook_text
from schedules.rulebook import Airing, Rulebook, broken, in_force, refused, used
from schedules.rulebook_text import Policy, RulebookError
from schedules.ways_out import Asked, Kind, Way, ways_out
from wire import codec
from wire.config import Limits, NodeConfig, QuietHours, VolumeBand, Weekend
from wire.errors import Reason
from wire.plan import BulletinClass

SAMPLES = sorted((Path(__file__).parent.parent / "schedules" / "samples" / "policies").glob("*.toml"))
TUESDAY = date(2026, 11, 24)
SATURDAY = date(2026, 11, 28)
MINUTE = timedelta(minutes=1)
WARD = Limits(gap_minutes=10, sessions=(2,) * 7, session_minutes=(15,) * 7, day_minutes=(30,) * 7)


def airing(clock: str, minutes: float = 5, day: date = TUESDAY, **more: object) -> Airing:
    start = moments.at_local(day, moments.clock_time(clock), HANOI)
    known = {"id": f"{clock}-{minutes}", **more}
    return Airing(start, timedelta(minutes=minutes), **known)  # type: ignore[arg-type]


def why(limits: Limits, already: list[Airing], wanted: Airing) -> list[Reason]:
    found = broken(Rulebook(limits), already, wanted, HANOI)
    assert all(each.said().say(language) for each in found for language in ("vi", "en"))
    return [each.reason for each in found]


def test_without_limits_everything_fits() -> None:
    assert why(Limits(), [airing("06:00", 900)], airing("07:00", 900, SATURDAY)) == []


def test_a_third_session_is_one_too_many_and_a_third_item_of_a_session_is_not() -> None:
    already = [airing("07:00"), airing("17:00")]
    two = Limits(gap_minutes=10, sessions=(2,) * 7)
    assert why(two, already, airing("12:00")) == [Reason.SESSIONS_A_DAY]
    assert why(two, already, airing("07:15")) == []
    assert why(two, already, airing("07:16")) == [Reason.SESSIONS_A_DAY]


def test_a_session_may_last_as_long_as_it_may_and_no_second_longer() -> None:
    assert why(WARD, [], airing("07:00", 15)) == []
    assert why(WARD, [], airing("07:00", 15.02)) == [Reason.SESSION_MINUTES]
    assert why(WARD, [airing("07:00", 10)], airing("07:02", 5)) == []  # it waits its turn, and ends at 07:15
    assert why(WARD, [airing("07:00", 10)], airing("07:02", 6)) == [Reason.SESSION_MINUTES]


def test_the_minutes_of_a_day_are_those_of_its_weekday() -> None:
    limits = Limits(day_minutes=(None, 10, None, None, None, 60, None))
    assert why(limits, [airing("06:00", 6)], airing("17:00", 4)) == []
    assert why(limits, [airing("06:00", 6)], airing("17:00", 5)) == [Reason.DAY_MINUTES]
    assert why(limits, [airing("06:00", 6, SATURDAY)], airing("17:00", 5, SATURDAY)) == []
    (breach,) = broken(Rulebook(limits), [airing("06:00", 6.5)], airing("17:00", 5), HANOI)
    assert breach.facts == {"most": 10, "used": 7}


@pytest.mark.parametrize(
    ("weekend", "wanted", "fits"),
    [
        (Weekend.AS_USUAL, BulletinClass.ORDINARY, True),
        (Weekend.PRIORITY, BulletinClass.ORDINARY, False),
        (Weekend.PRIORITY, BulletinClass.PRIORITY, True),
        (Weekend.NONE, BulletinClass.PRIORITY, False),
        (Weekend.NONE, BulletinClass.EMERGENCY, True),
    ],
)
def test_the_rule_of_the_weekend(weekend: Weekend, wanted: BulletinClass, fits: bool) -> None:
    on_saturday = why(Limits(weekend=weekend), [], airing("17:00", 5, SATURDAY, bulletin_class=wanted))
    assert on_saturday == ([] if fits else [Reason.WEEKEND])
    assert why(Limits(weekend=weekend), [], airing("17:00", 5, bulletin_class=wanted)) == []


def test_an_emergency_is_never_refused_and_counts() -> None:
    alarm = airing("12:00", 20, bulletin_class=BulletinClass.EMERGENCY)
    assert why(WARD, [airing("07:00"), airing("17:00")], alarm) == []
    assert why(WARD, [alarm], airing("17:00", 12)) == [Reason.DAY_MINUTES]
    assert refused([alarm, airing("17:00", 12)], WARD, HANOI) == {"17:00-12": Reason.DAY_MINUTES}
    assert used([alarm, airing("17:00", 12)], TUESDAY, HANOI) == 32 * MINUTE


def test_what_reaches_into_the_quiet_hours_of_the_rulebook_is_a_breach() -> None:
    rules = Rulebook(quiet=QuietHours("18:00", "07:00"))
    reasons = [bool(broken(rules, [], airing(clock, 5), HANOI)) for clock in ("06:59", "07:00", "17:55", "17:56")]
    assert reasons == [True, False, False, True]
    assert broken(Rulebook(quiet=QuietHours("00:00", "00:00")), [], airing("23:00", 120), HANOI) == []


def test_what_comes_first_that_day_has_the_air_whatever_is_added_later() -> None:
    morning, noon, evening = airing("07:00"), airing("12:00"), airing("17:00")
    assert refused([evening, noon, morning], WARD, HANOI) == {evening.id: Reason.SESSIONS_A_DAY}
    assert refused([evening, noon, morning, airing("07:00", 5, SATURDAY)], WARD, HANOI).keys() == {evening.id}


airings = st.lists(
    st.tuples(st.integers(0, 3 * 24 * 12), st.integers(1, 40), st.sampled_from(BulletinClass)),
    max_size=12,
    unique_by=lambda each: each[0],
).map(
    lambda drawn: [
        Airing(NOW + each[0] * 5 * MINUTE, each[1] * MINUTE, each[2], f"j{number}") for number, each in enumerate(drawn)
    ]
)
weeks = st.just(()) | st.lists(st.none() | st.integers(0, 60), min_size=7, max_size=7).map(tuple)
limits_ = st.builds(Limits, st.integers(0, 60), weeks, weeks, weeks, st.sampled_from(Weekend))


@given(airings, limits_, st.randoms())
def test_a_day_is_judged_the_same_in_any_order_and_without_what_was_refused(
    day: list[Airing], limits: Limits, random: object
) -> None:
    held = refused(day, limits, HANOI)
    shuffled = list(day)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert refused(shuffled, limits, HANOI) == held
    assert refused([each for each in day if each.id not in held], limits, HANOI) == {}
    assert all(each.id not in held for each in day if each.bulletin_class is BulletinClass.EMERGENCY)


@given(airings, limits_, st.integers(1, 60), st.integers(1, 5))
def test_every_way_out_fits(day: list[Airing], limits: Limits, minutes: int, times: int) -> None:
    rules = Rulebook(limits, QuietHours())
    wanted = Airing(NOW + timedelta(hours=7), minutes * MINUTE, id="wanted")

    def fits(tried: Airing) -> bool:
        return not broken(rules, day, tried, HANOI)

    found = ways_out(Asked(wanted, HANOI, NOW, times), fits)
    assert len(found) <= 3
    assert all(fits(way.airing) and way.airing != wanted and way.airing.start > NOW for way in found)
    assert all(way.said(HANOI).say(language) for way in found for language in ("vi", "en"))


def test_the_ways_out_of_a_full_session_are_another_time_another_day_and_fewer_readings() -> None:
    already = [airing("07:00", 12), airing("17:00", 12)]

    def fits(tried: Airing) -> bool:
        return not broken(Rulebook(WARD), already, tried, HANOI)

    wanted = airing("17:12", 9)
    asked = Asked(wanted, HANOI, NOW, times=3)
    shown = [
        (way.kind, moments.local(way.airing.start, HANOI).strftime("%H:%M %d"), way.times)
        for way in ways_out(asked, fits)
    ]
    assert shown == [(Kind.DAY, "17:12 25", 3), (Kind.FEWER, "17:12 24", 1), (Kind.DAY, "17:12 26", 3)]
    once = ways_out(replace(asked, times=1), fits)
    assert [(way.kind, way.airing.length) for way in once[1:2]] == [(Kind.SHORTER, 3 * MINUTE)]


def test_at_the_weekend_priority_is_the_first_way_out() -> None:
    def fits(tried: Airing) -> bool:
        return not broken(Rulebook(Limits(weekend=Weekend.PRIORITY)), [], tried, HANOI)

    found = ways_out(Asked(airing("17:00", 5, SATURDAY), HANOI, NOW), fits)
    assert [way.kind for way in found] == [Kind.PRIORITY, Kind.DAY, Kind.DAY]
    assert isinstance(found[0], Way)
    assert moments.local(found[1].airing.start, HANOI).weekday() == 0


def test_the_newest_rulebook_that_has_begun_is_in_force_and_the_nearest_area_has_the_word() -> None:
    old, new, above = Rulebook(Limits(1)), Rulebook(Limits(2)), Rulebook(Limits(3))
    kept = {"x:a": [(date(2026, 6, 1), new), (date(2026, 1, 1), old)], "x": [(date(2025, 1, 1), above)]}
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1)]
    assert [in_force(kept, ("x:a:h", "x:a", "x"), day) for day in days] == [above, old, old, new]
    assert in_force(kept, ("y",), days[0]) is None
    assert in_force(kept, ("x",), date(2024, 12, 31)) is None


# --- as a text -----------------------------------------------------------------------------------------------

bands = st.dictionaries(st.builds(time, st.integers(0, 23), st.integers(0, 59)), st.integers(-60, 0), max_size=4).map(
    lambda drawn: tuple(VolumeBand(f"{clock:%H:%M}", float(drawn[clock])) for clock in sorted(drawn))
)
normal_weeks = weeks.map(lambda week: week if any(each is not None for each in week) else ())
policies = st.builds(
    Policy,
    area=areas,
    since=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    rules=st.builds(
        Rulebook,
        limits=st.builds(
            Limits, st.integers(0, 60), normal_weeks, normal_weeks, normal_weeks, st.sampled_from(Weekend)
        ),
        quiet=st.none() | st.just(QuietHours("18:30", "06:15")),
        volumes=bands,
    ),
)


@given(policies)
def test_a_policy_survives_being_written_and_its_text_being_read(policy: Policy) -> None:
    text = rulebook_text.write(policy)
    assert rulebook_text.read(text) == policy
    assert rulebook_text.write(rulebook_text.read(text)) == text


@given(policies)
def test_a_policy_in_one_line_is_short_and_begins_with_its_day(policy: Policy) -> None:
    line = rulebook_text.brief(policy)
    assert len(line) <= rulebook_text.MOST_BRIEF_CHARS
    assert line.isprintable()
    assert line.startswith(f"since={policy.since}")


def test_a_policy_in_one_line_says_its_rules() -> None:
    limits = Limits(15, (2,) * 7, (30,) * 7, (60, None, None, None, None, None, 90))
    rules = Rulebook(limits, QuietHours("21:00", "05:00"), (VolumeBand("05:00", -9.0),))
    assert rulebook_text.brief(Policy("x", date(2026, 1, 1), rules)) == (
        "since=2026-01-01 quiet=21:00-05:00 sessions=2 minutes=30 day_minutes=mon:60,sun:90 "
        "gap_minutes=15 weekend=as_usual volume=05:00/-9"
    )
    loud = tuple(VolumeBand(f"{hour:02}:00", -9.25) for hour in range(24))
    assert rulebook_text.brief(Policy("x", date(2026, 1, 1), Rulebook(limits, None, loud))).endswith("…")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_written_as_we_write_it_and_lets_an_ordinary_evening_sound(path: Path) -> None:
    text = path.read_text("utf-8")
    policy = rulebook_text.read(text)
    assert rulebook_text.write(policy) == "".join(line for line in text.splitlines(True) if line[0] != "#")
    assert broken(policy.rules, [], airing("17:00", 5), HANOI) == []
    assert Reason.DAY_MINUTES in {each.reason for each in broken(policy.rules, [], airing("17:00", 100), HANOI)}


def test_there_are_three_samples() -> None:
    assert len(SAMPLES) == 3


GOOD = SAMPLES[0].read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("minutes = 30\n", 'minutes = "30"\n', "sessions.minutes", "bad_count"),
        ("minutes = 30\n", "minute = 30\n", "sessions.minute", "unknown_key_near"),
        ("sat = 4", "sut = 4", "sessions.a_day.sut", "unknown_key_near"),
        ('weekend = "as_usual"', 'weekend = "never"', "sessions.weekend", "bad_choice"),
        ("since = 2026-01-01", 'since = "soon"', "policy.since", "bad_date"),
        ('"21:00"', '"25:00"', "quiet.since", "bad_clock"),
        ('until = "05:00"\n', "", "quiet", "missing_key"),
        ('since = "19:00"', 'since = "05:30"', "volume[3].since", "bands_out_of_order"),
        ("dbfs = -12.0", "dbfs = 3", "volume[3].dbfs", "bad_dbfs"),
        ('area = "lang-son:dong-dang"', 'area = "Đồng Đăng"', "policy.area", "bad_area"),
    ],
)
def test_a_wrong_text_is_answered_with_its_line_its_field_and_the_reason(
    old: str, new: str, field: str, reason: str
) -> None:
    good = next(text for path in SAMPLES if "mon = 3" in (text := path.read_text("utf-8")))
    assert good.count(old) >= 1
    with pytest.raises(RulebookError) as told:
        rulebook_text.read(good.replace(old, new))
    assert (told.value.field, told.value.reason) == (field, f"schedules.{reason}")
    assert "Quy chế" in told.value.say("vi")
    assert rulebook.day_of(airing("23:59", 30), HANOI) == TUESDAY


def test_a_start_is_local_to_the_zone() -> None:
    assert used([Airing(datetime.fromisoformat("2026-11-23T17:00:00+00:00"), MINUTE)], TUESDAY, HANOI) == MINUTE


def test_a_config_of_before_there_were_limits_still_loads() -> None:
    newer = codec.write(config())
    older = newer.replace(newer[newer.index(b',"limits"') : -1], b"")
    assert codec.read(NodeConfig, older, 100_000).limits is None
    assert rulebook.refused_jobs([job()], config(limits=None)) == {}


@given(airings, limits_)
def test_a_day_walked_once_refuses_what_a_look_at_the_whole_day_would(day: list[Airing], limits: Limits) -> None:
    held: dict[str, Reason] = {}
    admitted: list[Airing] = []
    for each in sorted(day, key=lambda airing: (airing.start, airing.id)):
        found = broken(Rulebook(limits), admitted, each, HANOI)
        if found:
            held[each.id] = found[0].reason
        else:
            admitted.append(each)
    assert refused(day, limits, HANOI) == held
