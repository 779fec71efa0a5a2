"""The files of a neural voice as its makers give them, made into the few that the station keeps.

- sherpa-onnx's own voices: a model that carries its facts, ``tokens.txt``, perhaps ``lexicon.txt``.
- Piper's own voices: a model without facts, and ``MODEL.onnx.json`` beside it; tokens and facts are taken from there.
- A voice that was taught espeak-ng's phonemes gets them from the station's espeak-ng; data in the archive is not used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.studio import neural_record, onnx_facts
from controller.studio.voice import Trouble, VoiceError

_MOST_CONFIG_BYTES, _MOST_LICENCE_BYTES, _MOST_TABLE_BYTES = 8 << 20, 1 << 20, 64 << 20
_MOST_TOKENS, _MOST_LICENCE_CHARS = 10_000, 200
_LICENCES = re.compile(r"(LICEN[CS]E|COPYING|MODEL_CARD)", re.IGNORECASE)
_LICENCE_LINE = re.compile(r"^[\W_]*licen[cs]e[\W_]+(\w.*)$", re.IGNORECASE | re.MULTILINE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,12}){0,4}")


@dataclass(frozen=True, slots=True)
class Found:
    """What was kept: what the voice ``reads``, its ``language``, and the ``licence`` that lay beside it (or empty)."""

    reads: str
    language: str
    licence: str


def choose_model(folder: Path, most_files: int) -> Path:
    """The one model in ``folder`` or below. Raises VoiceError: none, several, links, too many files."""
    models: list[Path] = []
    seen = 0
    for place, folders, names in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *names)):
            seen += 1
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise refused("voices.archive_not_a_file")
            if path.suffix == ".onnx" and path.is_file():
                models.append(path)
        if seen > most_files:
            raise refused("voices.archive_too_many", most=most_files)
    if len(models) != 1:
        found = ", ".join(sorted(path.name for path in models))[:200]
        raise refused("voices.many_models", models=found) if models else refused("voices.no_model")
    return models[0]


def keep(model: Path, target: Path, most_bytes: int) -> Found:
    """Copies what is needed of the voice around ``model`` into ``target``. Raises VoiceError, OSError."""
    facts = onnx_facts.read_facts(model)
    if facts is None:
        raise refused("voices.not_onnx", file=model.name)
    config = _config(model.with_name(f"{model.name}.json"))
    kept = target / neural_record.MODEL
    _copy(model, kept, most_bytes)
    if "sample_rate" not in facts:
        facts |= _facts_of(config, model)
        onnx_facts.add_facts(kept, facts)
    tokens = model.with_name("tokens.txt")
    if tokens.is_file():
        _copy(tokens, target / neural_record.TOKENS, _MOST_TABLE_BYTES)
    elif config:
        (target / neural_record.TOKENS).write_text(_tokens_of(config, model), "utf-8")
    else:
        raise refused("voices.no_tokens", file=model.name)
    lexicon = model.with_name("lexicon.txt")
    if lexicon.is_file():
        _copy(lexicon, target / neural_record.LEXICON, _MOST_TABLE_BYTES)
    return Found(_reads(facts, config, lexicon.is_file()), _language(facts, config), _licence(model.parent, target))


def _reads(facts: dict[str, str], config: dict[str, Any], lexicon: bool) -> str:
    if lexicon:
        return "lexicon"
    if facts.get("frontend") == "characters":
        return "letters"
    return "codepoints" if config.get("phoneme_type") == "text" else "phonemes"


def _language(facts: dict[str, str], config: dict[str, Any]) -> str:
    espeak = config.get("espeak")
    wanted = facts.get("voice") or (espeak.get("voice") if isinstance(espeak, dict) else "")
    return wanted if isinstance(wanted, str) and _LANGUAGE.fullmatch(wanted) else "vi"


def _config(path: Path) -> dict[str, Any]:
    """What Piper says of its model, empty where nothing lies there. Raises VoiceError."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(_text(path, _MOST_CONFIG_BYTES))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise refused("voices.bad_config", file=path.name)
    return found


def _facts_of(config: dict[str, Any], model: Path) -> dict[str, str]:
    """The facts sherpa-onnx asks for, from Piper's configuration. Raises VoiceError."""
    audio, speakers = config.get("audio"), config.get("num_speakers", 1)
    rate = audio.get("sample_rate") if isinstance(audio, dict) else None
    if not _whole(rate, 8000, 96_000) or not _whole(speakers, 1, 10_000):
        raise refused("voices.no_facts", file=model.name)
    facts = {"model_type": "vits", "comment": "piper", "language": "Vietnamese", "has_espeak": "1"}
    return facts | {"voice": _language({}, config), "sample_rate": str(rate), "n_speakers": str(speakers)}


def _tokens_of(config: dict[str, Any], model: Path) -> str:
    """``tokens.txt`` as sherpa-onnx reads it: a symbol and its number on each line. Raises VoiceError."""
    table = config.get("phoneme_id_map")
    if not isinstance(table, dict) or not 0 < len(table) <= _MOST_TOKENS:
        raise refused("voices.no_tokens", file=model.name)
    lines = []
    for symbol, numbers in table.items():
        first = numbers[0] if isinstance(numbers, list) and numbers else None
        if not _whole(first, 0, 1_000_000) or not 0 < len(symbol) <= 8:
            raise refused("voices.bad_config", file=f"{model.name}.json")
        if symbol == " " or not any(letter.isspace() for letter in symbol):
            lines.append(f"{symbol} {first}\n")
    return "".join(lines)


def _licence(folder: Path, target: Path) -> str:
    """The licence that lies beside the model, kept whole; its name in a line, empty where there is none."""
    beside = sorted(path for path in folder.iterdir() if _LICENCES.match(path.name) and path.is_file())
    if not beside:
        return ""
    _copy(beside[0], target / neural_record.LICENCE, _MOST_LICENCE_BYTES)
    text = _text(beside[0], _MOST_LICENCE_BYTES)
    named = _LICENCE_LINE.search(text)
    line = named[1] if named else next((each for each in text.splitlines() if each.strip()), "")
    return one_line(line) or beside[0].name


def one_line(text: str) -> str:
    """``text`` on one line of at most 200 printable characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line[:_MOST_LICENCE_CHARS]


def _text(path: Path, most_bytes: int) -> str:
    with path.open("rb") as file:
        return file.read(most_bytes).decode("utf-8-sig", "replace")


def _copy(source: Path, target: Path, most_bytes: int) -> None:
    if source.stat().st_size > most_bytes:
        raise refused("voices.archive_too_large", megabytes=most_bytes >> 20)
    shutil.copyfile(source, target)


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def refused(key: str, **facts: object) -> VoiceError:
    """The error that a file is not taken; ``key`` is its sentence."""
    return VoiceError(Trouble.REFUSED, key, **facts)
