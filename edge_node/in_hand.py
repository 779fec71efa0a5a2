"""In hand: what a death would be blamed on, written where the next process finds it if this one dies.

- One thing at a time: what was taken up last. A document or the ledger while the walk works on it, with the decision
  that follows from it in safe mode; audio from its priming until it has sounded for a second, in safe mode to its end.
- While the walk works on something else the audio is not to blame: decoding goes wrong at once or when nobody works.
- Written in place and not flushed: a process that dies takes nothing of it along. A power cut may lose it, and is
  nobody's fault (`lives`).
- Where the disk refuses, nothing is written, and the radio goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SLOT_BYTES = 1024
LEDGER = "ledger"
SURE_MS = 1000  # audio that has sounded this long in one piece is not what kills
GRACE_SECONDS = 0.3  # for audio just primed to show what it does, before the walk takes up the next document


def document(topic: str, raw: bytes) -> str:
    """The name of a document: its bytes and where they belong."""
    return f"document {hashlib.sha256(raw).hexdigest()[:32]} {topic}"[:600]


def audio(name: str) -> str:
    """The name of a file of audio: its SHA-256, or what stands in for one."""
    return f"audio {name}"[:600]


def audio_of(things: Iterable[str]) -> set[str]:
    """The SHA-256 of what is audio among ``things``."""
    return {thing.removeprefix("audio ") for thing in things if thing.startswith("audio ")}


class InHand:
    """``strict`` (safe mode): what follows from a document, and audio to its last sample, stays in hand."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. What cannot be opened remembers nothing. ``before``: what the last process held."""
        self.strict = False
        self.harmless: Callable[[str], None] = _nobody
        self._sounds = ""
        self._file = -1
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.before = self._top = self._read()

    def walk(self) -> None:
        """The walk works: nothing in particular is to blame."""
        self._put("")

    def rest(self) -> None:
        """The walk waits: what sounds is to blame."""
        self._put(self._sounds)

    @contextlib.contextmanager
    def holding(self, thing: str) -> Iterator[None]:
        """The walk works on ``thing`` inside. An exception is no death: whoever raises it lives on."""
        if self.strict and self._top and self._top == self._sounds:
            threading.Event().wait(GRACE_SECONDS)
        before = self._top
        self._put(thing)
        try:
            yield
        except Exception:
            self._put("")
            raise
        if self._top == thing:  # what the player has just taken up is to blame again
            self._put(before if before == self._sounds else "")
        self.harmless(thing)

    def sound(self, thing: str) -> None:
        """The player is about to take up ``thing``."""
        self._sounds = thing
        self._put(thing)

    def proved(self) -> None:
        """What sounds does no harm."""
        thing = self._sounds
        if not self.strict:
            self.hush()
        if thing:
            self.harmless(thing)

    def hush(self) -> None:
        """Nothing sounds any more."""
        if self._sounds and self._top == self._sounds:
            self._put("")
        self._sounds = ""

    def empty(self) -> None:
        """Nothing is in hand."""
        self._sounds = ""
        self._put("")

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _put(self, thing: str) -> None:
        if thing == self._top or self._file < 0:
            return
        with contextlib.suppress(OSError):
            os.pwrite(self._file, thing.encode()[:SLOT_BYTES].ljust(SLOT_BYTES), 0)
            self._top = thing

    def _read(self) -> str:
        with contextlib.suppress(OSError):
            return os.pread(self._file, SLOT_BYTES, 0).decode(errors="replace").strip(" \0")
        return ""


def _nobody(thing: str) -> None:
    del thing
