"""What fields of the API may hold: pydantic's own types are laxer than JSON Schema, these say exactly the same as it.

- A text has no NUL; a moment is RFC 3339 with a zone; a whole number is no text, no truth value and no fraction.
- A moment that no calendar of ours reaches is the nearest one that it does: what follows refuses it by its own rules.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
PLAIN = r"^[^\u0000]*$"

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


class Asked(BaseModel):
    """What a request brings: nothing that is not named."""

    model_config = ConfigDict(extra="forbid")


class Answered(BaseModel):
    """What is answered; all of it is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not a moment of RFC 3339 with a zone")
    day, clock, second, fraction, zone = found.groups()
    whole = min(int(second), 59)  # a leap second is the one before it
    text = f"{day}T{clock}:{whole:02d}{(fraction or '')[:7]}{zone.upper().replace('Z', '+00:00')}"
    moment = datetime.fromisoformat(text)
    if not FIRST.year < moment.year < LAST.year:  # before any arithmetic, which has its own ends
        return FIRST if moment.year <= FIRST.year else LAST
    return moment.astimezone(UTC)


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("not a day like 2026-12-31")
    return date.fromisoformat(value)


def _whole(value: Any) -> Any:
    """A number of a body; JSON's 8.0 is a whole number too."""
    if isinstance(value, bool | str):
        raise ValueError("not a whole number")
    return value


def _whole_of_query(value: Any) -> Any:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("not a whole number")
    return value


def _true(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def rfc3339(moment: datetime) -> str:
    """UTC to the microsecond, as ``2026-11-24T05:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[int, Field(ge=0, le=1 << 53), BeforeValidator(_whole_of_query)]
Days = Annotated[int, Field(ge=1, le=14), BeforeValidator(_whole_of_query)]
Truth = Annotated[bool, BeforeValidator(_true)]
Text = Annotated[str, Field(pattern=PLAIN, max_length=20_000)]
Line = Annotated[str, Field(pattern=PLAIN, max_length=1_000)]
Name = Annotated[str, Field(pattern=PLAIN, max_length=200)]
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,600}$")]
Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_whole_of_query)]
