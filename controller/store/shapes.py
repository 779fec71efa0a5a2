"""Rows of the database <-> the frozen rows of this room: enums, tuples and nested structs in and out of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

T = TypeVar("T")


def columns(thing: object, *without: str) -> dict[str, Any]:
    """A frozen row as the values of its table's columns; those named in ``without`` left out."""
    values: dict[str, Any] = msgspec.to_builtins(thing, builtin_types=(datetime, bytes))
    return {name: _plain(value) for name, value in values.items() if name not in without}


def shaped(kind: type[T], row: sa.Row[Any] | sa.RowMapping | Mapping[str, Any]) -> T:
    """A database row as a frozen row of ``kind``; columns that ``kind`` does not have are left out."""
    mapping = row._mapping if isinstance(row, sa.Row) else row
    # SQLAlchemy names columns by a kind of str that msgspec does not take
    return msgspec.convert({str(name): value for name, value in mapping.items()}, kind)


def all_shaped(kind: type[T], rows: Iterable[sa.Row[Any]]) -> list[T]:
    """Every row (all of one query) as a ``kind``."""
    every = list(rows)
    names = [str(name) for name in every[0]._fields] if every else []
    return [msgspec.convert(dict(zip(names, row, strict=True)), kind) for row in every]


def _plain(value: Any) -> Any:
    """A structure as JSON knows it: moments inside it as text."""
    return msgspec.to_builtins(value) if isinstance(value, dict | list) else value
