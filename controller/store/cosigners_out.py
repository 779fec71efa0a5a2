"""Second people's keys that are out of force at this station, whatever the trust document still says of them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from controller.store.columns import key, moment, text
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.tables import metadata

cosigners_out = sa.Table("cosigners_out", metadata, key("public_key"), text("holder"), moment("since"))
OUT = "put a second key out of force"


class CosignersOut:
    """There is no way back: who returns gets another key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> frozenset[str]:
        """The public keys (hex)."""
        with self._database.reading() as connection:
            return frozenset(connection.execute(sa.select(cosigners_out.c.public_key)).scalars())


def put_out(database: Database, connection: sa.Connection, keys: Iterable[str], left: Act) -> None:
    """Within a transaction: these keys of whoever ``left`` is about are out of force, each with its line in the log."""
    for public_key in keys:
        row = {"public_key": public_key, "holder": left.subject, "since": left.at}
        connection.execute(database.upsert(cosigners_out).values(row).on_conflict_do_nothing())
        database.note(connection, Act(left.who, OUT, left.subject, f"key={public_key[:16]}", left.at))
