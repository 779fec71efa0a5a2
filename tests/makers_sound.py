"""Makers of sound for tests: audio nobody could mistake for another, and ways to find it again in a recording."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile as sf

from wire.plan import Asset

RATE = 48_000


def noise(seconds: float, seed: int = 1, level: float = 0.2, rate: int = RATE) -> np.ndarray:
    """Band-limited noise: like speech it has no period, so it is found at one place only."""
    raw = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    spectrum = np.fft.rfft(raw)
    hertz = np.fft.rfftfreq(len(raw), 1 / rate)
    spectrum[(hertz < 200) | (hertz > 4000)] = 0
    shaped = np.fft.irfft(spectrum, len(raw))
    return (shaped / np.sqrt(np.mean(shaped**2)) * level).astype(np.float32)


def wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """A lossless file, so that what comes out can be compared sample by sample."""
    sf.write(path, samples, rate, format="WAV", subtype="PCM_16")
    return path


def opus(path: Path, samples: np.ndarray) -> Path:
    sf.write(path, samples, RATE, format="OGG", subtype="OPUS")
    return path


def mp3(path: Path, samples: np.ndarray, rate: int = 24_000) -> Path:
    sf.write(path, samples, rate, format="MP3")
    return path


def asset_of(path: Path, url: str = "", duration_ms: int = 1000) -> Asset:
    data = path.read_bytes()
    return Asset(hashlib.sha256(data).hexdigest(), len(data), duration_ms, "audio/ogg", url or path.name)


def heard(path: Path) -> np.ndarray:
    """A recording as floats, full scale 1."""
    samples, rate = sf.read(path, dtype="float32")
    assert rate == RATE
    return samples


def find(needle: np.ndarray, hay: np.ndarray) -> tuple[int, float]:
    """Where ``needle`` lies in ``hay`` (samples) and how alike they are there (1 is the same)."""
    size = 1 << (len(hay) + len(needle)).bit_length()
    product = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size)), size)
    at = int(np.argmax(product[: max(1, len(hay) - len(needle) // 2)]))
    piece = hay[at : at + len(needle)]
    same = needle[: len(piece)]
    return at, float(piece @ same / (np.linalg.norm(piece) * np.linalg.norm(same) + 1e-12))


def utc_now() -> datetime:
    return datetime.now(UTC)


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition, fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
