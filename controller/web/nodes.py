"""Nodes: which are there, which are only said to be there, and when each was last really heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from controller.roster import Node
from controller.store.rows import Condition
from controller.web import reading
from controller.web.doors import door, sees
from controller.web.window import window

SILENT_AFTER = timedelta(minutes=5)  # no health for so long: said to be online, but not heard of
UPTIME_OVER = timedelta(days=30)

pages = Blueprint("nodes", __name__)


@dataclass(frozen=True)
class Seen:
    """A node with what is known of it; ``state`` is online, offline, silent or never."""

    node: Node
    condition: Condition
    state: str
    last_sounded: datetime | None


@pages.get("/cum-loa")
@door()
def list_() -> ResponseReturnValue:
    """All nodes of this person's areas, the ones that need somebody first."""
    order = {"offline": 0, "silent": 1, "never": 2, "online": 3}
    seen = sorted(all_seen(), key=lambda each: (order[each.state], each.node.id))
    return render_template("nodes.html", seen=seen, names=reading.area_names())


@pages.get("/cum-loa/<name>")
@door()
def one(name: str) -> ResponseReturnValue:
    """One node: vitals, plan serials, uptime, and what it did."""
    here = window()
    node = here.store.roster.node(name)
    if node is None or not sees(node.home):
        abort(404)
    since = max(node.enrolled_at, here.now() - UPTIME_OVER)
    uptime = here.store.health.uptime(node.id, since, here.now())
    outcomes = here.store.asrun.outcomes(area=node.id, limit=50)
    seen = look(node, here.store.health.condition(node.id), here.store.asrun.last_sounded())
    return render_template("node.html", s=seen, uptime=uptime, outcomes=outcomes, names=reading.area_names())


def all_seen() -> list[Seen]:
    """Every node of this person's areas, as it is seen now."""
    store = window().store
    conditions = {each.node: each for each in store.health.latest()}
    sounded = store.asrun.last_sounded()
    return [look(node, conditions.get(node.id), sounded) for node in reading.own_nodes()]


def look(node: Node, condition: Condition | None, sounded: dict[str, datetime]) -> Seen:
    """A node with its state in one word."""
    condition = condition or Condition(node.id)
    return Seen(node, condition, state_of(condition, window().now()), sounded.get(node.id))


def state_of(condition: Condition, now: datetime) -> str:
    """``online``, ``offline``, ``silent`` (online, but no health for minutes) or ``never`` (it never spoke)."""
    if condition.online is None:
        return "never"
    if not condition.online:
        return "offline"
    heard = max(filter(None, (condition.health_received_at, condition.presence_since)), default=None)
    return "silent" if heard is None or now - heard > SILENT_AFTER else "online"
