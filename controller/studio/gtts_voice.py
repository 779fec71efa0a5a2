"""Google's free voice, online: the one door to gTTS (an undocumented service that may refuse or vanish any day).

- gTTS makes the requests; they are sent here, because gTTS itself sends them without verifying TLS and without a limit.
- Each part of at most 100 characters is one request: 429 and 5xx are tried again with growing pauses, then given up.
- An answer of 200 without sound (an HTML page, nothing) is a failure; nothing half-made is handed on.
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
from controller.studio import programs
from controller.studio.voice import Trouble, VoiceError
from controller.studio.wavs import check_duration

SERVICE = "https://translate.google.com"
_MOST_CHARS = 100
_MOST_ANSWER_BYTES = 4 * 1024 * 1024
_AUDIO = re.compile(r'jQ1olc","\[\\"([A-Za-z0-9+/=]{1,})\\"\]')
_TRY_AGAIN = {429, 500, 502, 503, 504}


def _rest(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class GttsSettings:
    """``service``: base URL; ``timeout_seconds`` for each silence; ``pauses_seconds`` before each further try."""

    service: str = SERVICE
    timeout_seconds: float = 10.0
    pauses_seconds: tuple[float, ...] = (1.0, 3.0, 9.0)


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
        sound = work_dir / "gtts.mp3"
        with requests.Session() as session, sound.open("wb") as out:
            for part in parts(text, _MOST_CHARS):
                out.write(self._part(session, part))
        if not sound.stat().st_size:
            raise VoiceError(Trouble.BAD_TEXT, "studio.nothing_to_say")
        return self._to_wav(sound, work_dir / "gtts.wav", text)

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
            self._rest(pause)

    def _send(self, session: requests.Session, request: requests.PreparedRequest) -> bytes | VoiceError:
        try:
            with session.send(request, timeout=self._settings.timeout_seconds, verify=True, stream=True) as answer:
                if answer.status_code != requests.codes.ok:
                    return _refusal(answer.status_code)
                body = answer.raw.read(_MOST_ANSWER_BYTES, decode_content=True)
        except requests.exceptions.SSLError:
            return VoiceError(Trouble.REFUSED, "studio.gtts_untrusted", service=self._settings.service)
        except (requests.exceptions.RequestException, OSError, urllib3.exceptions.HTTPError):
            return VoiceError(Trouble.TEMPORARY, "studio.gtts_unreachable", service=self._settings.service)
        return _sound_in(body)

    def _to_wav(self, sound: Path, target: Path, text: str) -> Path:
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "mp3", "-i", str(sound)]
        try:
            ended = programs.run([*command, "-ac", "1", "-c:a", "pcm_s16le", str(target)], 120.0)
        except (programs.NotInstalled, programs.Hung):
            raise VoiceError(Trouble.TEMPORARY, "studio.ffmpeg_missing") from None
        if programs.names_full_disk(ended.said):
            raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
        if ended.code != 0:
            raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice=self.name)
        check_duration(target, text, self.name)
        sound.unlink()
        return target


def _refusal(status: int) -> VoiceError:
    if status == 429:
        return VoiceError(Trouble.QUOTA, "studio.gtts_quota")
    kind = Trouble.TEMPORARY if status in _TRY_AGAIN else Trouble.REFUSED
    return VoiceError(kind, "studio.gtts_refused", status=status)


def _sound_in(body: bytes) -> bytes | VoiceError:
    found = _AUDIO.findall(body.decode("utf-8", "replace"))
    try:
        sound = b"".join(base64.b64decode(piece, validate=True) for piece in found)
    except binascii.Error:
        sound = b""
    return sound or VoiceError(Trouble.TEMPORARY, "studio.gtts_no_sound")
