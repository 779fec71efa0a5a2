"""What is known already: what many readers look at is worked out once, until something was written that it rests on.

- Whatever is held names the numbers of what it was read from (`controller.store.written`), and where time matters the
  stretch of time. One look at all numbers, at the beginning of a request, says what is still right: whoever wrote, in
  whatever process.
- The numbers are read before the facts, so what is held is as new as they say, or newer.
- What is held is everybody's: it is never changed, and says in its name whose eyes it is for, where it is not for all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock, RLock
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from controller.store import roster
from controller.store.traces import Numbers
from controller.web.window import window

MOST_KEPT = 2_000
MINUTE = timedelta(minutes=1)
ONLY_READS = ("GET", "HEAD")

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass
class _Place:
    """``kept``: what it is as of which numbers; replaced, never changed."""

    kept: tuple[Hashable, Any] | None = None
    working: RLock = field(default_factory=RLock)


class Known:
    """Things by name, each with what it rests on. Safe from any thread: who asks for the same waits for the first."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept, self._lock = most_kept, Lock()
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()

    def of(self, name: Hashable, at: Hashable, work_out: Callable[[], T]) -> T:
        """The thing of that name as it is ``at`` those numbers. What goes wrong while it is worked out is raised."""
        place = self._place(name)
        kept = place.kept
        if kept is None or kept[0] != at:
            with place.working:
                kept = place.kept
                if kept is None or kept[0] != at:
                    kept = place.kept = at, work_out()
        value: T = kept[1]
        return value

    def peek(self, name: Hashable, at: Hashable) -> tuple[Any] | None:
        """It, if it is known."""
        with self._lock:
            place = self._places.get(name)
        kept = place.kept if place is not None else None
        return (kept[1],) if kept is not None and kept[0] == at else None

    def _place(self, name: Hashable) -> _Place:
        with self._lock:
            place = self._places.get(name)
            if place is None:
                place = self._places[name] = _Place()
                while len(self._places) > self._most_kept:
                    self._places.popitem(last=False)
            self._places.move_to_end(name)
            return place


def look_once(app: Flask) -> None:
    """Requests that only read look at the numbers once, before anything else they read."""
    app.extensions["known"] = Known()
    app.before_request(_began)
    app.after_request(_answered)
    app.teardown_request(_ended)


def known() -> Known:
    """What the app that answers this request knows."""
    held = current_app.extensions["known"]
    assert isinstance(held, Known)
    return held


def numbers() -> Numbers:
    """Of this moment; of a request that only reads, of the moment at which it asked first."""
    if request.method not in ONLY_READS:
        return window().store.traces.numbers()
    if "numbers" not in g:
        g.numbers = window().store.traces.numbers()
        roster.as_of(g.numbers.roster)
    found: Numbers = g.numbers
    return found


def minute(now: datetime, step: timedelta = MINUTE) -> int:
    """The stretch of time in which ``now`` lies, by its number."""
    return int(now.timestamp() // step.total_seconds())


def of(name: Hashable, at: Hashable, work_out: Callable[[], T]) -> T:
    """`Known.of`, of the app that answers this request."""
    return known().of(name, at, work_out)


def many(
    name: str, keys: Iterable[K], at: Hashable, work_out: Callable[[list[K]], Mapping[K, T]], absent: T
) -> dict[K, T]:
    """A thing for each of ``keys``: those that are not known are worked out together; ``absent`` for what is not."""
    held = {key: known().peek((name, key), at) for key in keys}
    lacking = [key for key, kept in held.items() if kept is None]
    fresh = work_out(lacking) if lacking else {}
    found: dict[K, T] = {key: kept[0] for key, kept in held.items() if kept is not None}
    for key in lacking:
        found[key] = known().of((name, key), at, partial(_one_of, fresh, key, absent))
    return found


def _one_of(found: Mapping[K, T], key: K, absent: T) -> T:
    return found.get(key, absent)


def _began() -> None:
    roster.as_of(None)


def _answered(answer: Response) -> Response:
    roster.as_of(None)
    return answer


def _ended(_wrong: BaseException | None) -> None:
    roster.as_of(None)
