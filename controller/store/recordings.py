"""What people recorded: what is known of each recording, by SHA-256; the bytes lie elsewhere."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.rows import Act, RecordingRow
from controller.store.shapes import columns, shaped
from controller.store.tables import recordings


class Recordings:
    """Recordings that were admitted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, recording: RecordingRow, act: Act | None = None) -> None:
        """Enter ``recording``; the same hash again changes nothing: who brought it first stays."""
        with self._database.wishing(act) as connection:
            row = self._database.upsert(recordings).values(columns(recording))
            connection.execute(row.on_conflict_do_nothing(index_elements=["sha256"]))

    def get(self, sha256: str) -> RecordingRow | None:
        """The recording of that hash, if it was admitted."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(recordings).where(recordings.c.sha256 == sha256)).first()
        return shaped(RecordingRow, row) if row else None
