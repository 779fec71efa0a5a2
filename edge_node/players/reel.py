"""The reel: one growing WAV of everything sounded, and its cues: which job lies where in it.

- A valid file at every moment: samples first, then the sizes in the header, then the cue, each written in place
  without buffering, so that a kill leaves a readable file that is at most one block behind.
- Several parts may sound at once: their cues overlap, each goes from its first sample to its last.
- Opened again, it goes on at its end; the last cues tell what was cut by a crash (`torn`).
- ``<name>.cues.jsonl`` holds one line per part: job, offset (samples from the start of the WAV), started_at,
  from_ms, samples, ended (false while it sounds, and for ever when a crash cut it).
- Before the 4 GiB a WAV can hold are full, the reel is put aside under a number and a new one begins.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_node.players.player import RATE

HEADER_BYTES = 44
MOST_BYTES = (1 << 32) - 1 - 4 * 3600 * RATE * 2  # the longest audio still fits
MOST_OPEN = 4  # cues that a crash can leave open


@dataclass(frozen=True)
class Cue:
    """One part on the reel; offset and length in samples."""

    job: str
    offset: int
    started_at: str  # RFC 3339, UTC
    from_ms: int
    samples: int = 0
    ended: bool = False

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.offset + self.samples

    def line(self) -> bytes:
        """As one JSON line whose length does not change while the part grows, so that it is rewritten in place."""
        head = json.dumps(
            {"job": self.job, "offset": self.offset, "started_at": self.started_at, "from_ms": self.from_ms}
        )
        return (
            f'{head[:-1]}, "samples": {self.samples:>10d}, "ended": {"true " if self.ended else "false"}}}\n'.encode()
        )


class Reel:
    """The open WAV and cue files. Raises OSError when they cannot be written, or the WAV is not a reel's."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._cues_path = path, path.with_suffix(".cues.jsonl")
        self._parts: dict[str, tuple[Cue, int]] = {}  # by job: what sounds now, and where its line lies
        self._torn: dict[str, Cue] = {}
        self._open()

    def torn(self, job: str) -> Cue | None:
        """The part of ``job`` that a crash cut last, if it is among the last on the reel."""
        return self._torn.get(job)

    def begin(self, job: str, from_ms: int, started_at: datetime, ahead: int = 0) -> None:
        """A part starts ``ahead`` samples after the end of the reel."""
        if HEADER_BYTES + self._samples * 2 > MOST_BYTES and not self._parts:
            self._put_aside()
        cue = Cue(job, self._samples + ahead, started_at.isoformat().replace("+00:00", "Z"), from_ms)
        self._torn.pop(job, None)
        self._put(cue, os.fstat(self._cues).st_size)

    def write(self, block: Any, grown: Mapping[str, int] | None = None) -> None:
        """Append an int16 block, shape (n,). ``grown``: how much of it belongs to which part; None: all, to each."""
        self._append(block.astype("<i2", copy=False).tobytes())
        for job, (cue, at) in self._parts.items():
            more = len(block) if grown is None else grown.get(job, 0)
            if more:
                self._put(replace(cue, samples=cue.samples + more), at)

    def end(self, job: str) -> None:
        """The part is complete or cut on purpose."""
        if job in self._parts:
            cue, at = self._parts.pop(job)
            os.pwrite(self._cues, replace(cue, ended=True).line(), at)

    def read(self, offset: int, samples: int) -> bytes:
        """What lies on the reel there, as bytes of int16."""
        return os.pread(self._wav, samples * 2, HEADER_BYTES + offset * 2)

    def close(self) -> None:
        """Close both files, on disk for good."""
        os.fdatasync(self._wav)
        os.close(self._wav)
        os.close(self._cues)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._wav = os.open(self._path, flags, 0o644)
        self._cues = os.open(self._cues_path, flags, 0o644)
        try:
            self._samples = self._recovered_samples()
            self._torn = {cue.job: self._mended(cue, at) for cue, at in self._last_cues()}
        except OSError:
            self.close()
            raise

    def _recovered_samples(self) -> int:
        size = os.fstat(self._wav).st_size
        header = os.pread(self._wav, HEADER_BYTES, 0)
        if size >= HEADER_BYTES and header[8:40] != _header(0)[8:40]:
            raise OSError(f"{self._path} is not a 48 kHz mono 16-bit WAV written here")
        samples = max(0, size - HEADER_BYTES) // 2
        os.ftruncate(self._wav, HEADER_BYTES + samples * 2)
        os.pwrite(self._wav, _header(samples), 0)
        return samples

    def _mended(self, cue: Cue, at: int) -> Cue:
        """The samples on the reel are the truth; the cue of a torn part may be one block behind."""
        mended = replace(cue, samples=max(0, self._samples - cue.offset))
        os.pwrite(self._cues, mended.line(), at)
        return mended

    def _last_cues(self) -> list[tuple[Cue, int]]:
        """The cues that a crash left open, and where their lines lie: the last, and those that sounded with it."""
        text = self._cues_path.read_bytes()
        end = text.rfind(b"\n") + 1
        os.ftruncate(self._cues, end)
        found: list[tuple[Cue, int]] = []
        for _ in range(MOST_OPEN):
            start = text.rfind(b"\n", 0, max(0, end - 1)) + 1
            if start >= end:
                break
            cue = self._read_cue(text[start:end])
            if cue.ended or (found and cue.end <= found[-1][0].offset):
                break
            found.append((cue, start))
            end = start
        return found

    def _read_cue(self, line: bytes) -> Cue:
        try:
            return Cue(**json.loads(line))
        except (ValueError, TypeError) as wrong:
            raise OSError(f"{self._cues_path} is damaged: {wrong}") from None

    def _append(self, data: bytes) -> None:
        at = HEADER_BYTES + self._samples * 2
        try:
            done = os.pwrite(self._wav, data, at)
            if done < len(data):  # a disk that is nearly full takes a part; the next call says why
                os.pwrite(self._wav, data[done:], at + done)
        except OSError:
            os.ftruncate(self._wav, at)
            raise
        self._samples += len(data) // 2
        os.pwrite(self._wav, _header(self._samples), 0)

    def _put(self, cue: Cue, at: int) -> None:
        self._parts[cue.job] = cue, at
        os.pwrite(self._cues, cue.line(), at)

    def _put_aside(self) -> None:
        self.close()
        number = 1
        while (aside := self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}")).exists():
            number += 1
        self._path.rename(aside)
        self._cues_path.rename(aside.with_suffix(".cues.jsonl"))
        self._open()


def _header(samples: int) -> bytes:
    data = samples * 2
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + data, b"WAVE") + shape + struct.pack("<4sI", b"data", data)
