"""Speech services on the network, one adapter for all: `http_description` says how each is spoken to.

- The sound is the answer, or base64 inside JSON, or at a URL inside JSON that is asked for until it is there.
- Nobody is redirected; a URL is asked for only on the hosts that the description names, and gets no secret.
- TLS is verified; each silence, each answer's head and body, and the whole wait have a limit; so has each size.
- 429 and what is temporary are tried again with growing pauses, or the one the service asks for, then given up.
- HTML, nothing, half an answer, another format or a length that cannot be are failures: nothing half-made goes on.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests
import urllib3

from controller.newsroom import has_words, parts
from controller.studio import http_description, http_request, intact
from controller.studio.addresses import Address, read_address
from controller.studio.decoding import decode
from controller.studio.fetching import fetched
from controller.studio.hanging_up import session_that_hangs_up
from controller.studio.http_answers import Answer, json_in, key_trouble, looks_like, refusal, value_at
from controller.studio.http_description import Description
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, join, pause_after_ms, trim

MOST_ANSWER_BYTES = 32 * 1024 * 1024
_RATE, _KEPT_MS = 48_000, 20


class Clock(Protocol):
    """Waiting, so that tests need not: ``rest`` waits seconds, ``seconds`` only ever grow."""

    def rest(self, seconds: float) -> None:
        """Wait."""

    def seconds(self) -> float:
        """Seconds since some moment."""


class _Clock:
    def rest(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def seconds(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Patience:
    """``pauses_seconds`` come before each further try; ``answer_seconds`` is the most for one whole answer's body."""

    pauses_seconds: tuple[float, ...] = (1.0, 3.0, 9.0)
    answer_seconds: float = 60.0


class HttpVoice:
    """The service that the file at ``path`` (``NAME.toml``) describes; it is read anew for each text."""

    def __init__(self, path: Path, patience: Patience | None = None, clock: Clock | None = None) -> None:
        self.name = f"http:{path.stem}"
        self._path, self._patience, self._clock = path, patience or Patience(), clock or _Clock()

    def why_not(self) -> VoiceError | None:
        """A description that cannot be used, a secret that is not there; whether the service answers is not known."""
        try:
            http_request.read_secrets(http_description.read(self._path))
        except VoiceError as error:
            return error
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV of ``text``. Raises VoiceError: not reachable, refused, asked too often, answered without sound."""
        description = http_description.read(self._path)
        secrets = http_request.read_secrets(description)
        pieces: list[Path] = []
        pauses: list[int] = []
        with session_that_hangs_up(description.timeout_seconds) as session:
            asking = _Asking(session, description, self._patience, self._clock, self.name)
            asking.until = self._clock.seconds() + description.give_up_seconds
            for part in filter(has_words, parts(text, description.most_chars)):
                sound = asking.sound_of(http_request.prepare(description, part, secrets))
                pieces.append(self._to_wav(sound, work_dir / f"http-{len(pieces):04d}.wav", part))
                pauses.append(pause_after_ms(part))
        if not pieces:
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        return join(pieces, work_dir / "http.wav", pauses[:-1])

    def _to_wav(self, sound: bytes, target: Path, text: str) -> Path:
        came = target.with_suffix(".came")
        came.write_bytes(sound)
        if intact.cut_off(came):
            raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice=self.name)
        decode(came, target, self.name, _RATE)
        check_duration(target, text, self.name)
        return trim(target, _KEPT_MS)


@dataclass(slots=True)
class _Asking:
    """One service being asked, part after part, ``until`` a moment of the clock."""

    session: requests.Session
    description: Description
    patience: Patience
    clock: Clock
    voice: str
    until: float = 0.0

    def sound_of(self, request: requests.PreparedRequest) -> bytes:
        """The sound that answers ``request``, asked for again where that may help. Raises VoiceError."""
        pauses = iter(self.patience.pauses_seconds)
        if self.clock.seconds() > self.until:
            raise self._hung(self.description.give_up_seconds)
        while True:
            try:
                return self._once(request)
            except VoiceError as trouble:
                again = trouble.kind in (Trouble.TEMPORARY, Trouble.QUOTA)
                pause = next(pauses, None) if again else None
                if pause is None:
                    raise
                asked = trouble.facts.get("wait")
                seconds = max(pause, asked) if isinstance(asked, int) else pause
                if self.clock.seconds() + seconds > self.until:
                    raise
                self.clock.rest(seconds)

    def _once(self, request: requests.PreparedRequest) -> bytes:
        answer = self._send(request, self.description.request.address.place)
        if answer.status != requests.codes.ok:
            raise refusal(answer, self.description.errors, self.voice)
        sound = self.description.sound
        if sound.where == "raw" and looks_like(answer.body, sound.format):
            return answer.body
        found = json_in(answer.body)
        if trouble := key_trouble(found, self.description.errors, self.voice):
            raise trouble
        if sound.where == "raw":
            raise self._no_sound()
        text = value_at(found, sound.path)
        return self._decoded(text) if sound.where == "base64" else self._polled(text)

    def _decoded(self, text: Any) -> bytes:
        try:
            held = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        except (binascii.Error, ValueError):
            held = b""
        return self._checked(held)

    def _polled(self, text: Any) -> bytes:
        """The sound at the URL ``text``, once it is there. Raises VoiceError."""
        address = read_address(text) if isinstance(text, str) else None
        if not address:
            raise self._no_sound()
        if address.place not in self.description.sound.hosts:
            raise VoiceError(Trouble.REFUSED, "voices.other_host", voice=self.voice, host=address.place[:80])
        sound = self.description.sound
        until = min(self.clock.seconds() + sound.limit_seconds, self.until)
        while True:
            answer = self._get(address)
            if answer.status == requests.codes.ok:
                return self._checked(answer.body)
            if answer.status not in sound.not_yet:
                raise refusal(answer, self.description.errors, self.voice)
            if self.clock.seconds() + sound.poll_seconds > until:
                raise self._hung(sound.limit_seconds)
            self.clock.rest(sound.poll_seconds)

    def _get(self, address: Address) -> Answer:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Loa"}
        return self._send(requests.Request("GET", address.url, headers).prepare(), address.place)

    def _send(self, request: requests.PreparedRequest, place: str) -> Answer:
        seconds = self.description.timeout_seconds
        try:
            with self.session.send(request, timeout=seconds, verify=True, stream=True, allow_redirects=False) as got:
                body = fetched(got, MOST_ANSWER_BYTES, self.patience.answer_seconds)
                return Answer(got.status_code, got.headers.get("Retry-After", ""), body)
        except requests.exceptions.SSLError:
            raise VoiceError(Trouble.REFUSED, "voices.untrusted", voice=self.voice, host=place) from None
        except (requests.exceptions.RequestException, OSError, urllib3.exceptions.HTTPError):
            raise VoiceError(Trouble.TEMPORARY, "voices.unreachable", voice=self.voice, host=place) from None

    def _checked(self, sound: bytes) -> bytes:
        if not looks_like(sound, self.description.sound.format):
            raise self._no_sound()
        return sound

    def _hung(self, seconds: float) -> VoiceError:
        return VoiceError(Trouble.TEMPORARY, "studio.hung", voice=self.voice, seconds=f"{seconds:g}")

    def _no_sound(self) -> VoiceError:
        return VoiceError(Trouble.TEMPORARY, "voices.no_sound", voice=self.voice, format=self.description.sound.format)
