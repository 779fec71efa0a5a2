"""How far the rules of a stranger's calendar are followed: what would take for ever is refused before it is tried."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from schedules import calendars
from schedules.calendars import RuleError

MOST_STEPS = 200_000  # occurrences of one event from its start to the end of the window
MOST_STEPS_IN_ALL = 1_000_000
MOST_IN_WINDOW = 60_000  # by the same reckoning, which is rather too high
LONGEST = timedelta(days=366)  # that an event may last which repeats: the library goes back by as much

_PARTS = re.compile(r"([A-Z]+)=([^;=]*)")
_DAY_SECONDS = 86_400
_STEP_SECONDS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": _DAY_SECONDS}
_STEP_SECONDS |= {"WEEKLY": 7 * _DAY_SECONDS, "MONTHLY": 30 * _DAY_SECONDS, "YEARLY": 365 * _DAY_SECONDS}
_WEEKDAYS_IN = {"WEEKLY": 1, "MONTHLY": 5, "YEARLY": 53}  # how often one may come in such a time


def steps(rule: str, begin: datetime, until: datetime) -> int:
    """About how many times ``rule`` fires between ``begin`` and ``until`` (naive); 0 when it never does.

    Raises RuleError for what is no rule, and for one that fires too often.
    """
    if not calendars.fires(rule, begin):
        return 0
    parts = dict(_PARTS.findall(rule.upper()))
    seconds = _STEP_SECONDS.get(parts.get("FREQ", ""), 1)
    if ended := re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2}).*", parts.get("UNTIL", "")):
        until = min(until, datetime(min(int(ended[1]) + 1, 9999), 1, 1))  # noqa: DTZ001 – a wall clock
    interval = int(parts["INTERVAL"]) if re.fullmatch(r"[1-9][0-9]{0,8}", parts.get("INTERVAL", "")) else 1
    found = max(0.0, (until - begin).total_seconds()) / (seconds * interval) + 1
    for within, key in ((_DAY_SECONDS, "BYHOUR"), (3600, "BYMINUTE"), (60, "BYSECOND")):
        found *= _many(parts, key) if seconds >= within else 1
    if weekdays := _WEEKDAYS_IN.get(parts.get("FREQ", "")):
        days = _many(parts, "BYMONTH") * _many(parts, "BYMONTHDAY") * _many(parts, "BYYEARDAY")
        found *= weekdays * _many(parts, "BYDAY") if "BYDAY" in parts else days
    if re.fullmatch(r"[0-9]{1,9}", parts.get("COUNT", "")):
        found = min(found, int(parts["COUNT"]))
    if found > MOST_STEPS:
        raise RuleError("schedules.rule_too_often", rule=rule[:80], most=MOST_STEPS)
    return int(found) + 1


def _many(parts: dict[str, str], key: str) -> int:
    return len(parts[key].split(",")) if key in parts else 1
