"""The voice that is always there: espeak-ng, offline, as a process (GPL, so never linked).

- Text goes in on standard input, one sentence per line, so that the voice pauses between them.
- What could be an instruction to the engine (``[[phonemes]]``) is taken out.
- The output is checked: a WAV, as long as that many letters can be, or the voice says so.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from controller.newsroom import parts, sentences
from controller.studio import programs
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, join

_MOST_CHARS = 3000  # one call; a longer text is joined from several
_INSTRUCTIONS = re.compile(r"[\[\]<>|]+")


class EspeakVoice:
    """espeak-ng, ``speed_wpm`` words per minute (80–450), killed after ``limit_seconds`` per call."""

    name = "espeak"

    def __init__(
        self, program: str = "espeak-ng", language: str = "vi", speed_wpm: int = 130, limit_seconds: float = 60.0
    ) -> None:
        self._program, self._language, self._speed, self._limit = program, language, speed_wpm, limit_seconds

    def why_not(self) -> VoiceError | None:
        """Not installed, or None."""
        if shutil.which(self._program):
            return None
        return VoiceError(Trouble.REFUSED, "studio.espeak_missing", program=self._program)

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV of ``text``. Raises VoiceError: not installed, hung, full disk, unreadable output, nothing to say."""
        chunks = parts(_INSTRUCTIONS.sub(" ", text), _MOST_CHARS)
        if not chunks:
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        pieces = [self._say(chunk, work_dir / f"espeak-{number:04d}.wav") for number, chunk in enumerate(chunks)]
        return join(pieces, work_dir / "espeak.wav", [300] * (len(pieces) - 1))

    def _say(self, text: str, target: Path) -> Path:
        command = [self._program, "-v", self._language, "-s", str(self._speed), "-b", "1", "-w", str(target), "--stdin"]
        try:
            ended = programs.run(command, self._limit, "\n\n".join(sentences(text)) + "\n")
        except programs.NotInstalled:
            raise VoiceError(Trouble.REFUSED, "studio.espeak_missing", program=self._program) from None
        except programs.Hung:
            raise VoiceError(Trouble.TEMPORARY, "studio.hung", voice=self.name, seconds=f"{self._limit:g}") from None
        if programs.names_full_disk(ended.said):
            raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
        if ended.code != 0:
            raise VoiceError(Trouble.TEMPORARY, "studio.failed", voice=self.name, detail=ended.said.strip()[-200:])
        check_duration(target, text, self.name)
        return target
