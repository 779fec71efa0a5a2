"""`loa announce`: a text, its areas and its time go to the desk; with ``--wait``, what every node made of it.

- What it meets is told after it was taken, on standard error: it is advice, and changes no exit code.
- With ``--dry-run`` nothing is written: it is told when it would sound, what it meets, and what could be done.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loa import foreseen, house, out, texts, told
from loa.codes import DONE, NOT_EVERYWHERE
from loa.verbs.asrun import outcome_line
from schedules import moments
from words import say

if TYPE_CHECKING:
    from controller.desk import Announced, Placing, Wish
    from controller.desk.foresight import Foreseen
    from controller.store.facts import Outcome
    from controller.store.rows import User
    from loa.house import House
    from loa.parser import Verbs
    from schedules.calendars import Recurrence

AFTER_CUT = ("resume", "restart", "drop", "duck")
LEVELS = ("central", "province", "district", "commune")
LOOK_SECONDS = 0.3
MOST_SECONDS = 7 * 24 * 3600
EXAMPLE = """\
loa announce "Chiều nay phun thuốc khử khuẩn tại nhà văn hóa." --area lang-son:dong-dang
loa announce --text-file thong-bao.txt --area lang-son:dong-dang --at 17:00 --wait
loa announce "Khẩu hiệu tuần" --area lang-son:dong-dang --at 05:30 --repeat "FREQ=WEEKLY;BYDAY=MO,WE,FR"
loa announce --text-file thong-bao.txt --area lang-son:dong-dang --at 17:00 --dry-run
loa announce --text-file thong-bao.txt --area lang-son:dong-dang --slot "bản tin của xã"
loa announce --recording chu-tich.m4a --area lang-son:dong-dang --at 17:00 --times 2
loa announce --again a0123456789ab --area lang-son:dong-dang --now
loa announce --area lang-son:dong-dang -- "-5 độ C: …\""""


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("announce", "about_announce", run, EXAMPLE)
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("text", nargs="?", metavar=parser.word("text"), help=parser.t("text_help"))
    text.add_argument("--text-file", metavar=parser.word("file"), type=Path, help=parser.t("text_file_help"))
    text.add_argument("--again", metavar=parser.word("name"), help=parser.t("again_help"))
    house.takes_recording(parser, text)
    area = parser.word("place")
    parser.add_argument(
        "--area", action="append", required=True, dest="areas", metavar=area, help=parser.t("area_help")
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", metavar=parser.word("time"), help=parser.t("at_help"))
    when.add_argument("--now", action="store_true", help=parser.t("now_help"))
    when.add_argument("--slot", metavar=parser.word("name"), help=parser.t("slot_help"))
    parser.add_argument("--repeat", metavar=parser.word("rule"), help=parser.t("repeat_help"))
    day = parser.word("day")
    parser.add_argument("--except", action="append", default=[], dest="but", metavar=day, help=parser.t("except_help"))
    parser.add_argument("--until", metavar=parser.word("time"), help=parser.t("until_help"))
    house.takes_class(parser, "class_help")
    house.takes_manner(parser)
    parser.add_argument("--after-cut", choices=AFTER_CUT, help=parser.t("after_cut_help"))
    parser.add_argument("--level", choices=LEVELS, default="commune", help=parser.t("level_help"))
    parser.add_argument("--title", default="", metavar=parser.word("text"), help=parser.t("title_help"))
    parser.add_argument("--key", metavar=parser.word("key"), help=parser.t("key_help"))
    parser.add_argument("--wait", action="store_true", help=parser.t("wait_help"))
    parser.add_argument("--dry-run", action="store_true", help=parser.t("announce_dry_help"))
    seconds = parser.number(1, MOST_SECONDS)
    parser.add_argument("--most-seconds", type=seconds, default=3600, metavar="N", help=parser.t("most_seconds_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Send the wish; exit code 4 when waited for and not sounded everywhere."""
    _check(wanted)
    with house.opened(wanted) as station:
        now, person = house.now(), station.person(wanted.person)
        if wanted.again is not None:
            wish = None
            made = station.desk.again(wanted.again, _placing(wanted, station.settings.zone, now), person, now)
        else:
            wish = _wish(wanted, station, person, now)
            if wanted.dry_run:
                return _foresee(wanted, station, wish, person)
            made = station.desk.announce(wish, person, now)
        return _told(wanted, station, made, lambda: foreseen.accepted(station, made, wish, person, now))


def _told(wanted: argparse.Namespace, station: House, made: Announced, look: Callable[[], Foreseen]) -> int:
    """Say that it was taken and, after a ``look``, what it meets; wait where that is wanted."""
    facts = {"announcement": made.announcement_id, "job": made.booking_id}
    in_words = wanted.wait or not wanted.json
    if in_words:
        stream = sys.stderr if wanted.wait else sys.stdout
        print(say("loa.announced", wanted.language, **facts), file=stream, flush=True)
    conflicts = foreseen.conflicts(look(), foreseen.telling(station, wanted.language, house.now()))
    for each in conflicts if in_words else ():
        print(each["said"], file=sys.stderr, flush=True)
    if not in_words:
        out.as_json(facts | {"conflicts": conflicts})
    return _wait(wanted, station, made, conflicts) if wanted.wait else DONE


def _check(wanted: argparse.Namespace) -> None:
    """Raises Refused for options that do not go together."""
    if wanted.dry_run and (wanted.wait or wanted.recording or wanted.again):
        other = "--wait" if wanted.wait else "--recording" if wanted.recording else "--again"
        raise house.Refused("loa.dry_run_alone", other=other)
    if wanted.again is not None:
        usual = {"title": "", "times": 1, "drill": False, "bulletin_class": "ordinary", "level": "commune"}
        for name, value in usual.items():
            if getattr(wanted, name) != value:
                option = "--class" if name == "bulletin_class" else f"--{name}"
                raise house.Refused("loa.again_alone", option=option)


def _placing(wanted: argparse.Namespace, zone: str, now: datetime) -> Placing:
    from controller.desk import Placing
    from schedules.booking import WhenCut

    start = moments.read(wanted.at, now, zone) if wanted.at is not None else None
    recurrence, after_cut = _recurrence(wanted, zone, now), WhenCut(wanted.after_cut) if wanted.after_cut else None
    return Placing(tuple(wanted.areas), start, wanted.key, recurrence, wanted.slot, after_cut)


def _wish(wanted: argparse.Namespace, station: House, person: User, now: datetime) -> Wish:
    from controller.desk import Wish
    from wire.plan import BulletinClass, Level

    placing = _placing(wanted, station.settings.zone, now)
    text = texts.read(wanted.text_file, wanted.language) if wanted.text_file is not None else wanted.text or ""
    return Wish(
        text=text,
        areas=placing.areas,
        start=placing.start,
        title=wanted.title,
        bulletin_class=BulletinClass(wanted.bulletin_class),
        level=Level(wanted.level),
        idempotency_key=placing.idempotency_key,
        recurrence=placing.recurrence,
        recording=station.recorded(wanted.recording, wanted.spoken_language, person) if wanted.recording else None,
        slot=placing.slot,
        times=wanted.times,
        drill=wanted.drill,
        after_cut=placing.after_cut,
    )


def _foresee(wanted: argparse.Namespace, station: House, wish: Wish, person: User) -> int:
    now = house.now()
    station.desk.consider(wish, person, now)
    telling = foreseen.telling(station, wanted.language, now)
    found = station.desk.foresee(wish, person, now)
    out.as_json(foreseen.facts(found, telling)) if wanted.json else foreseen.printed(found, telling)
    return DONE


def _recurrence(wanted: argparse.Namespace, zone: str, now: datetime) -> Recurrence | None:
    """How it comes again. Raises Refused, BadMoment."""
    from schedules.calendars import Recurrence

    if wanted.repeat is None:
        if wanted.but or wanted.until is not None:
            raise house.Refused("loa.repeat_missing")
        return None
    if wanted.wait:
        raise house.Refused("loa.repeat_no_wait")
    until = moments.read(wanted.until, now, zone) if wanted.until is not None else None
    return Recurrence(wanted.repeat, zone, tuple(sorted(set(wanted.but))), until)


def _wait(wanted: argparse.Namespace, station: House, made: Announced, conflicts: list[dict[str, object]]) -> int:
    from controller.roster import reached
    from wire.receipt import Step

    announcement, booking = made.announcement_id, made.booking_id
    assert booking
    row = station.store.bookings.get(booking)
    assert row
    expected = {node.id for node in reached(station.store.roster.nodes(), row.areas)}
    for node in sorted(expected & station.without_time()):
        print(say("loa.node_without_time", wanted.language, node=node), file=sys.stderr)
    heard: dict[str, Outcome] = {}
    until = time.monotonic() + wanted.most_seconds
    while expected - heard.keys() and time.monotonic() < until and not _voiceless(station, announcement):
        time.sleep(LOOK_SECONDS)
        for outcome in station.store.asrun.outcomes(job=booking, limit=100_000):
            if outcome.node not in heard and not wanted.json:
                print(outcome_line(outcome, station.settings.zone, wanted.language), flush=True)
            heard[outcome.node] = outcome
    fault = _voiceless(station, announcement)
    if fault:
        print(told.sentence(fault, wanted.language), file=sys.stderr)
    if not expected:
        print(say("loa.no_nodes", wanted.language), file=sys.stderr)
    silent = sorted(expected - heard.keys())
    if wanted.json:
        nodes = [as_facts(each) for each in heard.values()]
        out.as_json({"job": booking, "nodes": nodes, "silent": silent, "conflicts": conflicts})
    elif silent:
        print(say("loa.silent_nodes", wanted.language, nodes=", ".join(silent)), file=sys.stderr)
    everywhere = bool(heard) and not silent and all(each.step is Step.SOUNDED for each in heard.values())
    return DONE if everywhere else NOT_EVERYWHERE


def _voiceless(station: House, announcement: str) -> house.Refused | None:
    """Why the text will never be heard, if that is certain."""
    from controller.store.rows import VoiceState
    from wire.plan import BulletinClass

    held = station.store.announcements.get(announcement)
    in_words = held and held.bulletin_class is BulletinClass.EMERGENCY and held.spoken  # nodes speak it themselves
    if held and held.voice_error and held.voice_state is VoiceState.FAILED and not in_words:
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
    facts |= {"beneath_seconds": measured.beneath_ms / 1000 if measured else None, "detail": outcome.detail or None}
    return facts | {"level_dbfs": measured.level_dbfs if measured else None}
