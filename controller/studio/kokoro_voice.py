"""Kokoro, a neural voice out of packages of the registry, made to speak Vietnamese; offline, in a process of its own.

- It was taught other languages: the sounds are the nearest that it knows (`kokoro_sounds`), the tones are laid over its
  pitch (`kokoro_melody`). It has an accent; `bench/RESULTS.md` says what a recogniser understands of it.
- The process is in the cage: its files, no network, bounds on time and memory. It may crash, hang or say nothing, and
  the station goes on.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import cage
from cage import Bounds, Cage, Ended
from controller.newsroom import has_words, parts, sentences
from controller.studio import kokoro_files, kokoro_speaker, programs
from controller.studio.kokoro_sounds import Breath, breaths
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, is_silent, join, pause_after_ms

EXTRA = "loa-radio[kokoro]"
_MOST_CHARS = 1500  # for one process
_MEMORY_BYTES = 3 << 30
_CORES = 4
_ROOMS = tuple(Path(__file__).parents[2] / name for name in ("controller", "schedules", "wire", "words", "cage"))
_SPEAKER = ["-I", "-m", kokoro_speaker.__name__]


@dataclass(frozen=True, slots=True)
class KokoroLimits:
    """``work_seconds`` for one process, which reads at most 1500 characters."""

    work_seconds: float = 300.0


class KokoroVoice:
    """Kokoro with a Vietnamese table of sounds."""

    name = "kokoro"

    def __init__(self, limits: KokoroLimits | None = None) -> None:
        self._limits = limits or KokoroLimits()

    def why_not(self) -> VoiceError | None:
        """The packages are not installed; or None. Whether their files are whole is seen when they speak."""
        return _not_installed() if kokoro_files.missing() else None

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV of ``text``. Raises VoiceError: not installed, damaged, crashed, hung, no sound, nothing to say."""
        if not has_words(text):
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        if refused := self.why_not():
            raise refused
        pieces: list[Path] = []
        pauses: list[int] = []
        for part in parts(text, _MOST_CHARS):
            if spoken := _lines(part):
                pieces.append(self._say(spoken, part, work_dir / f"kokoro-{len(pieces):04d}.wav"))
                pauses.append(pause_after_ms(part))
        if not pieces:  # words, but of another script: another voice may know them
            raise VoiceError(Trouble.REFUSED, "studio.nothing_to_say")
        return join(pieces, work_dir / "kokoro.wav", pauses[:-1])

    def _say(self, spoken: list[tuple[int, Breath]], text: str, target: Path) -> Path:
        lines = "".join(f"{json.dumps(each)}\n" for each in spoken)
        seconds = self._limits.work_seconds
        place = Cage(_ROOMS, target.parent, Bounds(_MEMORY_BYTES, int(seconds * _CORES) + 1))
        command = [sys.executable, *_SPEAKER, str(target)]
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
        lines = ended.said.strip().splitlines()
        last = lines[-1][-200:] if lines else "–"
        if ended.code == kokoro_speaker.MISSING:
            return _not_installed()
        if ended.code == kokoro_speaker.DAMAGED:
            return VoiceError(Trouble.REFUSED, "voices.kokoro_damaged", file=last, extra=EXTRA)
        if programs.names_full_disk(ended.said):
            return VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
        if ended.code < 0:
            return VoiceError(Trouble.TEMPORARY, "voices.crashed", voice=self.name, signal=-ended.code)
        return VoiceError(Trouble.TEMPORARY, "studio.failed", voice=self.name, detail=last)


def _lines(text: str) -> list[tuple[int, Breath]]:
    """The breaths of ``text``, each with the silence before it."""
    found: list[tuple[int, Breath]] = []
    pause_ms = 0
    for sentence in sentences(text):
        for breath in breaths(sentence):
            found.append((pause_ms, breath))
            pause_ms = pause_after_ms("")
        pause_ms = pause_after_ms(sentence)
    return found


def _not_installed() -> VoiceError:
    return VoiceError(Trouble.REFUSED, "voices.kokoro_missing", extra=EXTRA)
