"""Emergencies whose audio is not there, and the siren that stands on a node's disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makers_node import make_emergency
from makers_sound import RATE, asset_of, opus

from wire.config import NodeConfig
from wire.plan import Asset, Job

TEXT = "Khẩn cấp. Lũ quét đang về. Bà con thôn Một di chuyển ngay lên nhà văn hóa xã."
SIREN_HZ = (960, 770)
SIREN_SECONDS = 2.52


def siren(path: Path, repeats: int = 3) -> Path:
    """Two tones in turn, at about the loudness of what a station makes, as Opus."""
    times = np.arange(int(0.42 * RATE)) / RATE
    tones = [0.22 * np.sin(2 * np.pi * hertz * times) for hertz in SIREN_HZ]
    return opus(path, np.concatenate(tones * repeats).astype(np.float32))


def siren_asset(path: Path, url: str = "") -> Asset:
    return asset_of(path, url, round(SIREN_SECONDS * 1000))


def with_siren(config: NodeConfig, asset: Asset) -> dict[str, object]:
    """What makes a config say that ``asset`` is the siren."""
    return {"standby": (asset, *config.standby), "siren": asset.sha256}


def spoken_emergency(job_id: str = "e1", **changed: object) -> Job:
    """An emergency with words, and no audio unless it is given."""
    return make_emergency(job_id, **{"spoken": TEXT, "asset": None, **changed})


def hertz_of(samples: np.ndarray) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


def is_siren(samples: np.ndarray) -> bool:
    """Whether the two tones of the siren are in there, and hardly anything beside them."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    near = [spectrum[np.abs(hertz - tone) < 25].sum() for tone in SIREN_HZ]
    return bool(min(near) > 0.2 * spectrum.sum() and sum(near) > 0.8 * spectrum.sum())


def level_dbfs(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))
