"""The facts an ONNX file carries about itself (``metadata_props``), read and added without the ``onnx`` library.

- A ModelProto is a row of fields (onnx.proto3); the facts are field 14, and the graph is stepped over.
- Protocol buffers may be put together by appending: that is how facts are added.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

_FACTS, _NAME, _VALUE = 14, 1, 2
_BYTES = 2  # the wire type of texts and messages
_MOST_FIELDS, _MOST_FACT_BYTES = 1000, 65_536


def read_facts(model: Path) -> dict[str, str] | None:
    """The facts of the model, None where the file is no ONNX model: it is not read on past 1000 fields."""
    facts: dict[str, str] = {}
    graph = False
    try:
        with model.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(0)
            for _ in range(_MOST_FIELDS):
                if file.tell() == end:
                    return facts if graph else None
                number, length = _field(file)
                if file.tell() + length > end:
                    return None
                if number == _FACTS and length <= _MOST_FACT_BYTES:
                    facts.update(_fact(file.read(length)))
                else:
                    file.seek(length, 1)
                graph = graph or number == 7
    except (ValueError, OSError):
        return None
    return None


def add_facts(model: Path, facts: dict[str, str]) -> None:
    """Adds ``facts`` to the model."""
    with model.open("ab") as file:
        for name, value in facts.items():
            fact = b"".join(
                _varint_of(number << 3 | _BYTES) + _varint_of(len(text)) + text
                for number, text in ((_NAME, name.encode()), (_VALUE, value.encode()))
            )
            file.write(_varint_of(_FACTS << 3 | _BYTES) + _varint_of(len(fact)) + fact)


def _field(file: IO[bytes]) -> tuple[int, int]:
    """A field's number, and how many bytes of it follow. Raises ValueError."""
    tag = _varint(file)
    match tag & 7:
        case 0:
            _varint(file)
            return tag >> 3, 0
        case 1:
            return tag >> 3, 8
        case 2:
            return tag >> 3, _varint(file)
        case 5:
            return tag >> 3, 4
    raise ValueError("no field of a protocol buffer")


def _fact(content: bytes) -> dict[str, str]:
    texts = {_NAME: "", _VALUE: ""}
    at = 0
    while at < len(content):
        tag, length = content[at], content[at + 1] if at + 1 < len(content) else 0
        at += 2
        if length & 0x80:
            length, at = (length & 0x7F) | (content[at] if at < len(content) else 0) << 7, at + 1
        if tag & 7 != _BYTES or at + length > len(content):
            return {}
        texts[tag >> 3] = content[at : at + length].decode("utf-8", "replace")
        at += length
    return {texts[_NAME]: texts[_VALUE]}


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 63, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("cut off")
        value |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            return value
    raise ValueError("a number without end")


def _varint_of(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
