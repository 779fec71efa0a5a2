"""Recordings at the desk: what the studio has admitted is entered under the name of who brought it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from controller.desk import reach
from controller.rights import Permission
from controller.store import Store
from controller.store.rows import Act, RecordingRow, User

if TYPE_CHECKING:
    from controller.studio import Kept

MOST_FILE_NAME_CHARS = 80


class Recording:
    """The part of the desk where people's recordings come in."""

    _store: Store

    def record(self, kept: Kept, file_name: str, who: User, now: datetime) -> RecordingRow:
        """Enter what the archive keeps, so that an announcement may be made of it. Raises DeskError."""
        reach.need(who, (Permission.WRITE, Permission.WARN), now)
        row = RecordingRow(
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            duration_ms=kept.duration_ms,
            lufs=kept.lufs,
            language=kept.language,
            file_name=_shown(file_name) or kept.sha256[:8],
            admitted_by=who.id,
            admitted_at=now,
        )
        self._store.recordings.put(row, Act(who.name, "recorded", row.sha256, row.file_name, now))
        return row


def _shown(file_name: str) -> str:
    """A stranger's file name as one short line, without its folder and ending."""
    name = unicodedata.normalize("NFC", file_name).replace("\\", "/").rpartition("/")[2]
    name = name.rpartition(".")[0] or name
    return " ".join("".join(char if char.isprintable() else " " for char in name).split())[:MOST_FILE_NAME_CHARS]
