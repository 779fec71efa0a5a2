"""Finished audio files: what lies on the shelf, by SHA-256."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.rows import AssetRow
from controller.store.shapes import columns, shaped
from controller.store.tables import assets


class Assets:
    """What is known of each file; the bytes lie elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, asset: AssetRow) -> None:
        """Enter ``asset``; the same hash again changes nothing."""
        with self._database.writing() as connection:
            row = self._database.upsert(assets).values(columns(asset))
            connection.execute(row.on_conflict_do_nothing(index_elements=["sha256"]))

    def get(self, sha256: str) -> AssetRow | None:
        """The asset of that hash, if it has been entered."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(assets).where(assets.c.sha256 == sha256)).first()
        return shaped(AssetRow, row) if row else None
