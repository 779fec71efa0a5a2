"""Readiness: on which loudspeakers the audio of what is to come lies already; on which not, and why.

- Two witnesses: the node's sealed receipt (fetched) says that the audio came, its newest health what lacks now. Where
  both speak of a job the later one counts: audio may have been evicted, or have come since.
- A node that is away keeps its witness: what it has it sounds, also alone.
- The cost is that of the jobs asked for times their nodes, never that of the as-run log. What a whole province is to
  sound the station counts once a minute (`count`), so that no page counts ten thousand nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.roster import Node
from controller.store import Store
from controller.store.facts import Condition, Fetched
from controller.store.tallies import Arrival
from schedules.fetching import audio_file
from wire.plan import Job

OFFLINE, NEVER, COMING, UNTOLD, OLD = "offline", "never", "coming", "untold", "old"
MOST_PAIRS = 2_500  # jobs times nodes, at one look
WIDE = 1_000  # nodes; past that the station counts, and keeps it
MOST_WIDE, FIRST = 20, 50  # such jobs, the soonest; nodes of each that lack it


@dataclass(frozen=True)
class Item:
    """A job to come: its audio's SHA-256, and the areas or nodes whose plans have it."""

    job: str
    asset: str
    areas: tuple[str, ...]
    start: datetime


@dataclass(frozen=True)
class Missing:
    """A node without the audio. ``why``: a reason code, or offline (``since`` then), never (heard of), coming, untold
    (it has not answered to the plan yet), old (a version that does not tell).
    """

    node: Node
    why: str
    since: datetime | None = None


@dataclass(frozen=True)
class Readiness:
    """One job: on how many nodes it is expected, how many of them lack its audio, and those, in order of name.

    Of very many that lack it only some stand in ``missing``.
    """

    expected: int
    missing: tuple[Missing, ...]
    lacking: int

    @property
    def ready(self) -> int:
        """On how many nodes its audio is."""
        return self.expected - self.lacking


def items_at(place: str, jobs: Iterable[Job], now: datetime) -> list[Item]:
    """Those of ``jobs`` that are to come and need a file, as the loudspeakers of ``place`` have them."""
    ahead = ((job, audio_file(job)) for job in jobs if job.start > now)
    return [Item(job.id, file.sha256, (place,), job.start) for job, file in ahead if file]


def survey(store: Store, items: Iterable[Item], most_pairs: int = MOST_PAIRS) -> dict[str, Readiness]:
    """The readiness of ``items``, by job, in their order as far as ``most_pairs`` reach; at least of the first.

    Of what more than `WIDE` nodes are to sound it is as the station counted it last (`count`), if it has.
    """
    reached: dict[tuple[str, ...], list[Node]] = {}
    taken: list[Item] = []
    wide: list[Item] = []
    for item in items:
        if item.areas not in reached:
            reached[item.areas] = store.roster.reached(item.areas)
        if len(reached[item.areas]) > WIDE:
            wide.append(item)
            continue
        most_pairs -= len(reached[item.areas])
        if most_pairs < 0 and taken:
            break
        taken.append(item)
    return _counted(store, wide[:MOST_WIDE]) | _surveyed(store, taken, reached)


def count(store: Store, items: Iterable[Item], now: datetime) -> list[Arrival]:
    """Of the soonest ``items`` that more than `WIDE` nodes are to sound; the station keeps it for those who look."""
    every = sorted(items, key=lambda item: (item.start, item.job))
    reached = {areas: store.roster.reached(areas) for areas in {item.areas for item in every}}
    taken = [item for item in every if len(reached[item.areas]) > WIDE][:MOST_WIDE]
    found = _surveyed(store, taken, reached)
    return [_arrival(item, found[item.job], now) for item in taken]


def _arrival(item: Item, ready: Readiness, now: datetime) -> Arrival:
    some = ((each.node.id, each.why, each.since.isoformat() if each.since else "") for each in ready.missing[:FIRST])
    numbers = ready.expected, ready.lacking
    return Arrival(item.job, item.asset, item.areas, item.start, *numbers, tuple(some), now)


def _counted(store: Store, items: Sequence[Item]) -> dict[str, Readiness]:
    """What the station counted of exactly these."""
    known = store.tallies.arrivals([item.job for item in items])
    by_name = store.roster.by_name() if known else {}
    found: dict[str, Readiness] = {}
    for item in items:
        told = known.get(item.job)
        if told and (told.asset, set(told.areas), told.start) == (item.asset, set(item.areas), item.start):
            nodes = ((by_name.get(name), why, since) for name, why, since in told.first)
            some = (
                Missing(node, why, datetime.fromisoformat(since) if since else None)
                for node, why, since in nodes
                if node
            )
            found[item.job] = Readiness(told.expected, tuple(some), told.lacking)
    return found


def _surveyed(
    store: Store, items: Sequence[Item], reached: Mapping[tuple[str, ...], Sequence[Node]]
) -> dict[str, Readiness]:
    if not items:
        return {}
    fetched = store.asrun.fetched([item.job for item in items])
    conditions = store.health.conditions({node.id for item in items for node in reached[item.areas]})
    return {item.job: _readiness(item, reached[item.areas], fetched.get(item.job, {}), conditions) for item in items}


def judge(item: Item, node: Node, told: Fetched | None, condition: Condition | None) -> Missing | None:
    """Whether ``node`` lacks the audio of ``item``, and why. ``told``: the last audio that it said it has for it."""
    health = condition.health if condition else None
    named = next((each for each in health.lacking or () if each.job == item.job), None) if health else None
    if told is not None and told.asset == item.asset:
        unsure = health is not None and health.lacking_from is not None and item.start >= health.lacking_from
        if health is None or health.at <= told.at or not (named or unsure):
            return None
    if condition is None or condition.online is None:
        return Missing(node, NEVER)
    if not condition.online:
        return Missing(node, OFFLINE, condition.presence_since)
    if health is not None and health.lacking is None:
        return Missing(node, OLD)
    if named:
        return Missing(node, named.reason or COMING)
    return Missing(node, UNTOLD)


def _readiness(
    item: Item, nodes: Sequence[Node], fetched: Mapping[str, Fetched], conditions: Mapping[str, Condition]
) -> Readiness:
    judged = (judge(item, node, fetched.get(node.id), conditions.get(node.id)) for node in nodes)
    missing = tuple(each for each in judged if each)
    return Readiness(len(nodes), missing, len(missing))
