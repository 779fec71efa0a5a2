"""The kinds of column that the tables, and the migrations that make them, are built of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware to UTC; SQLite keeps no zone. Raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Whatever zone the database answers in, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text(name: str, *rest: sa.ForeignKey, nullable: bool = False, unique: bool = False) -> sa.Column[str]:
    """Text, which is there unless it may be absent."""
    return sa.Column(name, sa.Text, *rest, nullable=nullable, unique=unique or None)


def key(name: str) -> sa.Column[str]:
    """Text that is (part of) the primary key."""
    return sa.Column(name, sa.Text, primary_key=True)


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    """An aware datetime."""
    return sa.Column(name, Moment, nullable=nullable)


def whole(name: str, *, key: bool = False) -> sa.Column[int]:
    """A whole number of 64 bits; given by us, never by the database."""
    return sa.Column(name, sa.BigInteger, primary_key=key, autoincrement=False, nullable=False)


def real(name: str) -> sa.Column[float]:
    """A measurement, which may be absent."""
    return sa.Column(name, sa.Double)


def octets(name: str) -> sa.Column[bytes]:
    """Bytes."""
    return sa.Column(name, sa.LargeBinary, nullable=False)


def structure(name: str) -> sa.Column[object]:
    """A structure as JSON, which may be absent."""
    return sa.Column(name, sa.JSON(none_as_null=True))


def within(place: sa.ColumnElement[str], areas: Iterable[str]) -> sa.ColumnElement[bool]:
    """That ``place`` is one of ``areas`` (``*``: everywhere) or lies below one."""
    chosen = list(areas)
    if "*" in chosen:
        return sa.true()
    below = (place.startswith(f"{area}:", autoescape=True) for area in chosen)
    return sa.or_(sa.false(), place.in_(chosen), *below)
