"""What a node says of itself: presence on every connection, health now and then, refusals counted and logged once."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import metadata

from wire import codec, topics
from wire.errors import Reason, Refusal
from wire.link import Will
from wire.presence import Presence, State

log = logging.getLogger("loa.node.gate")

BOOT_ID = secrets.token_hex(8)  # of this process: two clones of a node show as two
_MOST_REMEMBERED = 1000
_MOST_SAID_CHARS = 200


@cache
def version() -> str:
    """The version of the installed program."""
    try:
        return metadata.version("loa-radio")
    except metadata.PackageNotFoundError:
        return "0"


class Self:
    """The node's name, this run of it and its version."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.safe_mode = False
        self.boot_id = BOOT_ID
        self.version = version()[:40]
        self.presence_topic = topics.PRESENCE.topic(node=node)

    def presence(self, state: State, at: datetime, clean: bool = False) -> bytes:
        """A presence message."""
        return codec.write(Presence(self.node, state, self.boot_id, at, self.version, clean, self.safe_mode))

    def will(self, at: datetime) -> Will:
        """What the broker says when this connection dies."""
        return Will(self.presence_topic, self.presence(State.OFFLINE, at))


class Refusals:
    """Counts refusals by reason; logs the first of its reason and place at warning, the others at debug.

    A place is a line of the table of topics: whoever makes up topics makes no more places, and what he writes into
    them, or into what is told of his documents, begins no line of its own in the log.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._said: set[tuple[str, str]] = set()

    def note(self, refusal: Refusal) -> None:
        """One more refusal."""
        self.counts[refusal.reason] += 1
        kind = (refusal.reason, _place(refusal.where))
        first = kind not in self._said and len(self._said) < _MOST_REMEMBERED
        self._said.add(kind) if first else None
        level = logging.WARNING if first else logging.DEBUG
        where, detail = refusal.where[:_MOST_SAID_CHARS], refusal.detail[:_MOST_SAID_CHARS]
        log.log(level, "refused reason=%s where=%r detail=%r", refusal.reason, where, detail)

    def excuse(self, reason: Reason) -> None:
        """One that was refused for ``reason`` came right: nobody is to be alarmed by it."""
        self.counts[reason] = max(0, self.counts[reason] - 1)

    def with_others(self, *others: Mapping[str, int]) -> dict[str, int]:
        """All counts together, none of them zero."""
        total = Counter(self.counts)
        for other in others:
            total.update(other)
        return {reason: count for reason, count in total.items() if count}


def _place(where: str) -> str:
    """The line of the table that a topic is of; "topics" for one that is in no line, and what is no topic."""
    recognised = topics.recognise(where)
    return recognised[0].name if recognised else "topics"
