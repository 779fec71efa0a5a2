"""Held: the sealed documents that were admitted, as they came, on disk. They are judged again at every start.

What the disk refuses is remembered, the newest of each topic, and written as soon as it takes it again: the broker's
repeat of a document is no news to the gate, so nobody else would ever write it.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from edge_node import disk
from wire import topics

log = logging.getLogger("loa.node.held")

FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 5.0, 600.0  # between two tries of what is owed
_ORDER = (topics.TRUST.name, topics.CONFIG.name, topics.URGENT.name, topics.PLAN.name)


class Held:
    """A folder with one file for each topic. A disk that refuses is logged; till it does not, this stands in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owed: dict[str, bytes | None] = {}  # by topic, what is to stand on disk and does not; None: no file
        self._pause = FIRST_PAUSE_SECONDS
        self._again_at: float | None = None  # monotonic; None while nothing is owed
        self.write_failures = 0
        self.unreadable = False  # something that lies there could not be read

    def keep(self, topic: str, raw: bytes) -> None:
        """The newest admitted document of ``topic``, durable on return unless the disk refuses."""
        self._owed[topic] = raw
        self._settle(topic)

    def drop(self, topic: str) -> None:
        """No document of ``topic`` is held any more."""
        self._owed[topic] = None
        self._settle(topic)

    def put_aside(self, topic: str) -> None:
        """As `drop`, but what it was is kept for whoever wants to know: the last one of each topic."""
        path = self._path(topic)
        self._owed.pop(topic, None)
        with contextlib.suppress(OSError):
            (self._folder / "aside").mkdir(exist_ok=True)
            path.replace(self._folder / "aside" / path.name)
            disk.sync_folder(self._folder)

    def tend(self, mono: float) -> None:
        """At every tick: what the disk refused, again, later and later. ``mono``: monotonic seconds."""
        if not self._owed:
            self._pause, self._again_at = FIRST_PAUSE_SECONDS, None
        elif self._again_at is None:  # it was refused just now
            self._again_at = mono + self._pause
        elif mono >= self._again_at:
            self.settle()
            self._pause = min(2 * self._pause, MOST_PAUSE_SECONDS)
            self._again_at = mono + self._pause

    def settle(self) -> None:
        """Try all that the disk refused now: what others are judged by first."""
        for topic in sorted(self._owed, key=arrival_order):
            self._settle(topic)

    def load(self) -> list[tuple[str, bytes]]:
        """(topic, bytes) of everything held: trust first, then the config, then the plans."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append((path.stem.replace("~", "/"), path.read_bytes()))
            except OSError as wrong:
                self.unreadable = True
                log.warning("document_unreadable file=%s error=%s", path.name, wrong)
        return sorted(found, key=lambda each: arrival_order(each[0]))

    def _settle(self, topic: str) -> None:
        raw, path = self._owed[topic], self._path(topic)
        try:
            if raw is not None:
                disk.write(path, raw)
            elif path.exists():
                disk.remove(path)
        except OSError as wrong:
            self.write_failures += 1
            log.warning("document_not_%s topic=%s error=%s", "dropped" if raw is None else "kept", topic, wrong)
        else:
            del self._owed[topic]

    def _path(self, topic: str) -> Path:
        return self._folder / f"{topic.replace('/', '~')}.json"


def arrival_order(topic: str) -> int:
    """Where a topic stands among messages that came together: what others are judged by goes first."""
    known = topics.recognise(topic)
    return _ORDER.index(known[0].name) if known and known[0].name in _ORDER else len(_ORDER)
