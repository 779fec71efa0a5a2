"""Cuts a smaller model out of an ONNX model: from what is given to what is asked, and nothing else.

- Pure bytes, without the ``onnx`` library: a graph is a row of nodes, each with the names of what it takes and makes
  (onnx.proto3). Nodes that nothing asked for needs are left out, and so are their constants.
- What is given becomes an input under its own name, so whoever runs the model may hand in another value of it.
- Graphs within nodes (If, Loop) are not looked into: a model that has them is not for this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Ranks = Mapping[str, int]  # the name of a tensor of floats -> how many dimensions it has
_GRAPH, _NODE, _CONSTANT, _INPUT, _OUTPUT = 7, 1, 5, 11, 12
_TAKES, _MAKES, _NAME, _CONSTANT_NAME = 1, 2, 1, 8
_FLOAT = 1


@dataclass(slots=True)
class _Graph:
    """Nodes in order (takes, makes, bytes); the others by name."""

    nodes: list[tuple[list[str], list[str], bytes]] = field(default_factory=list)
    constants: dict[str, bytes] = field(default_factory=dict)
    inputs: dict[str, bytes] = field(default_factory=dict)
    outputs: dict[str, bytes] = field(default_factory=dict)


def cut(model: bytes, given: Ranks, asked: Ranks) -> bytes:
    """The part of ``model`` that makes ``asked`` of its own inputs and of ``given``. Raises ValueError, IndexError."""
    around, graph = _read(memoryview(model))
    needed, kept = set(asked), []
    for takes, makes, node in reversed(graph.nodes):
        if any(name in needed and name not in given for name in makes):
            kept.append(node)
            needed.update(takes)
    content = [_message(_NODE, node) for node in reversed(kept)]
    content += [_message(_CONSTANT, its) for name, its in graph.constants.items() if name in needed]
    content += [_message(_INPUT, its) for name, its in graph.inputs.items() if name in needed]
    content += [_message(_INPUT, _tensor(name, rank)) for name, rank in given.items() if name in needed]
    content += [
        _message(_OUTPUT, graph.outputs[name] if name in graph.outputs else _tensor(name, rank))
        for name, rank in asked.items()
    ]
    return around + _message(_GRAPH, _message(2, b"cut") + b"".join(content))


def _read(model: memoryview) -> tuple[bytes, _Graph]:
    around, graph = b"", _Graph()
    for number, head, whole in _fields(model):
        if number != _GRAPH:
            around += whole
            continue
        for kind, start, part in _fields(whole[head:]):
            its = part[start:]
            match kind:
                case 1:
                    graph.nodes.append((_texts(its, _TAKES), _texts(its, _MAKES), bytes(its)))
                case 5:
                    graph.constants[_texts(its, _CONSTANT_NAME)[0]] = bytes(its)
                case 11:
                    graph.inputs[_texts(its, _NAME)[0]] = bytes(its)
                case 12:
                    graph.outputs[_texts(its, _NAME)[0]] = bytes(its)
    return around, graph


def _fields(content: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Number, length of the head, and bytes (head and content) of each field."""
    at = 0
    while at < len(content):
        start = at
        tag, at = _varint(content, at)
        length = 0
        match tag & 7:
            case 0:
                _, at = _varint(content, at)
            case 1:
                length = 8
            case 2:
                length, at = _varint(content, at)
            case 5:
                length = 4
            case _:
                raise ValueError("no field of a protocol buffer")
        if at + length > len(content):
            raise ValueError("cut off")
        yield tag >> 3, at - start, content[start : at + length]
        at += length


def _texts(content: memoryview, wanted: int) -> list[str]:
    return [str(whole[head:], "utf-8") for number, head, whole in _fields(content) if number == wanted]


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 63, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("a number without end")


def _tensor(name: str, rank: int) -> bytes:
    """A ValueInfoProto of floats whose dimensions are free."""
    shape = b"".join(_message(1, _message(2, f"{name}_{axis}".encode())) for axis in range(rank))
    return _message(1, name.encode()) + _message(2, _message(1, bytes([1 << 3, _FLOAT]) + _message(2, shape)))


def _message(number: int, content: bytes) -> bytes:
    return _varint_of(number << 3 | 2) + _varint_of(len(content)) + content


def _varint_of(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
