"""Flags: what somebody at the station must look at, as the station found it, until it is over.

- Kept in the store by name, so that the web and the command line tell them wherever they run. One of each name.
- A sentence is ``flag_`` and the name, with the facts in it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from controller.store import Store
from controller.store.facts import Document
from controller.store.rows import Act
from wire import codec
from wire.plan import Moment

PREFIX = "flag:"
MOST_BYTES = 16_384
MOST_NAMED = 5  # of what is counted
STILL_IN, RESTORED, OLDER, UNSEEN, NEWER_LIST = "still_in", "restored", "older", "unseen", "newer_list"
NAMES = (STILL_IN, RESTORED, OLDER, UNSEEN, NEWER_LIST)


class Flag(msgspec.Struct, frozen=True):
    """``facts``: what stands in the sentence; ``since``: when it began."""

    name: str
    facts: dict[str, str]
    since: Moment


def sound(store: Store, name: str, facts: dict[str, str], now: datetime, act: Act | None = None) -> bool:
    """Have a flag stand with these facts; one that stands keeps its beginning. Whether anything is new."""
    held = find(store, name)
    if held and held.facts == facts:
        return False
    made = Flag(name, facts, held.since if held else now)
    store.documents.put(Document(PREFIX + name, 1, codec.write(made), now), act)
    return True


def silence(store: Store, name: str, act: Act | None = None) -> bool:
    """It is over. Whether it stood."""
    if find(store, name) is None:
        return False
    store.documents.drop(PREFIX + name, act)
    return True


def find(store: Store, name: str) -> Flag | None:
    """The flag of that name, None when it does not stand."""
    held = store.documents.get(PREFIX + name)
    return _read(held) if held else None


def standing(store: Store) -> list[Flag]:
    """All that stand, the oldest first."""
    return sorted(map(_read, store.documents.named(PREFIX)), key=lambda each: each.since)


def some_of(names: list[str]) -> dict[str, str]:
    """``count`` and the first ``names``, as facts."""
    shown = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
    return {"count": str(len(names)), "names": shown}


def _read(held: Document) -> Flag:
    return codec.read(Flag, held.envelope, MOST_BYTES)
