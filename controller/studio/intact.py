"""Whether a file ends where its own structure says: RIFF sizes, Ogg pages, MP4 boxes. Pure reading, no decoding.

- ffmpeg takes the first half of such a file for the whole; here it is seen.
"""

from __future__ import annotations

import struct
from pathlib import Path

_UNKNOWN = {0, 0xFFFFFFFF, 0x7FFFFFFF}  # written by programs that could not go back
_LARGEST_PAGE = 65_307
_ALLOWED_BYTES = 2
_MOST_BOXES = 10_000


def cut_off(path: Path) -> bool:
    """True where the end of the file is surely missing; False where it is there, or where that cannot be told."""
    size = path.stat().st_size
    with path.open("rb") as sound:
        head = sound.read(12)
        if head[:4] == b"RIFF" and len(head) == 12:
            return _riff(struct.unpack("<I", head[4:8])[0], size)
        if head[:4] == b"OggS":
            sound.seek(max(0, size - _LARGEST_PAGE))
            return _ogg(sound.read())
        if head[4:8] == b"ftyp":
            return _boxes(path, size)
    return False


def _riff(promised: int, size: int) -> bool:
    return promised not in _UNKNOWN and promised + 8 > size + _ALLOWED_BYTES


def _ogg(tail: bytes) -> bool:
    """The last page must end exactly where the file does (RFC 3533)."""
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return True
    lengths = tail[at + 27 : at + 27 + tail[at + 26]]
    return len(lengths) < tail[at + 26] or at + 27 + len(lengths) + sum(lengths) > len(tail)


def _boxes(path: Path, size: int) -> bool:
    """The boxes of the top level must fill the file (ISO 14496-12)."""
    at = 0
    with path.open("rb") as sound:
        for _ in range(_MOST_BOXES):
            sound.seek(at)
            head = sound.read(16)
            if len(head) < 8:
                return at > size
            length = struct.unpack(">I", head[:4])[0]
            if length == 1 and len(head) == 16:
                length = struct.unpack(">Q", head[8:])[0]
            if length == 0:
                return False
            if length < 8:
                return False
            at += length
    return False
