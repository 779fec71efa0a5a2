"""What is known of a neural voice in its folder: ``voice.toml``, written when it is added, read strictly ever after."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.studio.tables import Table
from controller.studio.voice import Trouble, VoiceError

RECORD = "voice.toml"
MODEL, TOKENS, LEXICON, LICENCE, SAMPLE = "model.onnx", "tokens.txt", "lexicon.txt", "LICENCE.txt", "sample.wav"
READS = ("letters", "lexicon", "phonemes", "codepoints")
_MOST_BYTES = 64_000
_SHA256 = "[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class NeuralRecord:
    """A voice: what it ``reads`` (`READS`), the espeak-ng ``language`` of its phonemes, its licence, its files.

    ``source`` is the name of the file it came from, ``source_sha256`` that file's checksum (of a folder: its model's);
    ``sha256`` are those of the files that are kept, by name.
    """

    reads: str
    language: str
    licence: str
    source: str
    source_sha256: str
    sha256: Mapping[str, str]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(record: NeuralRecord, folder: Path) -> None:
    """Writes the record into the voice's ``folder``. Raises OSError."""
    facts = ("reads", "language", "licence", "source", "source_sha256")
    lines = [f"{name} = {json.dumps(getattr(record, name), ensure_ascii=False)}" for name in facts]
    lines += ["", "[sha256]", *(f'"{name}" = "{digest}"' for name, digest in record.sha256.items())]
    (folder / RECORD).write_text("\n".join(lines) + "\n", "utf-8")


def read(folder: Path) -> NeuralRecord:
    """The record of the voice in ``folder``. Raises VoiceError (refused)."""
    path = folder / RECORD
    try:
        with path.open("rb") as file:
            table = Table(tomllib.loads(file.read(_MOST_BYTES).decode("utf-8")), path)
    except OSError as error:
        raise VoiceError(Trouble.REFUSED, "voices.unreadable", file=path, why=error.strerror or error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise VoiceError(Trouble.REFUSED, "voices.not_toml", file=path) from None
    sums = table.table("sha256", needed=True)
    names = sums.names("|".join((MODEL, TOKENS, LEXICON, LICENCE)))
    found = NeuralRecord(
        reads=table.text("reads", form="|".join(READS)),
        language=table.text("language", form="[a-z]{2,3}(-[a-z0-9]{1,12}){0,4}"),
        licence=table.text("licence"),
        source=table.text("source"),
        source_sha256=table.text("source_sha256", form=_SHA256),
        sha256={name: sums.text(name, form=_SHA256) for name in names},
    )
    table.done()
    return found
