"""Recurrences looked at again and again: pages ask for the same days of the same rules, each is walked through once.

- What is kept is named by all that it follows from: the rule, its first moment, the days. Nothing can make it void.
- A walk goes from a rule's first moment through all the years up to the days asked for; so it is worth keeping.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from schedules import calendars
from schedules.calendars import Recurrence, RuleError

WIDEST, MOST_KEPT = timedelta(days=24), 8192


def comings(recurrence: Recurrence, first: datetime, since: datetime, until: datetime) -> list[datetime]:
    """As `calendars.occurrences`: the moments (UTC, ascending) in [since, until). Raises RuleError, BadMoment."""
    if not timedelta() < until - since <= WIDEST:
        return calendars.occurrences(recurrence, first, since, until)
    try:
        found = _of_days(recurrence, first, _dawn(since), _dawn(until) + timedelta(days=1))
    except (RuleError, OverflowError):  # whole days may hold more than may be asked for, or lie beyond all years
        return calendars.occurrences(recurrence, first, since, until)
    return list(found[bisect_left(found, since) : bisect_left(found, until)])


@lru_cache(maxsize=MOST_KEPT)
def _of_days(recurrence: Recurrence, first: datetime, since: datetime, until: datetime) -> tuple[datetime, ...]:
    return tuple(calendars.occurrences(recurrence, first, since, until))


def _dawn(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
