"""What an alert will be read out as, in Vietnamese: what, how bad, where, until when, what to do, who says so.

- The level is that of Decision 18/2021/QĐ-TTg (1–5, each with its colour), if a parameter names it; never guessed from
  ``severity``, which measures something else.
- Nothing is left out or put in other words; a person reads it before anybody hears it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from controller.cap.alert import Alert, Info, Kind
from schedules.moments import local
from words import say

VOICE = "vi"
MOST_TITLE = 120
_LEVEL_NAMES = {"capdoruirothientai", "capdoruiro", "capdorrtt", "capdothientai", "rrtt", "disasterrisklevel"}
_LEVEL = re.compile(r"(?:cấp(?: độ)?|level)?\s*([1-5])")


@dataclass(frozen=True)
class Words:
    """A title, and the text that a voice reads."""

    title: str
    text: str


def words(alert: Alert, expires: datetime, zone: str) -> Words:
    """What an alert or an update becomes. ``alert.info`` is there."""
    info = alert.info
    assert info is not None
    event = info.event if _is_headed(info.event) else say("cap.event", VOICE, event=info.event)
    said = [say("cap.update", VOICE)] if alert.kind is Kind.UPDATE else []
    said += [event] + ([info.headline] if _fold(info.headline) not in ("", _fold(info.event), _fold(event)) else [])
    level = level_of(info)
    said += [say("cap.level", VOICE, level=level, colour=say(f"cap.colour_{level}", VOICE))] if level else []
    where = "; ".join(dict.fromkeys(" ".join(each.name.split()) for each in info.places))
    said += [say("cap.where", VOICE, places=where)] if where else []
    begin = info.onset or info.effective
    until = _clock(expires, zone)
    if begin and begin > alert.sent:
        said.append(say("cap.from_until", VOICE, since=_clock(begin, zone), until=until))
    else:
        said.append(say("cap.until", VOICE, until=until))
    said += [info.description] + ([say("cap.advice", VOICE, advice=info.instruction)] if info.instruction else [])
    said += [say("cap.source", VOICE, sender=info.sender_name)] if info.sender_name else []
    return Words(_title(info.headline or event), "\n".join(_ended(each) for each in said if each))


def retraction(alert: Alert, title: str) -> Words:
    """What a cancelled alert's hearers are told; ``title`` is that of what they heard."""
    info = alert.info
    said = [say("cap.cancelled", VOICE, title=title.rstrip(" .…"))]
    said += [info.description, info.instruction] if info and info.vietnamese else []
    said += [say("cap.source", VOICE, sender=info.sender_name)] if info and info.sender_name else []
    return Words(
        _title(say("cap.cancelled_title", VOICE, title=title)), "\n".join(_ended(each) for each in said if each)
    )


def level_of(info: Info) -> int | None:
    """The level of Decision 18/2021, 1–5, if a parameter says it."""
    for name, value in info.parameters:
        found = _LEVEL.match(value.casefold()) if re.sub(r"[\W_]", "", _plain(name)) in _LEVEL_NAMES else None
        if found:
            return int(found[1])
    return None


def _clock(moment: datetime, zone: str) -> str:
    at = local(moment, zone)
    return say("cap.clock", VOICE, hour=at.hour, minute=f"{at:%M}", day=f"{at:%d/%m/%Y}")


def _is_headed(event: str) -> bool:
    return _fold(event).startswith(("cảnh báo", "tin ", "bản tin", "dự báo"))


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_TITLE else line[: MOST_TITLE - 1].rstrip() + "…"


def _ended(text: str) -> str:
    return text if text[-1] in ".!?…:;" else f"{text}."


def _fold(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!")


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(each for each in apart if not unicodedata.combining(each))
