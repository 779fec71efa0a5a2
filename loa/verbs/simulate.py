"""`loa simulate`: what a node of an area will sound on a day, decided by the node's own code."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from schedules import moments
from words import say

if TYPE_CHECKING:
    from loa.house import House
    from loa.parser import Verbs
    from schedules.simulation import Day
    from wire.config import NodeConfig
    from wire.plan import Job

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
    from schedules.simulation import simulate

    with house.opened(wanted) as station:
        zone = station.settings.zone
        since = _midnight(wanted.day, zone)
        until = _midnight_after(since, zone)
        config, areas = _node(station, wanted.place)
        day = simulate(_jobs(station, areas, since), config, since - timedelta(days=1), until)
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


def _midnight(day: str | None, zone: str) -> datetime:
    """The moment at which the day begins. Raises BadMoment."""
    now = house.now()
    if day is None:
        return moments.at_local(moments.local(now, zone).date(), time(), zone)
    written = f"{day} 00:00" if re.fullmatch(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", day.strip()) else day
    there = moments.local(moments.read(written, now, zone), zone).date()
    if there == date.max:  # it has no end
        raise moments.BadMoment("schedules.bad_moment", f"{day} is the last day", text=day)
    return moments.at_local(there, time(), zone)


def _midnight_after(since: datetime, zone: str) -> datetime:
    tomorrow = moments.local(since, zone).date() + timedelta(days=1)
    return moments.at_local(tomorrow, time(), zone).astimezone(UTC)


def _node(station: House, place: str) -> tuple[NodeConfig, tuple[str, ...]]:
    """The config and areas of a node, or of one that hangs in an area and has nothing of its own. Raises Refused."""
    from controller.roster import ancestors, areas_of
    from wire.config import NodeConfig

    told = station.settings
    node = station.store.roster.node(place)
    if node is None and station.store.roster.area(place) is None:
        raise house.Refused("loa.unknown_place", place=place[:80])
    areas = areas_of(node) if node else (place, *ancestors(place))
    config = NodeConfig("simulated", 1, house.now(), areas, "", told.zone, told.quiet)
    if node is None:
        return config, areas
    quiet, offset = node.quiet or told.quiet, node.offset_ms
    return NodeConfig(
        node.id, 1, house.now(), areas, "", told.zone, quiet, offset_ms=offset, maintenance=node.maintenance
    ), areas


def _jobs(station: House, areas: tuple[str, ...], since: datetime) -> dict[str, Job]:
    """The union of the plans that these areas would have on that day."""
    from schedules import planner

    plans = planner.plan(station.store.airing.to_plan(since), since)
    return {job.id: job for job in planner.of_areas(plans, areas, since)}


def _facts(day: Day, since: datetime) -> dict[str, object]:
    stretches = [
        {"since": each.since, "until": each.until, "job": each.job.id, "title": each.job.title}
        | {"class": each.job.bulletin_class.value, "from_ms": each.from_ms}
        for each in day.stretches
        if each.until > since
    ]
    endings = [
        {"at": each.at, "job": each.job.id, "outcome": each.step.value, "reason": each.reason}
        for each in day.endings
        if each.at >= since
    ]
    return {"sounds": stretches, "outcomes": endings}
