"""`loa calendar export|import`: what an area will sound as a calendar file (.ics), and such a file as bookings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out, texts, told
from loa.codes import DONE, FAILED
from schedules import moments
from words import Said, say

if TYPE_CHECKING:
    from controller.desk import Wish
    from controller.desk.calendar_wishes import Asked, Manner
    from controller.store.rows import User
    from loa.house import House
    from loa.parser import Verbs
    from schedules.ics import Entry, Event

MOST_DAYS = 366
LOOKED_AHEAD = timedelta(days=366)
EXPORT_EXAMPLE = "loa calendar export lang-son:dong-dang --days 60 -o lich-phat.ics"
IMPORT_EXAMPLE = """\
loa calendar import lich-cong-tac.ics --area lang-son:dong-dang --dry-run
loa calendar import lich-cong-tac.ics --area lang-son:dong-dang --all-day-at 05:30"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("calendar", "about_calendar"), "calendar_verb")
    parser = below.add("export", "about_calendar_export", export, EXPORT_EXAMPLE)
    parser.add_argument("place", metavar=parser.word("place"), help=parser.t("place_help"))
    days = parser.number(1, MOST_DAYS)
    parser.add_argument("--days", type=days, default=60, metavar="N", help=parser.t("calendar_days_help"))
    file = parser.word("file")
    parser.add_argument("-o", "--out", metavar=file, type=Path, help=parser.t("calendar_out_help"))
    house.takes_config(parser)
    parser = below.add("import", "about_calendar_import", take_in, IMPORT_EXAMPLE)
    parser.add_argument("file", metavar=file, type=Path, help=parser.t("calendar_file_help"))
    place = parser.word("place")
    parser.add_argument(
        "--area", action="append", required=True, dest="areas", metavar=place, help=parser.t("area_help")
    )
    classes = [each for each in house.CLASSES if each != "emergency"]  # nobody plans an emergency
    parser.add_argument(
        "--class", dest="bulletin_class", choices=classes, default="ordinary", help=parser.t("calendar_class_help")
    )
    parser.add_argument("--all-day-at", metavar=parser.word("time"), help=parser.t("all_day_at_help"))
    parser.add_argument("--dry-run", action="store_true", help=parser.t("dry_run_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


# --- out -----------------------------------------------------------------------------------------------------


def export(wanted: argparse.Namespace) -> int:
    """Print or write the calendar of what the area will sound."""
    from schedules import ics

    with house.opened(wanted) as station:
        now = house.now()
        window = (now, now + timedelta(days=wanted.days))
        name = _name_of(station, wanted.place)
        text = ics.write(_entries(station, wanted.place, window[1]), window, now, name)
    if wanted.out is None:
        out.utf8()
        sys.stdout.write(text)
        return DONE
    try:
        with wanted.out.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise house.Refused("loa.file_exists", path=wanted.out) from None
    except OSError as wrong:
        raise house.Refused("loa.cannot_write", path=wanted.out, why=wrong) from wrong
    print(say("loa.calendar_written", wanted.language, path=wanted.out, count=text.count("BEGIN:VEVENT")))
    return DONE


def _name_of(station: House, place: str) -> str:
    """What people call an area or a node. Raises Refused."""
    found = station.store.roster.area(place) or station.store.roster.node(place)
    if found is None:
        raise house.Refused("loa.unknown_place", place=place[:80])
    return found.name


def _entries(station: House, place: str, until: datetime) -> Iterator[Entry]:
    """The approved bookings that a node hears which hangs there, the earliest first."""
    from controller.roster import ancestors, areas_of
    from controller.store.rows import AnnouncementState
    from schedules.ics import Entry

    node = station.store.roster.node(place)
    heard = frozenset(areas_of(node) if node else (place, *ancestors(place)))
    for view in reversed(station.store.bookings.list(None, until=until, wanted_only=True)):
        booking, approved = view.booking, view.announcement_state is AnnouncementState.APPROVED
        if booking.start is None or not approved or heard.isdisjoint(booking.areas):
            continue
        said = station.store.announcements.get(booking.announcement)
        asset = station.store.assets.get(view.asset) if view.asset else None
        length = timedelta(milliseconds=asset.duration_ms if asset else 0)
        words = said.text if said else ""
        yield Entry(f"{booking.id}@loa", booking.start, length, view.title, words, booking.recurrence)


# --- in ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """What became of one wish of an event: ``new``, or taken in before; ``booking`` is empty in a dry run."""

    event: Event
    wish: Wish
    new: bool
    booking: str = ""


@dataclass(frozen=True)
class Intake:
    """Who takes in what how."""

    station: House
    person: User
    manner: Manner
    now: datetime
    dry: bool

    def event(self, event: Event) -> list[Taken]:
        """One event into bookings, all or none of it refused. Raises Said."""
        from controller.desk.calendar_wishes import asked

        wanted = asked(event, self.manner, self.now)
        self._unchanged(event, wanted)
        desk, new = self.station.desk, []
        for wish in wanted.wishes:
            if desk.known(wish.idempotency_key, self.person) is None:
                desk.consider(wish, self.person, self.now)
                new.append(wish)
        return [self._taken(event, wish, wish in new) for wish in wanted.wishes]

    def _taken(self, event: Event, wish: Wish, new: bool) -> Taken:
        made = None if self.dry else self.station.desk.announce(wish, self.person, self.now)
        return Taken(event, wish, new, (made.booking_id or "") if made else "")

    def _unchanged(self, event: Event, wanted: Asked) -> None:
        """Raises Refused when it was taken in before with other times: it would sound then and now."""
        desk, bookings = self.station.desk, self.station.store.bookings
        changed = any(desk.known(key, self.person) for key in wanted.rivals) if wanted.wishes else False
        for wish in wanted.wishes:
            known = desk.known(wish.idempotency_key, self.person)
            kept = bookings.get(known.booking_id) if known and known.booking_id else None
            changed |= kept is not None and (kept.start, kept.recurrence) != (wish.start, wish.recurrence)
        if changed:
            raise house.Refused("loa.calendar_changed", line=event.line, summary=_shown(event))


def take_in(wanted: argparse.Namespace) -> int:
    """Take every event of a calendar in; exit code 1 when some event could not be, the others are."""
    from controller.desk.calendar_wishes import Manner
    from schedules import ics
    from wire.plan import BulletinClass

    text = texts.read(wanted.file, wanted.language)
    all_day_at = moments.clock_time(wanted.all_day_at) if wanted.all_day_at is not None else None
    with house.opened(wanted) as station:
        now, zone = house.now(), station.settings.zone
        areas = tuple(dict.fromkeys(wanted.areas))
        for area in areas:
            _name_of(station, area)
        manner = Manner(areas, zone, BulletinClass(wanted.bulletin_class), all_day_at=all_day_at)
        intake = Intake(station, station.person(wanted.person), manner, now, wanted.dry_run)
        content = ics.read(text, now, now + LOOKED_AHEAD, zone)
        taken, refused = [], [(fault.line, told.sentence(fault, wanted.language)) for fault in content.faults]
        for event in content.events:
            try:
                taken += intake.event(event)
            except Said as wrong:
                refused.append((event.line, _sentence(event, wrong, wanted.language)))
    _tell(wanted, taken, sorted(refused), zone)
    return FAILED if refused else DONE


def _sentence(event: Event, wrong: Said, language: str) -> str:
    """Why an event is not taken in, with its line and its summary."""
    if "line" in wrong.facts:
        return told.sentence(wrong, language)
    refused = Said("loa.calendar_refused", line=event.line, summary=_shown(event), why=wrong)
    return told.sentence(refused, language)


def _tell(wanted: argparse.Namespace, taken: list[Taken], refused: list[tuple[int, str]], zone: str) -> None:
    """What was taken in, on standard output; what was not, on standard error, or all of it as JSON."""
    new = sum(each.new for each in taken)
    counts = {"new": new, "known": len(taken) - new, "refused": len(refused)}
    if wanted.json:
        faults = [{"line": line, "why": why} for line, why in refused]
        out.as_json({**counts, "dry_run": wanted.dry_run, "taken": [_facts(each) for each in taken], "faults": faults})
        return
    for each in taken:
        mark = say("loa.calendar_new" if each.new else "loa.calendar_known", wanted.language)
        rule = f"  {each.wish.recurrence.rule}" if each.wish.recurrence else ""
        name = told.plain(each.booking, 80) or "–"
        print(f"{mark}  {out.second(each.wish.start, zone)}  {name}  {_shown(each.event)}{told.plain(rule, 80)}")
    for _, why in refused:
        print(why, file=sys.stderr)
    print(say("loa.calendar_dry" if wanted.dry_run else "loa.calendar_taken", wanted.language, **counts))


def _facts(taken: Taken) -> dict[str, object]:
    wish = taken.wish
    facts: dict[str, object] = {
        "line": taken.event.line,
        "uid": taken.event.uid,
        "title": wish.title,
        "start": wish.start,
    }
    facts |= {"rule": wish.recurrence.rule if wish.recurrence else None, "new": taken.new}
    return facts | {"job": taken.booking or None}


def _shown(event: Event) -> str:
    """Its summary, for one line."""
    return told.plain(event.summary, 80) or "–"
