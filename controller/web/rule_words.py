"""How an announcement comes again, in words: ``Thứ Hai, Thứ Năm hằng tuần, lúc 17:00, đến hết 31/12/2026``. Pure.

- What the form can show is said in words; any other rule is shown as it is written.
"""

from __future__ import annotations

from datetime import date, datetime

from controller.web.repeating import LUNAR_DAYS, WEEKDAYS, Repeating, repeating_of
from controller.web.times import minute
from schedules.calendars import Recurrence
from words import say

MOST_DAYS = 6  # named one by one


def in_words(kept: Recurrence, start: datetime, language: str) -> str:
    """The rule, its time of day, its end and the days left out; ``start`` is its first possible moment."""
    typed = repeating_of(kept)
    parts = [_rule(typed, language)]
    if typed.how != "rule":
        parts.append(say("web.rule_at", language, time=minute(start, kept.zone)))
    if kept.until:
        parts.append(say("web.rule_until", language, day=typed.until))
    if kept.but:
        parts.append(say("web.rule_but", language, days=_days(kept.but, language)))
    return ", ".join(parts)


def _rule(typed: Repeating, language: str) -> str:
    if typed.how == "weekly":
        return _weekly(typed, language)
    if typed.how == "monthly":
        last = typed.month_day == "-1"
        return say("web.rule_month_end" if last else "web.rule_month_day", language, day=typed.month_day)
    if typed.how == "lunar":
        others = [part for part in typed.lunar_other.split(", ") if part]
        first, *more = (_lunar(part, language) for part in (*typed.lunar, *others))
        return ", ".join([first, *(f"{each[0].lower()}{each[1:]}" for each in more)])
    if typed.how == "dates":
        found = [datetime.strptime(day, "%d/%m/%Y").date().isoformat() for day in typed.dates.split(", ")]  # noqa: DTZ007
        return say("web.rule_dates", language, days=_days(tuple(found), language))
    if typed.how == "rule":
        return say("web.rule_written", language, rule=typed.rule)
    return say("web.rule_daily", language)


def _weekly(typed: Repeating, language: str) -> str:
    days = ", ".join(say(f"web.weekday_{WEEKDAYS.index(day)}", language) for day in typed.weekdays)
    if len(typed.weekdays) == len(WEEKDAYS) and typed.weeks == "1":
        return say("web.rule_daily", language)
    if typed.weeks == "1":
        return say("web.rule_weekly", language, days=days)
    return say("web.rule_weeks", language, days=days, count=int(typed.weeks))


def _lunar(part: str, language: str) -> str:
    if part in LUNAR_DAYS:
        return say(f"web.rule_lunar_{part}", language)
    if part.startswith("TET"):
        offset = int(part.removeprefix("TET") or 0)
        return say("web.rule_before_tet" if offset < 0 else "web.rule_after_tet", language, count=abs(offset))
    return say("web.rule_lunar_day" if "/" in part else "web.rule_lunar_monthly", language, day=part)


def _days(days: tuple[str, ...], language: str) -> str:
    named = ", ".join(f"{date.fromisoformat(day):%d/%m/%Y}" for day in days[:MOST_DAYS])
    more = len(days) - MOST_DAYS
    return say("web.rule_and_more", language, days=named, count=more) if more > 0 else named
