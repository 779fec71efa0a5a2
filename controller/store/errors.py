"""What can be wrong with the store, in sentences: driver errors become one `StoreError` with a key and facts."""

from __future__ import annotations

import sqlalchemy.exc as sx

from words import Said


class StoreError(Said):
    """The store could not do it; nothing of the transaction was kept."""


_SQLITE = (
    ("database or disk is full", "store.full"),
    ("no such table", "store.unmigrated"),
    ("no such column", "store.unmigrated"),
    ("locked", "store.busy"),
    ("file is not a database", "store.not_a_database"),
    ("malformed", "store.not_a_database"),
)
_POSTGRESQL = {
    "53100": "store.full",
    "42P01": "store.unmigrated",
    "42703": "store.unmigrated",
    "40001": "store.busy",
    "40P01": "store.busy",
    "55P03": "store.busy",
}


def said(error: Exception) -> StoreError:
    """The sentence for what a driver, or the writing of a value, raised."""
    detail = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in _POSTGRESQL:
        return StoreError(_POSTGRESQL[state], detail=detail)
    for part, key in _SQLITE:
        if isinstance(error, sx.DatabaseError) and part in detail:
            return StoreError(key, detail=detail)
    if isinstance(error, sx.IntegrityError):
        return StoreError("store.conflict", detail=detail)
    if isinstance(error, sx.OperationalError | sx.InternalError | sx.InterfaceError | sx.TimeoutError):
        return StoreError("store.unreachable", detail=detail)
    return StoreError("store.bad_row", detail=detail)
