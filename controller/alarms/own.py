"""Signs of the station itself: its link, its ticks, its voices, its keys, and what it refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.alarms.causes import CAUSES, REFUSED
from controller.alarms.judging import Sign
from controller.store.doubles import DoubleRow
from controller.store.facts import RefusalCount
from controller.worries import Worry
from wire.errors import Reason

LINK_GRACE = timedelta(seconds=30)
STOOD = timedelta(minutes=5)  # between two looks: the station did not work
UNORDERED = ("presence", "health")  # lines on which an older word may come late, and nobody is at work


@dataclass(frozen=True)
class OwnFacts:
    """``link_lost_at``: None while it stands; ``stood_since``: before it was started, None for no gap to speak of."""

    link_lost_at: datetime | None = None
    stood_since: datetime | None = None
    late_ticks: tuple[str, ...] = ()
    voiceless: tuple[tuple[str, str, datetime], ...] = ()
    keys: tuple[Worry, ...] = ()
    papers: Mapping[str, datetime] = field(default_factory=dict)


def of_station(own: OwnFacts, top: str, now: datetime) -> Iterator[Sign]:
    """What is wrong with the station; its alarms are in ``top``, the area above all."""
    if own.link_lost_at is not None and now - own.link_lost_at >= LINK_GRACE:
        yield Sign("broker", top, "broker", own.link_lost_at)
    if own.stood_since is not None:
        minutes = int((now - own.stood_since).total_seconds() // 60)
        yield Sign("station_stood", top, "station", own.stood_since, {"minutes": minutes})
    for tick in own.late_ticks:
        yield Sign("station_late", top, tick, now)
    for announcement, title, since in own.voiceless:
        yield Sign("voice", top, announcement, since, {"title": title[:200]})
    for worry in own.keys:
        if worry.name != "no_trust":
            member = f"{worry.name} {worry.facts.get('name', '')}".strip()
            yield Sign("keys", top, member, now, {"worry": worry.name, **{k: str(v) for k, v in worry.facts.items()}})
    for name, until in own.papers.items():
        yield Sign("papers", top, name, now, {"until": until.isoformat()})


def of_refusals(refused: Iterable[RefusalCount], places: Mapping[str, str], top: str) -> Iterator[Sign]:
    """What was refused here lately and looks like somebody at work; in the commune of the node that it names."""
    for each in refused:
        cause, (named, _, line) = f"{REFUSED}{each.reason}", each.where.partition("/")
        if cause not in CAUSES or (each.reason == Reason.ROLLED_BACK and line in UNORDERED):
            continue
        place, member = (places[named], named) if named in places else (top, each.where[:200])
        yield Sign(cause, place, member, each.last_at, {"count": each.count, "detail": each.detail[:200]})


def of_doubles(doubles: Iterable[DoubleRow], places: Mapping[str, str]) -> Iterator[Sign]:
    """Nodes that seem to live twice."""
    for each in doubles:
        if each.node in places:
            facts: dict[str, object] = {"one": each.boot_id, "other": each.other_boot_id}
            yield Sign("cloned", places[each.node], each.node, each.first_at, facts)


def once(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """Each sign once: what the station and a node both refused is one; the one that began first stands."""
    found: dict[tuple[str, str, str], Sign] = {}
    for sign in signs:
        held = found.get(sign.key)
        if held is None or sign.since < held.since:
            found[sign.key] = sign
    return tuple(found.values())
