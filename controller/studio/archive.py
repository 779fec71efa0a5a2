"""The archive: what people recorded, admitted and kept without loss (FLAC), each under the SHA-256 of its bytes.

- One upload is looked at at a time: a station is a small machine, and admitting an hour of sound is work.
- What comes out is checked against its name: a recording that was approved is the one that is heard.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.studio import loudness
from controller.studio.loudness import FfmpegFailed
from controller.studio.recordings import Limits, Recording, RecordingError, admit
from controller.studio.shelf import Shelf, ShelfError
from wire.names import AssetId

_FLAC = ["-c:a", "flac", "-compression_level", "5", "-map_metadata", "-1", "-fflags", "+bitexact"]
_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording in the archive: bytes, milliseconds, LUFS, language (BCP 47)."""

    sha256: AssetId
    size_bytes: int
    duration_ms: int
    lufs: float
    language: str


class Archive:
    """The recordings under ``folder`` (made if absent). Work is done in a folder in it that is gone afterwards."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self._folder, self.limits = folder, limits or Limits()
        self._one_at_a_time = threading.Lock()

    def keep(self, upload: Path, language: str = "vi") -> Kept:
        """Admit an upload. Raises RecordingError (its reason), ShelfError (no room, no folder)."""
        if not self._one_at_a_time.acquire(timeout=_WAIT_SECONDS):
            raise RecordingError("studio.recording_busy")
        try:
            with self._work_place() as work:
                admitted = admit(upload, work, self.limits, language)
                packed = work / "recording.flac"
                _convert(["-i", str(admitted.wav), *_FLAC, "-f", "flac", str(packed)], work)
                name = Shelf(self._folder).add(packed)
                return Kept(name, packed.stat().st_size, round(admitted.seconds * 1000), admitted.lufs, language)
        finally:
            self._one_at_a_time.release()

    def take(self, name: str, work_dir: Path, language: str = "vi") -> Recording:
        """The recording as a WAV in ``work_dir``. Raises ShelfError: not there, damaged, no room."""
        packed = Shelf(self._folder).find(name)
        if packed is None:
            raise ShelfError("studio.recording_gone", folder=self._folder)
        with packed.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != name:
                raise ShelfError("studio.recording_damaged", folder=self._folder)
        wav = work_dir / "recording.wav"
        _convert(["-i", str(packed), "-c:a", "pcm_s16le", "-f", "wav", str(wav)], work_dir)
        measured = loudness.measure_speech(wav)
        return Recording(wav, wav.stat().st_size / 96_000, measured.lufs, language)

    @contextmanager
    def _work_place(self) -> Iterator[Path]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".admitting-") as folder:
                yield Path(folder)
        except OSError as error:
            key = "studio.disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "studio.shelf_failed"
            raise ShelfError(key, folder=self._folder, detail=error.strerror or str(error)) from error


def _convert(arguments: list[str], folder: Path) -> None:
    try:
        loudness.run(arguments, folder)
    except FfmpegFailed as failed:
        raise ShelfError(failed.key, **failed.facts) from None
