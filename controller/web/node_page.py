"""The page of one node: how it is and since when, what it sounded last, how its days went, what it holds.

- Everything on it is found by the node's name, so it costs the same in a province of ten thousand.
- What changes the node is `upkeep`'s; the drawings are `node_history`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from controller import behind
from controller.configs import data_budget
from controller.rights import Permission
from controller.roster import Node
from controller.web import alarms, arrived, node_history, policy_words, upkeep_forms
from controller.web.doors import door, sees
from controller.web.forms import Problem
from controller.web.node_history import RANGES
from controller.web.nodes import DOUBLE_FOR, Told, look, pages
from controller.web.upkeep_forms import Typed
from controller.web.window import window

PAGE, MOST_PAGES = 10, 1000  # of the as-run log
USUAL_RANGE = "7"


@pages.get("/cum-loa/<name>")
@door(Permission.READ)
def one(name: str) -> ResponseReturnValue:
    """One node."""
    return shown(seen(name))


def seen(name: str) -> Node:
    """The node, where this person may look; else there is none."""
    node = window().store.roster.node(name)
    if node is None or not sees(node.home):
        abort(404)
    return node


def shown(node: Node, problems: Sequence[Problem] = (), typed: Typed | None = None) -> ResponseReturnValue:
    """The page, also as the answer to a form in which something is wrong: then 422."""
    here, now = window(), window().now()
    double = here.store.doubles.since(now - DOUBLE_FOR).get(node.id)
    told = Told(node, here.store.health.condition(node.id), behind.due(here.store, now, [node.id]), double)
    state = look(told, here.store.asrun.last_sounded([node.id]))
    view: dict[str, Any] = {"s": state, "names": alarms.place_names(), "problems": list(problems)}
    view |= {"lacks": arrived.lacks(node.id, state.condition.health), "data_budget": data_budget(node, here.settings)}
    view |= {"certificate": here.store.enrolments.certificate(node.id), "last": here.store.past.last_sounded(node.id)}
    view["position"] = here.store.positions.all().get(node.id)
    view |= {"volumes": policy_words.bands(node.volumes), "f": typed or upkeep_forms.blank(node)}
    view |= upkeep_forms.offered(node, view["f"]) | {"decibels": policy_words.decibels}
    return render_template("node.html", **view, **_past(node), **_log(node)), 422 if problems else 200


def _past(node: Node) -> dict[str, Any]:
    """The bar of days, and the charts of the range that was asked for."""
    here, now, zone = window(), window().now(), window().settings.zone
    begin = node_history.days_before(now, zone)
    past = here.store.past
    days = node_history.bar(
        past.spells(node.id, begin), past.first_heard(node.id), past.endings(node.id, begin), now, zone
    )
    asked = request.args.get("khoang", "")
    chosen = asked if asked in RANGES else USUAL_RANGE
    since, step, count = node_history.span_of(chosen, now, zone)
    charts = node_history.charts(here.store.health.hours(node.id, since, since + count * step), since, step, count)
    measured = [chart for chart in charts if not chart.is_empty]
    return {"days": days, "charts": measured, "ranges": RANGES, "chosen": chosen, "drawn": (since, step, count)}


def _log(node: Node) -> dict[str, Any]:
    """A page of what it did; one line more says whether there is another."""
    number = max(1, min(request.args.get("trang", 1, type=int), MOST_PAGES))
    found = window().store.past.outcomes(node.id, (number - 1) * PAGE, PAGE + 1)
    return {"outcomes": found[:PAGE], "number": number, "more": len(found) > PAGE and number < MOST_PAGES}
