"""The audit log as a file that stands by itself: JSON lines, the checkpoints, then each act with its number and hash.

- Whoever holds the file and the station's public key can examine it without the station.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

import msgspec

from controller.store import Store
from controller.store.chain import Link
from controller.store.rows import Act
from controller.witness import AuditTrouble
from wire import codec
from wire.plan import Moment

MOST_LINE_BYTES = 1024 * 1024


class ExportedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an export: an act in its place, or (``checkpoint``, and nothing else) a sealed checkpoint."""

    number: int = 0
    at: Moment | None = None
    who: str = ""
    what: str = ""
    subject: str = ""
    detail: str = ""
    hash: str = ""
    checkpoint: str = ""


@dataclass
class Export:
    """A file that `write` made. ``checkpoints`` is filled by reading `links` to the end."""

    path: Path
    checkpoints: list[bytes] = field(default_factory=list)

    def links(self) -> Iterator[Link]:
        """Every act, in the file's order. Raises AuditTrouble for what is no such file."""
        try:
            with self.path.open("rb") as file:
                for place in range(1, 1 << 62):
                    raw = file.readline(MOST_LINE_BYTES + 1)
                    if not raw:
                        return
                    line = self._read(raw, place)
                    if line.checkpoint:
                        self.checkpoints.append(line.checkpoint.encode())
                    elif line.at is not None:
                        yield Link(line.number, _act(line, line.at), line.hash)
        except OSError as wrong:
            raise AuditTrouble("audit.unreadable", path=self.path, why=wrong.strerror or wrong) from wrong

    def _read(self, raw: bytes, place: int) -> ExportedLine:
        try:
            return codec.read(ExportedLine, raw, MOST_LINE_BYTES)
        except (codec.Malformed, codec.TooBig) as wrong:
            raise AuditTrouble("audit.not_an_export", path=self.path, line=place, why=wrong) from None


def lines(store: Store) -> Iterator[bytes]:
    """The whole log, the checkpoints before the acts so that a reader has them at hand. Raises StoreError."""
    sealed = (ExportedLine(checkpoint=each.envelope.decode()) for each in store.acts.checkpoints())
    done = (
        ExportedLine(
            each.number, each.act.at, each.act.who, each.act.what, each.act.subject, each.act.detail, each.hash
        )
        for each in store.acts.links()
    )
    for line in chain(sealed, done):
        yield codec.write(line) + b"\n"


def _exported(link: Link) -> ExportedLine:
    act = link.act
    return ExportedLine(link.number, act.at, act.who, act.what, act.subject, act.detail, link.hash)


def _act(line: ExportedLine, at: datetime) -> Act:
    return Act(line.who, line.what, line.subject, line.detail, at)
