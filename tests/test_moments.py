"""Moments: the station's clock against UTC, in zones that jump as well."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, clocks, days, moments_utc, zones

from schedules import moments
from words import say


@given(moments_utc)
def test_a_moment_read_from_its_own_writing_is_the_same_moment(moment: datetime) -> None:
    assert moments.read(moment.isoformat(), NOW, HANOI) == moment
    written = moments.local(moment, HANOI)
    assert moments.read(f"{written:%d/%m/%Y %H:%M:%S}", NOW, HANOI) == moment
    assert moments.read(f"{written:%Y-%m-%d %H:%M:%S}", NOW, HANOI) == moment


@given(clocks)
def test_a_time_of_day_survives_being_written(clock: time) -> None:
    assert moments.clock_time(f"{clock:%H:%M}") == clock


@given(days, clocks, zones)
def test_the_clock_shows_what_was_asked_or_has_just_jumped_over_it(day: date, clock: time, zone: str) -> None:
    moment = moments.at_local(day, clock, zone)
    wall = datetime.combine(day, clock)
    shown = moments.local(moment, zone).replace(tzinfo=None, fold=0)
    just_before = moments.local(moment - timedelta(seconds=1), zone).replace(tzinfo=None, fold=0)
    assert moment.tzinfo is UTC
    assert shown == wall or just_before < wall < shown


@given(days, clocks, clocks, zones)
def test_a_later_time_of_the_same_day_is_never_an_earlier_moment(day: date, one: time, two: time, zone: str) -> None:
    early, late = sorted((one, two))
    assert moments.at_local(day, early, zone) <= moments.at_local(day, late, zone)


def test_a_time_that_summer_time_skips_is_the_moment_of_the_jump() -> None:
    jump = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert moments.at_local(date(2026, 3, 8), time(2, 0), "America/New_York") == jump
    assert moments.at_local(date(2026, 3, 8), time(2, 30), "America/New_York") == jump
    assert moments.at_local(date(2026, 3, 8), time(2, 59), "America/New_York") == jump
    assert moments.at_local(date(2026, 3, 8), time(3, 0), "America/New_York") == jump


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert moments.at_local(date(2026, 11, 1), time(1, 30), "America/New_York") == first
    assert moments.at_local(date(2026, 11, 1), time(1, 30, fold=1), "America/New_York") == first


def test_a_day_that_a_zone_leaves_out_does_not_occur() -> None:
    assert moments.occurs(date(2011, 12, 30), time(5), "Pacific/Apia") is None
    assert moments.occurs(date(2011, 12, 31), time(5), "Pacific/Apia") == datetime(2011, 12, 30, 15, tzinfo=UTC)
    now = datetime(2011, 12, 29, 20, tzinfo=UTC)  # Thursday 29 December, 10:00
    assert moments.next_at(time(5), now, "Pacific/Apia") == datetime(2011, 12, 30, 15, tzinfo=UTC)


@given(clocks, moments_utc, zones)
def test_the_next_time_is_not_before_now_and_comes_within_two_days(clock: time, now: datetime, zone: str) -> None:
    moment = moments.next_at(clock, now, zone)
    assert now <= moment <= now + timedelta(days=2)
    assert moments.next_at(clock, moment, zone) == moment


@given(clocks, moments_utc, zones)
def test_the_last_time_is_not_after_now_and_the_next_one_follows_it(clock: time, now: datetime, zone: str) -> None:
    moment = moments.last_at(clock, now, zone)
    assert now - timedelta(days=2) <= moment <= now
    assert moments.last_at(clock, moment, zone) == moment
    assert moments.next_at(clock, moment, zone) == moment
    assert moments.next_at(clock, now, zone) >= moment


@given(clocks, moments_utc)
def test_the_next_time_in_vietnam_comes_within_a_day_to_the_second(clock: time, now: datetime) -> None:
    moment = moments.next_at(clock, now, HANOI)
    assert now <= moment < now + timedelta(days=1)
    assert moments.local(moment, HANOI).time() == clock


@given(clocks, clocks, clocks)
def test_a_span_over_midnight_is_what_the_span_by_day_leaves(clock: time, since: time, until: time) -> None:
    if since == until:
        assert not moments.within(clock, since, until)
    else:
        assert moments.within(clock, since, until) != moments.within(clock, until, since)


@given(clocks, clocks)
def test_a_span_holds_its_first_minute_and_not_its_last(since: time, until: time) -> None:
    assert moments.within(since, since, until) == (since != until)
    assert not moments.within(until, since, until)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:00", NOW),
        ("9:59", NOW + timedelta(hours=23, minutes=59)),
        ("+90s", NOW + timedelta(seconds=90)),
        ("10:00:05", NOW + timedelta(seconds=5)),
        ("9:59:59", NOW + timedelta(hours=23, minutes=59, seconds=59)),
        (" +2h ", NOW + timedelta(hours=2)),
        ("24/11/2026 17:00", NOW + timedelta(hours=7)),
        ("2026-11-24T17:00", NOW + timedelta(hours=7)),
        ("2026-11-24T10:00Z", NOW + timedelta(hours=7)),
        ("2026-11-24", datetime(2026, 11, 23, 17, tzinfo=UTC)),
        ("29/02/2028 05:00", datetime(2028, 2, 28, 22, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, expected: datetime) -> None:
    assert moments.read(text, NOW, HANOI) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:00", NOW),
        (" 9:59 ", NOW - timedelta(minutes=1)),
        ("10:00:01", NOW - timedelta(hours=23, minutes=59, seconds=59)),
        ("05:00", NOW - timedelta(hours=5)),
        ("2026-11-24 17:00", NOW + timedelta(hours=7)),
        ("+2h", NOW + timedelta(hours=2)),
    ],
)
def test_of_what_lies_behind_a_time_alone_is_the_last_one(text: str, expected: datetime) -> None:
    assert moments.read_past(text, NOW, HANOI) == expected


UNREADABLE = [
    "",
    "20:59:60",
    "20:59:5",
    "20:59:",
    "tomorrow",
    "25:00",
    "5:5",
    "+5",
    "+²m",
    "+m",
    "31/02/2026 05:00",
    "01/01/0001 00:00",
]
UNREADABLE += ["0001-01-01T00:00+07:00", "9999-12-31T23:59-07:00", "29/02/2027 05:00", "05:00\n17:00", "x" * 10_000]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_not_a_time_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(moments.BadMoment) as refused:
        moments.read(text, NOW, HANOI)
    with pytest.raises(moments.BadMoment):
        moments.read_past(text, NOW, HANOI)
    assert len(str(refused.value)) < 200
    assert say(refused.value.key, "vi", **refused.value.facts) != say(refused.value.key, "en", **refused.value.facts)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_refusal(text: str) -> None:
    try:
        moment = moments.read(text, NOW, HANOI)
    except moments.BadMoment:
        moment = NOW  # any other error fails the test
    assert moment.tzinfo is UTC


@pytest.mark.parametrize("text", ["5:00", "05:0", "24:00", "05:60", "05:00\n", " 05:00", "٠٥:٠٠", "", "05:00:00"])
def test_what_is_not_hours_and_minutes_is_no_time_of_day(text: str) -> None:
    with pytest.raises(moments.BadMoment, match="05:00"):
        moments.clock_time(text)


@pytest.mark.parametrize("name", ["Asia/Lang_Son", "", "../../etc/passwd", "/etc/localtime", "\0", "x" * 5000])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(moments.BadMoment, match="Asia/Ho_Chi_Minh"):
        moments.zone(name)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory"])
def test_a_file_that_is_no_place_on_earth_is_no_zone(name: str) -> None:
    with pytest.raises(moments.BadMoment) as told:
        moments.zone(name)
    assert told.value.key == "schedules.bad_zone"
