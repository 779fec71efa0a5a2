"""The studio's walk: check, voice, master, shelve.

- A text is refused before any engine is asked: nothing to read, too long.
- Work is done in a folder of its own that is gone afterwards; what a killed process left is gone at the next start.
- Drills say that they are drills, before and after the words, in every class.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from controller.newsroom import MAX_CHARS, has_words
from controller.studio.chain import Chain, Failure
from controller.studio.mastering import MEDIA_TYPE, Mastered, MasteringError, master
from controller.studio.shelf import Shelf
from controller.studio.voice import Trouble, VoiceError
from wire.names import AssetId
from wire.plan import BulletinClass
from words import say

_WORK = "making-"
MOST_SPOKEN_CHARS = 5 * MAX_CHARS  # written-out figures make a text longer than what was typed


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording on the shelf: the asset's facts, its file, and which voices failed before ``voice``."""

    sha256: AssetId
    size_bytes: int
    duration_ms: int
    media_type: str
    lufs: float
    peak_dbtp: float
    voice: str
    path: Path
    failures: tuple[Failure, ...] = ()


class Studio:
    """Voices, a shelf, a folder to work in (made if absent), and words said before each text (may be empty).

    The folder is this studio's own: what lies there from before is removed.
    """

    def __init__(self, shelf: Shelf, chain: Chain, work_dir: Path, opening: str = "") -> None:
        self._shelf, self._chain, self._work_dir, self._opening = shelf, chain, work_dir, opening
        for left in work_dir.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)

    def produce(self, spoken_text: str, bulletin_class: BulletinClass, drill: bool = False) -> Finished:
        """The finished recording of ``spoken_text`` (the newsroom's spoken form, ≤ ``MOST_SPOKEN_CHARS``).

        Raises VoiceError, MasteringError, ShelfError: each a sentence that says what to do.
        """
        text = self._checked(spoken_text, drill)
        try:
            self._work_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._work_dir, prefix=_WORK) as folder:
                work = Path(folder)
                reading = self._chain.speak(text, work)
                mastered = master(reading.wav, bulletin_class, drill, work)
                return self._shelve(mastered, reading.voice, reading.failures)
        except OSError as error:
            key = "studio.disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "studio.shelf_failed"
            raise MasteringError(key, folder=self._work_dir, detail=error.strerror or str(error)) from error

    def _checked(self, text: str, drill: bool) -> str:
        if not has_words(text):
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        if len(text) > MOST_SPOKEN_CHARS:
            raise VoiceError(Trouble.BAD_TEXT, "studio.text_too_long", chars=len(text), most=MOST_SPOKEN_CHARS)
        notice = say("studio.drill_notice", "vi") if drill else ""
        return "\n".join(part for part in (notice, self._opening, text, notice) if part)

    def _shelve(self, mastered: Mastered, voice: str, failures: tuple[Failure, ...]) -> Finished:
        asset = self._shelf.add(mastered.path)
        return Finished(
            sha256=asset,
            size_bytes=mastered.path.stat().st_size,
            duration_ms=mastered.duration_ms,
            media_type=MEDIA_TYPE,
            lufs=mastered.lufs,
            peak_dbtp=mastered.peak_dbtp,
            voice=voice,
            path=self._shelf.path(asset),
            failures=failures,
        )
