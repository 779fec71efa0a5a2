"""What a person chose when a time was taken: the form changed accordingly. Pure.

- An offer is told as ``at 2026-11-25T10:05+0000``, ``but 2026-11-26 2026-11-27``, ``areas a b``; ``keep`` and
  ``leave`` are the person's own. What comes back is a stranger's: what is none of these changes nothing.
- Whatever it says, the form that it makes is looked at again like any other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from controller.web.forms import Typed, at_clock
from schedules.moments import local
from schedules.offers import Offer

KEEP, LEAVE = "keep", "leave"
MOST_CHARS = 20_000


def told(offer: Offer) -> str:
    """An offer as the value of its button."""
    if offer.start is not None:
        return f"at {offer.start:%Y-%m-%dT%H:%M%z}"
    if offer.days:
        return " ".join(["but", *(day.isoformat() for day in offer.days)])
    return " ".join(["areas", *offer.areas])


def changed(typed: Typed, choice: str, zone: str) -> Typed:
    """The form as ``choice`` makes it."""
    kind, *what = choice[:MOST_CHARS].split() or [""]
    if kind == "at" and len(what) == 1:
        return _moved(typed, what[0], zone)
    if kind == "but" and typed.when == "repeat":
        days = [f"{day:%d/%m/%Y}" for day in map(_day, what) if day]
        but = ", ".join(filter(None, [typed.repeating.but.strip(), *days]))
        return replace(typed, repeating=replace(typed.repeating, but=but))
    if kind == "areas" and what:
        return replace(typed, areas=tuple(what))
    return typed


def moved_to(choice: str, zone: str) -> datetime | None:
    """The moment that ``choice`` moves it to, if that is what it says and ``zone`` has such a time."""
    kind, *what = choice[:MOST_CHARS].split() or [""]
    if kind != "at" or len(what) != 1:
        return None
    try:
        return local(datetime.strptime(what[0], "%Y-%m-%dT%H:%M%z"), zone)
    except (ValueError, OverflowError):
        return None


def _moved(typed: Typed, written: str, zone: str) -> Typed:
    try:
        moved = at_clock(typed, datetime.strptime(written, "%Y-%m-%dT%H:%M%z"), zone)
    except (ValueError, OverflowError):
        return typed
    if typed.when == "repeat":
        return replace(typed, hour=moved.hour, minute=moved.minute)
    return replace(moved, when="at")


def _day(written: str) -> datetime | None:
    try:
        return datetime.strptime(written, "%Y-%m-%d")  # noqa: DTZ007 – a local day
    except ValueError:
        return None
