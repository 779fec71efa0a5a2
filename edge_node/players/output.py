"""The output: the one door to PortAudio. Opens the sound card, notices that it is gone, opens it again.

- PortAudio lists devices once, when it starts: after a loss it is started anew, or a card that was plugged in again
  would never be seen.
- A device is gone when its stream ended, or when its callback has not been called for `STALE_SECONDS`.
"""

from __future__ import annotations

import time
from typing import Any

from edge_node.players.console import Console
from edge_node.players.player import RATE, Now

STALE_SECONDS = 3.0  # an idle PulseAudio null sink may take two seconds to its first callback
BLOCK = RATE // 50  # samples a callback, 20 ms
SETTLE_CALLBACKS = 6  # a new stream's first callbacks fill its buffer: their times are wrong and some samples are lost
PROOF_SECONDS = (
    1.5  # a stream that is asked for samples this long does not only fill the buffers of a server that hangs
)
LATENCY_SECONDS = 0.08  # of the device's buffer: what a cut still sounds after it was asked
FIRST_BACK_OFF, MOST_BACK_OFF = 0.5, 10.0  # seconds between two tries to open


class Lost(Exception):
    """There is no device now; the message is PortAudio's."""


class Output:
    """One mono 48 kHz stream to a sound card. All methods are for one thread, but `name` and `is_open`."""

    def __init__(self, device: str, now: Now) -> None:
        self._device, self._now = device, now
        self._stream: Any = None
        self._console: Console | None = None
        self._opened = self._called = 0.0  # monotonic; the last callback
        self._calls = 0  # of this stream
        self._back_off, self._try_at = 0.0, 0.0
        self._stale_library = False  # PortAudio must be started anew before the next open
        self.name = f"sound {device}".strip()

    @property
    def is_open(self) -> bool:
        """Whether a stream is open, alive or not."""
        return self._stream is not None

    @property
    def is_alive(self) -> bool:
        """Whether the stream that is open asks for samples: one of a server that hangs fills its buffer, and stops."""
        return self._stream is not None and self._called - self._opened > PROOF_SECONDS

    def play(self, console: Console) -> None:
        """Let the callback take from ``console``."""
        self._console = console

    def check(self) -> None:
        """See that the device is open and alive; open it if the back-off allows. Raises Lost."""
        if self._stream is None:
            self._open()
            return
        age = time.monotonic() - self._called
        if not self._stream.active or age > STALE_SECONDS:
            self._give_up()
            raise Lost(f"no callback for {age:.1f} s")

    def close(self) -> None:
        """Close the stream; the next `check` opens it again."""
        stream, self._stream, self._console = self._stream, None, None
        if stream is not None:
            stream.close(ignore_errors=True)

    def abandon(self) -> None:
        """Let go of the stream without asking the library, which raised what nobody foresaw. Never raises.

        The next `check` that the back-off allows starts the library anew, and that closes whatever is open.
        """
        self._stream = self._console = None
        self._stale_library = True
        self._back_off = min(max(FIRST_BACK_OFF, self._back_off * 2), MOST_BACK_OFF)
        self._try_at = time.monotonic() + self._back_off

    def _open(self) -> None:
        if time.monotonic() < self._try_at:
            raise Lost("waiting before the next try")
        try:
            import sounddevice as sd
        except OSError as wrong:  # the library itself is not installed
            self._give_up()
            raise Lost(str(wrong)[:200]) from None
        try:
            if self._stale_library:
                sd._terminate()
                sd._initialize()
            self._stream = sd.RawOutputStream(
                samplerate=RATE,
                channels=1,
                dtype="int16",
                blocksize=BLOCK,
                latency=LATENCY_SECONDS,
                device=self._device or None,
                callback=self._callback,
            )
            self._called, self._calls = time.monotonic(), 0
            self._stream.start()
            self._opened = time.monotonic()  # starting takes half a second where a server hangs, and asks meanwhile
            self.name = f"sound {sd.query_devices(self._stream.device)['name']}"
        except (sd.PortAudioError, ValueError, OSError) as wrong:
            self._give_up()
            raise Lost(str(wrong)[:200]) from None
        self._back_off, self._stale_library = 0.0, False

    def _give_up(self) -> None:
        self.close()
        self.abandon()

    def _callback(self, out: Any, frames: int, times: Any, status: Any) -> None:
        """PortAudio's thread: must not block, must not raise."""
        import numpy as np

        del frames, status
        self._called = time.monotonic()
        self._calls += 1
        samples = np.frombuffer(out, dtype=np.int16)
        console, stream = self._console, self._stream
        if console is None or stream is None or self._calls <= SETTLE_CALLBACKS:
            samples[:] = 0
        else:  # counted from now: on a busy machine it is some time since ``times.currentTime``
            console.take(samples, times.outputBufferDacTime - stream.time)
