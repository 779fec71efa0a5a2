"""Bytes <-> messages: the one door to msgspec.

- Every read names the most bytes it takes; nothing larger is parsed.
- Deterministic: the same struct gives the same bytes (field order of the struct, no spaces).
- Times on the wire are RFC 3339 in UTC, ending in ``Z``.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Malformed(ValueError):
    """Bytes that are not the document they should be; the message says what is wrong and where."""


class TooBig(ValueError):
    """More bytes than the kind of document allows."""

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes, the most is {most_bytes}")


_encoder = msgspec.json.Encoder()


def write(message: msgspec.Struct) -> bytes:
    """``message`` as JSON bytes; the same message always gives the same bytes."""
    return _encoder.encode(message)


def encoded(value: object) -> str:
    """``value``, such as a field's default, as JSON text."""
    return _encoder.encode(value).decode()


def read(kind: type[T], raw: bytes, most_bytes: int) -> T:
    """``raw`` as a ``kind``.

    Raises TooBig before parsing when longer than ``most_bytes``; Malformed when it is not that document
    (msgspec names the field), or is nested deeper than the parser goes.
    """
    if len(raw) > most_bytes:
        raise TooBig(len(raw), most_bytes)
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Malformed(str(wrong)[:200]) from None


def schemas(kinds: list[type[Any]]) -> dict[str, Any]:
    """JSON Schema (2020-12) of ``kinds``, by struct name."""
    _, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return components
