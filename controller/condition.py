"""The condition of the station: each part, how it is, and what to do where it is not well. Pure.

- What was read (`controller.gauges`) becomes parts, in the order in which somebody at night looks for a fault.
- A part is one mark and one sentence; what nobody can know here is said to be unknown, never well.
- The page and ``loa status`` say the same, by `Part.say`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controller.condition_facts import ClockFacts, Kept, Keys, Life, Line, Readings, Room, Voice
from controller.worries import SOON
from schedules import moments
from words import Said, say

STUCK_AFTER = timedelta(seconds=60)  # since the station's last tick
SILENT_AFTER = timedelta(minutes=3)  # since it last judged: another process
APART, FAR_APART = 2.0, 30.0  # seconds between this clock and the loudspeakers'
MOST_OFFSET_MS = 500.0
SHORT_BYTES, FULL_RATIO, FILLED_RATIO = 500_000_000, 0.97, 0.9
AUTHORITY_SOON = timedelta(days=365)
OLD_AFTER, TOO_OLD_AFTER = timedelta(days=8), timedelta(days=31)


class Mark(StrEnum):
    """How a part is. ``plain``: neither well nor ill, a choice of whoever set the station up."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    PLAIN = "plain"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Part:
    """A part of the station. ``key``: of its sentence, with ``facts``; ``advice``: of what to do, empty for nothing.

    ``about``: which one of several of that name: a voice, a certificate, a folder.
    """

    name: str
    mark: Mark
    key: str
    facts: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    about: str = ""

    def say(self, language: str, zone: str) -> str:
        """How it is, in words: moments by the zone's clock, sizes in units."""
        return say(self.key, language, **told(self.facts, language, zone))

    def say_advice(self, language: str, zone: str) -> str:
        """What to do, empty where there is nothing to do."""
        return say(self.advice, language, **told(self.facts, language, zone)) if self.advice else ""


def judge(found: Readings, now: datetime) -> tuple[Part, ...]:
    """Every part, in order."""
    station = _station(found.life, now)
    return (
        station,
        _broker(found.line, station.mark is Mark.GOOD),
        *_clock(found.clock),
        *_voices(found.voices),
        *map(_room, found.rooms),
        Part("database", Mark.GOOD, f"condition.database_{found.database[0]}", {"size_bytes": found.database[1]}),
        _backup(found.backup, now),
        *_papers(found.papers, now),
        *_keys(found.keys, now),
    )


def worst(parts: Sequence[Part]) -> Mark:
    """The mark of all together: bad, warn, or good."""
    marks = {part.mark for part in parts}
    return next((mark for mark in (Mark.BAD, Mark.WARN) if mark in marks), Mark.GOOD)


def told(facts: Mapping[str, object], language: str, zone: str) -> dict[str, object]:
    """Facts as a sentence takes them: ``…_bytes`` in units, moments as ``24/11/2026 17:00``."""
    return {name: _told(name, value, language, zone) for name, value in facts.items()}


def _told(name: str, value: object, language: str, zone: str) -> object:
    if isinstance(value, datetime):
        return f"{moments.local(value, zone):%d/%m/%Y %H:%M}"
    if isinstance(value, Said):
        return value.say(language)
    if name.endswith("_bytes") and isinstance(value, int):
        return size(value, language)
    return figure(value, language) if isinstance(value, float) else value


def size(count: int, language: str) -> str:
    """``12,3 GB``; powers of a thousand."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{figure(count / 1000**power, language)} {unit}"
    return f"{count} B"


def figure(value: float, language: str) -> str:
    """One digit behind the comma, a comma in Vietnamese."""
    written = f"{value:.1f}"
    return written.replace(".", ",") if language == "vi" else written


def _station(life: Life, now: datetime) -> Part:
    facts: dict[str, object] = {"version": life.version}
    if life.tick_at is None:
        key = "condition.station_starting" if life.here else "condition.station_never"
        return Part("station", Mark.UNKNOWN, key, facts, "condition.do_station")
    facts |= {"at": life.tick_at, "since": life.since or life.tick_at}
    late = now - life.tick_at > (STUCK_AFTER if life.here else SILENT_AFTER)
    if late:
        return Part("station", Mark.BAD, "condition.station_silent", facts, "condition.do_station")
    return Part("station", Mark.GOOD, "condition.station_up" if life.here else "condition.station_elsewhere", facts)


def _broker(line: Line, station_is_well: bool) -> Part:
    facts: dict[str, object] = {"kind": line.kind, "host": line.host, "port": line.port}
    tls = "tls" if line.tls else "open"
    if line.connected is False or line.lost_at is not None:
        if line.lost_at is None:
            return Part("broker", Mark.BAD, "condition.broker_away", facts, "condition.do_broker")
        return Part("broker", Mark.BAD, "condition.broker_lost", facts | {"at": line.lost_at}, "condition.do_broker")
    if line.connected and line.since is not None:
        return Part("broker", Mark.GOOD, f"condition.broker_up_{tls}", facts | {"at": line.since})
    if line.connected or station_is_well:
        return Part("broker", Mark.GOOD, f"condition.broker_told_{tls}", facts)
    return Part("broker", Mark.UNKNOWN, "condition.broker_unknown", facts, "condition.do_broker")


def _clock(clock: ClockFacts) -> Iterator[Part]:
    offset = clock.offset_ms or 0.0
    if clock.source == "none":
        yield Part("clock", Mark.BAD, "condition.clock_free", {}, "condition.do_clock")
    elif clock.source is None:
        yield Part("clock", Mark.UNKNOWN, "condition.clock_unasked", {}, "condition.do_clock_unasked")
    elif abs(offset) > MOST_OFFSET_MS:
        yield Part("clock", Mark.WARN, "condition.clock_off", {"offset": offset}, "condition.do_clock")
    elif clock.offset_ms is None:
        yield Part("clock", Mark.GOOD, "condition.clock_followed")
    else:
        yield Part("clock", Mark.GOOD, "condition.clock_near", {"offset": offset})
    if clock.apart is not None:
        facts = {"seconds": abs(clock.apart), "count": clock.compared}
        far = abs(clock.apart)
        mark = Mark.GOOD if far <= APART else Mark.WARN if far <= FAR_APART else Mark.BAD
        which = "with" if mark is Mark.GOOD else "ahead" if clock.apart > 0 else "behind"
        advice = "" if mark is Mark.GOOD else "condition.do_clock"
        yield Part("clock", mark, f"condition.clock_{which}", facts, advice, "nodes")


def _voices(voices: Sequence[Voice]) -> Iterator[Part]:
    can = [each for each in voices if each.why is None]
    for each in voices:
        facts: dict[str, object] = {"name": each.name}
        if each.why is None:
            yield Part("voice", Mark.GOOD, "condition.voice_ready", facts, about=each.name)
            continue
        which = "resting" if each.resting else "missing"
        mark = Mark.WARN if can or each.resting else Mark.BAD
        facts["why"] = each.why
        yield Part("voice", mark, f"condition.voice_{which}", facts, f"condition.do_voice_{which}", each.name)


def _room(room: Room) -> Part:
    facts: dict[str, object] = {"path": room.path, "free_bytes": room.free_bytes, "total_bytes": room.total_bytes}
    used = 1.0 - room.free_bytes / room.total_bytes if room.total_bytes else 1.0
    facts["percent"] = round(100 * used)
    full = used >= FULL_RATIO or room.free_bytes < SHORT_BYTES
    mark = Mark.BAD if full else Mark.WARN if used >= FILLED_RATIO else Mark.GOOD
    advice = "" if mark is Mark.GOOD else f"condition.do_disk_{room.what}"
    return Part("disk", mark, f"condition.disk_{room.what}", facts, advice, room.what)


def _backup(kept: Kept | None, now: datetime) -> Part:
    if kept is None:
        return Part("backup", Mark.WARN, "condition.backup_none", {}, "condition.do_backup")
    age = now - kept.at
    facts: dict[str, object] = {"name": kept.name, "at": kept.at, "days": max(0, age.days)}
    mark = Mark.BAD if age > TOO_OLD_AFTER else Mark.WARN if age > OLD_AFTER else Mark.GOOD
    which = "fresh" if age < timedelta(days=1) else "aged"
    advice = "" if mark is Mark.GOOD else "condition.do_backup"
    return Part("backup", mark, f"condition.backup_{which}", facts, advice)


def _papers(papers: Mapping[str, datetime | None], now: datetime) -> Iterator[Part]:
    if not papers:
        yield Part("paper", Mark.PLAIN, "condition.paper_none", {}, "condition.do_paper_none")
    for name, until in papers.items():
        if until is None:
            yield Part("paper", Mark.UNKNOWN, f"condition.paper_{name}_closed", {}, "condition.do_paper_closed", name)
            continue
        left = until - now
        facts: dict[str, object] = {"at": until, "days": max(0, left.days)}
        soon = AUTHORITY_SOON if name in ("authority", "web_authority") else SOON
        mark = Mark.BAD if left <= timedelta(0) else Mark.WARN if left <= soon else Mark.GOOD
        advice = "" if mark is Mark.GOOD else f"condition.do_paper_{'web' if name.startswith('web') else 'radio'}"
        yield Part("paper", mark, f"condition.paper_{name}", facts, advice, name)


def _keys(keys: Keys, now: datetime) -> Iterator[Part]:
    if keys.trust_until is None:
        yield Part("trust", Mark.BAD, "condition.trust_none", {}, "condition.do_trust_none")
    elif keys.cut or not keys.named:
        which = "cut" if keys.cut else "unnamed"
        yield Part("trust", Mark.BAD, f"condition.trust_{which}", {}, f"condition.do_trust_{which}")
    else:
        left = keys.trust_until - now
        facts: dict[str, object] = {"at": keys.trust_until, "days": max(0, left.days)}
        mark = Mark.BAD if left <= timedelta(0) else Mark.WARN if left <= SOON else Mark.GOOD
        yield Part("trust", mark, "condition.trust_until", facts, "" if mark is Mark.GOOD else "condition.do_trust")
    if keys.locked is None:
        yield Part("lock", Mark.UNKNOWN, "condition.lock_unread", {}, "condition.do_lock_unread")
    elif not keys.here and not keys.token:
        yield Part("lock", Mark.BAD, "condition.lock_missing", {}, "condition.do_lock_missing")
    elif keys.token:
        yield Part("lock", Mark.GOOD, "condition.lock_token")
    elif keys.locked:
        yield Part("lock", Mark.GOOD, "condition.lock_locked", {"kinds": ", ".join(keys.locked)})
    else:
        yield Part("lock", Mark.PLAIN, "condition.lock_plain", {}, "condition.do_lock_plain")
    second = {"count": keys.second}
    if keys.second_wanted and not keys.second:
        yield Part("second", Mark.BAD, "condition.second_lacking", second, "condition.do_second")
    elif keys.second_wanted:
        yield Part("second", Mark.GOOD, "condition.second_wanted", second)
    else:
        yield Part("second", Mark.PLAIN, "condition.second_not_wanted", second, "condition.do_second_not_wanted")
