"""What pages show, read from the store: areas as a tree, a form and its draft, a booking and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g

from controller.desk.telling import Telling
from controller.rights import EVERYWHERE, Permission
from controller.roster import Area, AreaKind, Node
from controller.store.rows import Announcement, AnnouncementState, BookingState, BookingView, VoiceState
from controller.web import known
from controller.web.doors import may, own_place, reach, sees, who
from controller.web.forms import Typed
from controller.web.hearing import hearing
from controller.web.known import numbers
from controller.web.language import chosen, t
from controller.web.times import HOURS, MINUTES, days_ahead
from controller.web.window import window
from controller.web.withheld import NOTHING, Withheld, stage_of
from schedules.programme import Kind
from wire.names import lies_within
from wire.receipt import Step

MOST_PLACES = 30  # that a page names; of more it shows everywhere
FORMER_NODES = 500  # nodes that told of a job and have left the roster since
SPEAKING = (Permission.WRITE, Permission.WARN)


@dataclass
class Branch:
    """An area with what lies below it; ``nodes`` counts the nodes that listen to it."""

    area: Area
    nodes: int
    below: list[Branch] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """How far a booking's job has come on the nodes that should sound it."""

    expected: int
    sounded: int
    ended: int  # another outcome than sounded

    @property
    def waiting(self) -> int:
        """Nodes that have not said how it ended."""
        return max(0, self.expected - self.sounded - self.ended)


def own_areas(*acts: Permission) -> list[Area]:
    """The areas in which the signed-in person may do one of ``acts`` (none named: read), by path."""
    asked = acts or (Permission.READ,)
    if "areas" not in g:
        g.areas = {}
    if asked not in g.areas:
        places = tuple(reach(act) for act in asked)
        g.areas[asked] = known.of(("own areas", places), numbers().roster, lambda: _areas_of(asked))
    return list(g.areas[asked])


def _areas_of(acts: Iterable[Permission]) -> tuple[Area, ...]:
    found = (area for area in window().store.roster.areas() if any(may(act, area.id) for act in acts))
    return tuple(sorted(found, key=lambda area: area.id))


def all_nodes() -> list[Node]:
    """Every node, read once for a request."""
    if "nodes" not in g:
        g.nodes = window().store.roster.nodes()
    found: list[Node] = g.nodes
    return found


def own_nodes(*acts: Permission) -> list[Node]:
    """The nodes at home where the signed-in person may do one of ``acts`` (none named: read), by name."""
    asked = acts or (Permission.READ,)
    mine = {home: any(may(act, home) for act in asked) for home in {node.home for node in all_nodes()}}
    return [node for node in all_nodes() if mine[node.home]]


def tree(areas: Iterable[Area], nodes: list[Node]) -> list[Branch]:
    """``areas`` as branches, each below its nearest ancestor present; groups come last."""
    listening = Counter(area for node in nodes for area in node.listens)
    branches: dict[str, Branch] = {}
    roots: list[Branch] = []
    for area in sorted(areas, key=lambda each: (each.kind is AreaKind.GROUP, each.id)):
        branch = branches[area.id] = Branch(area, listening[area.id])
        parts = area.id.split(":")
        above = (":".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))
        parent = next((branches[name] for name in above if name in branches), None)
        (parent.below if parent else roots).append(branch)
    return roots


def area_names() -> Mapping[str, str]:
    """Area id -> name, for every area and node; read once for a request."""
    if "names" not in g:
        g.names = window().store.roster.all_names()
    found: Mapping[str, str] = g.names
    return found


def homes() -> Mapping[str, str]:
    """Every area and node, with the area that it is or hangs in; read once for a request."""
    if "homes" not in g:
        g.homes = window().store.roster.homes()
    found: Mapping[str, str] = g.homes
    return found


def last_areas() -> tuple[str, ...]:
    """The areas of this person's newest booking, else the only area there is."""
    newest = window().store.bookings.newest_of(who().id)
    if newest:
        return tuple(area for area in newest.areas if sees(area))
    areas = own_areas(*SPEAKING)
    return (areas[0].id,) if len(areas) == 1 else ()


def composing(typed: Typed, draft: Announcement | None) -> dict[str, Any]:
    """What the compose page shows beside the form."""
    here = window()
    days = days_ahead(here.now(), here.settings.zone, chosen())
    view = {"tree": tree(own_areas(*SPEAKING), own_nodes(*SPEAKING)), "days": days, "hours": HOURS, "minutes": MINUTES}
    heard = draft is not None and draft.text == typed.text.strip()
    view["recording"] = here.store.recordings.get(draft.recording) if draft and draft.recording else None
    return view | (hearing(draft, typed.areas) if draft and heard else {"seen": None})


def live_in(areas: Iterable[str]) -> str:
    """For a page that shows what goes on in all of ``areas``: where it must be told of changes, beside its reader's."""
    roster = window().store.roster
    homes, groups = roster.homes(), {area.id for area in roster.areas() if area.kind is AreaKind.GROUP}
    found = {homes.get(each, EVERYWHERE) for each in areas}
    return " ".join(sorted(found)) if len(found) <= MOST_PLACES and not found & groups else EVERYWHERE


def own_area_name() -> str:
    """Where the signed-in person belongs, in words."""
    area = window().store.roster.area(own_place())
    return area.name if area else t("all_areas")


def telling() -> Telling:
    """How what was foreseen is told to whoever reads this page."""
    here = window()
    return Telling(here.settings.zone, chosen(), here.now(), area_names())


@dataclass(frozen=True)
class Series:
    """A series that may be asked for: ``slots`` are the names and times of the slots that hold it."""

    name: str
    slots: str


def series_offered() -> list[Series]:
    """The series of the programmes that hold in what this person answers for, by name."""
    found: dict[str, dict[str, None]] = {}
    for area, standings in window().store.programmes.standings().items():
        if not any(lies_within(own.id, area) for own in own_areas()):
            continue
        for slot in (slot for standing in standings for slot in standing.programme.slots):
            for item in slot.items:
                if item.kind is Kind.ANNOUNCEMENTS and item.series:
                    found.setdefault(item.series, {})[f"{slot.label}, {slot.start:%H:%M}"] = None
    return [Series(name, "; ".join(slots)) for name, slots in sorted(found.items())]


def concerns(view: BookingView, area: str) -> bool:
    """Whether a booking sounds somewhere in ``area``: it names it, or a node or an area in it, or what holds it."""
    known: dict[tuple[tuple[str, ...], str], bool] = g.setdefault("concerns", {})
    key = view.booking.areas, area
    if key not in known:
        named = [homes().get(each, each) for each in view.booking.areas]
        known[key] = any(lies_within(each, area) or lies_within(area, each) for each in named)
    return known[key]


def stage(view: BookingView, now: datetime, held: Withheld = NOTHING) -> str:
    """Where a booking stands, or its next coming, as one word that has a sentence ``stage_…``."""
    if view.booking.state is BookingState.WITHDRAWN or view.announcement_state is AnnouncementState.WITHDRAWN:
        return "withdrawn"
    if view.announcement_state is not AnnouncementState.APPROVED:
        return "returned" if view.announcement_state is AnnouncementState.RETURNED else "submitted"
    if view.booking.state is BookingState.OFFERED:
        return "offered"
    if view.voice_state is not VoiceState.DONE:
        return "voiceless" if view.voice_state is VoiceState.FAILED else "voicing"
    if view.booking.start is None:
        return "slot" if view.booking.slot else "next"
    coming = window().desk.next_coming(view.booking, now)
    if kept_out := stage_of(view.booking, coming or view.booking.start, held):
        return kept_out
    if coming:
        return "repeating"
    return "planned" if view.booking.start > now else "begun"


def progress(view: BookingView, job: str = "") -> Progress:
    """How many of the nodes that listen to its areas have sounded it, or that coming (``job``) of it; asked once."""
    known: dict[tuple[str, str], Progress] = g.setdefault("progress", {})
    key = view.booking.id, job
    if key not in known:
        known[key] = _progress(view, job or view.booking.id)
    return known[key]


def _progress(view: BookingView, job: str) -> Progress:
    store = window().store
    ends = store.asrun_pages.ends(job, store.roster.count() + FORMER_NODES)
    listeners = store.roster.listeners(view.booking.areas)
    sounded = sum(step is Step.SOUNDED for step in ends.values())
    return Progress(len(listeners) + len(ends.keys() - listeners), sounded, len(ends) - sounded)
