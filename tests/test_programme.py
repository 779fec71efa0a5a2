"""Programmes: a standing week, against an oracle that walks minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, ZONES, moments_utc, programmes, slots, zones

from schedules import moments
from schedules.programme import Occurrence, Programme, Slot, occurrences, overlaps, running, upcoming

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY_DAY = tuple(range(7))


def week(*found: Slot, zone: str = HANOI) -> Programme:
    return Programme("lang-son:dong-dang", "Khung chương trình", zone, found)


def slot(clock: str, minutes: int = 30, weekdays: tuple[int, ...] = EVERY_DAY, label: str = "Bản tin") -> Slot:
    return Slot(label, weekdays, moments.clock_time(clock), minutes * MINUTE)


def walked(one: Slot, zone: str, since: datetime, until: datetime) -> list[datetime]:
    """The oracle: of every local day, the first minute at which its clock shows the start or has passed it."""
    there, fired, seen = moments.zone(zone), [], set[date]()
    minute = since - 2 * DAY
    while minute < until:
        wall = minute.astimezone(there)
        if wall.date() not in seen and wall.time() >= one.start:
            seen.add(wall.date())
            if wall.weekday() in one.weekdays and minute >= since:
                fired.append(minute)
        minute += MINUTE
    return fired


def changes(zone: str) -> list[datetime]:
    """The hours in some years at which the zone's clock jumps."""
    there, hour, found = moments.zone(zone), datetime(2010, 1, 1, tzinfo=UTC), []
    while hour.year < 2019:
        if hour.astimezone(there).utcoffset() != (hour + HOUR).astimezone(there).utcoffset():
            found.append(hour)
        hour += HOUR
    return found


JUMPS = [(zone, hour) for zone in ZONES for hour in changes(zone)]


@settings(max_examples=60)
@given(slots, zones, moments_utc)
def test_the_next_firings_are_those_of_a_walk_minute_by_minute(one: Slot, zone: str, now: datetime) -> None:
    since = now.replace(second=0)
    found = occurrences(week(one, zone=zone), since, since + 8 * DAY)
    assert [each.start for each in found] == walked(one, zone, since, since + 8 * DAY)


@settings(max_examples=120)
@given(slots, st.sampled_from(JUMPS), st.integers(-30 * 60, 3 * 60))
def test_the_next_firings_around_a_jump_of_the_clock_are_those_of_the_walk(
    one: Slot, jump: tuple[str, datetime], minutes: int
) -> None:
    zone, hour = jump
    since = hour + minutes * MINUTE
    found = occurrences(week(one, zone=zone), since, since + 3 * DAY)
    assert [each.start for each in found] == walked(one, zone, since, since + 3 * DAY)


@given(programmes, moments_utc)
def test_upcoming_is_the_beginning_of_a_long_list(programme: Programme, now: datetime) -> None:
    found = upcoming(programme, now, 5)
    assert found == occurrences(programme, now, now + 70 * DAY)[:5]
    assert len(found) == (5 if programme.slots else 0)
    assert all(now <= each.start for each in found)


@given(programmes, moments_utc, st.integers(0, 10 * 1440))
def test_two_windows_side_by_side_hold_what_one_window_holds(programme: Programme, now: datetime, cut: int) -> None:
    middle, end = now + cut * MINUTE, now + 10 * DAY
    both = occurrences(programme, now, middle) + occurrences(programme, middle, end)
    assert both == occurrences(programme, now, end)


@settings(max_examples=50)
@given(programmes, moments_utc)
def test_what_runs_is_what_has_begun_and_not_ended(programme: Programme, now: datetime) -> None:
    expected = [each for each in occurrences(programme, now - 3 * DAY, now + DAY) if each.start <= now < each.end]
    assert running(programme, now) == expected


def test_monday_0500_armed_for_tuesday() -> None:
    """Shipped elsewhere: the local weekday mixed with seconds of UTC, where Monday 05:00 is still Sunday."""
    monday = week(slot("05:00", weekdays=(0,)))
    for hours in range(24 * 7):
        found = upcoming(monday, NOW + hours * HOUR, 1)[0].start
        there = moments.local(found, HANOI)
        assert (there.weekday(), there.time()) == (0, time(5))
        assert found.weekday() == 6  # Sunday 22:00 in UTC
        assert NOW + hours * HOUR <= found < NOW + hours * HOUR + 7 * DAY


def test_clipped_at_midnight() -> None:
    """Shipped elsewhere: a programme that ran past midnight was cut there."""
    late = slot("23:30", minutes=90, weekdays=(6,))
    start = moments.read("29/11/2026 23:30", NOW, HANOI)  # a Sunday: over the week's end as well
    assert upcoming(week(late), NOW, 1) == [Occurrence(late, start, start + 90 * MINUTE)]
    for minutes, on_air in ((-1, False), (0, True), (29, True), (30, True), (89, True), (90, False)):
        assert [each.start for each in running(week(late), start + minutes * MINUTE)] == [start] * on_air


def test_a_slot_that_begins_now_is_the_next_one_and_one_that_began_is_not() -> None:
    daily = week(slot("10:00"))
    assert upcoming(daily, NOW, 1)[0].start == NOW
    assert upcoming(daily, NOW + timedelta(microseconds=1), 1)[0].start == NOW + DAY


def test_two_slots_of_one_moment_stand_in_the_programmes_order() -> None:
    one, other = slot("17:00", label="một"), slot("17:00", label="hai")
    assert [each.slot.label for each in upcoming(week(other, one), NOW, 2)] == ["hai", "một"]


def test_a_leap_day_and_week_53_have_their_slots() -> None:
    daily = week(slot("05:00"))
    for day in (date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 3)):
        midnight = moments.at_local(day, time(0), HANOI)
        assert [each.start for each in occurrences(daily, midnight, midnight + DAY)] == [midnight + 5 * HOUR]


def test_a_day_that_the_zone_left_out_has_no_slots() -> None:
    friday = week(slot("05:00", weekdays=(4,)), zone="Pacific/Apia")
    since = datetime(2011, 12, 25, tzinfo=UTC)
    assert occurrences(friday, since, since + 7 * DAY) == []


@given(programmes)
def test_slots_overlap_when_a_minute_of_the_week_has_two(programme: Programme) -> None:
    assert overlaps(programme) == []


@given(st.lists(slots, max_size=4))
def test_overlaps_are_what_counting_minutes_says(found: list[Slot]) -> None:
    claimed: dict[int, set[int]] = {}
    for index, each in enumerate(found):
        for weekday in each.weekdays:
            begin = weekday * 1440 + each.start.hour * 60 + each.start.minute
            for minute in range(begin, begin + each.length // MINUTE):
                claimed.setdefault(minute % (7 * 1440), set()).add(index)
    shared = any(len(holders) > 1 for holders in claimed.values())
    assert bool(overlaps(week(*found))) is shared


def test_a_slot_over_sunday_night_overlaps_mondays_first() -> None:
    sunday, monday = slot("23:30", 60, (6,), "đêm"), slot("00:15", 15, (0,), "sáng")
    assert overlaps(week(monday, sunday)) == [(sunday, monday)]
    assert overlaps(week(monday, slot("23:30", 45, (6,)))) == []


def test_a_slot_without_days_never_comes() -> None:
    assert upcoming(week(slot("05:00", weekdays=())), NOW) == []
    assert upcoming(week(), NOW) == []
