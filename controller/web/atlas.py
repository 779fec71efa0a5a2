"""The map of the nodes: points by state on the station's own outline, without tiles; the list is its other reading.

- What the browser draws comes as arrays, so that thousands of points are a few kilobytes.
- A node without a position of its own stands around its commune's, in a spiral, so that each can be pointed at.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.roster import AreaKind, Node, ancestors
from controller.store.nodelist import Narrowed, Spot
from controller.store.positions import Position
from controller.web import known, outline, reading
from controller.web.doors import door, may, reach, sees, who
from controller.web.forms import Problem
from controller.web.known import minute, numbers
from controller.web.language import WebError, said, t
from controller.web.nodes import STEP
from controller.web.window import window

STATES = ("offline", "silent", "never", "online")
STEP_DEGREES = 0.0022  # some 250 m between neighbours of a spiral
GOLDEN = math.pi * (3 - math.sqrt(5))

pages = Blueprint("atlas", __name__)

Placed = tuple[float, float]


@pages.get("/cum-loa/ban-do")
@door(Permission.READ)
def page() -> ResponseReturnValue:
    """The map, what its signs mean, and the same by commune as a table."""
    return shown()


@pages.get("/cum-loa/ban-do.json")
@door(Permission.READ)
def points() -> ResponseReturnValue:
    """``points``: ``[id, latitude, longitude, state, name]``; ``communes``: ``[name, latitude, longitude, nodes]``."""
    area, state = asked()
    known = window().store.positions.all()
    seen = spots(area, state)
    places = standing(seen, known)
    drawn = [[each.id, *places[each.id], each.state, each.name] for each in seen if each.id in places]
    homes = Counter(area for each in seen for area in (each.home, *ancestors(each.home)))
    communes = [
        [each.name, known[each.id].latitude, known[each.id].longitude, homes[each.id]]
        for each in reading.own_areas()
        if each.kind is AreaKind.COMMUNE and each.id in known and (not area or area in (each.id, *ancestors(each.id)))
    ]
    return jsonify(points=drawn, communes=communes, outline=drawn_outline(), nowhere=len(seen) - len(drawn))


@pages.post("/cum-loa/vi-tri")
@door(Permission.EQUIP)
def locate() -> ResponseReturnValue:
    """Enter where an area or a node stands; both fields empty: it is not known any more."""
    place = request.form.get("place", "")[:200]
    typed = request.form.get("latitude", "")[:40], request.form.get("longitude", "")[:40]
    desk, now, node = window().desk, window().now(), window().store.roster.node(place)
    if not may(Permission.EQUIP, node.home if node else place):
        abort(404)
    try:
        if any(each.strip() for each in typed):
            desk.locate(place, *typed, who(), now)
        else:
            desk.locate_nowhere(place, who(), now)
    except DeskError as wrong:
        return shown([Problem("latitude", said(wrong))], (place, *typed))
    flash(t("located"))
    return redirect(url_for("nodes.one", name=node.id) if node else url_for("atlas.page"), 303)


def shown(wrong: Sequence[Problem] = (), typed: tuple[str, str, str] = ("", "", "")) -> ResponseReturnValue:
    """The page; 422 when something is wrong with a position."""
    area, state = asked()
    seen = spots(area)
    counts = Counter(each.state for each in seen)
    view: dict[str, Any] = {"area": area, "state": state, "areas": reading.own_areas(), "counts": counts}
    view |= {"states": STATES, "communes": by_commune(seen), "problems": wrong, "typed": typed}
    view["equips"] = reading.own_areas(Permission.EQUIP) if may(Permission.EQUIP) else []
    view["names"], view["outline_wrong"] = reading.area_names(), outline_problem()
    return render_template("map.html", **view), 422 if wrong else 200


def spots(area: str, state: str = "") -> Sequence[Spot]:
    """The nodes of this person's areas (of ``area``, if named), of one state if that is named."""
    here, now, wanted = window(), window().now(), Narrowed(reach(Permission.READ), area, state)
    at = numbers().of("presence", "health"), numbers().roster, minute(now, STEP)
    return known.of(("spots", wanted), at, lambda: here.store.nodelist.spots(wanted, now))


def asked() -> tuple[str, str]:
    """The area and the state that are asked for, "" for all; 404 for what this person does not see."""
    area, state = request.args.get("dia-ban", "")[:200], request.args.get("trang-thai", "")[:20]
    if (area and not sees(area)) or state not in ("", *STATES):
        abort(404)
    return area, state


def by_commune(seen: Sequence[Spot]) -> list[tuple[str, Counter[str]]]:
    """Commune -> how many nodes in which state; whoever needs somebody comes first."""
    communes = {area.id for area in reading.own_areas() if area.kind is AreaKind.COMMUNE}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (place, state), count in Counter((each.home, each.state) for each in seen).items():
        home = next((area for area in (place, *ancestors(place)) if area in communes), place)
        found[home][state] += count
    return sorted(found.items(), key=lambda row: (-row[1]["offline"], -row[1]["silent"], row[0]))


def standing(wanted: Sequence[Spot | Node], known: Mapping[str, Position]) -> dict[str, Placed]:
    """Node -> latitude and longitude: its own, else around the nearest area over it that has one; else nowhere."""
    found: dict[str, Placed] = {}
    around: Counter[str] = Counter()
    for node in wanted:
        own = known.get(node.id)
        over = next((area for area in (node.home, *ancestors(node.home)) if area in known), None)
        if own is not None:
            found[node.id] = own.latitude, own.longitude
        elif over is not None:
            found[node.id] = _around(known[over], around[over])
            around[over] += 1
    return found


def _around(centre: Position, number: int) -> Placed:
    away, turned = STEP_DEGREES * math.sqrt(number + 1), number * GOLDEN
    return (
        round(centre.latitude + away * math.cos(turned), 5),
        round(centre.longitude + away * math.sin(turned), 5),
    )


def drawn_outline() -> list[outline.Ring]:
    """What there is of an outline."""
    try:
        return outline.rings(window().settings.web_outline)
    except WebError:
        return []


def outline_problem() -> str:
    """What is wrong with the outline's file; empty where nothing is."""
    try:
        outline.rings(window().settings.web_outline)
    except WebError as wrong:
        return said(wrong)
    return ""
