"""Sealed documents kept by name, such as the root's trust document."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.facts import Document
from controller.store.shapes import columns, shaped
from controller.store.tables import documents


class Documents:
    """The newest of each name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, document: Document) -> None:
        """Keep ``document``. Raises StoreError ``store.older_document`` below the serial that is held."""
        row = columns(document)
        insert = self._database.upsert(documents).values(row)
        with self._database.wishing() as connection:
            newer = insert.on_conflict_do_update(
                index_elements=["name"], set_=row, where=documents.c.serial <= insert.excluded.serial
            )
            if not connection.execute(newer.returning(documents.c.name)).first():
                raise StoreError("store.older_document", name=document.name, serial=document.serial)

    def get(self, name: str) -> Document | None:
        """The document of that name."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(documents).where(documents.c.name == name)).first()
        return shaped(Document, row) if row else None
