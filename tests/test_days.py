"""Conditions on days: what holds when, what can never meet, and slots that come instead of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers_schedules import HANOI, LUNAR, TERMS, conditions, near_days, rich_programmes, rich_slots

from schedules import calendars, days, lunar, moments
from schedules.calendars import facts_of
from schedules.days import ALL_DAYS, Days, Holidays, Term
from schedules.programme import DAY, Programme, Slot, occurrences, overlaps, running, upcoming

EVERY_DAY = tuple(range(7))
TET = date(2027, 2, 6)


def slot(clock: str, minutes: int = 30, of: Days = ALL_DAYS, instead: bool = False) -> Slot:
    return Slot(f"khung {clock}", EVERY_DAY, moments.clock_time(clock), minutes * timedelta(minutes=1), of, instead)


def week(*slots: Slot) -> Programme:
    return Programme("xa", "Khung", HANOI, slots)


def labels(programme: Programme, day: date) -> list[str]:
    since = moments.at_local(day, time(), HANOI)
    return [each.slot.label for each in occurrences(programme, since, since + DAY, facts_of)]


@given(st.dates(date(1968, 3, 1), date(2050, 11, 30)), st.sampled_from(LUNAR))
def test_a_day_has_the_lunar_names_under_which_a_rule_would_keep_it(day: date, name: str) -> None:
    (observance,) = lunar.read(name)
    assert (name in facts_of(day).lunar) is lunar.kept_on(observance, day)
    assert days.lunar_name(name) == name


@given(conditions, near_days)
def test_a_day_holds_when_every_condition_does(of: Days, day: date) -> None:
    known = facts_of(day)
    expected = (
        (of.since is None or day >= of.since)
        and (of.until is None or day <= of.until)
        and day not in of.but
        and (not of.terms or any(term.since <= day <= term.until for term in of.terms))
        and (not of.lunar or bool(known.lunar & set(of.lunar)))
        and {Holidays.AS_USUAL: True, Holidays.SKIP: not known.holidays, Holidays.ONLY: bool(known.holidays)}[
            of.holidays
        ]
    )
    assert days.holds(of, day, facts_of) is expected


@settings(max_examples=150)
@given(conditions, conditions, st.integers(0, 1))
def test_days_that_can_never_meet_never_do(one: Days, other: Days, apart: int) -> None:
    for number in range(date(2026, 10, 1).toordinal(), date(2028, 1, 5).toordinal()):
        day, later = date.fromordinal(number), date.fromordinal(number + apart)
        if days.holds(one, day, facts_of) and days.holds(other, later, facts_of):
            assert days.may_meet(one, other, apart, day.weekday())


NEVER = [
    (Days(until=date(2026, 12, 31)), Days(since=date(2027, 1, 1)), 0),
    (Days(terms=TERMS[:1]), Days(terms=TERMS[1:2]), 0),
    (Days(holidays=Holidays.SKIP), Days(holidays=Holidays.ONLY), 0),
    (Days(lunar=("1",)), Days(lunar=("15", "15/7")), 0),
    (Days(lunar=("tet",)), Days(lunar=("tet-1",)), 0),
    (Days(lunar=("15/7",)), Days(lunar=("15/8",)), 0),
    (Days(lunar=("1",)), Days(lunar=("15",)), 1),
    (Days(since=TET, until=TET), Days(but=(TET,)), 0),
]


@pytest.mark.parametrize(("one", "other", "apart"), NEVER)
def test_what_is_known_never_to_meet(one: Days, other: Days, apart: int) -> None:
    assert not any(days.may_meet(one, other, apart, weekday) for weekday in EVERY_DAY)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (Days(lunar=("tet",)), Days(lunar=("1",)), 0),
        (Days(lunar=("30/12",)), Days(lunar=("tet-1",)), 0),
        (Days(lunar=("30",)), Days(lunar=("1",)), 1),
        (Days(lunar=("tet-1",)), Days(lunar=("tet",)), 1),
        (ALL_DAYS, Days(lunar=("15",)), 0),
        (Days(until=date(2026, 12, 31)), Days(since=date(2027, 1, 1)), 1),
    ],
)
def test_what_may_meet(one: Days, other: Days, apart: int) -> None:
    assert any(days.may_meet(one, other, apart, weekday) for weekday in EVERY_DAY)


@settings(max_examples=60)
@given(rich_programmes, near_days)
def test_in_a_programme_that_stands_no_two_occurrences_ever_overlap(programme: Programme, day: date) -> None:
    since = moments.at_local(day, time(), HANOI)
    found = occurrences(programme, since, since + 40 * DAY, facts_of)
    assert all(one.end <= other.start for one, other in pairwise(found))


@settings(max_examples=60)
@given(rich_programmes, near_days, st.integers(0, 10 * 1440))
def test_two_windows_side_by_side_hold_what_one_window_holds(programme: Programme, day: date, cut: int) -> None:
    now = moments.at_local(day, time(), HANOI)
    middle, end = now + timedelta(minutes=cut), now + 10 * DAY
    both = occurrences(programme, now, middle, facts_of) + occurrences(programme, middle, end, facts_of)
    assert both == occurrences(programme, now, end, facts_of)


@settings(max_examples=40)
@given(rich_slots, rich_slots, conditions, near_days)
def test_a_slot_that_comes_instead_takes_the_whole_place_of_the_other(
    one: Slot, more: Slot, of: Days, day: date
) -> None:
    standing, other = replace(one, days=ALL_DAYS, instead=False), replace(more, days=of, instead=True)
    since = moments.at_local(day, time(), HANOI)
    found = occurrences(week(standing, other), since, since + 30 * DAY, facts_of)
    alone = occurrences(week(standing), since, since + 30 * DAY, facts_of)
    others = occurrences(week(other), since - 2 * DAY, since + 32 * DAY, facts_of)
    left = [each for each in alone if not any(o.start < each.end and each.start < o.end for o in others)]
    assert [each for each in found if each.slot == standing] == left


def test_tet_comes_instead_of_the_mornings_slots() -> None:
    morning, noon, feast = slot("05:00"), slot("11:00"), slot("05:15", 60, Days(lunar=("tet", "tet+1")), instead=True)
    programme = week(morning, noon, feast)
    assert overlaps(programme) == []
    assert labels(programme, TET - DAY) == ["khung 05:00", "khung 11:00"]
    assert labels(programme, TET) == labels(programme, TET + DAY) == ["khung 05:15", "khung 11:00"]
    assert overlaps(week(morning, replace(feast, instead=False))) != []
    assert overlaps(week(morning, feast, replace(feast, label="khác"))) != []


def test_holidays_terms_and_exceptions() -> None:
    school = slot("16:30", of=Days(holidays=Holidays.SKIP, terms=(Term("hk1", date(2026, 9, 1), date(2027, 1, 15)),)))
    feast = slot("16:30", of=Days(holidays=Holidays.ONLY, but=(date(2026, 9, 1),)))
    programme = week(school, feast)
    assert overlaps(programme) == []
    assert labels(programme, date(2026, 9, 2)) == ["khung 16:30"]  # Quốc khánh
    assert labels(programme, date(2026, 9, 1)) == []
    assert labels(programme, date(2026, 9, 3)) == ["khung 16:30"]
    assert labels(programme, date(2027, 1, 18)) == []


def test_who_is_asked_about_holidays_must_know_them() -> None:
    now = moments.at_local(TET, time(), HANOI)
    with pytest.raises(ValueError, match="nothing is known"):
        upcoming(week(slot("05:00", of=Days(lunar=("1",)))), now)
    assert len(upcoming(week(slot("05:00", of=Days(since=TET))), now, 3)) == 3


def test_a_slot_that_comes_no_more_or_rarely_is_looked_for_in_finite_time() -> None:
    now = moments.at_local(TET, time(), HANOI)
    assert upcoming(week(slot("05:00", of=Days(until=TET - DAY))), now) == []
    (found,) = upcoming(week(slot("05:00", of=Days(lunar=("tet-1",)))), now, 1, facts_of)
    assert moments.local(found.start, HANOI).date() == date(2028, 1, 25)
    (on_air,) = running(week(slot("23:30", 90, Days(lunar=("tet-1",)))), now, facts_of)
    assert moments.local(on_air.start, HANOI).date() == TET - DAY


def test_beyond_the_years_known_a_day_has_no_lunar_name() -> None:
    assert calendars.facts_of(date(2051, 5, 5)).lunar == frozenset()
