"""The list of nodes: which are there, which are only said to be there, and when each was last really heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import behind, flags
from controller.alarms import signs
from controller.alarms.causes import CAUSES
from controller.rights import Permission
from controller.roster import Node
from controller.store.alarm_facts import Here
from controller.store.doubles import DoubleRow
from controller.store.facts import Condition
from controller.store.nodelist import STATES, Listed, Narrowed
from controller.web import alarm_words, enrolling, known, reading
from controller.web.doors import door, may, reach, sees
from controller.web.known import minute, numbers
from controller.web.window import window
from controller.worries import Worry, of_trust, worries
from wire.errors import Reason

DOUBLE_FOR = timedelta(days=7)  # since two devices were last seen under one name
UPTIME_OVER = timedelta(days=30)
ALARM_FOR = timedelta(days=1)
ANOTHER_STATION = "station/"  # where what another station sealed with our key is counted
PAGE, MOST_PAGES = 50, 2000
STEP = timedelta(seconds=15)  # how exactly it is told that one has become silent
MOST_CHARS = 200
FIELDS = ("dia-ban", "trang-thai", "loi", "tim")  # of the form, in the order of `Narrowed`

pages = Blueprint("nodes", __name__)


@dataclass(frozen=True)
class Seen:
    """A node with what is known of it; ``state`` is online, offline, silent or never."""

    node: Node
    condition: Condition
    state: str
    last_sounded: datetime | None
    troubles: tuple[Worry, ...]

    @property
    def worries(self) -> frozenset[str]:
        """The rows of the page that somebody should look at."""
        return frozenset(each.about for each in self.troubles)


@pages.get("/cum-loa")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """The nodes of this person's areas that were asked for, a page at a time, the ones that need somebody first."""
    here, now, asked = window(), window().now(), narrowed()
    if asked.area and not sees(asked.area):
        abort(404)
    number = max(1, min(request.args.get("trang", 1, type=int), MOST_PAGES))
    counts, shown_nodes, causes = looked_at(asked, number)
    total = counts.get(asked.state, 0) if asked.state else sum(counts.values())
    view: dict[str, Any] = {"f": asked, "areas": reading.own_areas(), "names": reading.area_names()}
    view |= {"counts": counts, "total": total, "number": number, "last": -(-total // PAGE), "states": STATES}
    view |= {"causes": causes, "cause_name": alarm_words.name_of}
    view |= {"address": address, "area": asked.area, "shown_nodes": shown_nodes, "all": sum(counts.values())}
    view["waiting"] = enrolling.waiting() if may(Permission.EQUIP) else []
    view["another_station"] = another_station()
    view["flags"] = flags.standing(here.store) if may(Permission.EQUIP) or may(Permission.KEYS) else []
    view["ending"] = here.ending(now) if may(Permission.EQUIP) else {}
    return render_template("nodes.html", **view)


Page = tuple[dict[str, int], list[tuple[Seen, float | None, Listed]], dict[str, int]]


def looked_at(asked: Narrowed, number: int) -> Page:
    """How many are in each state, the page of that number, and the causes of open alarms with how many are in them.

    Worked out once for all who ask for the same, without words.
    """
    now, changed = window().now(), numbers()

    def work_out() -> Page:
        book = window().store.nodelist
        lines = book.page(asked, now, (number - 1) * PAGE, PAGE)
        return book.counts(asked, now), seen_on(lines), book.open_causes(asked.areas)

    if asked.words:
        return work_out()
    told = changed.of("presence", "health", "outcomes", "doubles", "plans")
    at = told, changed.alarms, changed.roster, changed.wishes, minute(now, STEP)
    return known.of(("nodes", asked, number), at, work_out)


def narrowed() -> Narrowed:
    """What was asked for, each field cut to a length that no honest one has."""
    area, state, cause, words = (request.args.get(name, "")[:MOST_CHARS].strip() for name in FIELDS)
    known = state if state in STATES else ""
    return Narrowed(reach(Permission.READ), area, known, cause if cause in CAUSES else "", words)


def address(asked: Narrowed, **changed: str) -> str:
    """The page that shows what was asked for, but for what is ``changed`` (by the names of the form's fields)."""
    given = dict(zip(FIELDS, (asked.area, asked.state, asked.cause, asked.words), strict=True)) | changed
    return f"{url_for('.list_')}?{urlencode({name: value for name, value in given.items() if value})}"


def seen_on(lines: Sequence[Listed]) -> list[tuple[Seen, float | None, Listed]]:
    """The nodes of a page with all that is known of them, and their uptime."""
    store, now = window().store, window().now()
    ids = [line.node for line in lines]
    nodes, conditions = store.nodelist.named(ids), store.health.conditions(set(ids))
    sounded, due = store.asrun.last_sounded(ids), behind.due(store, now, ids)
    doubles = store.doubles.since(now - DOUBLE_FOR)
    told = [(line, nodes[line.node]) for line in lines if line.node in nodes]
    up = store.health.uptimes({node.id: max(node.enrolled_at, now - UPTIME_OVER) for _, node in told}, now)
    return [
        (look(Told(node, conditions.get(node.id), due, doubles.get(node.id)), sounded), up[node.id], line)
        for line, node in told
    ]


def another_station() -> datetime | None:
    """When another station last spoke with our key; None when none did for a day."""
    since = window().now() - ALARM_FOR
    forked = [each for each in window().store.refusals.all() if each.reason == Reason.FORKED]
    heard = (each.last_at for each in forked if each.where.startswith(ANOTHER_STATION))
    return max((at for at in heard if at >= since), default=None)


@dataclass(frozen=True)
class Told:
    """What is known of a node. ``due``: the serials that should be held by now; ``double``: who spoke in its name."""

    node: Node
    condition: Condition | None
    due: behind.Serials
    double: DoubleRow | None


def look(told: Told, sounded: dict[str, datetime]) -> Seen:
    """A node with its state in one word."""
    node, now = told.node, window().now()
    condition = told.condition or Condition(node.id)
    lacks = behind.behind(node, condition, told.due, now)
    troubles = (*of_trust(node, condition, told.double, now), *worries(condition.health, lacks))
    return Seen(node, condition, state_of(condition, now), sounded.get(node.id), troubles)


def state_of(condition: Condition, now: datetime) -> str:
    """``online``, ``offline``, ``silent`` (online, but no health for minutes) or ``never`` (it never spoke)."""
    here = Here(condition.node, condition.online, condition.presence_since, condition.health_received_at)
    return signs.state_of(here, now)
