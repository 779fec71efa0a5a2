"""Makers for the tests of neural voices: a real, tiny ONNX model in the shape of VITS, archives that hold one.

- Each character sounds as a tone of its own for 80 ms: enough for sherpa-onnx to load it and to be heard.
- The protobuf is written by hand (onnx.proto3, IR version 8): the `onnx` package weighs more than this page.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
import unicodedata
import zipfile
from pathlib import Path

RATE, SAMPLES = 16_000, 1280
LETTERS = " aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ.,!?"
METADATA = {
    "comment": "test",
    "language": "Vietnamese",
    "sample_rate": str(RATE),
    "n_speakers": "1",
    "add_blank": "0",
    "frontend": "characters",
    "punctuation": ". , ! ?",
    "blank_id": "0",
    "use_eos_bos": "0",
    "bos_id": "0",
    "eos_id": "0",
    "has_espeak": "0",
}
_FLOAT, _INT64 = 1, 7


def make_model(metadata: dict[str, str] | None = None, loudness: float = 0.3, piper: bool = False) -> bytes:
    """The bytes of a model whose every token is a tone; with the inputs of Piper where ``piper``."""
    scales = [("scales", _FLOAT, [3])]
    apart = [(name, _FLOAT, [1]) for name in ("noise_scale", "length_scale", "noise_scale_w")]
    inputs = [("x", _INT64, [1, 0]), ("x_length", _INT64, [1]), *(scales if piper else apart)]
    time = struct.pack(f"<{SAMPLES}f", *(6.2831853 * n / RATE for n in range(SAMPLES)))
    initializers = [
        _tensor("column", _INT64, [3], struct.pack("<3q", 1, -1, 1)),
        _tensor("line", _INT64, [3], struct.pack("<3q", 1, 1, -1)),
        _tensor("step", _FLOAT, [1], struct.pack("<f", 7.0)),
        _tensor("lowest", _FLOAT, [1], struct.pack("<f", 200.0)),
        _tensor("time", _FLOAT, [1, 1, SAMPLES], time),
        _tensor("loudness", _FLOAT, [1], struct.pack("<f", loudness)),
    ]
    nodes = [
        _node("Cast", ["x"], "ids", _field(5, _text(1, "to") + _number(3, _FLOAT) + _number(20, 2))),
        _node("Mul", ["ids", "step"], "above"),
        _node("Add", ["above", "lowest"], "pitches"),
        _node("Reshape", ["pitches", "column"], "pitch"),
        _node("Mul", ["pitch", "time"], "phase"),
        _node("Sin", ["phase"], "tones"),
        _node("Mul", ["tones", "loudness"], "heard"),
        _node("Reshape", ["heard", "line"], "y"),
    ]
    graph = b"".join(_field(1, node) for node in nodes) + _text(2, "tones")
    graph += b"".join(_field(5, each) for each in initializers)
    graph += b"".join(_field(11, _value(*each)) for each in inputs) + _field(12, _value("y", _FLOAT, [1, 1, 0]))
    model = _number(1, 8) + _text(2, "loa") + _field(7, graph) + _field(8, _number(2, 13))
    known = METADATA if metadata is None else metadata
    return model + b"".join(_field(14, _text(1, name) + _text(2, value)) for name, value in known.items())


def make_tokens() -> bytes:
    return "".join(f"{each} {number}\n" for number, each in enumerate(LETTERS)).encode()


def voice_files(**files: bytes) -> dict[str, bytes]:
    """A voice as an archive holds it; ``files`` are added."""
    named = {name.replace("__", "."): content for name, content in files.items()}
    return {"vi-thu/model.onnx": make_model(), "vi-thu/tokens.txt": make_tokens(), **named}


def make_tar(target: Path, files: dict[str, bytes]) -> Path:
    """An archive, packed as its name says."""
    with tarfile.open(target, f"w:{target.suffix[1:]}" if target.suffix != ".tar" else "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


def make_zip(target: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def piper_config() -> bytes:
    """What lies beside a Piper model that reads letters, as ``.onnx.json``."""
    symbols = dict.fromkeys("_^$" + unicodedata.normalize("NFD", LETTERS))
    ids = {each: [number] for number, each in enumerate(symbols)}
    facts = {"audio": {"sample_rate": RATE}, "phoneme_type": "text", "num_speakers": 1, "phoneme_id_map": ids}
    return json.dumps({**facts, "espeak": {"voice": "vi"}, "language": {"code": "vi_VN"}}).encode()


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, content: str) -> bytes:
    return _field(number, content.encode())


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _tensor(name: str, kind: int, shape: list[int], raw: bytes) -> bytes:
    return b"".join(_number(1, each) for each in shape) + _number(2, kind) + _text(8, name) + _field(9, raw)


def _node(kind: str, inputs: list[str], output: str, attribute: bytes = b"") -> bytes:
    return b"".join(_text(1, each) for each in inputs) + _text(2, output) + _text(4, kind) + attribute


def _value(name: str, kind: int, shape: list[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, each) if each else _text(2, "n")) for each in shape)
    return _text(1, name) + _field(2, _field(1, _number(1, kind) + _field(2, dims)))
