"""The voice that is always there: espeak-ng, offline, as a process (GPL, so never linked).

- Text goes in on standard input, one sentence per line, so that the voice pauses between them.
- What could be an instruction to the engine (``[[phonemes]]``) is taken out. The only such instructions that it gets
  are ours (`diction`), and only in Vietnamese.
- The voice is a file of ours, ``loa.voice``, named from within its folder: espeak-ng takes no path of 40 letters or
  more. An espeak-ng that does not take it, or fails on our sounds, is asked again as it comes: plain is better than
  silent.
- The output is checked: a WAV, as long as that many letters can be, or the voice says so.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cage
from controller.newsroom import parts, sentences
from controller.studio import diction, programs
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, join

SPEED_WPM = 130
_VOICE_FILE = Path(__file__).parent / "loa.voice"
_MOST_CHARS = 3000  # one call; a longer text is joined from several
_INSTRUCTIONS = re.compile(r"[\[\]<>|]+")


class EspeakVoice:
    """espeak-ng, ``speed_wpm`` words per minute (80–450), killed after ``limit_seconds`` per call."""

    name = "espeak"

    def __init__(
        self, program: str = "espeak-ng", language: str = "vi", speed_wpm: int = SPEED_WPM, limit_seconds: float = 60.0
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
        lines = sentences(text)
        if self._language == "vi" and (tuned := self._dictated(text, lines)):
            try:
                return self._read(["--load", "-v", _VOICE_FILE.name], tuned, text, target)
            except VoiceError as refused:
                if refused.key in ("studio.espeak_missing", "studio.hung", "studio.disk_full"):
                    raise
        return self._read(["-v", self._language], lines, text, target)

    def _dictated(self, text: str, lines: list[str]) -> list[str]:
        """``lines`` as sounds; none where this espeak-ng does not say what sounds it would make."""
        words = diction.words(text)
        command = [self._program, "-v", self._language, "-q", "-x", "-b", "1", "--stdin"]
        ended = self._run(command, "\n\n".join(words) + "\n")
        known = diction.syllables(words, ended.wrote.decode("utf-8", "replace")) if ended.code == 0 else {}
        return [diction.dictated(line, known) for line in lines] if known else []

    def _read(self, voice: list[str], lines: list[str], text: str, target: Path) -> Path:
        command = [self._program, *voice, "-s", str(self._speed), "-b", "1", "-w", str(target.absolute()), "--stdin"]
        ended = self._run(command, "\n\n".join(lines) + "\n")
        if programs.names_full_disk(ended.said):
            raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
        if ended.code != 0:
            raise VoiceError(Trouble.TEMPORARY, "studio.failed", voice=self.name, detail=ended.said.strip()[-200:])
        check_duration(target, text, self.name)
        return target

    def _run(self, command: list[str], text: str) -> cage.Ended:
        try:
            return programs.run(command, self._limit, text, folder=_VOICE_FILE.parent)
        except cage.NotInstalled:
            raise VoiceError(Trouble.REFUSED, "studio.espeak_missing", program=self._program) from None
        except cage.Hung:
            raise VoiceError(Trouble.TEMPORARY, "studio.hung", voice=self.name, seconds=f"{self._limit:g}") from None
