"""The shape of the database over time: Alembic revisions, run by `Store.migrate`.

- `REVISIONS` names every revision in order; a database that names another was made by a newer program.
- A revision that has been released is never edited.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012"),
    *(
        "0013",
        "0016",
        "0017",
        "0015",
        "0014",
        "0018",
        "0023",
        "0022",
        "0020",
        "0026",
        "0024",
        "0019",
        "0021",
        "0025",
        "0028",
        "0030",
        "0027",
        "0031",
    ),
)


def run(connection: sa.Connection) -> None:
    """Bring the database to the last of `REVISIONS`, in the transaction of ``connection``."""
    from alembic import command  # it takes a fifth of the time in which a program begins, and is hardly ever wanted
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
