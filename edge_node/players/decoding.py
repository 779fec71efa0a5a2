"""Decoding: a file on disk becomes 48 kHz mono samples, block by block, as loud as the take wants.

- Streams: memory does not grow with the length of the audio.
- Reads what libsndfile reads (Ogg/Opus, MP3, WAV, …) by name on disk only: no playlists, no URLs.
- The finished audio is 48 kHz already; another rate is resampled with a windowed sinc.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_node.players.player import RATE

TAPS = 24  # of the resampling filter, per phase


class BadAudio(Exception):
    """The file cannot be decoded; the message is the decoder's."""


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
            self._file = sf.SoundFile(path)
        except (sf.SoundFileError, OSError, TypeError) as wrong:
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
