"""Held: the sealed documents that were admitted, as they came, on disk. They are judged again at every start."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from edge_node import disk
from wire import topics

log = logging.getLogger("loa.node.held")

_ORDER = (topics.TRUST.name, topics.CONFIG.name, topics.URGENT.name, topics.PLAN.name)


class Held:
    """A folder with one file for each topic. A disk that refuses is logged; the document then stands in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.write_failures = 0

    def keep(self, topic: str, raw: bytes) -> None:
        """The newest admitted document of ``topic``, durable on return unless the disk refuses."""
        try:
            disk.write(self._path(topic), raw)
        except OSError as wrong:
            self.write_failures += 1
            log.warning("document_not_kept topic=%s error=%s", topic, wrong)

    def drop(self, topic: str) -> None:
        """No document of ``topic`` is held any more."""
        with contextlib.suppress(OSError):
            if self._path(topic).exists():
                disk.remove(self._path(topic))

    def put_aside(self, topic: str) -> None:
        """As `drop`, but what it was is kept for whoever wants to know: the last one of each topic."""
        path = self._path(topic)
        with contextlib.suppress(OSError):
            (self._folder / "aside").mkdir(exist_ok=True)
            path.replace(self._folder / "aside" / path.name)
            disk.sync_folder(self._folder)

    def load(self) -> list[tuple[str, bytes]]:
        """(topic, bytes) of everything held: trust first, then the config, then the plans."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append((path.stem.replace("~", "/"), path.read_bytes()))
            except OSError as wrong:
                log.warning("document_unreadable file=%s error=%s", path.name, wrong)
        return sorted(found, key=lambda each: arrival_order(each[0]))

    def _path(self, topic: str) -> Path:
        return self._folder / f"{topic.replace('/', '~')}.json"


def arrival_order(topic: str) -> int:
    """Where a topic stands among messages that came together: what others are judged by goes first."""
    known = topics.recognise(topic)
    return _ORDER.index(known[0].name) if known and known[0].name in _ORDER else len(_ORDER)
