"""Length of an Opus file from its Ogg pages (RFC 7845): last granule position less the pre-skip, at 48 kHz."""

from __future__ import annotations

import struct
from pathlib import Path

_TAIL_BYTES = 70_000  # an Ogg page is at most 65,307 bytes
_RATE_PER_MS = 48


def duration_ms(path: Path) -> int:
    """Milliseconds of sound in the Ogg Opus file ``path``. Raises ValueError for anything else."""
    size = path.stat().st_size
    with path.open("rb") as sound:
        head = sound.read(64)
        sound.seek(max(0, size - _TAIL_BYTES))
        tail = sound.read()
    at, last = head.find(b"OpusHead"), tail.rfind(b"OggS")
    if head[:4] != b"OggS" or at < 0 or last < 0 or len(tail) < last + 14:
        raise ValueError("not an Ogg Opus file")
    pre_skip = int(struct.unpack_from("<H", head, at + 10)[0])
    granule = int(struct.unpack_from("<q", tail, last + 6)[0])
    return max(0, granule - pre_skip) // _RATE_PER_MS
