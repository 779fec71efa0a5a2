"""`loa programme check|apply|show|export`: a commune's standing week, as a TOML file."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, texts, told
from loa.codes import DONE
from schedules import moments, timetable
from words import say

if TYPE_CHECKING:
    from datetime import date

    from controller.store import Store
    from controller.store.programmes import ProgrammeRow
    from loa.parser import Parser, Verbs
    from schedules.programme import Occurrence, Programme

WEEK = timedelta(days=7)
APPLY_EXAMPLE = """\
loa programme check khung.toml
loa programme apply khung.toml --since 2026-12-01"""
SHOW_EXAMPLE = """\
loa programme show khung.toml
loa programme show lang-son:dong-dang --week 2027-02-15"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("programme", "about_programme"), "programme_verb")
    parser = below.add("check", "about_programme_check", check, APPLY_EXAMPLE)
    _takes_file(parser)
    house.takes_config(parser)
    parser = below.add("apply", "about_programme_apply", apply, APPLY_EXAMPLE)
    _takes_file(parser)
    parser.add_argument("--since", metavar=parser.word("day"), help=parser.t("programme_since_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("show", "about_programme_show", show, SHOW_EXAMPLE)
    parser.add_argument("what", metavar=parser.word("file"), help=parser.t("programme_what_help"))
    parser.add_argument("--week", metavar=parser.word("day"), help=parser.t("programme_week_help"))
    house.takes_config(parser)
    parser = below.add("export", "about_programme_export", export)
    parser.add_argument("area", metavar=parser.word("area"), help=parser.t("programme_area_help"))
    house.takes_config(parser)


def _takes_file(parser: Parser) -> None:
    parser.add_argument("file", metavar=parser.word("file"), type=Path, help=parser.t("programme_file_help"))


def check(wanted: argparse.Namespace) -> int:
    """Say whether a file is a programme, without a station; with its settings, whether they know what is relayed."""
    known = [each.name for each in house.settings_of(wanted).relays] if wanted.config is not None else []
    programme = timetable.read(texts.read(wanted.file, wanted.language), known)
    print(say("loa.programme_good", wanted.language, area=programme.area, slots=len(programme.slots)))
    return DONE


def apply(wanted: argparse.Namespace) -> int:
    """Let the programme of a file hold, and say which of its items have no sound yet."""
    text = texts.read(wanted.file, wanted.language)
    with house.opened(wanted) as station:
        now = house.now()
        since = _day(wanted.since, station.settings.zone) if wanted.since is not None else None
        row = station.desk.apply_programme(text, since, station.person(wanted.person), now)
        print(say("loa.programme_set", wanted.language, area=row.area, since=row.since))
        _say_what_is_silent(station.store, row, wanted.language)
    return DONE


def _say_what_is_silent(store: Store, row: ProgrammeRow, language: str) -> None:
    """The items, and what stands in for relays, that have no sound yet; and the relays that are only shown."""
    airing, items = store.airing, [item for slot in row.programme.slots for item in slot.items]
    fallbacks = [source.fallback for item in items if item.source and (source := airing.source(item.source))]
    named = [each for each in (*(item.asset for item in items), *fallbacks) if each]
    for silent in airing.silent(row.area, named, house.now()):
        print(say("loa.programme_silent", language, item=told.plain(silent, 80)))
    for unknown in airing.unknown_sources(row.programme):
        print(say("loa.programme_no_source", language, source=told.plain(unknown, 80)))


def show(wanted: argparse.Namespace) -> int:
    """Print a week of a file's programme, or of the one that holds in an area."""
    from controller.settings import Settings

    path = Path(wanted.what)
    if path.suffix == ".toml" or path.is_file():
        programme, zone = timetable.read(texts.read(path, wanted.language)), Settings().zone
        _print_week(programme, _monday(wanted, programme.zone or zone), wanted.language)
        return DONE
    with house.opened(wanted) as station:
        zone, now = station.settings.zone, house.now()
        first = _monday(wanted, zone)
        begins = max(now, moments.at_local(first, moments.clock_time("00:00"), zone))
        row = station.store.programmes.in_force(wanted.what, begins)
    if row is None:
        raise house.Refused("loa.programme_none", area=wanted.what[:80])
    _print_week(row.programme, first, wanted.language)
    return DONE


def export(wanted: argparse.Namespace) -> int:
    """Print the text of the programme that holds in an area."""
    with house.opened(wanted) as station:
        row = station.store.programmes.in_force(wanted.area, house.now())
    if row is None:
        raise house.Refused("loa.programme_none", area=wanted.area[:80])
    print(row.body, end="")
    return DONE


def _day(text: str, zone: str) -> date:
    return moments.local(moments.read(text, house.now(), zone), zone).date()


def _monday(wanted: argparse.Namespace, zone: str) -> date:
    day = _day(wanted.week, zone) if wanted.week is not None else moments.local(house.now(), zone).date()
    return day - timedelta(days=day.weekday())


def _print_week(programme: Programme, first: date, language: str) -> None:
    """Each day with its holidays and lunar day, and what begins on it."""
    from schedules.calendars import facts_of
    from schedules.programme import occurrences

    print(f"{told.plain(programme.title)} – {programme.area}")
    since = moments.at_local(first, moments.clock_time("00:00"), programme.zone)
    found = occurrences(programme, since, since + WEEK, facts_of)
    for ahead in range(7):
        day = first + timedelta(days=ahead)
        facts = facts_of(day, language)
        lunar = [say("loa.lunar_day", language, day=facts.lunar_date)] if facts.lunar_date else []
        about = "; ".join([*lunar, *facts.holidays])
        named = say(f"web.weekday_{day.weekday()}", language)
        print(f"{named} {day:%d/%m/%Y}{f' ({told.plain(about)})' if about else ''}")
        for each in found:
            if moments.local(each.start, programme.zone).date() == day:
                print(f"  {_line(each, programme.zone)}")


def _line(each: Occurrence, zone: str) -> str:
    begins, ends = moments.local(each.start, zone), moments.local(each.end, zone)
    names = (item.series or item.source or item.asset or item.kind.value for item in each.slot.items)
    items = "; ".join(told.plain(name) for name in names)
    return f"{begins:%H:%M}–{ends:%H:%M}  {told.plain(each.slot.label)}{f'  [{items}]' if items else ''}"
