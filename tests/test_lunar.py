"""The lunar calendar: held against another library, against the sky, and against what every Vietnamese knows."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

import ephem
import pytest
import vnlunar
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, ZONES

from schedules import calendars, lunar, moments
from schedules.calendars import Recurrence, RuleError
from schedules.lunar import LunarDay, LunarError
from words import say

DAY = timedelta(days=1)
VIETNAM, CHINA = timedelta(hours=7), timedelta(hours=8)
CHECKED = (date(2015, 1, 1), date(2045, 12, 31))
FIRST = moments.read("24/11/2026 05:30", NOW, HANOI)


def every_day(since: date = lunar.FIRST_DAY, until: date = lunar.LAST_DAY) -> Iterator[date]:
    return (since + timedelta(days=ahead) for ahead in range((until - since).days + 1))


# --- a second library ------------------------------------------------------------------------------------------


def by_the_tables(day: date) -> LunarDay:
    """Hồ Ngọc Đức's tables, as vnlunar holds them."""
    found = vnlunar.get_lunar_date(day.day, day.month, day.year)
    return LunarDay(found["day"], found["month"], found["year"], bool(found["leap"]))


def test_every_day_of_31_years_and_of_all_we_answer_is_the_second_librarys() -> None:
    assert lunar.FIRST_DAY < CHECKED[0] < CHECKED[1] < lunar.LAST_DAY
    assert [day for day in every_day() if lunar.lunar_day(day) != by_the_tables(day)] == []


# --- the sky ---------------------------------------------------------------------------------------------------


def sky_sector(day: date, meridian: timedelta) -> int:
    """In which twelfth of its year's way the sun stands when ``day`` begins there; 9 begins at the winter solstice."""
    begin = ephem.Date(datetime.combine(day, time()) - meridian)
    sun = ephem.Sun()
    sun.compute(begin, epoch=begin)
    return int(math.degrees(ephem.Ecliptic(sun, epoch=begin).lon) % 360 // 30)


@cache
def sky_months(meridian: timedelta, since: int = 1966, until: int = 2052) -> dict[date, tuple[int, int, bool]]:
    """First day → year, month, leap: months begin with the new moon, the 11th has the solstice, leap has no term."""
    moons: list[date] = []
    moon = ephem.Date(f"{since}/1/1")
    while not moons or moons[-1].year < until:
        moon = ephem.next_new_moon(ephem.Date(moon + 20))
        moons.append((moon.datetime() + meridian).date())
    sectors = [sky_sector(moon, meridian) for moon in moons]
    elevenths = [place for place in range(len(moons) - 1) if sectors[place] == 8 and sectors[place + 1] >= 9]
    elevenths += [place for place in range(len(moons) - 1) if sectors[place] == 7 and sectors[place + 1] == 9]
    months: dict[date, tuple[int, int, bool]] = {}
    for begin, end in pairwise(sorted(elevenths)):
        number, leap_to_come = 11, end - begin == 13
        for place in range(begin, end):
            leap = place > begin and leap_to_come and sectors[place] == sectors[place + 1]
            number = number if leap or place == begin else number % 12 + 1
            leap_to_come = leap_to_come and not leap
            months[moons[place]] = (moons[begin].year + (number < 11), number, leap)
    return months


def by_the_sky(day: date, meridian: timedelta = VIETNAM) -> LunarDay:
    months = sky_months(meridian)
    begins = sorted(months)
    begin = begins[bisect_right(begins, day) - 1]
    year, month, leap = months[begin]
    return LunarDay((day - begin).days + 1, month, year, leap)


def test_every_day_is_what_the_new_moons_and_the_sun_make_it() -> None:
    starts = sorted(sky_months(VIETNAM))
    wrong = []
    for begin, after in pairwise(starts):
        days = every_day(max(begin, lunar.FIRST_DAY), min(after - DAY, lunar.LAST_DAY))
        year, month, leap = sky_months(VIETNAM)[begin]
        wrong += [d for d in days if lunar.lunar_day(d) != LunarDay((d - begin).days + 1, month, year, leap)]
    assert wrong == []
    assert starts[0] < lunar.FIRST_DAY
    assert starts[-1] > lunar.LAST_DAY


@pytest.mark.parametrize("year", [1968, 1969, 1985, 2007, 2030])
def test_it_is_not_the_chinese_calendar(year: int) -> None:
    assert by_the_sky(lunar.tet(year)) == LunarDay(1, 1, year)
    assert by_the_sky(lunar.tet(year), CHINA) != LunarDay(1, 1, year)


# --- what people know ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "there"),
    [
        (date(1968, 1, 29), LunarDay(1, 1, 1968)),  # a day before Saigon's
        (date(1985, 1, 21), LunarDay(1, 1, 1985)),  # a month before Beijing's
        (date(2007, 2, 17), LunarDay(1, 1, 2007)),
        (date(2026, 2, 17), LunarDay(1, 1, 2026)),
        (date(2027, 2, 6), LunarDay(1, 1, 2027)),
        (date(2026, 8, 27), LunarDay(15, 7, 2026)),  # Vu Lan
        (date(2026, 4, 26), LunarDay(10, 3, 2026)),  # Giỗ Tổ
        (date(2025, 7, 25), LunarDay(1, 6, 2025, leap=True)),
    ],
)
def test_well_known_days_are_where_they_were(day: date, there: LunarDay) -> None:
    assert lunar.lunar_day(day) == there
    assert lunar.solar_day(there) == day


@given(st.dates(lunar.FIRST_DAY, lunar.LAST_DAY))
def test_there_and_back_is_the_same_day(day: date) -> None:
    assert lunar.solar_day(lunar.lunar_day(day)) == day


@pytest.mark.parametrize("none", [(31, 1, 2026), (0, 1, 2026), (1, 13, 2026), (-1, -1, 2026), (1, 0, 2026)])
def test_what_is_no_lunar_day_is_none(none: tuple[int, int, int]) -> None:
    assert lunar.solar_day(LunarDay(*none)) is None
    assert lunar.solar_day(LunarDay(*none, leap=True)) is None
    assert lunar.yearly(*none) is None


def test_a_day_of_a_month_that_was_leap_is_two_days_and_is_kept_in_the_first() -> None:
    assert lunar.solar_day(LunarDay(15, 6, 2025)) == date(2025, 7, 9)
    assert lunar.solar_day(LunarDay(15, 6, 2025, leap=True)) == date(2025, 8, 8)
    assert lunar.yearly(15, 6, 2025) == date(2025, 7, 9)
    assert lunar.solar_day(LunarDay(15, 6, 2026)) == date(2026, 7, 28)
    assert lunar.solar_day(LunarDay(15, 6, 2026, leap=True)) is None


def test_day_30_is_kept_on_the_last_day_of_a_month_of_29() -> None:
    assert lunar.solar_day(LunarDay(30, 12, 2025)) is None
    assert lunar.solar_day(LunarDay(30, 12, 2025, leap=True)) is None
    assert lunar.yearly(30, 12, 2025) == date(2026, 2, 16) == lunar.tet(2026) - DAY
    assert lunar.yearly(30, 12, 2026) == date(2027, 2, 5) == lunar.tet(2027) - DAY


def test_tet_is_the_holiday_of_the_list_of_holidays() -> None:
    for year in range(2015, 2036):
        assert "Tết Nguyên Đán" in (calendars.holiday(lunar.tet(year)) or ""), year


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1968, 1, 28), date(2051, 1, 1), date.max])
def test_what_has_not_been_checked_is_not_answered(day: date) -> None:
    with pytest.raises(LunarError, match="1968–2050"):
        lunar.lunar_day(day)
    with pytest.raises(LunarError):
        lunar.tet(day.year if day.year != 1968 else 1967)


# --- recurrences -----------------------------------------------------------------------------------------------


def local(rule: str, first: datetime = FIRST, days: int = 400, zone: str = HANOI) -> list[str]:
    found = calendars.starts(rule, first, first, first + days * DAY, zone)
    return [f"{moments.local(each, zone):%d/%m/%Y %H:%M}" for each in found]


def test_mung_mot_and_ram_come_every_month() -> None:
    found = local("LUNAR:1,15", days=90)
    assert found == [f"{day} 05:30" for day in ("09/12/2026", "23/12/2026", "08/01/2027", "22/01/2027")] + [
        f"{day} 05:30" for day in ("06/02/2027", "20/02/2027")
    ]
    assert local(" lunar: 15, 1 ", days=90) == found


def test_a_monthly_day_comes_in_a_leap_month_and_a_yearly_one_does_not() -> None:
    first = moments.read("01/07/2025 17:00", NOW, HANOI)
    assert local("LUNAR:15", first, 60) == ["09/07/2025 17:00", "08/08/2025 17:00"]
    assert local("LUNAR:15/6", first, 60) == ["09/07/2025 17:00"]


def test_the_last_day_of_every_month_is_its_30th_or_29th() -> None:
    ends = [each[:10] for each in local("LUNAR:30", days=400)]
    assert len(ends) == 14
    for each in ends:
        assert lunar.lunar_day(date(*map(int, reversed(each.split("/")))) + DAY).day == 1
    assert local("LUNAR:29,30", days=400) == sorted(set(local("LUNAR:29,30")), key=local("LUNAR:29,30").index)


def test_days_are_counted_from_tet() -> None:
    assert local("LUNAR:TET-1,TET,TET+5") == ["05/02/2027 05:30", "06/02/2027 05:30", "11/02/2027 05:30"]
    assert local("LUNAR:TET-1") == local("LUNAR:30/12")
    assert local("LUNAR:TET-1", moments.read("01/01/2026 20:00", NOW, HANOI), 60) == ["16/02/2026 20:00"]


def test_a_lunar_recurrence_leaves_days_out_and_ends() -> None:
    until = moments.read("22/01/2027 05:30", NOW, HANOI)
    kept = Recurrence("LUNAR:1,15", but=("2026-12-23",), until=until)
    found = calendars.occurrences(kept, FIRST, FIRST, FIRST + 300 * DAY)
    assert [f"{moments.local(each, HANOI):%d/%m}" for each in found] == ["09/12", "08/01", "22/01"]


@given(st.sampled_from(ZONES), st.integers(0, 8000), st.integers(0, 400), st.integers(1, 400))
def test_a_window_cuts_a_lunar_rule_and_does_not_shift_it(zone: str, begin: int, skip: int, width: int) -> None:
    first = datetime(2011, 1, 1, 16, 30, tzinfo=UTC) + begin * DAY
    since, until = first + skip * DAY, first + (skip + width) * DAY
    every = calendars.starts("LUNAR:1,15/7,TET-1", first, first, first + 900 * DAY, zone)
    cut = calendars.starts("LUNAR:1,15/7,TET-1", first, since, until, zone)
    assert cut == [each for each in every if since <= each < until]


WRONG = ["", "0", "31", "1/13", "15/0", "1,,15", "1,", "TET+16", "TET-", "TET+0", "1.5", "-1", "mùng một", "¹", "1/2/3"]
WRONG += ["FREQ=DAILY", "15/7/2026", "1;COUNT=3", "TET+" + "9" * 400, ",".join(["1"] * 41), "1\n2"]


@pytest.mark.parametrize("days", WRONG)
def test_a_lunar_rule_that_is_none_is_refused_in_a_sentence(days: str) -> None:
    with pytest.raises(RuleError) as refused:
        local(f"LUNAR:{days}")
    assert refused.value.key == "schedules.bad_lunar_part"
    assert "rằm" in refused.value.say("vi")
    assert len(refused.value.say("en")) < 300


@given(st.text(max_size=30))
def test_any_lunar_rule_is_read_or_refused(days: str) -> None:
    try:
        found = calendars.starts(f"LUNAR:{days}", FIRST, FIRST, FIRST + 60 * DAY, HANOI)
    except RuleError:
        found = []
    assert found == sorted(set(found))


def test_a_window_beyond_the_years_known_is_refused() -> None:
    first = datetime(2050, 6, 1, tzinfo=UTC)
    with pytest.raises(RuleError) as refused:
        calendars.starts("LUNAR:1", first, first, first + 366 * DAY, HANOI)
    assert (refused.value.key, refused.value.facts["last"]) == ("schedules.lunar_unknown", 2050)
    assert "âm lịch" in say("schedules.bad_lunar_part", "vi", part="x")
