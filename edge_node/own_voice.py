"""The node's own voice: espeak-ng as a program (GPL, so never linked), for an emergency whose audio is not there.

- The text is words already, as the station's newsroom wrote them; nothing is read anew here.
- It goes in on standard input, so that no letter of it is an option; what could be an instruction to the program
  (``[[phonemes]]``, tags, control characters) is taken out.
- Bounds on time, memory and what it writes: the text is sealed, and long.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import unicodedata
import wave
from pathlib import Path

PROGRAM = "espeak-ng"
LIMIT_SECONDS = 30.0  # 5,000 characters take a small computer a few seconds
MOST_MEMORY_BYTES = 1 << 29
MOST_FILE_BYTES = 1 << 26  # 25 minutes at espeak-ng's 22,050 Hz
LEAST_SECONDS = 0.2  # of sound: espeak-ng ends with code 0 also when it could not write
_INSTRUCTIONS = str.maketrans("[]<>|", "     ")


class NoVoice(Exception):
    """The text could not be spoken; the message says why."""


class OwnVoice:
    """``voice``: espeak-ng's name of it, empty for none; ``words_a_minute``: 80 to 450."""

    def __init__(self, voice: str = "vi", words_a_minute: int = 130, program: str = PROGRAM) -> None:
        self._voice, self._speed, self._program = voice, words_a_minute, program

    @property
    def works(self) -> bool:
        """Whether this node has one."""
        return bool(self._voice) and shutil.which(self._program) is not None

    def speak(self, text: str, target: Path) -> None:
        """``text`` as a WAV file in ``target``. Raises NoVoice; OSError when the disk refuses."""
        words = _plain(text)
        if not self.works or not words:
            raise NoVoice("there is no voice on this node" if words else "there is nothing to say")
        self._run(["-v", self._voice, "-s", str(self._speed), "-b", "1", "-w", str(target), "--stdin"], words)
        if _seconds(target) < LEAST_SECONDS:
            if shutil.disk_usage(target.parent).free < len(words) * 10_000:
                raise OSError(28, "no room for what is spoken")
            raise NoVoice(f"{PROGRAM} wrote nothing")

    def _run(self, arguments: list[str], words: str) -> None:
        command, nowhere = [self._program, *arguments], subprocess.DEVNULL
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, cwd="/")
        except OSError as wrong:
            raise NoVoice(str(wrong)) from None
        with process:
            try:
                _bound(process.pid)
                process.communicate(words.encode(), timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                raise NoVoice(f"{PROGRAM} did not end within {LIMIT_SECONDS:g} s") from None
            finally:
                process.kill()
        if process.returncode:
            raise NoVoice(f"{PROGRAM} ended with {process.returncode}")


def _plain(text: str) -> str:
    """The words alone, in lines; empty where there is no letter or figure."""
    kept = "".join(each if each == "\n" or unicodedata.category(each)[0] != "C" else " " for each in text)
    plain = unicodedata.normalize("NFC", kept).translate(_INSTRUCTIONS).strip()
    return f"{plain}\n" if any(map(str.isalnum, plain)) else ""


def _bound(process: int) -> None:
    limits = {
        resource.RLIMIT_AS: MOST_MEMORY_BYTES,
        resource.RLIMIT_CPU: round(LIMIT_SECONDS),
        resource.RLIMIT_FSIZE: MOST_FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    with contextlib.suppress(ProcessLookupError):
        for limit, most in limits.items():
            resource.prlimit(process, limit, (most, most))


def _seconds(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as sound:
            frames = sound.getnframes()
            whole = path.stat().st_size >= frames * sound.getsampwidth()  # a full disk takes less than the header says
            return frames / sound.getframerate() if whole else 0.0
    except (wave.Error, EOFError, OSError, ZeroDivisionError):
        return 0.0
