"""`loa announce`: a text, its areas and its time go to the desk; with ``--wait``, what every node made of it."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, NOT_EVERYWHERE
from loa.verbs.asrun import outcome_line
from schedules import moments
from words import say

if TYPE_CHECKING:
    from controller.store.rows import Outcome
    from loa.house import House
    from loa.parser import Verbs

CLASSES = ("ordinary", "priority", "emergency")
LEVELS = ("central", "province", "district", "commune")
LOOK_SECONDS = 0.3


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("announce", "about_announce", run)
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("text", nargs="?", help=parser.t("text_help"))
    text.add_argument("--text-file", metavar="FILE", type=Path, help=parser.t("text_file_help"))
    parser.add_argument("--area", action="append", required=True, dest="areas", help=parser.t("area_help"))
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="TIME", help=parser.t("at_help"))
    when.add_argument("--now", action="store_true", help=parser.t("now_help"))
    parser.add_argument("--class", dest="bulletin_class", choices=CLASSES, default="ordinary")
    parser.add_argument("--level", choices=LEVELS, default="commune")
    parser.add_argument("--title", default="", help=parser.t("title_help"))
    parser.add_argument("--key", help=parser.t("key_help"))
    parser.add_argument("--wait", action="store_true", help=parser.t("wait_help"))
    parser.add_argument("--most-seconds", type=float, default=3600.0, metavar="N", help=parser.t("most_seconds_help"))
    parser.add_argument("--json", action="store_true", help=parser.t("json_help"))
    house.takes_person(parser)
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Send the wish; exit code 4 when waited for and not sounded everywhere."""
    from controller.desk import Wish
    from wire.plan import BulletinClass, Level

    with house.opened(wanted) as station:
        now = house.now()
        wish = Wish(
            text=wanted.text if wanted.text_file is None else read_text(wanted.text_file),
            areas=tuple(wanted.areas),
            start=moments.read(wanted.at, now, station.settings.zone) if wanted.at else None,
            title=wanted.title,
            bulletin_class=BulletinClass(wanted.bulletin_class),
            level=Level(wanted.level),
            idempotency_key=wanted.key,
        )
        made = station.desk.announce(wish, station.person(wanted.person), now)
        assert made.booking_id
        if not wanted.wait:
            facts = {"announcement": made.announcement_id, "job": made.booking_id}
            out.as_json(facts) if wanted.json else print(say("loa.announced", wanted.language, **facts))
            return DONE
        return _wait(wanted, station, made.announcement_id, made.booking_id)


def read_text(path: Path) -> str:
    """The text in a file (UTF-8, at most 1 MB are read). Raises Refused."""
    try:
        with path.open("rb") as file:
            return file.read(1_000_000).decode("utf-8-sig")
    except OSError as wrong:
        raise house.Refused("loa.unreadable_file", path=path, why=wrong.strerror or wrong) from wrong
    except UnicodeDecodeError:
        raise house.Refused("loa.not_utf8", path=path) from None


def _wait(wanted: argparse.Namespace, station: House, announcement: str, booking: str) -> int:
    from controller.roster import nodes_under
    from wire.receipt import Step

    row = station.store.bookings.get(booking)
    assert row
    expected = {node.id for node in nodes_under(station.store.roster.nodes(), row.areas)}
    told: dict[str, Outcome] = {}
    until = time.monotonic() + wanted.most_seconds
    while expected - told.keys() and time.monotonic() < until and not _voiceless(station, announcement):
        time.sleep(LOOK_SECONDS)
        for outcome in station.store.asrun.outcomes(job=booking, limit=100_000):
            if outcome.node not in told and not wanted.json:
                print(outcome_line(outcome, station.settings.zone, wanted.language), flush=True)
            told[outcome.node] = outcome
    fault = _voiceless(station, announcement)
    if fault:
        print(fault.say(wanted.language), file=sys.stderr)
    silent = sorted(expected - told.keys())
    if wanted.json:
        out.as_json({"job": booking, "nodes": [as_facts(each) for each in told.values()], "silent": silent})
    elif silent:
        print(say("loa.silent_nodes", wanted.language, nodes=", ".join(silent)), file=sys.stderr)
    everywhere = bool(told) and not silent and all(each.step is Step.SOUNDED for each in told.values())
    return DONE if everywhere else NOT_EVERYWHERE


def _voiceless(station: House, announcement: str) -> house.Refused | None:
    """Why the text will never be heard, if that is certain."""
    held = station.store.announcements.get(announcement)
    if held and held.voice_error:
        return house.Refused(held.voice_error.key, **held.voice_error.facts)
    return None


def as_facts(outcome: Outcome) -> dict[str, object]:
    """An outcome as plain values: seconds, milliseconds, dB relative to full scale."""
    measured = outcome.measured
    facts: dict[str, object] = {"node": outcome.node, "job": outcome.job, "outcome": outcome.step.value}
    facts |= {"reason": outcome.reason or None, "asset": outcome.asset or None, "planned_start": outcome.planned_start}
    started: datetime | None = measured.started_at if measured else None
    facts |= {"actual_start": started, "skew_ms": measured.skew_ms if measured else None}
    facts |= {"sounded_seconds": measured.sounded_ms / 1000 if measured else None}
    return facts | {"level_dbfs": measured.level_dbfs if measured else None}
