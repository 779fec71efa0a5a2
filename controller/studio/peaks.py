"""The outline of a recording, for the eye: how loud it is from beginning to end, as a few hundred numbers.

- ffmpeg decodes in the cage; what is kept is small, and made one recording at a time.
"""

from __future__ import annotations

import json
import sys
from array import array
from pathlib import Path

import cage
from cage import Bounds, Cage
from controller.studio.mastering import MasteringError
from controller.studio.remade import Remade
from wire.names import asset_id

COUNT = 400
MOST_KEPT = 2000
_RATE = 8000
_LONGEST_SECONDS = 2 * 3600
_LIMIT_SECONDS = 60.0
_BOUNDS = Bounds(memory_bytes=1 << 30, cpu_seconds=60, file_bytes=0)
_SAFE = ["-protocol_whitelist", "file", "-format_whitelist", "ogg"]


class Outlines:
    """Outlines of what lies on a shelf, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._kept = Remade(folder, MOST_KEPT)

    def of(self, sound: Path) -> Path:
        """A JSON file ``{"seconds": length, "peaks": [0–100 …]}`` of the recording ``sound``, named by its SHA-256.

        Raises MasteringError, Busy; wire.names.BadName where the file has no such name.
        """
        return self._kept.get(f"{asset_id(sound.name)}.json", lambda work: _written(sound, work))


def peaks(samples: array[int], count: int = COUNT) -> list[int]:
    """The highest of each of ``count`` equal stretches of 16 bit samples, the loudest of all as 100."""
    size = max(1, -(-len(samples) // count))
    tops = [max(map(abs, samples[at : at + size])) for at in range(0, len(samples), size)]
    loudest = max(tops, default=0) or 1
    return [round(100 * top / loudest) for top in tops]


def _written(sound: Path, work: Path) -> Path:
    samples = _decoded(sound)
    outline = {"seconds": round(len(samples) / _RATE, 3), "peaks": peaks(samples)}
    target = work / "outline.json"
    target.write_text(json.dumps(outline, separators=(",", ":")), "utf-8")
    return target


def _decoded(sound: Path) -> array[int]:
    """The recording's samples, one channel, 8 kHz."""
    source = ["-v", "error", "-nostdin", *_SAFE, "-t", str(_LONGEST_SECONDS), "-i", f"file:{sound}"]
    try:
        command = ["ffmpeg", *source, "-ac", "1", "-ar", str(_RATE), "-f", "s16le", "pipe:1"]
        ended = cage.run(command, _LIMIT_SECONDS, Cage((sound,), None, _BOUNDS))
    except cage.NotInstalled:
        raise MasteringError("studio.ffmpeg_missing") from None
    except cage.Hung:
        raise MasteringError("studio.mastering_hung", seconds=f"{_LIMIT_SECONDS:g}") from None
    if ended.code != 0:
        raise MasteringError("studio.mastering_failed", detail=" ".join(ended.said.strip().splitlines()[-1:]))
    samples = array("h", ended.wrote[: len(ended.wrote) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples
