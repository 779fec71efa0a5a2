"""`loa simulate`: what a node of an area will sound on a day, decided by the node's own code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import days, house, out
from loa.codes import DONE
from schedules import moments
from words import say

if TYPE_CHECKING:
    from datetime import datetime

    from loa.parser import Verbs
    from schedules.simulation import Day

EXAMPLE = "loa simulate lang-son:dong-dang --day 2026-02-17"


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("simulate", "about_simulate", run, EXAMPLE)
    parser.add_argument("place", metavar=parser.word("place"), help=parser.t("place_help"))
    parser.add_argument("--day", metavar=parser.word("day"), help=parser.t("simulate_day_help"))
    parser.takes_json()
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Print each stretch of sound, then what would end otherwise than sounded, and why."""
    from controller import preview

    with house.opened(wanted) as station:
        zone = station.settings.zone
        since, until = days.span_of(wanted.day, zone)
        seen = preview.look(station.store, station.settings, wanted.place, since)
    if seen is None:
        raise house.Refused("loa.unknown_place", place=wanted.place[:80])
    day = seen.sounding(seen.asked, since, until)
    shown = [each for each in day.stretches if each.until > since]
    endings = [each for each in day.endings if each.at >= since]
    if wanted.json:
        out.as_json(_facts(day, since))
        return DONE
    for each in shown:
        kind = say(f"loa.class_{each.job.bulletin_class.value}", wanted.language)
        span = f"{out.second(each.since, zone)} – {moments.local(each.until, zone):%H:%M:%S}"
        print(f"{span}  {kind}  {each.job.id}  {each.job.title}")
    for ended in (each for each in endings if each.reason):
        step = say(f"loa.step_{ended.step.value}", wanted.language)
        print(f"{out.second(ended.at, zone)}  {step} ({ended.reason})  {ended.job.id}  {ended.job.title}")
    if not shown and not any(each.reason for each in endings):
        print(say("loa.silent_day", wanted.language, day=f"{moments.local(since, zone):%d/%m/%Y}"))
    return DONE


def _facts(day: Day, since: datetime) -> dict[str, object]:
    stretches = [
        {"since": each.since, "until": each.until, "job": each.job.id, "title": each.job.title}
        | {"class": each.job.bulletin_class.value, "from_ms": each.from_ms, "beneath": each.beneath}
        for each in day.stretches
        if each.until > since
    ]
    endings = [
        {"at": each.at, "job": each.job.id, "outcome": each.step.value, "reason": each.reason}
        for each in day.endings
        if each.at >= since
    ]
    return {"sounds": stretches, "outcomes": endings}
