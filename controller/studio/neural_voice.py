"""Neural voices that the operator brought: Piper and other VITS models, spoken by sherpa-onnx in a process of its own.

- A folder for each, made by `voice_keeping`; its files are checked against their checksums at the first use of this
  process, and again whenever one has changed.
- The process is in the cage: its files, no network, bounds on time and memory. It may crash, hang or say nothing, and
  the station goes on.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import cage
from cage import Bounds, Cage, Ended
from controller.newsroom import has_words, parts, sentences
from controller.studio import neural_record, neural_speaker, programs
from controller.studio.neural_record import LEXICON, MODEL, TOKENS, NeuralRecord
from controller.studio.phonemes import not_installed, phonemes
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, is_silent, join, pause_after_ms

LIBRARY, EXTRA = "sherpa_onnx", "loa-radio[neural]"
_SPEAKER = Path(neural_speaker.__file__)
_MOST_CHARS = 1500  # for one process
_MOST_AT_ONCE = 300  # characters; what a model needs of memory grows with their square
_MEMORY_BYTES = 3 << 30
_CORES = 4
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class NeuralLimits:
    """``work_seconds`` for one process, which reads at most 1500 characters."""

    work_seconds: float = 300.0


class NeuralVoice:
    """The voice in ``folder``, called ``neural:NAME`` (NAME: the folder's, unless told)."""

    def __init__(self, folder: Path, name: str = "", limits: NeuralLimits | None = None) -> None:
        self.name = f"neural:{name or folder.name}"
        self._folder, self._limits = folder, limits or NeuralLimits()
        self._checked: Stamp | None = None

    def why_not(self) -> VoiceError | None:
        """The library or espeak-ng is not installed, the record cannot be read, a file was changed; or None."""
        try:
            record = self._record()
        except VoiceError as error:
            return error
        return not_installed() if record.reads == "phonemes" else None

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV of ``text``. Raises VoiceError: not installed, damaged, crashed, hung, no sound, nothing to say."""
        record = self._record()
        pieces: list[Path] = []
        pauses: list[int] = []
        for part in filter(has_words, parts(text, _MOST_CHARS)):
            pieces.append(self._say(record, part, work_dir / f"neural-{len(pieces):04d}.wav"))
            pauses.append(pause_after_ms(part))
        if not pieces:
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        return join(pieces, work_dir / "neural.wav", pauses[:-1])

    def _say(self, record: NeuralRecord, text: str, target: Path) -> Path:
        said = [piece for one in sentences(text) for piece in parts(one, _MOST_AT_ONCE) if has_words(piece)]
        pauses = [0, *map(pause_after_ms, said)]
        lines = "".join(f"{json.dumps([ms, _as_read(one, record)])}\n" for ms, one in zip(pauses, said, strict=False))
        lexicon = str(self._folder / LEXICON) if LEXICON in record.sha256 else ""
        files = [str(self._folder / MODEL), str(self._folder / TOKENS), lexicon, str(target)]
        seconds = self._limits.work_seconds
        place = Cage((self._folder, _SPEAKER), target.parent, Bounds(_MEMORY_BYTES, int(seconds * _CORES) + 1))
        command = [sys.executable, "-I", str(_SPEAKER), *files]
        try:
            ended = cage.run(command, seconds, place, lines)
        except cage.Hung:
            raise VoiceError(Trouble.TEMPORARY, "studio.hung", voice=self.name, seconds=f"{seconds:g}") from None
        if ended.code:
            raise self._failed(ended, target)
        check_duration(target, text, self.name)
        if is_silent(target):
            raise VoiceError(Trouble.TEMPORARY, "studio.silent")
        return target

    def _failed(self, ended: Ended, target: Path) -> VoiceError:
        if ended.code == neural_speaker.MISSING:
            return _not_installed()
        if programs.names_full_disk(ended.said):
            return VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
        if ended.code == neural_speaker.REFUSED:
            return VoiceError(Trouble.REFUSED, "voices.unusable", voice=self.name, detail=_last_line(ended.said))
        if ended.code < 0:
            return VoiceError(Trouble.TEMPORARY, "voices.crashed", voice=self.name, signal=-ended.code)
        return VoiceError(Trouble.TEMPORARY, "studio.failed", voice=self.name, detail=_last_line(ended.said))

    def _record(self) -> NeuralRecord:
        """The record, its files as they were when it was made. Raises VoiceError (refused)."""
        record = neural_record.read(self._folder)
        if importlib.util.find_spec(LIBRARY) is None:
            raise _not_installed()
        try:
            stamp = self._stamp(record)
            if stamp != self._checked:
                for name, digest in record.sha256.items():
                    if neural_record.sha256_of(self._folder / name) != digest:
                        raise VoiceError(Trouble.REFUSED, "voices.changed", voice=self.name, file=name)
                self._checked = stamp
        except OSError as error:
            where = error.filename or self._folder
            raise VoiceError(Trouble.REFUSED, "voices.unreadable", file=where, why=error.strerror or error) from None
        return record

    def _stamp(self, record: NeuralRecord) -> Stamp:
        found = [(name, (self._folder / name).stat()) for name in (neural_record.RECORD, *record.sha256)]
        return tuple((name, facts.st_size, facts.st_mtime_ns) for name, facts in found)


def _as_read(sentence: str, record: NeuralRecord) -> str | list[int]:
    """A sentence as the speaker takes it: text, or code points."""
    match record.reads:
        case "phonemes":
            return [ord(each) for each in phonemes(sentence, record.language)]
        case "codepoints":
            return [ord(each) for each in unicodedata.normalize("NFD", sentence.casefold())]
    return sentence


def _not_installed() -> VoiceError:
    return VoiceError(Trouble.REFUSED, "voices.neural_missing", extra=EXTRA)


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1][-200:] if lines else "–"
