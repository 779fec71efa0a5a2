"""Which tables were written: for each a number that grows, so that whoever watches reads only what may be new.

- It grows in the transaction that writes: with every wish (they come one after the other anyway), and with a few tables
  that are written without one. Sessions are written too often, and have no number here.
- What loudspeakers tell comes in batches, so a number costs little there; what of it is new the news finds by itself.
- Nobody has to think of it: `heed` sees every statement before it is executed.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from controller.store.columns import key, whole
from controller.store.tables import metadata, tidings

WISHES = "wishes"  # an option of the transactions that change what is wanted

written = sa.Table("written", metadata, key("subject"), whole("number"))

OFTEN = frozenset({"receipts", "outcomes", "presence", "health", "doubles"})  # what loudspeakers tell, in batches
_ALWAYS = frozenset({"plans", "held_back", "acts", "unheard"}) | OFTEN  # also outside of wishes
_NEVER = frozenset({tidings, written})
_SEEN = "written"  # of a connection: the tables that its transaction has counted


def begin(connection: sa.Connection) -> None:
    """A transaction begins: it has counted nothing yet."""
    connection.info[_SEEN] = set()


def heed(connection: sa.Connection, statement: Any, *_rest: object) -> None:
    """Before a statement: the first that writes a table lets its number grow, in the same transaction."""
    table = getattr(statement, "table", None) if isinstance(statement, sa.UpdateBase) else None
    if table is None or table in _NEVER:
        return
    seen = connection.info.get(_SEEN)
    if seen is None or table.name in seen:
        return
    if connection.get_execution_options().get(WISHES) or table.name in _ALWAYS:
        seen.add(table.name)
        insert = sqlite.insert(written) if connection.dialect.name == "sqlite" else postgresql.insert(written)
        grown = {"number": written.c.number + 1}
        new = insert.values(subject=table.name, number=1)
        connection.execute(new.on_conflict_do_update(index_elements=["subject"], set_=grown))
