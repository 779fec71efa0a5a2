"""THE PREVIEW: exactly what a loudspeaker holds, what it makes of it, and what is not there yet.

- `Preview.held` is the union of the issued plans, merged as the node's gate merges them: the same function, the same
  bytes (`document`). `Preview.wanted` is what would be issued now; where they differ, something is still on its way.
- What a day will sound is the node's own decision (`schedules.simulation`) under the config of that day.
- It reads the store and writes nothing. Pages and the command line all look through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from msgspec.structs import replace

from controller.configs import UNDATED, Rulebooks, wanted_config
from controller.holdings import LINES
from controller.roster import Node, ancestors, areas_of
from controller.settings import Settings
from controller.store import Store
from controller.store.facts import IssuedConfig, IssuedPlan
from controller.store.held import HeldBack
from schedules import moments, planner
from schedules.booking import Booking
from schedules.holding import Plans
from schedules.planner import AreaLane
from schedules.simulation import Day, simulate
from wire import codec, seal, topics
from wire.config import NodeConfig
from wire.health import Health
from wire.plan import Job, Lane, Plan

DAY = timedelta(days=1)
MOST_DAYS_KEPT = 256  # simulated days, in memory
NOBODY = "simulated"  # the name of a node that only would hang in an area


@dataclass(frozen=True)
class Listener:
    """A node, or (not ``is_real``) one that would hang in an area and has nothing of its own."""

    node: Node
    areas: tuple[str, ...]
    is_real: bool = True


@dataclass(frozen=True)
class Pending:
    """What nodes have not been told yet, by start: jobs that come, that go, and that change (as they will be)."""

    added: tuple[Job, ...] = ()
    removed: tuple[Job, ...] = ()
    changed: tuple[Job, ...] = ()

    def __len__(self) -> int:
        return len(self.added) + len(self.removed) + len(self.changed)


@dataclass(frozen=True)
class Preview:
    """A loudspeaker as it will be. ``plans``: every issued plan that it acts on; jobs by start and name.

    ``held_back``: what the rules of places keep out of those plans, by start; ``asked`` has it, ``wanted`` has not.
    ``is_told``: whether its newest config says what is wanted of it today.
    """

    listener: Listener
    plans: tuple[IssuedPlan, ...]
    areas_by_job: dict[str, tuple[str, ...]]  # whose plans say it
    held: tuple[Job, ...]
    asked: tuple[Job, ...]
    wanted: tuple[Job, ...]
    held_back: tuple[HeldBack, ...]
    is_told: bool
    _settings: Settings
    _rulebooks: Rulebooks

    @property
    def document(self) -> bytes:
        """The jobs held, as JSON: a list of what stands in the plans, in the codec's bytes."""
        return codec.encoded(self.held).encode()

    def config(self, day: date) -> NodeConfig:
        """What the node will be told on that local day."""
        wanted = wanted_config(self.listener.node, self._settings, self._rulebooks, day)
        return wanted if self.listener.is_real else replace(wanted, areas=self.listener.areas)

    def sounding(self, jobs: Sequence[Job], since: datetime, until: datetime) -> Day:
        """What the node makes of ``jobs``, `held` or `asked`, until ``until``; ``since``: the midnight of a day.

        It is taken to have been idle a day before.
        """
        near = tuple(job for job in jobs if since - DAY <= job.start < until)
        return _simulated(near, self.config(moments.local(since, self._settings.zone).date()), since, until)

    def pending(self, since: datetime, until: datetime) -> Pending:
        """What is wanted in [since, until) and not held so, or held and not wanted any more."""
        held, wanted = _within(self.held, since, until), _within(self.wanted, since, until)
        return Pending(
            added=tuple(job for name, job in wanted.items() if name not in held),
            removed=tuple(job for name, job in held.items() if name not in wanted),
            changed=tuple(job for name, job in wanted.items() if name in held and held[name] != job),
        )


def look(
    store: Store, settings: Settings, place: str, now: datetime, known: Sequence[Booking] | None = None
) -> Preview | None:
    """The preview of a node, or of an area as a node sees it that hangs there; None for neither.

    ``known``: what there is to plan, where that was asked already.
    """
    listener = listener_at(store, place)
    if listener is None:
        return None
    issued = store.plans.config(listener.node.id) if listener.is_real else None
    told = _told(issued) if issued else None
    rulebooks = store.policies.all()
    config = wanted_config(
        listener.node, settings, rulebooks, moments.local(now, settings.zone).date(), store.standby.look()
    )
    plans = store.plans.of_areas(told.areas if told else listener.areas)
    read = [_plan(each) for each in plans if now <= each.valid_until]
    held_back = store.held.since(now - planner.KEPT_PAST, listener.areas)
    mine = frozenset(listener.areas)
    every = store.airing.to_plan(now) if known is None else known
    bookings = [each for each in every if not mine.isdisjoint(each.areas)]
    asked = planner.plan(bookings, now)
    return Preview(
        listener=listener,
        plans=tuple(plans),
        areas_by_job=_areas_by_job(read),
        held=_merged(read),
        asked=tuple(planner.of_areas(asked, listener.areas, now)),
        wanted=tuple(planner.of_areas(_left(asked, held_back), listener.areas, now)),
        held_back=tuple(held_back),
        is_told=not listener.is_real or (told is not None and _says(told, config)),
        _settings=settings,
        _rulebooks=rulebooks,
    )


def listener_at(store: Store, place: str) -> Listener | None:
    """The node of that name, or one that would hang in the area of that name."""
    node = store.roster.node(place)
    if node is not None:
        return Listener(node, areas_of(node))
    area = store.roster.area(place)
    if area is None:
        return None
    return Listener(Node(NOBODY, area.name, place, "", UNDATED), (place, *ancestors(place)), is_real=False)


def midnight(day: date, zone: str) -> datetime:
    """The moment at which a local day begins."""
    return moments.at_local(day, time(), zone)


def lacks(preview: Preview, health: Health) -> list[IssuedPlan]:
    """The plans of which a node, by what it says that it holds, has an older one or none."""
    held = {(each.area, lane): getattr(each, lane.value) for each in health.held for lane in Lane}
    return [each for each in preview.plans if held.get((each.area, each.lane), 0) < each.serial]


@lru_cache(maxsize=MOST_DAYS_KEPT)
def _simulated(jobs: tuple[Job, ...], config: NodeConfig, since: datetime, until: datetime) -> Day:
    """Kept, since pages that stand open ask for the same days again and again."""
    return simulate({job.id: job for job in jobs}, config, since - DAY, until)


def _left(asked: Plans, held_back: Sequence[HeldBack]) -> dict[AreaLane, tuple[Job, ...]]:
    """What would be issued now, without what is held back already; what is new is judged when it is planned."""
    gone = {(each.job, each.area) for each in held_back}
    return {
        (area, lane): tuple(job for job in jobs if lane is Lane.URGENT or (job.id, area) not in gone)
        for (area, lane), jobs in asked.items()
    }


def _merged(plans: Sequence[Plan]) -> tuple[Job, ...]:
    """What a gate makes of these plans, by start and name."""
    merged = planner.merge((plan.issued_at, plan.jobs) for plan in plans)
    return tuple(sorted(merged.values(), key=lambda job: (job.start, job.id)))


def _within(jobs: Sequence[Job], since: datetime, until: datetime) -> dict[str, Job]:
    return {job.id: job for job in jobs if since <= job.start < until}


def _areas_by_job(plans: Sequence[Plan]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for plan in plans:
        for job in plan.jobs:
            found[job.id] = tuple(dict.fromkeys((*found.get(job.id, ()), plan.area)))
    return found


def _plan(issued: IssuedPlan) -> Plan:
    line = LINES[issued.lane]
    return codec.read(Plan, seal.unwrap(issued.envelope, line.most_bytes).body(), line.most_bytes)


def _told(issued: IssuedConfig) -> NodeConfig:
    most = topics.CONFIG.most_bytes
    return codec.read(NodeConfig, seal.unwrap(issued.envelope, most).body(), most)


def _says(told: NodeConfig, wanted: NodeConfig) -> bool:
    return replace(told, serial=wanted.serial, issued_at=wanted.issued_at) == wanted
