"""`loa asrun`: the as-run log, what every node did with every job."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from schedules import moments, standing_in
from words import say

if TYPE_CHECKING:
    from controller.store.facts import Outcome
    from loa.parser import Verbs

MOST_LINES = 1_000_000


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("asrun", "about_asrun", run, "loa asrun --area lang-son:dong-dang --since 2026-11-24")
    parser.add_argument("--since", metavar=parser.word("time"), help=parser.t("since_help"))
    parser.add_argument("--area", metavar=parser.word("place"), help=parser.t("of_area_help"))
    parser.add_argument("--job", metavar=parser.word("job"), help=parser.t("job_help"))
    most = parser.number(1, MOST_LINES)
    parser.add_argument("--limit", type=most, default=500, metavar="N", help=parser.t("limit_help"))
    parser.takes_json()
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Print it, what was stored last first."""
    from loa.verbs.announce import as_facts

    with house.opened(wanted) as station:
        zone = station.settings.zone
        if wanted.area is not None and not (
            station.store.roster.area(wanted.area) or station.store.roster.node(wanted.area)
        ):
            raise house.Refused("loa.unknown_place", place=wanted.area[:80])
        since = moments.read_past(wanted.since, house.now(), zone) if wanted.since is not None else None
        rows = station.store.asrun.outcomes(wanted.job, wanted.area, since, wanted.limit)
        if wanted.json:
            out.as_json([as_facts(each) | {"title": each.title, "received_at": each.received_at} for each in rows])
            return DONE
        for each in rows:
            print(outcome_line(each, zone, wanted.language))
        if not rows:
            print(say("loa.nothing_yet", wanted.language))
    return DONE


def outcome_line(outcome: Outcome, zone: str, language: str) -> str:
    """One outcome in one line."""
    step = say(f"loa.step_{outcome.step.value}", language)
    line = f"{out.second(outcome.planned_start, zone)}  {outcome.node}  {outcome.job}  {step}"
    if outcome.reason:
        line += f" ({outcome.reason})"
    measured = outcome.measured
    if measured:
        level = "–" if measured.level_dbfs is None else f"{measured.level_dbfs:.1f} dBFS"
        line += f"  {measured.sounded_ms / 1000:.1f} s  {measured.skew_ms:+.0f} ms  {level}"
    if standing_in.is_spoken(outcome.asset):
        line += f"  {say('loa.spoken_by_node', language)}"
    return line
