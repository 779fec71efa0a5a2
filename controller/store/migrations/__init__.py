"""The shape of the database over time: Alembic revisions, run by `Store.migrate`.

- `REVISIONS` names every revision in order; a database that names another was made by a newer program.
- A revision that has been released is never edited.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
