"""How an announcement comes again, as a form: typed fields, the recurrence they make, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW

from controller.web.choices import changed
from controller.web.forms import Typed, timing_of
from controller.web.repeating import LUNAR_DAYS, WEEKDAYS, Repeating, TimingError, recurrence_of, repeating_of
from schedules import moments
from schedules.calendars import Recurrence, occurrences


def made(**fields: Any) -> Recurrence:
    return recurrence_of(Repeating(**fields), NOW, HANOI)


def refused(**fields: Any) -> tuple[str, str]:
    """The field and the sentence's key; both languages can say it."""
    with pytest.raises(TimingError) as refusal:
        made(**fields)
    assert all(refusal.value.say(language) for language in ("vi", "en"))
    return refusal.value.field, refusal.value.key.removeprefix("web.problem_")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"how": "daily"}, "FREQ=DAILY"),
        ({"how": "weekly", "weekdays": ("WE", "MO")}, "FREQ=WEEKLY;BYDAY=MO,WE"),
        ({"how": "weekly", "weekdays": ("SU",), "weeks": "2"}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"),
        ({"how": "monthly", "month_day": "15"}, "FREQ=MONTHLY;BYMONTHDAY=15"),
        ({"how": "monthly", "month_day": "-1"}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ({"how": "lunar", "lunar": ("1", "15"), "lunar_other": "15/7, tet-1"}, "LUNAR:1,15,15/7,TET-1"),
        ({"how": "dates", "dates": "27/11/2026 25-11-2026\n2026-11-25"}, "DATES:20261125,20261127"),
        ({"how": "rule", "rule": " FREQ=MONTHLY;BYDAY=1MO "}, "FREQ=MONTHLY;BYDAY=1MO"),
    ],
)
def test_what_is_typed_makes_its_rule_and_the_rule_its_fields(fields: dict[str, Any], rule: str) -> None:
    recurrence = made(**fields)
    assert recurrence.rule == rule
    assert recurrence_of(repeating_of(recurrence), NOW, HANOI) == recurrence


def test_the_last_day_counts_whole_and_days_left_out_are_kept_in_order() -> None:
    kept = made(how="daily", until="26/11/2026", but="25/11/2026; 24/11/2026")
    assert kept.but == ("2026-11-24", "2026-11-25")
    begin = moments.read("24/11/2026 23:30", NOW, HANOI)
    found = occurrences(kept, begin, begin, datetime(2027, 1, 1, tzinfo=UTC))
    assert [f"{moments.local(each, HANOI):%d/%m %H:%M}" for each in found] == ["26/11 23:30"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"how": "weekly"}, ("weekdays", "weekdays")),
        ({"how": "weekly", "weekdays": ("MO", "XX")}, ("weekdays", "weekdays")),
        ({"how": "weekly", "weekdays": ("MO",), "weeks": "0"}, ("weeks", "weeks")),
        ({"how": "weekly", "weekdays": ("MO",), "weeks": "9"}, ("weeks", "weeks")),
        ({"how": "monthly", "month_day": "32"}, ("month_day", "month_day")),
        ({"how": "monthly", "month_day": "1;COUNT=2"}, ("month_day", "month_day")),
        ({"how": "lunar"}, ("lunar", "lunar")),
        ({"how": "dates"}, ("dates", "dates")),
        ({"how": "dates", "dates": "31/11/2026"}, ("dates", "day")),
        ({"how": "dates", "dates": "01/01/9999"}, ("dates", "day")),
        ({"how": "dates", "dates": " ".join(f"{day:02}/0{month}/2027" for month in (1, 3) for day in range(1, 32))},
         ("dates", "too_many_days")),
        ({"how": "rule"}, ("rule", "rule")),
        ({"how": "daily", "until": "hôm nào đó"}, ("until", "until")),
        ({"how": "daily", "until": "31/12/9999"}, ("until", "until")),
        ({"how": "daily", "until": "23/11/2026"}, ("until", "until_before")),
        ({"how": "daily", "but": "25/11"}, ("but", "day")),
    ],
)  # fmt: skip
def test_what_makes_no_rule_is_told_beside_its_field(fields: dict[str, Any], told: tuple[str, str]) -> None:
    assert refused(**fields) == told


def test_thousands_of_days_left_out_are_too_many() -> None:
    days = " ".join(
        f"{day:02}/{month:02}/{year}"
        for year in range(2027, 2035)
        for month in range(1, 13)
        for day in (1, 9, 17, 25, 28)
    )
    assert refused(how="daily", but=days) == ("but", "too_many_days")


days = st.dates(datetime(2026, 12, 1, tzinfo=UTC).date(), datetime(2040, 1, 1, tzinfo=UTC).date())
written_days = st.lists(days, max_size=5, unique=True).map(lambda found: ", ".join(f"{day:%d/%m/%Y}" for day in found))


@given(
    st.builds(
        Repeating,
        how=st.sampled_from(["daily", "weekly", "monthly", "lunar", "dates"]),
        weekdays=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(tuple),
        weeks=st.integers(1, 8).map(str),
        month_day=st.sampled_from([*map(str, range(1, 32)), "-1"]),
        lunar=st.sets(st.sampled_from(LUNAR_DAYS), min_size=1).map(tuple),
        lunar_other=st.sampled_from(["", "15/7", "TET-1, TET+2"]),
        dates=written_days.filter(bool),
        until=days.map(lambda day: f"{day:%d/%m/%Y}") | st.just(""),
        but=written_days,
    )
)
def test_a_recurrence_is_shown_in_the_fields_that_make_it_again(typed: Repeating) -> None:
    kept = recurrence_of(typed, NOW, HANOI)
    shown = repeating_of(kept)
    assert recurrence_of(shown, NOW, HANOI) == kept
    assert shown.how == typed.how


@given(st.text(max_size=60))
def test_no_choice_that_somebody_made_up_breaks_the_form(choice: str) -> None:
    for typed in (Typed(), Typed(when="repeat"), Typed(when="slot", slot="x")):
        assert changed(typed, choice, HANOI).text == ""
        assert changed(typed, f"at {choice}", HANOI).areas == ()


@pytest.mark.parametrize("choice", ["", "at", "at 9999-12-31T23:59+0000", "at 0001-01-01T00:00+0000", "but x", "areas"])
def test_a_choice_that_is_none_changes_nothing(choice: str) -> None:
    typed = Typed(when="repeat", repeating=Repeating("daily"))
    assert changed(typed, choice, HANOI).repeating == typed.repeating


def test_an_offer_changes_the_time_the_days_or_the_places() -> None:
    at = "at 2026-11-25T10:05+0000"
    once = changed(Typed(when="now"), at, HANOI)
    assert (once.when, once.day, once.date, once.hour, once.minute) == ("at", "2026-11-25", "25/11/2026", "17", "05")
    again = changed(Typed(when="repeat", day="2026-11-24", hour="16"), at, HANOI)
    assert (again.when, again.day, again.hour, again.minute) == ("repeat", "2026-11-24", "17", "05")
    spared = changed(Typed(when="repeat", repeating=Repeating(but="01/12/2026")), "but 2026-11-26 2026-11-27", HANOI)
    assert spared.repeating.but == "01/12/2026, 26/11/2026, 27/11/2026"
    assert changed(Typed(areas=("x",)), "areas x:a x:b", HANOI).areas == ("x:a", "x:b")


def test_several_dates_begin_with_the_earliest_whatever_day_is_chosen() -> None:
    typed = Typed(
        when="repeat", day="2026-12-30", hour="17", repeating=Repeating("dates", dates="27/11/2026 25/11/2026")
    )
    timing = timing_of(typed, HANOI)
    assert timing.start == moments.read("25/11/2026 17:00", NOW, HANOI)
