"""The studio's walk: check, voice, master, shelve; for a recording: master, shelve.

- A text is refused before any engine is asked: nothing to read, too long.
- Work is done in a folder of its own that is gone afterwards; what a killed process left is gone at the next start.
- Drills say that they are drills, before and after the words, in every class.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from controller.newsroom import MAX_CHARS, has_words
from controller.studio.archive import Archive
from controller.studio.chain import Chain, Failure, Reading, VoiceState
from controller.studio.mastering import Mastered, MasteringError, Score, master
from controller.studio.recordings import Recording
from controller.studio.shelf import Shelf, ShelfError
from controller.studio.style import MOST_REPEATS, Style
from controller.studio.tones import SIREN, attention, closing
from controller.studio.voice import Trouble, VoiceError
from wire.names import AssetId
from wire.plan import BulletinClass
from words import say

_WORK = "making-"
TONES = "tones"  # the voice of what no voice says
_SIREN_EDITION = 1  # grows when mastering is to make another siren of the same notes
RECORDED = "recording"  # the voice of what a person recorded
MOST_SPOKEN_CHARS = 5 * MAX_CHARS  # written-out figures make a text longer than what was typed


@dataclass(frozen=True, slots=True)
class Rendition:
    """The same recording once more on the shelf, in another format."""

    sha256: AssetId
    size_bytes: int
    media_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording on the shelf: the asset's facts, its file, which voices failed before ``voice``; MP3 if asked for."""

    sha256: AssetId
    size_bytes: int
    duration_ms: int
    media_type: str
    lufs: float
    peak_dbtp: float
    voice: str
    path: Path
    failures: tuple[Failure, ...] = ()
    mp3: Rendition | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a recording is to be made: its class, whether it is a drill, how often it is heard (1–``MOST_REPEATS``).

    ``also_mp3`` makes a second file, for old devices. Raises ValueError.
    """

    bulletin_class: BulletinClass
    drill: bool = False
    times: int = 1
    also_mp3: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.times <= MOST_REPEATS:
            raise ValueError(f"heard 1 to {MOST_REPEATS} times")


class Studio:
    """Voices, a shelf, a folder to work in (made if absent), the style of the station, what people recorded.

    The folder to work in is this studio's own: what lies there from before is removed.
    """

    def __init__(
        self, shelf: Shelf, chain: Chain, work_dir: Path, style: Style | None = None, archive: Archive | None = None
    ) -> None:
        self._shelf, self._chain, self._work_dir, self._style = shelf, chain, work_dir, style or Style()
        self._archive = archive
        for left in work_dir.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)

    def voices(self) -> list[VoiceState]:
        """The voices of the chain as they are now, in the order in which they are asked."""
        return self._chain.states()

    def produce(self, spoken_text: str, bulletin_class: BulletinClass, drill: bool = False) -> Finished:
        """`make` of a text, heard once."""
        return self.make(spoken_text, Wanted(bulletin_class, drill))

    def make_recorded(self, recording: str, wanted: Wanted) -> Finished:
        """`make` of what is kept in the archive under that name. Raises ShelfError, also where it is not there."""
        if self._archive is None:
            raise ShelfError("studio.recording_gone", folder="–")
        with self._work_place() as work:
            return self.make(self._archive.take(recording, work), wanted)

    @property
    def siren_recipe(self) -> str:
        """Names all that decides how the siren sounds, 64 hex digits: the same recipe gives the same bytes."""
        return hashlib.sha256(repr((_SIREN_EDITION, SIREN, self._style.lead_in_ms)).encode()).hexdigest()

    def make_siren(self) -> Finished:
        """The siren, finished and on the shelf. Raises MasteringError, ShelfError."""
        with self._work_place() as work:
            return self._finish(Score(SIREN, [], ((0, 100),)), Reading((), TONES, ()), work)

    def has(self, asset: str) -> bool:
        """Whether that recording is on the shelf."""
        return self._shelf.find(asset) is not None

    def make(self, said: str | Recording, wanted: Wanted) -> Finished:
        """The finished recording of ``said``: the newsroom's spoken form (≤ ``MOST_SPOKEN_CHARS``), or a recording.

        A voice reads the text and the words around it; around a recording, only those.
        Raises VoiceError, MasteringError, ShelfError: each a sentence that says what to do.
        """
        if isinstance(said, str):
            _check(said)
        before, after = self._words_around(wanted)
        texts = [*before, *([said] if isinstance(said, str) else []), *after]
        with self._work_place() as work:
            reading = self._chain.speak(work, *texts) if texts else Reading((), RECORDED, ())
            wavs = list(reading.wavs)
            if isinstance(said, Recording):
                wavs.insert(len(before), said.wav)
                reading = replace(reading, voice=RECORDED)
            tones = (wanted.bulletin_class, wanted.drill)
            speech = _in_order(wavs, len(before), wanted.times, self._style)
            return self._finish(Score(attention(*tones), speech, closing(*tones)), reading, work, wanted.also_mp3)

    def _words_around(self, wanted: Wanted) -> tuple[list[str], list[str]]:
        """An emergency names no station and thanks nobody: its words come at once."""
        notice = say("studio.drill_notice", "vi") if wanted.drill else ""
        calm = wanted.bulletin_class is not BulletinClass.EMERGENCY
        opening, closing_words = (self._style.opening, self._style.closing) if calm else ("", "")
        before, after = (notice, opening), (closing_words, notice)
        return [words for words in before if words], [words for words in after if words]

    def _finish(self, score: Score, reading: Reading, work: Path, also_mp3: bool = False) -> Finished:
        opus, *more = master(score, self._style, work, also_mp3)
        mp3 = next((self._shelve(each) for each in more), None)
        kept = self._shelve(opus)
        return Finished(
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            duration_ms=opus.duration_ms,
            media_type=opus.media_type,
            lufs=opus.lufs,
            peak_dbtp=opus.peak_dbtp,
            voice=reading.voice,
            path=kept.path,
            failures=reading.failures,
            mp3=mp3,
        )

    def _shelve(self, mastered: Mastered) -> Rendition:
        asset = self._shelf.add(mastered.path)
        return Rendition(asset, mastered.path.stat().st_size, mastered.media_type, self._shelf.path(asset))

    @contextmanager
    def _work_place(self) -> Iterator[Path]:
        try:
            self._work_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._work_dir, prefix=_WORK) as folder:
                yield Path(folder)
        except OSError as error:
            key = "studio.disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "studio.shelf_failed"
            raise MasteringError(key, folder=self._work_dir, detail=error.strerror or str(error)) from error


def _check(text: str) -> None:
    if not has_words(text):
        raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
    if len(text) > MOST_SPOKEN_CHARS:
        raise VoiceError(Trouble.BAD_TEXT, "studio.text_too_long", chars=len(text), most=MOST_SPOKEN_CHARS)


def _in_order(wavs: list[Path], said: int, times: int, style: Style) -> list[tuple[Path, int]]:
    """Each file as often as it is heard, what is said (the one at ``said``) ``times`` times; and the gap after it."""
    again = [(wavs[said], style.gap_ms)] * (times - 1)
    once = [(wav, style.pause_ms) for wav in wavs[:-1]] + [(wavs[-1], 0)]
    return [*once[:said], *again, *once[said:]]
