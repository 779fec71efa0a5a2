"""The reel: one growing WAV of everything sounded, and its cues: which job lies where in it.

- A valid file at every moment: samples first, then the sizes in the header, then the cue, each written in place
  without buffering, so that a kill leaves a readable file that is at most one block behind.
- Opened again, it goes on at its end; the last cue tells what was cut by a crash (`torn`).
- ``<name>.cues.jsonl`` holds one line per part: job, offset (samples from the start of the WAV), started_at,
  from_ms, samples, ended (false while it sounds, and for ever when a crash cut it).
- Before the 4 GiB a WAV can hold are full, the reel is put aside under a number and a new one begins.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_node.players.player import RATE

HEADER_BYTES = 44
MOST_BYTES = (1 << 32) - 1 - 4 * 3600 * RATE * 2  # the longest audio still fits


@dataclass(frozen=True)
class Cue:
    """One part on the reel; offset and length in samples."""

    job: str
    offset: int
    started_at: str  # RFC 3339, UTC
    from_ms: int
    samples: int = 0
    ended: bool = False

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
        self._cue: Cue | None = None
        self._open()

    @property
    def torn(self) -> Cue | None:
        """The last part, when a crash cut it."""
        return self._cue if self._cue and not self._cue.ended else None

    def begin(self, job: str, from_ms: int, started_at: datetime) -> None:
        """A part starts at the end of the reel."""
        if HEADER_BYTES + self._samples * 2 > MOST_BYTES:
            self._put_aside()
        self._cue_at = os.fstat(self._cues).st_size
        self._cue = Cue(job, self._samples, started_at.isoformat().replace("+00:00", "Z"), from_ms)
        self._write_cue()

    def write(self, block: Any) -> None:
        """Append an int16 block, shape (n,), to the part."""
        assert self._cue is not None
        self._append(block.astype("<i2", copy=False).tobytes())
        self._cue = replace(self._cue, samples=self._cue.samples + len(block))
        self._write_cue()

    def end(self) -> None:
        """The part is complete or cut on purpose."""
        if self.torn:
            self._cue = replace(self.torn, ended=True)
            self._write_cue()

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
            self._samples, self._cue, self._cue_at = self._recovered_samples(), *self._last_cue()
            self._mend()
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

    def _mend(self) -> None:
        """The samples on the reel are the truth; the cue of a torn part may be one block behind."""
        if self.torn:
            self._cue = replace(self.torn, samples=max(0, self._samples - self.torn.offset))
            self._write_cue()

    def _last_cue(self) -> tuple[Cue | None, int]:
        text = self._cues_path.read_bytes()
        whole = text.rfind(b"\n") + 1
        os.ftruncate(self._cues, whole)
        start = text.rfind(b"\n", 0, max(0, whole - 1)) + 1
        if start >= whole:
            return None, 0
        try:
            return Cue(**json.loads(text[start:whole])), start
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

    def _write_cue(self) -> None:
        if self._cue:
            os.pwrite(self._cues, self._cue.line(), self._cue_at)

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
