"""What pages show of the programmes and policies of an area: what holds, from when, and what stands in the slots."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from controller.rights import Permission
from controller.roster import ancestors
from controller.store.programmes import ProgrammeRow, standings_of
from controller.store.rows import AnnouncementState, VoiceState
from controller.web.doors import reach, sees
from controller.web.window import window
from schedules import placing
from schedules.calendars import facts_of
from schedules.laying import Sounding
from schedules.moments import local
from schedules.planner import HORIZON
from schedules.programme import Occurrence
from schedules.programme_change import Change, change
from schedules.rulebook import Rulebook
from wire.names import lies_within
from wire.plan import BulletinClass

AHEAD = timedelta(days=7)
MOST_NAMES = 200


@dataclass(frozen=True)
class Holding:
    """The programmes of an area: the one in force, those that come after it, and all that were ever applied."""

    area: str
    current: ProgrammeRow | None
    later: tuple[ProgrammeRow, ...]
    rows: tuple[ProgrammeRow, ...]

    def of_day(self, since: str) -> ProgrammeRow | None:
        """The one that was applied to that day (ISO); without a day the one in force, else the next."""
        known = [row for row in self.rows if row.since == since] if since else [self.current, *self.later]
        return next((row for row in known if row is not None), None)


@dataclass(frozen=True)
class Policy:
    """Rules that hold in a place, since when, and whose they are."""

    area: str
    since: date
    rules: Rulebook


def may_read(area: str) -> bool:
    """Whether an area concerns the signed-in person: it is theirs, or theirs lies in it."""
    return sees(area) or any(lies_within(each, area) for each in reach(Permission.READ))


def holding(area: str) -> Holding:
    """What holds in exactly this area."""
    rows = tuple(window().store.programmes.of(area))
    now = window().now()
    current = next((row for row in rows if row.begins <= now), None)
    return Holding(area, current, tuple(row for row in reversed(rows) if row.begins > now), rows)


def above(area: str) -> ProgrammeRow | None:
    """The programme of the nearest area above, which holds where an area has none of its own."""
    now = window().now()
    found = (window().store.programmes.in_force(each, now) for each in ancestors(area))
    return next((row for row in found if row is not None), None)


def lacking_audio(area: str) -> list[str]:
    """The audio that the programme which holds in an area names, and that is not there yet."""
    row = window().store.programmes.in_force(area, window().now()) or above(area)
    return silent(row.area, [row]) if row else []


def policies(area: str) -> tuple[Policy | None, list[Policy]]:
    """What holds in an area today, its own or the nearest above, and what will follow there."""
    kept = window().store.policies.all()
    today = local(window().now(), window().settings.zone).date()
    for place in (area, *ancestors(area)):
        own = [Policy(place, since, rules) for since, rules in kept.get(place, [])]
        begun = [each for each in own if each.since <= today]
        if begun:
            return begun[-1], [each for each in own if each.since > today]
    return None, [Policy(area, since, rules) for since, rules in kept.get(area, [])]


def slots_ahead(area: str, now: datetime, zone: str) -> list[tuple[date, list[tuple[Occurrence, list[Sounding]]]]]:
    """The slots of the next days, by local day, and what stands in each as far as it is known now."""
    store, until = window().store, now + AHEAD
    found = placing.expand(store.programmes.standings().get(area, []), now, until, facts_of)
    soundings: dict[datetime, list[Sounding]] = {}
    for each in store.airing.week(area, now, until, now):
        soundings.setdefault(each.occurrence.start, []).append(each)
    filled = [(each, soundings.get(each.start, [])) for each in found]
    return [(day, list(some)) for day, some in groupby(filled, key=lambda pair: local(pair[0].start, zone).date())]


def silent(area: str, rows: Iterable[ProgrammeRow]) -> list[str]:
    """The audio that items name and that the area does not have yet."""
    slots = (slot for row in rows for slot in row.programme.slots)
    here, named = window(), (item.asset for slot in slots for item in slot.items if item.asset)
    return here.store.airing.silent(area, named, here.now())


def unsent(rows: Iterable[ProgrammeRow]) -> list[str]:
    """The sources of relays that the station's settings do not have: nobody relays them."""
    return [name for row in rows for name in window().store.airing.unknown_sources(row.programme)]


def names_for_items(area: str) -> list[str]:
    """What an item of the area may be called: series of its programmes, then approved announcements with audio."""
    rows = window().store.programmes.of(area)
    series = {item.series for row in rows for slot in row.programme.slots for item in slot.items if item.series}
    near = [
        each.id for each in window().store.people.all() if lies_within(area, each.area) or lies_within(each.area, area)
    ]
    titles = [
        each.title
        for each in window().store.announcements.list(MOST_NAMES, AnnouncementState.APPROVED, near)
        if each.voice_state is VoiceState.DONE and not each.drill and each.bulletin_class is not BulletinClass.EMERGENCY
    ]
    return [*sorted(series), *dict.fromkeys(titles)]


def changed_by(row: ProgrammeRow, rows: Iterable[ProgrammeRow], now: datetime) -> Change:
    """What the next two weeks would have otherwise if ``row`` were applied."""
    before = sorted(rows, key=lambda each: each.since)
    after = sorted([*(each for each in before if each.since != row.since), row], key=lambda each: each.since)
    old, new = (placing.expand(standings_of(some), now, now + HORIZON, facts_of) for some in (before, after))
    return change(old, new, row.programme.zone)


def proof(since: str, body: str) -> str:
    """A short name for exactly this text from exactly this day, so that what was looked at is what is applied."""
    return hashlib.sha256(f"{since}\n{body}".encode()).hexdigest()[:16]
