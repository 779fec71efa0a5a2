"""A rulebook as a text: TOML in, rulebook out, and back, with its area and the day from which it holds.

- Round trip: what `write` wrote, `read` reads as the same, and writes as the same text.
- A number stands for every day of the week; days that differ are named, and a day that is not named has no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schedules import toml_paper
from schedules.rulebook import Rulebook
from schedules.timetable import DAYS
from schedules.toml_paper import PaperError, Where, Wrong, quoted
from wire.config import Limits, QuietHours, VolumeBand, Week, Weekend

MOST_BANDS = 24
MOST_BRIEF_CHARS = 300
MOST_MINUTES = 24 * 60
LEAST_DBFS = -60.0

_TOP_KEYS = ("policy", "quiet", "sessions", "volume")
_HEAD_KEYS = ("area", "since")
_SPAN_KEYS = ("since", "until")
_SESSION_KEYS = ("a_day", "minutes", "day_minutes", "gap_minutes", "weekend")
_BAND_KEYS = ("since", "dbfs")


class RulebookError(PaperError):
    """A text that is not a rulebook. ``line`` counts from 1; ``field`` is such as ``sessions.minutes``, or empty."""

    sentence = "schedules.rulebook"


@dataclass(frozen=True)
class Policy:
    """A rulebook, whose it is, and from which local day on it holds."""

    area: str
    since: date
    rules: Rulebook


def read(text: str) -> Policy:
    """The policy that ``text`` describes. Raises RulebookError."""
    return toml_paper.read(text, _policy, RulebookError)


def write(policy: Policy) -> str:
    """``policy`` as a text that `read` takes back."""
    rules, limits = policy.rules, policy.rules.limits
    lines = ["[policy]", f"area = {quoted(policy.area)}", f"since = {policy.since}"]
    if rules.quiet:
        lines += ["", "[quiet]", f"since = {quoted(rules.quiet.since)}", f"until = {quoted(rules.quiet.until)}"]
    if limits != Limits():
        lines += ["", "[sessions]"]
        weeks = zip(_SESSION_KEYS, (limits.sessions, limits.session_minutes, limits.day_minutes), strict=False)
        lines += [f"{key} = {_written(week)}" for key, week in weeks if any(count is not None for count in week)]
        lines += [f"gap_minutes = {limits.gap_minutes}", f"weekend = {quoted(limits.weekend)}"]
    for band in rules.volumes:
        lines += ["", "[[volume]]", f"since = {quoted(band.since)}", f"dbfs = {band.volume_dbfs!r}"]
    return "\n".join(lines) + "\n"


def brief(policy: Policy) -> str:
    """``policy`` in one line of at most `MOST_BRIEF_CHARS`: ``since=2026-01-01 quiet=21:00-05:00 sessions=2 …``."""
    rules, limits = policy.rules, policy.rules.limits
    parts = [f"since={policy.since}"]
    if rules.quiet:
        parts.append(f"quiet={rules.quiet.since}-{rules.quiet.until}")
    weeks = zip(
        ("sessions", *_SESSION_KEYS[1:]), (limits.sessions, limits.session_minutes, limits.day_minutes), strict=False
    )
    parts += [f"{key}={_brief(week)}" for key, week in weeks if any(count is not None for count in week)]
    if limits != Limits():
        parts += [f"gap_minutes={limits.gap_minutes}", f"weekend={limits.weekend}"]
    parts += [f"volume={band.since}/{band.volume_dbfs:g}" for band in rules.volumes]
    line = " ".join(parts)
    return line if len(line) <= MOST_BRIEF_CHARS else line[: MOST_BRIEF_CHARS - 1] + "…"


def _policy(document: Mapping[str, Any]) -> Policy:
    toml_paper.keys(document, (), _TOP_KEYS, required=("policy",))
    head = toml_paper.table(document["policy"], ("policy",))
    toml_paper.keys(head, ("policy",), _HEAD_KEYS, required=_HEAD_KEYS)
    return Policy(
        area=toml_paper.area(head["area"], ("policy", "area")),
        since=toml_paper.day(head["since"], ("policy", "since")),
        rules=Rulebook(
            limits=_limits(document["sessions"]) if "sessions" in document else Limits(),
            quiet=_quiet(document["quiet"]) if "quiet" in document else None,
            volumes=_bands(document.get("volume", [])),
        ),
    )


def _quiet(value: object) -> QuietHours:
    table = toml_paper.table(value, ("quiet",))
    toml_paper.keys(table, ("quiet",), _SPAN_KEYS, required=_SPAN_KEYS)
    return QuietHours(*(f"{toml_paper.clock(table[key], ('quiet', key)):%H:%M}" for key in _SPAN_KEYS))


def _limits(value: object) -> Limits:
    table = toml_paper.table(value, ("sessions",))
    toml_paper.keys(table, ("sessions",), _SESSION_KEYS, required=())
    weeks = [_week(table.get(key, {}), ("sessions", key)) for key in _SESSION_KEYS[:3]]
    known = tuple(each.value for each in Weekend)
    return Limits(
        gap_minutes=_count(table.get("gap_minutes", Limits().gap_minutes), ("sessions", "gap_minutes")),
        sessions=weeks[0],
        session_minutes=weeks[1],
        day_minutes=weeks[2],
        weekend=Weekend(toml_paper.choice(table.get("weekend", "as_usual"), ("sessions", "weekend"), known)),
    )


def _week(value: object, where: Where) -> Week:
    """Seven limits, Monday first; none at all for a table that names no day."""
    if not isinstance(value, dict):
        return (_count(value, where),) * 7
    toml_paper.keys(value, where, DAYS, required=())
    return tuple(_count(value[day], (*where, day)) if day in value else None for day in DAYS) if value else ()


def _count(value: object, where: Where) -> int:
    if type(value) is not int or not 0 <= value <= MOST_MINUTES:
        raise Wrong(where, "schedules.bad_count", most=MOST_MINUTES)
    return value


def _bands(value: object) -> tuple[VolumeBand, ...]:
    if not isinstance(value, list) or len(value) > MOST_BANDS:
        raise Wrong(("volume",), "schedules.not_slots", name="volume", most=MOST_BANDS)
    bands = tuple(_band(each, ("volume", index)) for index, each in enumerate(value))
    for index, band in enumerate(bands[1:], 1):
        if band.since <= bands[index - 1].since:
            raise Wrong(("volume", index, "since"), "schedules.bands_out_of_order", since=band.since)
    return bands


def _band(value: object, where: Where) -> VolumeBand:
    table = toml_paper.table(value, where)
    toml_paper.keys(table, where, _BAND_KEYS, required=_BAND_KEYS)
    dbfs = table["dbfs"]
    if type(dbfs) not in (int, float) or not LEAST_DBFS <= dbfs <= 0:
        raise Wrong((*where, "dbfs"), "schedules.bad_dbfs", least=int(LEAST_DBFS))
    return VolumeBand(f"{toml_paper.clock(table['since'], (*where, 'since')):%H:%M}", float(dbfs) + 0.0)


def _brief(week: Week) -> str:
    return _written(week).strip("{ }").replace(" = ", ":").replace(", ", ",")


def _written(week: Week) -> str:
    if len(set(week)) == 1 and len(week) == len(DAYS) and week[0] is not None:
        return str(week[0])
    named = [f"{day} = {count}" for day, count in zip(DAYS, week, strict=False) if count is not None]
    return f"{{ {', '.join(named)} }}"
