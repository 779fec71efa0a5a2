"""The audit log: who did what, and what was refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller import setting_changes, turned_away
from controller.folding import OTHERS
from controller.rights import Permission
from controller.store.bookings import Titled
from controller.store.chain import Link
from controller.store.rows import Act
from controller.web import raw, reading, times
from controller.web.doors import door
from controller.web.language import t, t_or
from controller.web.window import window

pages = Blueprint("acts", __name__)

MOST_SHOWN = 200
FILTERS = {  # by its name in the address -> acts
    "tu-choi": turned_away.KINDS,
    "thiet-lap": (setting_changes.CHANGED, setting_changes.BEGUN),
    "khoa": (
        *("began to lock keys", "locked keys", "failed to lock keys", "began to unlock keys", "unlocked keys"),
        *("failed to unlock keys", "changed key", "revoked key", "changed roots", "named cosigner", "sealed trust"),
        *("published trust", "certified broker", "put a second key out of force"),
    ),
    "vao-ra": ("signed in", "signed out", "proved who they are", "changed password", "chose a password"),
}

_BOOKED = re.compile(r"booking=(?P<booking>\S+)")
_COUNTED = re.compile(r"count=(?P<count>\d+) since=(?P<since>\S+) ?(?P<rest>.*)")
_RULED = re.compile(r"job=\S+ area=(?P<area>\S+) reason=(?P<reason>\w+)")
_ENTERED = re.compile(r"(?P<role>\w+) of (?P<area>\S+)(?P<span>(?: \w+=\S+)*)")


@dataclass(frozen=True)
class Line:
    """An act as a person reads it; ``booking`` leads to what it was about, empty for none."""

    act: Act
    subject: str
    detail: str
    booking: str = ""


@dataclass(frozen=True)
class Record:
    """A line in its place of the chain. ``whole``: whether it follows from the one before, None: unknown."""

    line: Line
    number: int
    whole: bool | None


@pages.get("/nhat-ky")
@door(Permission.AUDIT)
def log() -> ResponseReturnValue:
    """The newest acts (``?truoc=``: those before that line), and every refusal counted so far."""
    store, chosen = window().store, request.args.get("loc", "")
    chosen, people = chosen if chosen in FILTERS else "", everybody()
    below = number_of(request.args.get("truoc", "")) or None
    lines = store.acts.recent_links(MOST_SHOWN + 1, FILTERS.get(chosen, ()), below)
    acts = records(lines[:MOST_SHOWN], people)
    refusals = sorted(store.refusals.all(), key=lambda each: each.last_at, reverse=True) if below is None else []
    number, _ = store.acts.head()
    view: dict[str, Any] = {"acts": acts, "whose": partial(whose, people), "number": number, "below": below}
    view |= {"older": acts[-1].number if len(lines) > MOST_SHOWN else 0, "sealed": store.acts.newest_checkpoint()}
    view |= {"refusals": refusals[:MOST_SHOWN], "more_refusals": max(0, len(refusals) - MOST_SHOWN)}
    return render_template("acts.html", **view, filters=("", *FILTERS), chosen=chosen)


@pages.get("/nhat-ky/<number>")
@door(Permission.AUDIT)
def one(number: str) -> ResponseReturnValue:
    """One line with all that is kept of it, and whether it follows from the one before."""
    found, people = window().store.acts.link(number_of(number)), everybody()
    if found is None or found[0].number < 1:
        abort(404)
    (record,), facts = records([found], people), raw.of_link(*found)
    head, _ = window().store.acts.head()
    return render_template("act.html", r=record, facts=facts, whose=partial(whose, people), head=head)


def records(lines: list[tuple[Link, str]], people: dict[str, str]) -> list[Record]:
    """Lines in words."""
    names, known = reading.area_names(), window().store.bookings.titles([about(link.act) for link, _ in lines])
    return [
        Record(line(link.act, people, names, known.get(about(link.act))), link.number, raw.follows(link, before))
        for link, before in lines
    ]


def everybody() -> dict[str, str]:
    """Sign-in name or id -> what people call them, and the station."""
    known = window().store.people.all()
    people = {person.name: person.full_name or person.name for person in known}
    return people | {person.id: people[person.name] for person in known} | {turned_away.WHO: t("acts_desk")}


def number_of(written: str) -> int:
    """The number of a line; 0, which no line has, for what is none."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else 0


def about(act: Act) -> str:
    """The booking or announcement that it may be about."""
    booked = _BOOKED.match(act.detail)
    return booked["booking"] if booked else act.subject


def line(act: Act, people: dict[str, str], names: Mapping[str, str], held: Titled | None) -> Line:
    """The act in words: ids that the desk noted become titles (``held``), names and a way to the booking."""
    if held:
        ruled = _RULED.fullmatch(act.detail)
        said = "" if _BOOKED.match(act.detail) or act.detail in (held.announcement, held.title) else act.detail
        said = ruled_out(ruled["area"], ruled["reason"], names) if ruled else said
        return Line(act, held.title, said, held.booking)
    if act.what in turned_away.KINDS:
        whom = {turned_away.NOBODY: t("acts_unknown_name"), OTHERS: t("acts_others")}
        return Line(act, whom.get(act.subject) or people.get(act.subject, act.subject), counted(act.detail))
    entered = _ENTERED.fullmatch(act.detail)
    detail = of_whom(entered["role"], entered["area"], names) + entered["span"] if entered else act.detail
    return Line(act, people.get(act.subject) or names.get(act.subject, act.subject), detail)


def counted(detail: str) -> str:
    """How often, where it is more than once, and the last of it."""
    found = _COUNTED.match(detail)
    if found is None:
        return detail
    since = times.minute(datetime.fromisoformat(found["since"]), window().settings.zone)
    return f"{t('acts_count', count=found['count'], since=since)} · {found['rest']}"


def whose(people: dict[str, str], who: str) -> str:
    """Who did it, and by which program; of a person who is no more the name."""
    person, _, token = who.partition("/")
    name = people.get(person, person)
    return t("by_token", name=name, token=token) if token else name


def ruled_out(area: str, reason: str, names: Mapping[str, str]) -> str:
    """Where something is held back, and by which rule."""
    return f"{names.get(area, area)}: {t_or(f'reason_{reason}', reason)}"


def of_whom(role: str, area: str, names: Mapping[str, str]) -> str:
    """A role and where it counts."""
    return f"{t_or(f'role_{role}', role)} · {t('all_areas') if area == '*' else names.get(area, area)}"
