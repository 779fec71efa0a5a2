"""Google's free voice, online: the one door to gTTS (an undocumented service that may refuse or vanish any day).

- gTTS makes the requests; they are sent here, because gTTS itself sends them without verifying TLS and without a limit.
- Each part of at most 100 characters is one request: 429 and 5xx are tried again with growing pauses (or the one the
  service asks for), then given up. A service that drips its answer is given up too; nobody is redirected elsewhere.
- An answer of 200 without sound (an HTML page, nothing) is a failure; nothing half-made is handed on.
- Each part is decoded and checked by itself, the silence at its ends taken off: a text has pauses where it has
  sentences, and none where Google's limit cut it.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import gtts
import requests
import urllib3

from controller.newsroom import parts
from controller.studio.decoding import decode
from controller.studio.fetching import fetched
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration, join, pause_after_ms, trim

SERVICE = "https://translate.google.com"
_MOST_CHARS = 100
_KEPT_MS = 20
_LONGEST_WAIT = 60  # seconds
_MOST_ANSWER_BYTES = 4 * 1024 * 1024
_AUDIO = re.compile(r'jQ1olc","\[\\"([A-Za-z0-9+/=]{1,})\\"\]')
_TRY_AGAIN = {429, 500, 502, 503, 504}


def _rest(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class GttsSettings:
    """``service``: base URL; ``timeout_seconds`` for each silence, ``answer_seconds`` for one whole answer.

    ``pauses_seconds`` come before each further try.
    """

    service: str = SERVICE
    timeout_seconds: float = 10.0
    pauses_seconds: tuple[float, ...] = (1.0, 3.0, 9.0)
    answer_seconds: float = 30.0


class GttsVoice:
    """gTTS in Vietnamese. ``rest`` waits between tries (seconds)."""

    name = "gtts"

    def __init__(self, settings: GttsSettings | None = None, rest: Callable[[float], None] = _rest) -> None:
        self._settings, self._rest = settings or GttsSettings(), rest

    def why_not(self) -> VoiceError | None:
        """None: whether the service answers is known only by speaking."""
        return None

    def speak(self, text: str, work_dir: Path) -> Path:
        """A WAV of ``text``. Raises VoiceError: not reachable, refused, asked too often, answered without sound."""
        pieces: list[Path] = []
        pauses: list[int] = []
        with requests.Session() as session:
            for part in parts(text, _MOST_CHARS):
                if sound := self._part(session, part):
                    pieces.append(self._to_wav(sound, work_dir / f"gtts-{len(pieces):04d}.wav", part))
                    pauses.append(pause_after_ms(part))
        if not pieces:
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        return join(pieces, work_dir / "gtts.wav", pauses[:-1])

    def _part(self, session: requests.Session, text: str) -> bytes:
        try:
            prepared = gtts.gTTS(text, lang="vi", lang_check=False)._prepare_requests()
        except AssertionError:
            return b""  # punctuation only
        return b"".join(self._ask(session, request) for request in prepared)

    def _ask(self, session: requests.Session, request: requests.PreparedRequest) -> bytes:
        path = urlsplit(request.url or "")
        base = urlsplit(self._settings.service)
        request.url = str(urlunsplit((base.scheme, base.netloc, path.path, path.query, "")))
        pauses = iter(self._settings.pauses_seconds)
        while True:
            trouble = self._send(session, request)
            if isinstance(trouble, bytes):
                return trouble
            pause = next(pauses, None) if trouble.kind in (Trouble.TEMPORARY, Trouble.QUOTA) else None
            if pause is None:
                raise trouble
            asked = trouble.facts.get("wait")
            self._rest(max(pause, asked) if isinstance(asked, int) else pause)

    def _send(self, session: requests.Session, request: requests.PreparedRequest) -> bytes | VoiceError:
        try:
            seconds = self._settings.timeout_seconds
            with session.send(request, timeout=seconds, verify=True, stream=True, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    return _refusal(answer)
                body = fetched(answer, _MOST_ANSWER_BYTES, self._settings.answer_seconds)
        except requests.exceptions.SSLError:
            return VoiceError(Trouble.REFUSED, "studio.gtts_untrusted", service=self._settings.service)
        except (requests.exceptions.RequestException, OSError, urllib3.exceptions.HTTPError):
            return VoiceError(Trouble.TEMPORARY, "studio.gtts_unreachable", service=self._settings.service)
        return _sound_in(body)

    def _to_wav(self, sound: bytes, target: Path, text: str) -> Path:
        mp3 = target.with_suffix(".mp3")
        mp3.write_bytes(sound)
        decode(mp3, target, self.name)
        check_duration(target, text, self.name)
        return trim(target, _KEPT_MS)


def _refusal(answer: requests.Response) -> VoiceError:
    if answer.status_code == 429:
        asked = answer.headers.get("Retry-After", "")
        return VoiceError(
            Trouble.QUOTA, "studio.gtts_quota", wait=min(int(asked), _LONGEST_WAIT) if asked.isdigit() else 0
        )
    kind = Trouble.TEMPORARY if answer.status_code in _TRY_AGAIN else Trouble.REFUSED
    return VoiceError(kind, "studio.gtts_refused", status=answer.status_code)


def _sound_in(body: bytes) -> bytes | VoiceError:
    found = _AUDIO.findall(body.decode("utf-8", "replace"))
    try:
        sound = b"".join(base64.b64decode(piece, validate=True) for piece in found)
    except binascii.Error:
        sound = b""
    return sound or VoiceError(Trouble.TEMPORARY, "studio.gtts_no_sound")
