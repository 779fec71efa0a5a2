"""The receiver: a stream kept alive. Calls it up, decodes it, and calls again when it is lost, until it is closed.

- Holds a few seconds of samples and no more: when they are not taken, nothing is read from the network either.
- A server that drips, stalls, or sends what is no sound is left, and asked again later and later.
- Never raises: what it has is what `take` gives, and ``trouble`` says why there is nothing.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from edge_node.meter import Meter
from edge_node.tuner import decoder, hls
from edge_node.tuner.calling import READ_SECONDS, Answer, Caller, NoStream
from edge_node.tuner.decoder import Decoder, Ended

log = logging.getLogger(__name__)

RATE = 48_000  # samples a second, of 16 bits
HELD_BYTES = 6 * RATE * 2
CLOSE_SECONDS = 2.0  # for a name server that does not answer; the thread is a daemon
_random = secrets.SystemRandom()


@dataclass(frozen=True)
class Patience:
    """How long a stream may take. In every ``pace_seconds`` it must bring half as much sound."""

    read_seconds: float = READ_SECONDS
    pace_seconds: float = 10.0
    first_back_off: float = 0.5
    most_back_off: float = 10.0


class Tuner:
    """Makes receivers. ``private``: streams may come from this machine and its own network."""

    def __init__(self, private: bool = False, patience: Patience | None = None, meter: Meter | None = None) -> None:
        self._private, self._patience, self._meter = private, patience or Patience(), meter or Meter()

    @property
    def works(self) -> bool:
        """Whether this machine can decode a stream."""
        return decoder.is_there()

    def tune(self, url: str) -> Receiver:
        """A receiver that calls ``url`` at once."""
        return Receiver(url, Caller(self._private, self._patience.read_seconds, self._meter), self._patience)


class Receiver:
    """One stream being received, from the moment it is made. `take` and `close` may be called from any thread."""

    def __init__(self, url: str, caller: Caller, patience: Patience) -> None:
        self._url, self._caller, self._patience = url, caller, patience
        self._held = bytearray()
        self._changed = threading.Condition()
        self._gone = threading.Event()
        self._decoder: Decoder | None = None
        self._decoded_bytes = 0
        self.trouble = ""  # why the last call ended
        self._thread = threading.Thread(target=self._work, name="relay-receiver", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as wrong:  # the machine has none to give
            self.trouble = str(wrong)
            log.error("relay not received url=%s error=%s", url, wrong)

    @property
    def held(self) -> int:
        """How many samples can be taken."""
        return len(self._held) // 2

    def take(self, samples: int) -> bytes:
        """The next samples, int16 in this machine's order: as many as there are, up to ``samples``."""
        with self._changed:
            block = bytes(self._held[: samples * 2])
            del self._held[: len(block)]
            self._changed.notify_all()
        return block

    def close(self) -> None:
        """Hang up and end the decoder."""
        self._gone.set()
        with self._changed:
            self._changed.notify_all()
        self._caller.close()
        decoding = self._decoder
        if decoding:
            decoding.kill()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        pause = self._patience.first_back_off
        while not self._gone.is_set():
            before = self._decoded_bytes
            trouble = self._called()
            if self._gone.is_set():
                return
            level = logging.DEBUG if trouble == self.trouble else logging.WARNING
            log.log(level, "relay lost url=%s detail=%s", self._url, trouble)
            self.trouble = trouble
            good = self._decoded_bytes - before > HELD_BYTES
            pause = self._patience.first_back_off if good else min(pause * 2, self._patience.most_back_off)
            self._gone.wait(pause * _random.uniform(0.5, 1.0))

    def _called(self) -> str:
        """One call, to its end; why it ended."""
        try:
            self._listen()
        except NoStream as wrong:
            return str(wrong)
        except OSError as wrong:
            return f"the decoder cannot be started: {wrong}"
        except Exception as wrong:
            why = f"{type(wrong).__name__}: {wrong}"[:200]
            log.log(logging.DEBUG if why == self.trouble else logging.ERROR, "relay call failed", exc_info=True)
            return why
        return "the stream ended"

    def _listen(self) -> None:
        answer = self._caller.open(self._url)
        try:
            if hls.is_playlist(answer):
                self._decode(hls.follow(self._caller, answer, self._gone))
            elif answer.media_type.startswith(("text/", "image/")):
                raise NoStream(f"{answer.media_type[:60]} is no sound")
            else:
                self._decode(_body(answer))
        finally:
            answer.close()

    def _decode(self, chunks: Iterator[bytes]) -> None:
        decoding = self._decoder = Decoder(self._keep)
        since, decoded = time.monotonic(), self._decoded_bytes
        try:
            for chunk in chunks:
                decoding.feed(chunk)
                if self._gone.is_set():
                    return
                if time.monotonic() - since > self._patience.pace_seconds:
                    self._check_pace(decoded)
                    since, decoded = time.monotonic(), self._decoded_bytes
            decoding.finish()
        except Ended:
            raise NoStream("what came cannot be decoded as sound") from None
        finally:
            decoding.close()

    def _check_pace(self, decoded: int) -> None:
        """Raises NoStream when too little was decoded since, though there was room for it."""
        brought = (self._decoded_bytes - decoded) / (RATE * 2)
        if brought < self._patience.pace_seconds / 2 and len(self._held) < HELD_BYTES // 2:
            raise NoStream(f"only {brought:.1f} s of sound in {self._patience.pace_seconds:.0f} s")

    def _keep(self, block: bytes) -> None:
        """The decoder's thread: hold a block, once there is room."""
        with self._changed:
            while len(self._held) >= HELD_BYTES and not self._gone.is_set():
                self._changed.wait()
            self._held += block
            self._decoded_bytes += len(block)


def _body(answer: Answer) -> Iterator[bytes]:
    while chunk := answer.read():
        yield chunk
