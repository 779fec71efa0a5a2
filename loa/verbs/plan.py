"""`loa plan show`: the plan in the air of an area, or of all that a node listens to."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from schedules import moments, precedence, relays
from words import say

if TYPE_CHECKING:
    from controller.store.facts import IssuedPlan
    from loa.house import House
    from loa.parser import Verbs
    from wire.plan import Job, Plan


def add(verbs: Verbs) -> None:
    """The verb, its one verb, and what that takes."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("plan", "about_plan"), "plan_verb")
    parser = below.add("show", "about_plan_show", run, "loa plan show lang-son:dong-dang --at 17:00")
    parser.add_argument("place", metavar=parser.word("place"), help=parser.t("place_help"))
    parser.add_argument("--at", metavar=parser.word("time"), help=parser.t("plan_at_help"))
    parser.takes_json()
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Print the plan; with ``--at``, what has the loudspeaker at that moment, and what is next."""
    with house.opened(wanted) as station:
        zone, now = station.settings.zone, house.now()
        issued = _issued(station, wanted.place)
        jobs = _jobs([each for each in issued if each.valid_until > now])
        shown = jobs if wanted.at is None else _at(jobs, moments.read(wanted.at, now, zone))
        if wanted.json:
            serials = [
                {"area": each.area, "lane": each.lane, "serial": each.serial, "valid_until": each.valid_until}
                for each in issued
            ]
            out.as_json({"plans": serials, "jobs": [_facts(job) for job in shown]})
            return DONE
        for plan in issued:
            facts = {"area": plan.area, "lane": plan.lane.value, "serial": plan.serial}
            print(say("loa.plan_issued", wanted.language, **facts, until=out.second(plan.valid_until, zone)))
        if not shown:
            print(say("loa.plan_empty", wanted.language))
        for job in shown:
            seconds = f"{relays.length_ms(job) / 1000:.0f} s" if job.asset or job.relay else "–"
            kind = say(f"loa.class_{job.bulletin_class.value}", wanted.language)
            print(f"{out.second(job.start, zone)}  {seconds:>6}  {kind}  {job.id}  {job.title}")
    return DONE


def _issued(station: House, place: str) -> list[IssuedPlan]:
    """Every plan that an area has, or that a node acts on. Raises Refused."""
    from controller.roster import areas_of

    node = station.store.roster.node(place)
    if node is None and station.store.roster.area(place) is None:
        raise house.Refused("loa.unknown_place", place=place[:80])
    areas = areas_of(node) if node else (place,)
    return [each for each in station.store.plans.current() if each.area in areas]


def _jobs(issued: list[IssuedPlan]) -> list[Job]:
    from schedules.planner import merge

    plans = [_read(each) for each in issued]
    return sorted(merge((plan.issued_at, plan.jobs) for plan in plans).values(), key=lambda job: (job.start, job.id))


def _read(issued: IssuedPlan) -> Plan:
    from wire import codec, seal, topics
    from wire.plan import Plan

    return codec.read(Plan, seal.unwrap(issued.envelope, topics.PLAN.most_bytes).body(), topics.PLAN.most_bytes)


def _at(jobs: list[Job], moment: datetime) -> list[Job]:
    """Who wants the loudspeaker at ``moment``, the one that has it first; then the next to start."""
    wanting = [job for job in jobs if job.start <= moment < job.start + timedelta(milliseconds=relays.length_ms(job))]
    later = [job for job in jobs if job.start > moment]
    return sorted(wanting, key=lambda job: precedence.standing(job, jobs)) + later[:1]


def _facts(job: Job) -> dict[str, object]:
    facts: dict[str, object] = {"job": job.id, "title": job.title, "class": job.bulletin_class.value}
    facts |= {"level": job.level.value, "start": job.start, "deadline": job.deadline}
    facts |= {"asset": job.asset.sha256 if job.asset else None, "relay": job.relay.url if job.relay else None}
    return facts | {"seconds": relays.length_ms(job) / 1000 if job.asset or job.relay else None}
