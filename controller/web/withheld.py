"""What rules keep off the air, as pages show it: is a coming of a booking held back, somewhere or everywhere. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from controller.desk.foresight import Foreseen
from controller.store.held import HeldBack
from controller.store.rows import BookingRow

Withheld = Mapping[tuple[str, datetime], frozenset[str]]  # booking and start -> the areas in which it is held back
NOTHING: Withheld = {}


def withheld(rows: Iterable[HeldBack]) -> Withheld:
    """What is held back, by booking and start."""
    found: dict[tuple[str, datetime], set[str]] = defaultdict(set)
    for row in rows:
        found[row.booking, row.start].add(row.area)
    return {key: frozenset(areas) for key, areas in found.items()}


def stage_of(booking: BookingRow, at: datetime, held: Withheld) -> str:
    """``held`` for a coming that no area of it sounds, ``partly`` where some do; empty for none held back."""
    areas = held.get((booking.id, at), frozenset())
    if not areas:
        return ""
    return "held" if areas >= set(booking.areas) else "partly"


def sounding_only(told: Foreseen, booking: BookingRow, held: Withheld) -> Foreseen:
    """What was foreseen, without what the comings that are held back would meet."""
    met = (each for each in told.conflicts if stage_of(booking, each.wanted.airing.start, held) != "held")
    return replace(told, conflicts=tuple(met))
