"""What a voice is, and how one fails.

- `speak` writes one WAV file (mono, 16 bit) that holds the whole text; a voice cuts long text itself.
- Every failure is a `VoiceError` of one kind; whether to ask again, or another voice, follows from the kind alone.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

from words import Said


class Trouble(StrEnum):
    """How a voice failed."""

    TEMPORARY = "temporary"  # not reachable, hung, no room: the same text may succeed later
    QUOTA = "quota"  # asked too often
    REFUSED = "refused"  # this voice cannot work here: not installed, access denied
    BAD_TEXT = "bad_text"  # no voice can read this


class VoiceError(Said):
    """A voice could not read a text. ``kind`` says how; ``key`` and facts make the sentence."""

    def __init__(self, kind: Trouble, key: str, **facts: object) -> None:
        super().__init__(key, **facts)
        self.kind = kind


class Voice(Protocol):
    """A speech engine."""

    @property
    def name(self) -> str:
        """Short name, as in settings: ``espeak``."""

    def why_not(self) -> VoiceError | None:
        """Why this voice cannot be used here; None when it can, as far as is known without speaking."""

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV file of ``text`` (spoken form, 1–20,000 characters) inside ``work_dir``. Raises VoiceError."""
