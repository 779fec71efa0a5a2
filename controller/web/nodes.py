"""Nodes: which are there, which are only said to be there, and when each was last really heard."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from controller.roster import Node, nodes_under
from controller.store.facts import Condition
from controller.web import reading
from controller.web.doors import door, sees
from controller.web.window import window
from wire.health import Health

SILENT_AFTER = timedelta(minutes=5)  # no health for so long: said to be online, but not heard of
UPTIME_OVER = timedelta(days=30)
MOST_ROWS = 200  # shown at once; the counts above them are of all
HOT_CELSIUS = 80.0  # where a Raspberry Pi begins to slow itself down
FULL_RATIO = 0.9

pages = Blueprint("nodes", __name__)


@dataclass(frozen=True)
class Seen:
    """A node with what is known of it; ``state`` is online, offline, silent or never."""

    node: Node
    condition: Condition
    state: str
    last_sounded: datetime | None
    worries: frozenset[str]

    @property
    def rank(self) -> tuple[int, str]:
        """Whoever needs somebody comes first."""
        order = ("offline", "silent", "never", "worried", "online")
        return order.index("worried" if self.state == "online" and self.worries else self.state), self.node.id


@pages.get("/cum-loa")
@door()
def list_() -> ResponseReturnValue:
    """The nodes of this person's areas (or of one of them), the ones that need somebody first."""
    area = request.args.get("dia-ban", "")[:200]
    if area and not sees(area):
        abort(404)
    seen = sorted(all_seen(area), key=lambda each: each.rank)
    counts = Counter(each.state for each in seen)
    shown = [(each, uptime(each.node)) for each in seen[:MOST_ROWS]]
    view = {"area": area, "areas": reading.own_areas(), "names": reading.area_names()}
    return render_template("nodes.html", shown_nodes=shown, counts=counts, total=len(seen), **view)


@pages.get("/cum-loa/<name>")
@door()
def one(name: str) -> ResponseReturnValue:
    """One node: vitals, plan serials, uptime, and what it did."""
    here = window()
    node = here.store.roster.node(name)
    if node is None or not sees(node.home):
        abort(404)
    outcomes = here.store.asrun.outcomes(area=node.id, limit=50)
    seen = look(node, here.store.health.condition(node.id), here.store.asrun.last_sounded())
    view = {"uptime": uptime(node), "outcomes": outcomes, "names": reading.area_names()}
    return render_template("node.html", s=seen, **view)


def uptime(node: Node) -> float | None:
    """The share of the last 30 days in which it was online, 0 to 1; None when it was never heard of."""
    now = window().now()
    return window().store.health.uptime(node.id, max(node.enrolled_at, now - UPTIME_OVER), now)


def all_seen(area: str = "") -> list[Seen]:
    """Every node of this person's areas (of ``area``, if named), as it is seen now."""
    store = window().store
    conditions = {each.node: each for each in store.health.latest()}
    sounded = store.asrun.last_sounded()
    nodes = nodes_under(reading.own_nodes(), [area]) if area else reading.own_nodes()
    return [look(node, conditions.get(node.id), sounded) for node in nodes]


def look(node: Node, condition: Condition | None, sounded: dict[str, datetime]) -> Seen:
    """A node with its state in one word."""
    condition = condition or Condition(node.id)
    state = state_of(condition, window().now())
    return Seen(node, condition, state, sounded.get(node.id), worries(condition.health))


def worries(health: Health | None) -> frozenset[str]:
    """Which of cpu, disk, clock, audio and refusals somebody should look at; nothing is guessed of what is absent."""
    if health is None:
        return frozenset()
    v = health.vitals
    signs = {
        "cpu": (v.cpu_celsius or 0.0) >= HOT_CELSIUS or bool(v.throttled),
        "disk": (v.disk_used_ratio or 0.0) >= FULL_RATIO,
        "clock": not v.clock_known,
        "audio": v.audio_ok is False,
        "refusals": bool(health.refusals),
    }
    return frozenset(name for name, worrying in signs.items() if worrying)


def state_of(condition: Condition, now: datetime) -> str:
    """``online``, ``offline``, ``silent`` (online, but no health for minutes) or ``never`` (it never spoke)."""
    if condition.online is None:
        return "never"
    if not condition.online:
        return "offline"
    heard = max(filter(None, (condition.health_received_at, condition.presence_since)), default=None)
    return "silent" if heard is None or now - heard > SILENT_AFTER else "online"
