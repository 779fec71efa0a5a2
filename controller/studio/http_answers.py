"""What a speech service answered: whether it is the sound that was promised, and what its refusals mean."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from controller.studio.http_description import Errors
from controller.studio.voice import Trouble, VoiceError

LONGEST_WAIT = 60  # seconds
_TEMPORARY = {408, 425}
_BEGINNINGS = {
    "mp3": re.compile(rb"ID3|\xff[\xe2-\xff]"),
    "wav": re.compile(rb"RIFF(?s:....)WAVE"),
    "ogg": re.compile(rb"OggS"),
    "flac": re.compile(rb"fLaC"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in full; ``retry_after`` is its header of that name."""

    status: int
    retry_after: str
    body: bytes


def looks_like(sound: bytes, kind: str) -> bool:
    """Whether ``sound`` begins as a file of that format does."""
    return _BEGINNINGS[kind].match(sound) is not None


def json_in(body: bytes) -> Any:
    """The JSON value of ``body``, None where there is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def value_at(found: Any, path: str) -> Any:
    """What stands at ``path`` (``data.0.url``) of a JSON value, None where nothing does."""
    for step in path.split("."):
        if isinstance(found, list) and step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict):
            found = found.get(step)
        else:
            return None
    return found


def refusal(answer: Answer, errors: Errors, voice: str) -> VoiceError:
    """What a status other than 200 means: as the description says, else as HTTP does (RFC 9110)."""
    in_body = _code_in(json_in(answer.body), errors)
    kind = errors.statuses.get(answer.status) or (errors.codes or {}).get(in_body or "") or _usual(answer.status)
    if kind is Trouble.QUOTA:
        asked = answer.retry_after.strip()
        digits = asked.isascii() and asked.isdigit() and len(asked) < 10
        return VoiceError(kind, "voices.quota", voice=voice, wait=min(int(asked), LONGEST_WAIT) if digits else 0)
    if kind is Trouble.BAD_TEXT:
        return VoiceError(kind, "voices.bad_text", voice=voice)
    if answer.status in (401, 403):
        return VoiceError(kind, "voices.denied", voice=voice, status=answer.status)
    return VoiceError(kind, "voices.refused", voice=voice, code=answer.status)


def _usual(status: int) -> Trouble:
    if status == 429:
        return Trouble.QUOTA
    return Trouble.TEMPORARY if status >= 500 or status in _TEMPORARY else Trouble.REFUSED


def key_trouble(found: Any, errors: Errors, voice: str) -> VoiceError | None:
    """The error that a JSON answer of status 200 names, None where it names none; an unknown code is temporary."""
    code = _code_in(found, errors)
    if code is None:
        return None
    kind = (errors.codes or {}).get(code, Trouble.TEMPORARY)
    if kind is Trouble.QUOTA:
        return VoiceError(kind, "voices.quota", voice=voice, wait=0)
    if kind is Trouble.BAD_TEXT:
        return VoiceError(kind, "voices.bad_text", voice=voice)
    known = code if code in (errors.codes or {}) or re.fullmatch(r"-?[0-9]{1,6}", code) else "?"
    return VoiceError(kind, "voices.refused", voice=voice, code=known)


def _code_in(found: Any, errors: Errors) -> str | None:
    value = value_at(found, errors.path) if errors.path else None
    if value is None:
        return None
    code = str(value).lower() if isinstance(value, bool) else str(value)
    return None if code in errors.fine else code
