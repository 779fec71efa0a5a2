"""A player into a sound card: PortAudio starts the first sample by the device's own clock.

- One thread decodes ahead and looks after the device; the device's callback takes samples from the console.
- A device may go silently (USB pulled: the callback simply stops) or with a bang (sound server gone): both are
  seen within seconds, the library is started anew and the device opened again, with back-off, for as long as a
  take wants it. The takes go on where they were.
- Closing or opening a device that hangs may itself hang: whoever asks sees that the thread is `stuck`, which is another
  thing than a device that is away: only another process opens it again.
- What nobody foresaw ends one look, not the thread: it costs the take that was being decoded, else the stream, and the
  library is started anew, as after a loss.
- With nothing to sound for a while the device is closed: an idle player costs nothing.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import timedelta

from edge_node.players.changing import Changing
from edge_node.players.decoding import Source
from edge_node.players.output import FIRST_BACK_OFF, MOST_BACK_OFF, Lost, Output
from edge_node.players.part import Part
from edge_node.players.player import FADE_MS, RATE, Now, Progress, Take
from edge_node.players.relaying import RelaySource, open_take
from edge_node.players.voice import Voice
from edge_node.tuner.receiver import Tuner
from wire.errors import Reason

log = logging.getLogger(__name__)

AHEAD = 2 * RATE  # samples decoded ahead
LIVE_AHEAD = RATE * 6 // 10  # of a stream: three looks of the player's thread
LOOK_SECONDS = 0.2  # between two looks at voices and device while a take is held
IDLE_SECONDS = 5.0  # the device stays open this long after a take, for the next one
STUCK_SECONDS = 5.0  # since the player's thread should have looked: it hangs in the sound library
GRACE_SECONDS = 3.0  # without a device for this long past its second, a take says so


class SoundPlayer:
    """See `Player`. ``device``: a part of the sound card's name as PortAudio lists it; empty is the default."""

    def __init__(self, now: Now, device: str = "", tuner: Tuner | None = None) -> None:
        self._now, self._tuner = now, tuner or Tuner()
        self._output = Output(device, now)
        self._takes = Changing(now, self._open, lambda: self.device_ok is not False and self._output.is_open)
        self._thread: threading.Thread | None = None
        self._silent_since: float | None = None  # monotonic; a take wants the device and there is none
        self._filled: Voice | None = None  # in this look, now
        self._idle_since = 0.0  # monotonic
        self._look_at = 0.0  # monotonic: when the thread began its look, or is to begin the next
        self.device_ok: bool | None = None

    @property
    def device(self) -> str:
        """See `Player`."""
        return self._output.name[:120]

    @property
    def can_relay(self) -> bool:
        """See `Player`."""
        return self._tuner.works

    @property
    def stuck(self) -> bool:
        """See `Player`."""
        if self._thread is None or self._takes.closed:
            return False
        return not self._thread.is_alive() or time.monotonic() - self._look_at > STUCK_SECONDS

    def prime(self, take: Take) -> None:
        """See `Player`."""
        self._silent_since = None
        self._begin()
        self._takes.prime(take)

    def cross(self, take: Take) -> Progress | None:
        """See `Player`."""
        self._begin()
        return self._takes.cross(take)

    def lay_over(self, take: Take) -> None:
        """See `Player`."""
        self._begin()
        self._takes.lay_over(take)

    def progress(self) -> Progress | None:
        """See `Player`."""
        voice = self._takes.console.on
        if voice and not voice.gone.is_set() and self.stuck:
            self._is_lost(self._held(), "it hangs")
        return self._takes.progress()

    def beneath(self) -> Progress | None:
        """See `Player`."""
        return self._takes.beneath()

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        return self._takes.stop(fade_ms)

    def stop_beneath(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        return self._takes.stop_beneath(fade_ms)

    def close(self) -> None:
        """See `Player`."""
        self._takes.close()
        if self._thread:
            self._thread.join(5.0)  # closing a device that hangs may take for ever; the thread is a daemon

    def _begin(self) -> None:
        """The thread is there, and one that rests is to look now; one that hangs is given no more time."""
        self._look_at = min(self._look_at, time.monotonic()) if self._thread else time.monotonic()
        if self._thread is None and not self._takes.closed:
            self._thread = threading.Thread(target=self._look_after, name="sound-player", daemon=True)
            self._thread.start()

    def _look_after(self) -> None:
        """The player's thread: one look after another, whatever a look raises."""
        self._idle_since, back_off = time.monotonic(), 0.0
        while not self._takes.closed:
            asked, self._look_at = self._takes.asked, time.monotonic()
            try:
                rest, back_off = self._look(), 0.0
            except Exception as wrong:
                log.exception("look_failed")
                self._blame(wrong)
                rest = back_off = min(max(FIRST_BACK_OFF, 2 * back_off), MOST_BACK_OFF)
            with self._takes.wake:
                if self._takes.asked == asked:
                    self._look_at = time.monotonic() + rest
                    self._takes.wake.wait(None if rest == math.inf else rest)
        self._output.close()
        self._takes.console.close()

    def _look(self) -> float:
        """Feed the voices, keep the device while there are any. Seconds to rest then; infinite: until it is asked."""
        console = self._takes.console
        voices = console.voices()
        for self._filled in voices:
            self._filled.fill(self._now(), AHEAD, LIVE_AHEAD)
            self._filled.settle()
        self._filled = None
        if console.on:
            self._idle_since = time.monotonic()
        if voices:
            self._keep_device(voices)
        elif time.monotonic() - self._idle_since > IDLE_SECONDS:
            self._output.close()
        return LOOK_SECONDS if voices or console.on or self._output.is_open else math.inf

    def _blame(self, wrong: Exception) -> None:
        """What is done without from now on: the take that was being decoded, or the stream to the device."""
        if self._filled:
            self._filled.spoil()
            self._filled = None
            return
        self._output.abandon()
        self._is_lost(self._held(), repr(wrong)[:200])

    def _held(self) -> list[Voice]:
        return [each for each in (self._takes.console.on, self._takes.console.beneath) if each]

    def _open(self, part: Part) -> Source | RelaySource:
        return open_take(part.take, self._tuner, part.account, part.take.from_ms)

    def _keep_device(self, voices: list[Voice]) -> None:
        """Open the device if takes need it and it is not there; say so when it stays away."""
        try:
            self._output.check()
            self._output.play(self._takes.console)
        except Lost as lost:
            self._is_lost(voices, str(lost))
            return
        if not self._output.is_alive:
            return
        if self.device_ok is False:
            log.info("audio device back device=%s", self.device)
        self.device_ok, self._silent_since = True, None
        for voice in voices:
            if voice.part.progress().failed is Reason.AUDIO_DEVICE:
                voice.part.fail(None)

    def _is_lost(self, voices: list[Voice], why: str) -> None:
        if self.device_ok is not False:
            log.warning("audio device lost device=%s detail=%s", self.device, why)
        self.device_ok = False
        self._silent_since = self._silent_since or time.monotonic()
        for voice in voices:
            due = (self._now() - voice.part.take.at) / timedelta(seconds=1)
            if min(due, time.monotonic() - self._silent_since) > GRACE_SECONDS:
                voice.part.fail(Reason.AUDIO_DEVICE)
