"""The floor of the logbook: the same health messages as rows of a plain table, one `executemany` for each batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psycopg

from wire import codec, topics
from wire.health import Health

_CREATE = "CREATE TABLE plain (node TEXT, at TEXT, body TEXT)"


class PlainTable(Protocol):
    """A place for rows."""

    def add(self, payloads: Sequence[bytes]) -> None:
        """Read and store the messages in one transaction."""

    def close(self) -> None:
        """Give the connection back."""


class SqliteTable:
    """In a file, as safe as the store: WAL, synchronous=FULL."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(_CREATE)

    def add(self, payloads: Sequence[bytes]) -> None:
        """As `PlainTable.add`."""
        with self._database:
            self._database.executemany("INSERT INTO plain VALUES (?, ?, ?)", _rows(payloads))

    def close(self) -> None:
        """As `PlainTable.close`."""
        self._database.close()


class PostgresTable:
    """On a server."""

    def __init__(self, url: str) -> None:
        self._database = psycopg.connect(url)
        self._database.execute(_CREATE)
        self._database.commit()

    def add(self, payloads: Sequence[bytes]) -> None:
        """As `PlainTable.add`."""
        with self._database.transaction(), self._database.cursor() as cursor:
            cursor.executemany("INSERT INTO plain VALUES (%s, %s, %s)", _rows(payloads))

    def close(self) -> None:
        """As `PlainTable.close`."""
        self._database.close()


def _rows(payloads: Sequence[bytes]) -> list[tuple[str, str, str]]:
    said = [codec.read(Health, payload, topics.HEALTH.most_bytes) for payload in payloads]
    return [(each.node, each.at.isoformat(), raw.decode()) for each, raw in zip(said, payloads, strict=True)]
