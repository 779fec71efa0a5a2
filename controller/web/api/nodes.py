"""Loudspeakers: which there are, how each is, how it was, and what it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
from flask import Response, abort

from controller import behind
from controller.rights import Permission
from controller.roster import Node
from controller.store.facts import HealthHour, Spread
from controller.store.nodelist import Narrowed
from controller.web import nodes
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Moment, Name
from controller.web.api.operation import api, door, tag
from controller.web.doors import reach, sees
from controller.web.nodes import Seen
from controller.web.window import window

TAG = tag("nodes", "Loudspeakers: how they are, and were")
HISTORY = timedelta(days=7)
MOST_HISTORY = timedelta(days=92)
States = Literal["online", "offline", "silent", "never"]


class Path(Asked):
    """Which loudspeaker."""

    node: Name


class Query(Asked):
    """Of which area, in which state."""

    area: Name | None = None
    state: States | None = None
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class NodeOut(Answered):
    """A loudspeaker as it is seen now. ``silent``: said to be online, and not heard of; ``worries``: see docs."""

    id: str
    name: str
    home: str
    groups: list[str]
    state: States
    state_since: Moment | None
    version: str
    health_at: Moment | None
    last_sounded: Moment | None
    worries: list[str]
    maintenance: bool
    enrolled_at: Moment
    revoked_at: Moment | None


class NodePage(Answered):
    """Loudspeakers, by name."""

    items: list[NodeOut]


class PlanHeld(Answered):
    """The serials of an area's plans that a node holds."""

    area: str
    plan: int
    urgent: int


class NodeDetail(NodeOut):
    """``uptime_ratio``: of the last 30 days, 0 to 1; ``vitals``: what it measured last, null where it has no sensor."""

    uptime_ratio: float | None
    held: list[PlanHeld]
    jobs_ahead: int | None
    audio_ready: int | None
    vitals: dict[str, Any] | None
    refusals: dict[str, int]


class History(Asked):
    """From when to when; 92 days at most, the last 7 where nothing is said."""

    since: Moment | None = None
    until: Moment | None = None


class SpreadOut(Answered):
    """One measurement over an hour; null where there was none."""

    least: float | None
    most: float | None
    mean: float | None


class HourOut(Answered):
    """One hour; ``count``: how many messages it is made of."""

    hour: Moment
    count: int
    cpu_celsius: SpreadOut
    load_1m: SpreadOut
    memory_used_ratio: SpreadOut
    disk_used_ratio: SpreadOut


class HistoryOut(Answered):
    """Hours, the oldest first; those without a message are left out."""

    node: str
    since: Moment
    until: Moment
    uptime_ratio: float | None
    hours: list[HourOut]


@api.get("/nodes", tags=TAG, responses={200: NodePage})
@door(Permission.READ)
def list_nodes(query: Query) -> Response:
    """The loudspeakers of the areas that this token reads."""
    if query.area and not sees(query.area):
        abort(404)
    after = answers.read_cursor(query.cursor, str) or ""
    asked = Narrowed(reach(Permission.READ), query.area or "", query.state or "")
    found = window().store.nodelist.after(asked, window().now(), after, query.limit + 1)
    more = found[query.limit - 1].node if len(found) > query.limit else None
    seen = nodes.seen_on(found[: query.limit])
    return answers.page(NodePage(items=[_told(each) for each, _, _ in seen]), more)


@api.get("/nodes/<node>", tags=TAG, responses={200: NodeDetail})
@door(Permission.READ)
def read_node(path: Path) -> Response:
    """One loudspeaker."""
    here, node = window(), visible(path.node)
    double = here.store.doubles.since(here.now() - nodes.DOUBLE_FOR).get(node.id)
    told = nodes.Told(node, here.store.health.condition(node.id), behind.due(here.store, here.now(), [node.id]), double)
    seen = nodes.look(told, here.store.asrun.last_sounded([node.id]))
    health = seen.condition.health
    detail = NodeDetail(
        **vars(_told(seen)),
        uptime_ratio=here.store.health.uptime(
            node.id, max(node.enrolled_at, here.now() - nodes.UPTIME_OVER), here.now()
        ),
        held=[PlanHeld(area=each.area, plan=each.plan, urgent=each.urgent) for each in health.held] if health else [],
        jobs_ahead=health.jobs_ahead if health else None,
        audio_ready=health.audio_ready if health else None,
        vitals=msgspec.to_builtins(health.vitals) if health else None,
        refusals=dict(health.refusals) if health else {},
    )
    return answers.one(detail)


@api.get("/nodes/<node>/health", tags=TAG, responses={200: HistoryOut})
@door(Permission.READ)
def node_history(path: Path, query: History) -> Response:
    """How a loudspeaker was, hour by hour."""
    here, node = window(), visible(path.node)
    now = here.now()
    until = min(query.until or now, now)
    since = max(query.since or until - HISTORY, until - MOST_HISTORY)
    hours = [_hour(each) for each in here.store.health.hours(node.id, since, until)]
    share = here.store.health.uptime(node.id, max(node.enrolled_at, since), until)
    return answers.one(HistoryOut(node=node.id, since=since, until=until, uptime_ratio=share, hours=hours))


def visible(node: str) -> Node:
    """The loudspeaker, if this token may see it."""
    found = window().store.roster.node(node)
    return found if found is not None and sees(found.home) else abort(404)


def _told(seen: Seen) -> NodeOut:
    node, condition = seen.node, seen.condition
    return NodeOut(
        id=node.id,
        name=node.name,
        home=node.home,
        groups=list(node.groups),
        state=seen.state,  # type: ignore[arg-type]
        state_since=condition.presence_since,
        version=condition.version,
        health_at=condition.health_received_at,
        last_sounded=seen.last_sounded,
        worries=[each.name for each in seen.troubles],
        maintenance=node.maintenance,
        enrolled_at=node.enrolled_at,
        revoked_at=node.revoked_at,
    )


def _hour(hour: HealthHour) -> HourOut:
    names = ("cpu_celsius", "load_1m", "memory_used_ratio", "disk_used_ratio")
    return HourOut(hour=hour.hour, count=hour.count, **{name: _spread(getattr(hour, name)) for name in names})


def _spread(spread: Spread) -> SpreadOut:
    return SpreadOut(least=spread.least, most=spread.most, mean=spread.mean)
