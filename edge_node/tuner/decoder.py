"""The decoder of a stream: ffmpeg as a process of its own, bytes in, 48 kHz mono samples out.

- It is in the cage: it reads one pipe and writes another, sees no file of the node's and no network, and knows a few
  formats of sound only.
- Bounds on memory and processor time are set before the first byte; whatever it does, it ends with `close`.
- ``take`` gets the samples on a thread of the decoder's own, and may hold it up: nothing is decoded ahead without end.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Callable

import cage
from cage import Bounds, Cage

PROGRAM = "ffmpeg"
MOST_MEMORY_BYTES = 1 << 29  # of addresses, not of pages: measured 285 MB, of which 53 MB are in use
MOST_CPU_SECONDS = 1800
MOST_OPEN_FILES = 32
BLOCK_BYTES = 9600  # of samples: 100 ms
_BOUNDS = Bounds(MOST_MEMORY_BYTES, MOST_CPU_SECONDS, 0, MOST_OPEN_FILES)
_FORMATS = "mp3,aac,ogg,flac,mpegts,mov,wav"
_CODECS = "mp3,mp3float,aac,aac_latm,opus,libopus,vorbis,flac,pcm_s16le,mp2,mp2float"
_COMMAND = [
    *(PROGRAM, "-v", "error", "-nostdin", "-threads", "1"),
    *("-protocol_whitelist", "pipe", "-format_whitelist", _FORMATS, "-codec_whitelist", _CODECS),
    *("-probesize", "65536", "-analyzeduration", "500000", "-fflags", "+nobuffer+discardcorrupt", "-i", "pipe:0"),
    *("-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", "48000", "-f", "s16le", "-flush_packets", "1", "pipe:1"),
]


class Ended(Exception):
    """The decoder takes nothing more: the bytes were no sound, or it was closed."""


def is_there() -> bool:
    """Whether this machine has the program."""
    return shutil.which(PROGRAM) is not None


class Decoder:
    """One stream being decoded. Raises OSError when the program cannot be started."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        try:
            self._process = cage.start(_COMMAND, Cage(bounds=_BOUNDS), subprocess.PIPE)
        except cage.NotInstalled:
            raise OSError(f"no {PROGRAM}") from None
        self._reader = threading.Thread(target=self._read, name="relay-decoder", daemon=True)
        self._reader.start()

    def feed(self, chunk: bytes) -> None:
        """Give it bytes; waits while it is busy. Raises Ended."""
        assert self._process.stdin
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._process.stdin.write(view) :]
        except (OSError, ValueError):
            raise Ended from None

    def finish(self) -> None:
        """No more bytes will come: let it decode what it has."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._reader.join()

    def kill(self) -> None:
        """End it, from any thread."""
        cage.end(self._process)

    def close(self) -> None:
        """End it and let go of its pipes."""
        self.kill()
        self._reader.join()
        self._let_go()

    def _let_go(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe else None

    def _read(self) -> None:
        assert self._process.stdout
        odd = b""
        while block := odd + self._process.stdout.read(BLOCK_BYTES):
            even = len(block) - len(block) % 2
            self._take(block[:even]) if even else None
            odd = block[even:]
            if not even:
                return  # the pipe ended in the middle of a sample
