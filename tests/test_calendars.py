"""Calendars: recurrence rules on the wall clock, and Vietnamese holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, moments_utc, slots, zones

from schedules import calendars, moments
from schedules.calendars import RuleError
from schedules.programme import Programme, Slot, occurrences
from schedules.timetable import DAYS
from words import say

DAY = timedelta(days=1)
FIRST = moments.read("23/11/2026 05:00", NOW, HANOI)  # a Monday
NAIVE = datetime(2026, 11, 23, 5)  # noqa: DTZ001 – a wall clock


def local(rule: str, first: datetime = FIRST, days: int = 400, zone: str = HANOI) -> list[str]:
    found = calendars.starts(rule, first, first, first + days * DAY, zone)
    return [f"{moments.local(each, zone):%d/%m/%Y %H:%M}" for each in found]


def test_a_weekly_rule_keeps_its_local_weekday_and_time() -> None:
    assert local("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3") == ["23/11/2026 05:00", "25/11/2026 05:00", "30/11/2026 05:00"]
    assert local("RRULE:FREQ=DAILY;COUNT=1\n") == ["23/11/2026 05:00"]


def test_named_dates_come_at_the_time_of_the_first_possible_moment_and_not_before_it() -> None:
    assert local("DATES:20261201,20261125,20261125,20261101") == ["25/11/2026 05:00", "01/12/2026 05:00"]
    assert local("dates:20261123", FIRST) == ["23/11/2026 05:00"]


@pytest.mark.parametrize(
    "days", ["", "2026-11-25", "20261131", "20261125,", "2026112５", "20261125;20261126", "20261125," * 500]
)
def test_dates_that_are_none_are_refused(days: str) -> None:
    with pytest.raises(RuleError) as refusal:
        local(f"DATES:{days}")
    assert refusal.value.key == "schedules.bad_dates"


def test_a_rule_keeps_its_local_time_when_the_offset_changes() -> None:
    first = datetime(2026, 10, 31, 9, 30, tzinfo=UTC)  # 05:30 summer time
    assert local("FREQ=DAILY;COUNT=3", first, zone="America/New_York") == [
        "31/10/2026 05:30",
        "01/11/2026 05:30",
        "02/11/2026 05:30",
    ]


def test_a_local_time_that_does_not_exist_is_the_jump() -> None:
    first = datetime(2026, 3, 7, 7, 30, tzinfo=UTC)
    shown = local("FREQ=DAILY;COUNT=3", first, zone="America/New_York")
    assert shown == ["07/03/2026 02:30", "08/03/2026 03:00", "09/03/2026 02:30"]


def test_a_day_that_a_month_does_not_have_is_left_out() -> None:
    first = moments.read("31/01/2027 05:00", NOW, HANOI)
    assert local("FREQ=MONTHLY;COUNT=3", first) == ["31/01/2027 05:00", "31/03/2027 05:00", "31/05/2027 05:00"]
    assert local("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", first) == ["31/01/2027 05:00", "28/02/2027 05:00"]
    leap = moments.read("29/02/2028 05:00", NOW, HANOI)
    assert local("FREQ=YEARLY", leap, days=3000) == ["29/02/2028 05:00", "29/02/2032 05:00", "29/02/2036 05:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261125", "25/11/2026 05:00"),  # the day counts whole
        ("20261125T050000", "25/11/2026 05:00"),  # local, inclusive
        ("20261125T045959", "24/11/2026 05:00"),
        ("20261124T220000Z", "25/11/2026 05:00"),  # 05:00 in Lạng Sơn
        ("20261124T215959Z", "24/11/2026 05:00"),
    ],
)
def test_until_is_inclusive_in_every_form(until: str, last: str) -> None:
    assert local(f"FREQ=DAILY;UNTIL={until}")[-1] == last


@given(slots, zones, moments_utc)
def test_a_weekly_rule_fires_when_a_slot_of_those_days_does(slot: Slot, zone: str, now: datetime) -> None:
    since = now.replace(second=0)
    slots_week = Programme("a", "a", zone, (slot,))
    expected = [each.start for each in occurrences(slots_week, since, since + 20 * DAY)]
    days = ",".join(DAYS[weekday][:2].upper() for weekday in slot.weekdays)
    rule = f"FREQ=WEEKLY;BYDAY={days};BYHOUR={slot.start.hour};BYMINUTE={slot.start.minute};BYSECOND=0"
    found = calendars.starts(rule, since - 2 * DAY, since, since + 20 * DAY, zone)
    assert set(expected) <= set(found)
    assert len(found) - len(expected) <= 1  # a rule has an occurrence also on a day that its zone left out


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_window_cuts_and_does_not_shift(skip: int, width: int) -> None:
    rule = "FREQ=DAILY;INTERVAL=3;COUNT=100"
    every = calendars.starts(rule, FIRST, FIRST, FIRST + 1000 * DAY, HANOI)
    since, until = FIRST + skip * DAY, FIRST + (skip + width) * DAY
    assert calendars.starts(rule, FIRST, since, until, HANOI) == [each for each in every if since <= each < until]
    assert len(every) == 100


WRONG = ["", "FREQ=", "weekly", "BYDAY=MO", "FREQ=SOMETIMES", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;FOO=1"]
WRONG += ["FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;BYHOUR=25"]
WRONG += ["FREQ=DAILY;UNTIL=20261301", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;FREQ=WEEKLY"]
WRONG += [
    "FREQ=DAILY\nRRULE:FREQ=WEEKLY",
    "DTSTART:20200101T000000\nRRULE:FREQ=DAILY",
    "FREQ=DAILY;" + "BYDAY=MO;" * 99,
]
WRONG += ["FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=DAILY;INTERVAL=" + "9" * 300]


@pytest.mark.parametrize("rule", WRONG)
def test_a_rule_that_is_none_is_refused_in_a_sentence(rule: str) -> None:
    with pytest.raises(RuleError) as refused:
        calendars.starts(rule, FIRST, FIRST, FIRST + DAY, HANOI)
    assert refused.value.key == "schedules.bad_rule"
    assert len(refused.value.say("vi")) < 300


VALUES = [
    "MO",
    "-1FR",
    "+",
    "-",
    ",",
    "0",
    "1",
    "-31",
    "53",
    "367",
    "99999999999999999999",
    "20261231",
    "Z",
    "T",
    "DAILY",
]
PARTS = st.tuples(
    st.sampled_from(sorted(calendars.RULE_PARTS - {"FREQ"})), st.lists(st.sampled_from(VALUES), min_size=1, max_size=3)
)


@given(st.sampled_from(["YEARLY", "MONTHLY"]), st.lists(PARTS, max_size=3, unique_by=lambda part: part[0]))
def test_any_rule_is_read_or_refused(frequency: str, parts: list[tuple[str, list[str]]]) -> None:
    rule = ";".join([f"FREQ={frequency}", *(f"{key}={','.join(values)}" for key, values in parts)])
    try:
        found = calendars.starts(rule, FIRST, FIRST, FIRST + 400 * DAY, HANOI)
    except RuleError as refused:
        found = []
        event(str(refused.facts.get("detail", refused.key)))
    assert all(FIRST <= each < FIRST + 400 * DAY for each in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=2", "FREQ=HOURLY"])
def test_a_rule_below_a_day_is_too_often(rule: str) -> None:
    with pytest.raises(RuleError, match="too frequent"):
        calendars.starts(rule, FIRST, FIRST, FIRST + DAY, HANOI)


def test_a_rule_that_fills_its_window_without_end_is_too_often() -> None:
    minutes = ",".join(str(minute) for minute in range(60))
    rule = f"FREQ=DAILY;BYHOUR=5,6,7,8,9,10,11,12,13,14,15,16;BYMINUTE={minutes}"
    assert len(calendars.starts(rule, FIRST, FIRST, FIRST + DAY, HANOI)) == 12 * 60
    for since in (FIRST, FIRST + 365 * DAY):
        with pytest.raises(RuleError, match="too frequent"):
            calendars.starts(rule, FIRST, since, FIRST + 400 * DAY, HANOI)


@pytest.mark.parametrize("more", ["", ";COUNT=3", ";UNTIL=99981231"])
@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"])
def test_a_rule_that_never_fires_ends(frequency: str, more: str) -> None:
    assert local(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30{more}") == []
    assert not calendars.fires(f"freq={frequency};BYMONTH=2;BYMONTHDAY=30{more};X-A=1", NAIVE)
    assert calendars.fires(f"FREQ={frequency}{more}", NAIVE)


def test_picking_from_every_second_of_a_year_is_too_often() -> None:
    every = ",".join(str(number) for number in range(60))
    for rule in (f"FREQ=YEARLY;BYMINUTE={every};BYSETPOS=-1", f"FREQ=DAILY;BYMINUTE={every};BYSECOND={every}"):
        with pytest.raises(RuleError, match="too frequent"):
            local(rule)
        with pytest.raises(RuleError, match="too frequent"):
            calendars.fires(rule, NAIVE)


@pytest.mark.parametrize(
    "rule", ["", "UNTL=1", "FREQ=X", "BYDAY=MO", "FREQ=DAILY\nRRULE:FREQ=DAILY", "FREQ=DAILY;BYDAY="]
)
def test_what_is_no_rule_at_all_does_not_fire(rule: str) -> None:
    with pytest.raises(RuleError):
        calendars.fires(rule, NAIVE)


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYDAY=MO,20FR", "FREQ=YEARLY;BYDAY=54MO", "FREQ=DAILY;BYMONTH=13"])
def test_a_number_beyond_the_calendar_is_no_rule(rule: str) -> None:
    """The library would leave its own tables, in December or at once."""
    with pytest.raises(RuleError):
        local(rule)


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYDAY=-1SU", "FREQ=YEARLY;BYDAY=53MO", "FREQ=YEARLY;BYDAY=-53SU"])
def test_the_last_and_the_fifty_third_are_rules(rule: str) -> None:
    assert local(rule, days=12_000)


@pytest.mark.parametrize(
    ("day", "vi", "en"),
    [
        (date(2026, 9, 2), "Quốc khánh", "National Day"),
        (date(2026, 2, 17), "Tết Nguyên Đán", "Lunar New Year"),
        (date(2026, 4, 30), "Ngày Chiến thắng", "Liberation Day/Reunification Day"),
    ],
)
def test_vietnamese_holidays_are_known_by_name(day: date, vi: str, en: str) -> None:
    assert calendars.holiday(day) == vi
    assert calendars.holiday(day, "en") == en


def test_an_ordinary_day_is_no_holiday_and_the_list_cannot_be_changed() -> None:
    assert calendars.holiday(date(2026, 10, 14)) is None
    with pytest.raises(TypeError):
        calendars.holidays_of(2026)[date(2026, 10, 14)] = "nghỉ"  # type: ignore[index]


@pytest.mark.parametrize("key", ["schedules.bad_rule", "schedules.rule_too_often"])
def test_refused_rules_have_sentences_in_vietnamese(key: str) -> None:
    assert "lặp" in say(key, "vi", rule="FREQ=DAILY", detail="", most=1)
