"""The rules of a place in sentences: quiet hours, sessions, minutes, the weekend, volumes. They know the language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from controller.web.figures import figure
from controller.web.language import chosen, t
from wire.config import Limits, QuietHours, VolumeBand, Week, Weekend

WHOLE_WEEK = tuple(range(7))
WORKING_DAYS = tuple(range(5))


def weekdays(days: Sequence[int]) -> str:
    """Weekdays (Monday 0) as people say them: every day, Monday to Friday, Tuesday and Saturday."""
    if tuple(days) == WHOLE_WEEK:
        return t("every_day")
    if tuple(days) == WORKING_DAYS:
        return t("working_days")
    return ", ".join(t(f"weekday_{day}") for day in days)


def sentences(quiet: QuietHours | None, limits: Limits | None, volumes: Iterable[VolumeBand]) -> list[str]:
    """What holds, a sentence for each rule; what has no limit is not spoken of."""
    found = []
    if quiet is not None and quiet.since != quiet.until:
        found.append(t("rule_quiet", since=quiet.since, until=quiet.until))
    if limits is not None:
        found += _week("rule_sessions", limits.sessions)
        found += _week("rule_session_minutes", limits.session_minutes)
        found += _week("rule_day_minutes", limits.day_minutes)
        if any(count is not None for count in (*limits.sessions, *limits.session_minutes)):
            found.append(t("rule_gap", count=limits.gap_minutes))
        if limits.weekend is not Weekend.AS_USUAL:
            found.append(t(f"rule_weekend_{limits.weekend.value}"))
    told = bands(volumes)
    return found + [t("rule_volumes", bands=", ".join(told))] * bool(told)


def bands(volumes: Iterable[VolumeBand]) -> list[str]:
    """Each band: from when on how loud."""
    return [t("rule_band", since=each.since, volume=decibels(each.volume_dbfs)) for each in volumes]


def _week(key: str, week: Week) -> list[str]:
    """One sentence for each count, with the days on which it holds."""
    known = [(count, day) for day, count in enumerate(week) if count is not None]
    by_count = groupby(sorted(known, key=lambda each: each[0]), key=lambda each: each[0])
    days = [(tuple(day for _, day in some), count) for count, some in by_count]
    return [t(key, days=weekdays(each), count=count) for each, count in sorted(days)]


def decibels(volume_dbfs: float) -> str:
    """``−6 dB``, or that it is the loudest."""
    digits = 0 if volume_dbfs == int(volume_dbfs) else 1
    return figure(volume_dbfs, digits, "dB", chosen()) if volume_dbfs else t("full_volume")
