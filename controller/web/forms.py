"""The compose form: what was typed, what is wrong with it, and the wish it makes. No I/O but the request it reads.

- Nothing typed is ever lost: the form is shown again as it was, with each problem beside its field.
- The desk has the last word; what it refuses is put beside the field that it is about.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import MultiDict

from controller.roster import Area
from controller.web.times import moment, written_day
from wire.plan import BulletinClass

FIELD_OF = {
    "desk.empty_text": "text",
    "desk.text_too_long": "text",
    "desk.bad_title": "title",
    "desk.no_area": "areas",
    "desk.too_many_areas": "areas",
    "desk.unknown_area": "areas",
    "desk.not_your_area": "areas",
    "desk.past_time": "when",
    "desk.too_far": "when",
    "desk.too_late": "when",
    "desk.quiet_hours": "when",
    "desk.policy": "when",
    "desk.not_allowed": "class",
    "desk.bad_times": "times",
    "desk.own_announcement": "class",
    "desk.unknown_recording": "text",
}


@dataclass(frozen=True)
class Typed:
    """The compose form as it was typed. ``key`` makes sending twice one sending."""

    text: str = ""
    title: str = ""
    areas: tuple[str, ...] = ()
    when: str = "now"
    day: str = ""
    date: str = ""
    hour: str = "17"
    minute: str = "00"
    bulletin_class: str = "ordinary"
    confirm: str = ""
    draft: str = ""
    key: str = ""
    times: int = 1
    drill: bool = False

    @property
    def emergency(self) -> bool:
        """Whether the emergency class is chosen."""
        return self.bulletin_class == BulletinClass.EMERGENCY


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: ``field`` is the id of the part of the form, ``sentence`` says what to do."""

    field: str
    sentence: str


def fresh_key() -> str:
    """A new form's idempotency key."""
    return secrets.token_hex(16)


def read(form: MultiDict[str, str]) -> Typed:
    """The form of a request, each field cut to a length that no honest one has."""

    def field(name: str, most: int = 64, otherwise: str = "") -> str:
        return form.get(name, otherwise)[:most]

    return Typed(
        text=unicodedata.normalize("NFC", form.get("text", "").replace("\r\n", "\n")),
        title=unicodedata.normalize("NFC", field("title", 400).strip()),
        areas=tuple(dict.fromkeys(area[:200] for area in form.getlist("areas")))[:2000],
        when="at" if form.get("when") == "at" else "now",
        day=field("day"),
        date=field("date"),
        hour=field("hour"),
        minute=field("minute"),
        bulletin_class=field("bulletin_class", otherwise="ordinary"),
        confirm=field("confirm", 200),
        draft=field("draft"),
        times=int(times) if (times := field("times", 3, "1")).isascii() and times.isdigit() else 0,
        drill=form.get("drill") == "1",
        key=field("key") if len(field("key")) == 32 else fresh_key(),
    )


def start_of(typed: Typed, zone: str) -> datetime | None:
    """The moment asked for, None when it cannot be read (or is now)."""
    if typed.when == "now":
        return None
    day = written_day(typed.date if typed.day == "other" else typed.day)
    return moment(day, typed.hour, typed.minute, zone) if day else None


def class_of(typed: Typed) -> BulletinClass | None:
    """The class asked for; None when it is none."""
    return BulletinClass(typed.bulletin_class) if typed.bulletin_class in set(BulletinClass) else None


def problems(typed: Typed, known: Mapping[str, Area], zone: str, recorded: bool = False) -> dict[str, str]:
    """What is wrong before the desk is asked: field -> key of the sentence (``web.…``), in the form's order.

    What was ``recorded`` needs no text.
    """
    wrong: dict[str, str] = {}
    if not recorded and not typed.text.strip():
        wrong["text"] = "problem_text"
    if not typed.areas:
        wrong["areas"] = "problem_areas"
    elif not set(typed.areas) <= known.keys():
        wrong["areas"] = "problem_area_unknown"
    if typed.when == "at" and start_of(typed, zone) is None:
        wrong["when"] = "problem_when"
    if class_of(typed) is None:
        wrong["class"] = "problem_class"
    if typed.emergency and "areas" not in wrong and not confirmed(typed, known.values()):
        wrong["confirm"] = "problem_confirm"
    return wrong


def confirmed(typed: Typed, known: Iterable[Area]) -> bool:
    """Whether the name of one of the chosen areas was typed; accents and capitals do not matter."""
    names = {plain(area.name) for area in known if area.id in typed.areas}
    return plain(typed.confirm) in names


def plain(text: str) -> str:
    """``text`` without accents, capitals and double spaces, for comparing what people type."""
    marks = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(char for char in marks if not unicodedata.combining(char)).split())
