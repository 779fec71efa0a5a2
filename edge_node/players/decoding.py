"""Decoding: a file on disk becomes 48 kHz mono samples, block by block, as loud as the take wants.

- Decodes block by block: of samples there are never more than what is asked for.
- Reads what libsndfile reads (Ogg/Opus, MP3, WAV, …) from an open file only: no playlists, no URLs.
- Audio of a plan is decoded from bytes that were hashed on their way into memory, not from what a name stands for.
- The finished audio is 48 kHz already; another rate is resampled with a windowed sinc.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_node.players.player import RATE
from wire.errors import Reason

MOST_HELD_BYTES = 64 << 20  # of one file in memory: four hours and more of what a station makes
_CHUNK_BYTES = 1 << 18
_SHA256 = re.compile("[0-9a-f]{64}")
TAPS = 24  # of the resampling filter, per phase


class BadAudio(Exception):
    """The file cannot be decoded; the message is the decoder's."""

    reason = Reason.BAD_AUDIO


class NotSealed(BadAudio):
    """The file is not the audio that the plan names: nothing of it is decoded."""

    reason = Reason.BAD_HASH


class Source:
    """The samples of a file from a position on, mono int16 at 48 kHz, attenuated.

    Raises BadAudio when the file cannot be opened or the position lies beyond what a decoder can seek.
    """

    def __init__(self, path: Path, from_ms: int = 0, volume_dbfs: float = 0.0) -> None:
        import numpy as np
        import soundfile as sf

        self._np, self._error = np, sf.SoundFileError
        self._gain = 32767.0 * 10 ** (min(volume_dbfs, 0.0) / 20)
        try:
            self._file = sf.SoundFile(opened(path))
        except (sf.SoundFileError, OSError, TypeError, ValueError) as wrong:
            raise BadAudio(str(wrong)[:200]) from None
        rate = self._file.samplerate
        self._seek(min(from_ms * rate // 1000, self._file.frames))
        self._read: Callable[[int], Any] = self._mono if rate == RATE else Resampler(self._mono, rate).read

    def read(self, samples: int) -> Any:
        """The next block: int16, shape (n,), n <= ``samples``; empty at the end. Raises BadAudio."""
        block = self._read(samples)
        return self._np.clip(self._np.rint(block * self._gain), -32768, 32767).astype(self._np.int16)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _seek(self, frame: int) -> None:
        try:
            self._file.seek(frame)
        except (self._error, OSError) as wrong:
            self._file.close()
            raise BadAudio(str(wrong)[:200]) from None

    def _mono(self, samples: int) -> Any:
        try:
            block = self._file.read(samples, dtype="float32", always_2d=True)
        except (self._error, OSError) as wrong:
            raise BadAudio(str(wrong)[:200]) from None
        return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)


def opened(path: Path) -> int:
    """A descriptor of the file, for one reader. Raises OSError; BadAudio where it is not what its name says.

    What is named by a SHA-256 (all that a plan names) is hashed as it lies there now and read into memory on the way:
    whoever exchanges or rewrites the file afterwards changes nothing of what is heard. Above `MOST_HELD_BYTES` it is
    read from the very file that was hashed.
    """
    # no link is followed, no pipe is waited for
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotSealed("no regular file")
        if not _SHA256.fullmatch(path.name):  # made by this node itself: its own voice, the test tone
            return os.dup(descriptor)
        return _hashed(descriptor, path.name, found.st_size <= MOST_HELD_BYTES)
    finally:
        os.close(descriptor)


def _hashed(descriptor: int, sha256: str, into_memory: bool) -> int:
    """A descriptor of bytes that have this hash. Raises OSError, BadAudio."""
    held = os.memfd_create("audio", os.MFD_CLOEXEC) if into_memory else os.dup(descriptor)
    try:
        digest, left = hashlib.sha256(), MOST_HELD_BYTES
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            digest.update(chunk)
            left -= len(chunk) if into_memory else 0
            if left < 0:
                raise NotSealed("it grows while it is read")
            if into_memory:
                _write(held, chunk)
        if digest.hexdigest() != sha256:
            raise NotSealed("not the audio that was sealed")
        os.lseek(held, 0, os.SEEK_SET)
    except (OSError, BadAudio):
        os.close(held)
        raise
    return held


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


class Resampler:
    """From any rate to 48 kHz, streaming: a Kaiser-windowed sinc, one row of taps per output phase."""

    def __init__(self, read: Callable[[int], Any], rate: int) -> None:
        import numpy as np

        self._np, self._source = np, read
        common = math.gcd(RATE, rate)
        self._up, self._down = RATE // common, rate // common
        cutoff = min(1.0, RATE / rate)
        phase = np.arange(self._up)[:, None] / self._up
        distance = np.arange(-TAPS // 2 + 1, TAPS // 2 + 1)[None, :] - phase
        shape = np.i0(8.0 * np.sqrt(np.clip(1 - (distance / (TAPS / 2)) ** 2, 0, None))) / np.i0(8.0)
        taps = cutoff * np.sinc(cutoff * distance) * shape
        self._taps = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
        self._held = np.zeros(TAPS // 2 - 1, np.float32)  # input before the first sample is silence
        self._at = 0  # of the next output sample, in units of 1/up input samples, from the start of _held
        self._ended = False

    def read(self, samples: int) -> Any:
        """The next block of at most ``samples`` output samples; empty at the end."""
        np = self._np
        needed = (self._at + samples * self._down) // self._up + TAPS + 1
        while not self._ended and len(self._held) < needed:
            block = self._source(needed - len(self._held))
            self._ended = len(block) == 0
            tail = np.zeros(TAPS // 2, np.float32) if self._ended else block
            self._held = np.concatenate([self._held, tail])
        can = max(0, -(-((len(self._held) - TAPS + 1) * self._up - self._at) // self._down))
        places = self._at + np.arange(min(samples, can)) * self._down
        first, phase = places // self._up, places % self._up
        out = (self._held[first[:, None] + np.arange(TAPS)] * self._taps[phase]).sum(axis=1)
        self._at += len(places) * self._down
        used = self._at // self._up
        self._held, self._at = self._held[used:], self._at - used * self._up
        return out
