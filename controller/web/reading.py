"""What pages show, read from the store: areas as a tree, a form and its draft, a booking and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.desk.telling import Telling
from controller.roster import Area, AreaKind, Node, nodes_under
from controller.store.facts import Outcome
from controller.store.rows import Announcement, AnnouncementState, BookingState, BookingView, VoiceState
from controller.web.doors import sees, who
from controller.web.forms import Typed
from controller.web.hearing import hearing
from controller.web.language import chosen, t
from controller.web.times import HOURS, MINUTES, days_ahead
from controller.web.window import window
from controller.web.withheld import NOTHING, Withheld, stage_of
from schedules.programme import Kind
from wire.names import lies_within
from wire.receipt import Step


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


def own_areas() -> list[Area]:
    """The areas that the signed-in person may speak to, by path."""
    return sorted((area for area in window().store.roster.areas() if sees(area.id)), key=lambda area: area.id)


def own_nodes() -> list[Node]:
    """The nodes at home in what the signed-in person answers for, by name."""
    return sorted((node for node in window().store.roster.nodes() if sees(node.home)), key=lambda node: node.id)


def tree(areas: Iterable[Area], nodes: list[Node]) -> list[Branch]:
    """``areas`` as branches, each below its nearest ancestor present; groups come last."""
    branches: dict[str, Branch] = {}
    roots: list[Branch] = []
    for area in sorted(areas, key=lambda each: (each.kind is AreaKind.GROUP, each.id)):
        branch = branches[area.id] = Branch(area, len(nodes_under(nodes, [area.id])))
        parts = area.id.split(":")
        above = (":".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))
        parent = next((branches[name] for name in above if name in branches), None)
        (parent.below if parent else roots).append(branch)
    return roots


def area_names() -> dict[str, str]:
    """Area id -> name, for every area and node."""
    names = {node.id: node.name for node in window().store.roster.nodes()}
    return names | {area.id: area.name for area in window().store.roster.areas()}


def last_areas() -> tuple[str, ...]:
    """The areas of this person's newest booking, else the only area there is."""
    mine = [view.booking for view in window().store.bookings.list(limit=50) if view.booking.created_by == who().id]
    if mine:
        return tuple(area for area in max(mine, key=lambda booking: booking.created_at).areas if sees(area))
    areas = own_areas()
    return (areas[0].id,) if len(areas) == 1 else ()


def composing(typed: Typed, draft: Announcement | None) -> dict[str, Any]:
    """What the compose page shows beside the form."""
    here = window()
    days = days_ahead(here.now(), here.settings.zone, chosen())
    view = {"tree": tree(own_areas(), own_nodes()), "days": days, "hours": HOURS, "minutes": MINUTES}
    heard = draft is not None and draft.text == typed.text.strip()
    view["recording"] = here.store.recordings.get(draft.recording) if draft and draft.recording else None
    return view | (hearing(draft, typed.areas) if draft and heard else {"seen": None})


def own_area_name() -> str:
    """What the signed-in person answers for, in words."""
    area = window().store.roster.area(who().area) if who().area != "*" else None
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
    """Whether a booking sounds somewhere in ``area``: it names it, or lies in it, or holds it."""
    return any(lies_within(named, area) or lies_within(area, named) for named in view.booking.areas)


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
    comings = window().desk.comings(view.booking, now)
    if kept_out := stage_of(view.booking, comings[0] if comings else view.booking.start, held):
        return kept_out
    if comings:
        return "repeating"
    return "planned" if view.booking.start > now else "begun"


def progress(view: BookingView, nodes: list[Node], outcomes: Iterable[Outcome]) -> Progress:
    """How many of the nodes that listen to its areas have sounded it."""
    ends = {each.node: each.step for each in outcomes}
    heard = {node.id for node in nodes_under(nodes, view.booking.areas)} | ends.keys()
    sounded = sum(step is Step.SOUNDED for step in ends.values())
    return Progress(len(heard), sounded, len(ends) - sounded)
