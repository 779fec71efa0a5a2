"""A player into a sound card: PortAudio starts the first sample by the device's own clock.

- One thread decodes ahead and looks after the device; the device's callback takes samples from the ring.
- A device may go silently (USB pulled: the callback simply stops) or with a bang (sound server gone): both are
  seen within seconds, the library is started anew and the device opened again, with back-off, for as long as a
  take wants it. The take goes on where it was.
- With nothing to sound for a while the device is closed: an idle player costs nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from edge_node.players.decoding import BadAudio, Source
from edge_node.players.output import Lost, Output
from edge_node.players.part import Part
from edge_node.players.player import FADE_MS, Now, Progress, Take
from edge_node.players.relaying import RelaySource
from edge_node.players.ring import Ring
from edge_node.tuner.receiver import Tuner
from wire.errors import Reason

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2  # between two looks at ring and device while a take is held
IDLE_SECONDS = 5.0  # the device stays open this long after a take, for the next one
GRACE_SECONDS = 3.0  # without a device for this long past its second, a take says so


class SoundPlayer:
    """See `Player`. ``device``: a part of the sound card's name as PortAudio lists it; empty is the default."""

    def __init__(self, now: Now, device: str = "", tuner: Tuner | None = None) -> None:
        self._now, self._tuner = now, tuner or Tuner()
        self._output = Output(device, now)
        self._wake = threading.Condition()
        self._held: tuple[Part, Ring] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._silent_since: float | None = None  # monotonic; a take wants the device and there is none
        self.device_ok: bool | None = None

    @property
    def device(self) -> str:
        """See `Player`."""
        return self._output.name[:120]

    @property
    def can_relay(self) -> bool:
        """See `Player`."""
        return self._tuner.works

    def prime(self, take: Take) -> None:
        """See `Player`."""
        self.stop(0)
        with self._wake:
            if self._closed:
                return
            part = Part(take)
            self._held = part, Ring(part, self._now)
            self._silent_since = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_after, name="sound-player", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def progress(self) -> Progress | None:
        """See `Player`."""
        held = self._held
        return held[0].progress() if held else None

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """See `Player`."""
        with self._wake:
            held, self._held = self._held, None
            if held is None:
                return None
            part, ring = held
            ring.cut(fade_ms)
            self._wake.notify_all()
        if part.started and self.device_ok:
            ring.gone.wait(1.0)
        part.let_go()
        return part.progress()

    def close(self) -> None:
        """See `Player`."""
        self.stop(0)
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread:
            self._thread.join(5.0)  # closing a device that hangs may take for ever; the thread is a daemon

    def _look_after(self) -> None:
        """The player's thread: feed the ring of the take held, keep the device while one is."""
        fed: tuple[Part, Ring] | None = None
        source: Source | RelaySource | None = None
        idle_since = time.monotonic()
        while True:
            held = self._held
            if held is not fed:
                source = self._source(source, held)
                fed = held
            if held:
                idle_since = time.monotonic()
                source = self._feed(source, *held)
                self._keep_device(*held)
            elif time.monotonic() - idle_since > IDLE_SECONDS:
                self._output.close()
            with self._wake:
                if self._closed:
                    break
                if self._held is held:
                    self._wake.wait(LOOK_SECONDS if held or self._output.is_open else None)
        self._output.close()
        if source:
            source.close()

    def _source(
        self, before: Source | RelaySource | None, held: tuple[Part, Ring] | None
    ) -> Source | RelaySource | None:
        if before:
            before.close()
        if held is None:
            return None
        part, ring = held
        if part.take.stream:
            return RelaySource(part.take, self._tuner, part.account)
        try:
            assert part.take.path
            source = Source(part.take.path, part.take.from_ms, part.take.volume_dbfs)
        except BadAudio as wrong:
            self._spoiled(part, ring, wrong)
            return None
        ring.fill(source)
        return source

    def _feed(self, source: Source | RelaySource | None, part: Part, ring: Ring) -> Source | RelaySource | None:
        try:
            if source:
                ring.fill(source)
        except BadAudio as wrong:
            self._spoiled(part, ring, wrong)
        return source

    def _spoiled(self, part: Part, ring: Ring, wrong: BadAudio) -> None:
        log.warning("bad audio job=%s detail=%s", part.take.job_id, wrong)
        part.fail(Reason.BAD_AUDIO)
        ring.cut(FADE_MS)

    def _keep_device(self, part: Part, ring: Ring) -> None:
        """Open the device if the take needs it and it is not there; say so when it stays away."""
        if ring.gone.is_set():
            return
        try:
            self._output.check()
            self._output.play(ring)
        except Lost as lost:
            if self.device_ok is not False:
                log.warning("audio device lost device=%s detail=%s", self.device, lost)
            self.device_ok = False
            self._silent_since = self._silent_since or time.monotonic()
            due = (self._now() - part.take.at) / timedelta(seconds=1)
            if min(due, time.monotonic() - self._silent_since) > GRACE_SECONDS:
                part.fail(Reason.AUDIO_DEVICE)
            return
        if self.device_ok is False:
            log.info("audio device back device=%s", self.device)
        self.device_ok, self._silent_since = True, None
        if part.progress().failed is Reason.AUDIO_DEVICE:
            part.fail(None)
