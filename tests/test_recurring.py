"""Recurrences that are kept say what walking through them says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, moments_utc

from schedules import calendars, recurring
from schedules.calendars import Recurrence, RuleError

RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;COUNT=9",
    "FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=5,17",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=DAILY;UNTIL=20270101",
    "LUNAR:1,15",
    "DATES:20261125,20261201",
    "FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0,1,2,3,4",
)
kept = st.builds(
    Recurrence,
    rule=st.sampled_from(RULES),
    zone=st.sampled_from((HANOI, "Europe/Paris", "America/St_Johns")),
    but=st.sampled_from(((), ("2026-11-25",), ("2026-11-24", "2026-11-30"))),
    until=st.none() | moments_utc,
)
spans = st.timedeltas(timedelta(days=-2), timedelta(days=40))


@given(kept, moments_utc, moments_utc, spans)
def test_what_is_kept_is_what_a_walk_finds(
    recurrence: Recurrence, first: datetime, since: datetime, span: timedelta
) -> None:
    walked = calendars.occurrences(recurrence, first, since, since + span)
    for shift in (timedelta(), timedelta(seconds=1)):  # the second look finds what the first one left
        asked = since + shift, since + span
        found = recurring.comings(recurrence, first, *asked)
        assert found == [each for each in walked if asked[0] <= each < asked[1]]


def test_what_was_given_may_be_changed_by_whoever_got_it() -> None:
    asked = Recurrence("FREQ=DAILY"), NOW, NOW, NOW + timedelta(days=7)
    recurring.comings(*asked).clear()
    assert len(recurring.comings(*asked)) == 7


def test_a_rule_that_is_none_is_refused_and_the_end_of_all_years_is_reached() -> None:
    with pytest.raises(RuleError):
        recurring.comings(Recurrence("FREQ=SOMETIMES"), NOW, NOW, NOW + timedelta(days=7))
    last = datetime.max.replace(tzinfo=NOW.tzinfo)
    assert recurring.comings(Recurrence("DATES:20261125"), NOW, last - timedelta(days=2), last) == []
