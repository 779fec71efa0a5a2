"""`loa plan show`: the jobs that a node holds, or that one would hold which hangs in an area."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loa import days, house, out
from loa.codes import DONE
from schedules import moments, planner, precedence, relays
from words import say

if TYPE_CHECKING:
    from controller.readiness import Readiness
    from controller.store.facts import IssuedPlan
    from controller.store.held import HeldBack
    from loa.parser import Verbs
    from wire.plan import Job


def add(verbs: Verbs) -> None:
    """The verb, its one verb, and what that takes."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("plan", "about_plan"), "plan_verb")
    parser = below.add("show", "about_plan_show", run, "loa plan show lang-son:dong-dang --at 17:00")
    parser.add_argument("place", metavar=parser.word("place"), help=parser.t("place_help"))
    parser.add_argument("--day", metavar=parser.word("day"), help=parser.t("plan_day_help"))
    parser.add_argument("--at", metavar=parser.word("time"), help=parser.t("plan_at_help"))
    parser.takes_json()
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Print what a loudspeaker there holds, of one day if asked; with ``--at``, who has it then, and what is next."""
    from controller import preview, readiness

    with house.opened(wanted) as station:
        zone, now = station.settings.zone, house.now()
        span = days.span_of(wanted.day, zone) if wanted.day is not None else None
        seen = preview.look(station.store, station.settings, wanted.place, now)
        if seen is None:
            raise house.Refused("loa.unknown_place", place=wanted.place[:80])
        ready = readiness.survey(station.store, readiness.items_at(wanted.place, seen.held, now))
    jobs = [job for job in seen.held if span is None or span[0] <= job.start < span[1]]
    since, until = span or (now, now + planner.HORIZON)
    held_back = [each for each in seen.held_back if since <= each.start < until]
    shown = jobs if wanted.at is None else _at(jobs, moments.read(wanted.at, now, zone))
    if wanted.json:
        told = [_facts(job) | _arrived(ready.get(job.id)) for job in shown]
        facts = {"plans": [_issued(each) for each in seen.plans], "jobs": told}
        out.as_json(facts | {"held_back": [_held(each) for each in held_back]})
        return DONE
    for plan in seen.plans:
        named = {"area": plan.area, "lane": plan.lane.value, "serial": plan.serial}
        print(say("loa.plan_issued", wanted.language, **named, until=out.second(plan.valid_until, zone)))
    if not shown:
        print(say("loa.plan_empty", wanted.language))
    for job in shown:
        seconds = f"{relays.length_ms(job) / 1000:.0f} s" if job.asset or job.relay else "–"
        kind = say(f"loa.class_{job.bulletin_class.value}", wanted.language)
        here = ready.get(job.id)
        mark = f"{here.ready}/{here.expected}" if here else "–"
        print(f"{out.second(job.start, zone)}  {seconds:>6}  {kind}  {mark:>5}  {job.id}  {job.title}")
    for each in held_back:
        why = say("loa.plan_held_back", wanted.language, reason=each.reason)
        print(f"{out.second(each.start, zone)}  {why}  {each.job}  {each.title}")
    if waiting := len(seen.pending(since, until)):
        print(say("loa.plan_pending", wanted.language, count=waiting))
    return DONE


def _arrived(found: Readiness | None) -> dict[str, object]:
    """On how many loudspeakers there the audio is, and where not; None for what sounds by now or needs no file."""
    if found is None:
        return {"readiness": None}
    missing = [{"node": each.node.id, "why": each.why, "since": each.since} for each in found.missing]
    return {"readiness": {"expected": found.expected, "ready": found.ready, "missing": missing}}


def _issued(plan: IssuedPlan) -> dict[str, object]:
    return {"area": plan.area, "lane": plan.lane, "serial": plan.serial, "valid_until": plan.valid_until}


def _held(row: HeldBack) -> dict[str, object]:
    return {"job": row.job, "area": row.area, "start": row.start, "title": row.title, "reason": row.reason}


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
