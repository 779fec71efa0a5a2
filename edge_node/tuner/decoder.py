"""The decoder of a stream: ffmpeg as a process of its own, bytes in, 48 kHz mono samples out.

- It is in the cage: it reads one pipe and writes another, sees no file of the node's and no network, and knows a few
  formats of sound only.
- Bounds on memory and processor time are set before the first byte; whatever it does, it ends with `close`.
- One that neither takes nor gives anything for `STUCK_SECONDS`, though nobody holds it up, is ended.
- ``take`` gets the samples on a thread of the decoder's own, and may hold it up: nothing is decoded ahead without end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable

import cage
from cage import Bounds, Cage

log = logging.getLogger(__name__)

PROGRAM = "ffmpeg"
MOST_MEMORY_BYTES = 1 << 29  # of addresses, not of pages: measured 285 MB, of which 53 MB are in use
MOST_CPU_SECONDS = 1800
MOST_OPEN_FILES = 32
BLOCK_BYTES = 9600  # of samples: 100 ms
STUCK_SECONDS = 30.0
_LOOK_SECONDS = 0.5  # between two looks at whether it is stuck
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
    """The decoder takes nothing more: the bytes were no sound, it is stuck, or it was closed."""


def is_there() -> bool:
    """Whether this machine has the program."""
    return shutil.which(PROGRAM) is not None


class Decoder:
    """One stream being decoded. Raises OSError when the program cannot be started."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._moved_at, self._held_up = time.monotonic(), False
        try:
            self._process = cage.start(_COMMAND, Cage(bounds=_BOUNDS), subprocess.PIPE)
        except cage.NotInstalled:
            raise OSError(f"no {PROGRAM}") from None
        self._reader = threading.Thread(target=self._read, name="relay-decoder", daemon=True)
        try:
            self._reader.start()
        except RuntimeError as wrong:  # the machine has no thread to give: then nobody would end the process
            self._let_go()
            raise OSError(str(wrong)) from None
        assert self._process.stdin
        os.set_blocking(self._process.stdin.fileno(), False)

    def feed(self, chunk: bytes) -> None:
        """Give it bytes; waits while it is busy. Raises Ended."""
        view, self._moved_at = memoryview(chunk), time.monotonic()
        try:
            while view:
                view = view[self._written(view) :]
        except (OSError, ValueError):
            raise Ended from None

    def finish(self) -> None:
        """No more bytes will come: let it decode what it has. Raises Ended."""
        assert self._process.stdin
        self._moved_at = time.monotonic()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        while self._reader.is_alive():
            self._see_that_it_moves()
            self._reader.join(_LOOK_SECONDS)

    def kill(self) -> None:
        """End it, from any thread."""
        cage.end(self._process)

    def close(self) -> None:
        """End it and let go of its pipes."""
        self.kill()
        self._reader.join()
        self._let_go()

    def _written(self, view: memoryview) -> int:
        """How many of these bytes it has taken, after a short wait. Raises Ended, OSError, ValueError."""
        assert self._process.stdin
        room = select.poll()
        room.register(self._process.stdin, select.POLLOUT)
        if room.poll(_LOOK_SECONDS * 1000) and (taken := self._process.stdin.write(view)):
            self._moved_at = time.monotonic()
            return taken
        if not self._reader.is_alive():
            raise Ended
        self._see_that_it_moves()
        return 0

    def _see_that_it_moves(self) -> None:
        """Raises Ended, and ends it, when it is stuck."""
        if not self._held_up and time.monotonic() - self._moved_at > STUCK_SECONDS:
            log.warning("relay decoder stuck seconds=%.0f", STUCK_SECONDS)
            self.kill()
            raise Ended

    def _let_go(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe else None

    def _read(self) -> None:
        try:
            self._hand_on()
        finally:
            self.kill()  # nobody takes its samples any more, whatever the reason: whoever feeds it is to know

    def _hand_on(self) -> None:
        """What it decodes, until it ends."""
        assert self._process.stdout
        odd = b""
        while block := odd + self._process.stdout.read(BLOCK_BYTES):
            even = len(block) - len(block) % 2
            self._held_up = True
            self._take(block[:even]) if even else None
            self._moved_at, self._held_up = time.monotonic(), False
            odd = block[even:]
            if not even:
                return  # the pipe ended in the middle of a sample
