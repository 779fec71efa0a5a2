"""What the audit log says of backups: which was the newest, when it was made, how large it is and where it was put."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from controller.store import Store
from controller.store.rows import Act
from controller.vault.keeping import Kept

KEPT = "backed up"
_DETAIL = re.compile(r"files=\d+(?: bytes=(?P<bytes>\d+) in=(?P<folder>.+))?", re.DOTALL)


@dataclass(frozen=True)
class Backup:
    """The newest backup; size and folder are None in a line of a version that did not note them."""

    name: str
    at: datetime
    size_bytes: int | None = None
    folder: Path | None = None


def note(store: Store, kept: Kept, now: datetime) -> None:
    """Write down that it was made. Raises StoreError."""
    detail = f"files={kept.files} bytes={kept.size_bytes} in={kept.path.absolute().parent}"
    store.acts.add(Act("loa", KEPT, kept.path.name, detail, now))


def newest(store: Store) -> Backup | None:
    """The one made last, None where there was none. Raises StoreError."""
    lines = store.acts.recent(1, (KEPT,))
    if not lines:
        return None
    found = _DETAIL.fullmatch(lines[0].detail)
    if found is None or found["folder"] is None:
        return Backup(lines[0].subject, lines[0].at)
    return Backup(lines[0].subject, lines[0].at, int(found["bytes"]), Path(found["folder"]))
