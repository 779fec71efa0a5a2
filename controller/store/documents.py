"""Sealed documents kept by name, such as the root's trust document."""

from __future__ import annotations

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.facts import Document
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import documents


class Documents:
    """The newest of each name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, document: Document, act: Act | None = None) -> None:
        """Keep ``document``. Raises StoreError ``store.older_document`` below the serial that is held."""
        row = columns(document)
        insert = self._database.upsert(documents).values(row)
        with self._database.wishing(act) as connection:
            newer = insert.on_conflict_do_update(
                index_elements=["name"], set_=row, where=documents.c.serial <= insert.excluded.serial
            )
            if not connection.execute(newer.returning(documents.c.name)).first():
                raise StoreError("store.older_document", name=document.name, serial=document.serial)

    def named(self, beginning: str) -> list[Document]:
        """Every document whose name begins like that, in order of name."""
        mine = documents.c.name.startswith(beginning, autoescape=True)
        with self._database.reading() as connection:
            return all_shaped(Document, connection.execute(sa.select(documents).where(mine).order_by(documents.c.name)))

    def drop(self, name: str, act: Act | None = None) -> None:
        """Keep it no longer; one that is not there is fine."""
        with self._database.wishing(act) as connection:
            connection.execute(sa.delete(documents).where(documents.c.name == name))

    def get(self, name: str) -> Document | None:
        """The document of that name."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(documents).where(documents.c.name == name)).first()
        return shaped(Document, row) if row else None
