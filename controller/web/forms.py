"""The compose form: what was typed, what is wrong with it, and the wish it makes. No I/O but the request it reads.

- Nothing typed is ever lost: the form is shown again as it was, with each problem beside its field.
- The desk has the last word; what it refuses is put beside the field that it is about.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from werkzeug.datastructures import MultiDict

from controller.roster import Area
from controller.store.finding import plain
from controller.web import repeating
from controller.web.repeating import Repeating, TimingError
from controller.web.times import moment, written_day
from schedules.booking import WhenCut
from schedules.calendars import Recurrence
from schedules.moments import local
from wire.plan import BulletinClass
from words import Said

WHENS = ("now", "at", "repeat", "slot")

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
    "desk.reaches_quiet": "when",
    "desk.recurring_now": "when",
    "desk.recurring_emergency": "class",
    "desk.too_many_exceptions": "but",
    "desk.never_comes": "repeat",
    "desk.slot_and_time": "when",
    "desk.slot_emergency": "class",
    "desk.no_programme": "slot",
    "desk.unknown_series": "slot",
    "schedules.bad_rule": "rule",
    "schedules.rule_too_often": "repeat",
    "schedules.bad_lunar_part": "lunar",
    "schedules.lunar_unknown": "lunar",
    "schedules.bad_dates": "dates",
    "desk.not_allowed": "class",
    "desk.bad_times": "times",
    "desk.own_announcement": "class",
    "desk.unknown_recording": "text",
}


@dataclass(frozen=True)
class Typed:
    """The compose form as it was typed. ``key`` makes sending twice one sending.

    ``version``: of the draft, when its words came into this form; 0 where it has none yet.
    """

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
    version: int = 0
    key: str = ""
    times: int = 1
    drill: bool = False
    repeating: Repeating = field(default_factory=Repeating)
    slot: str = ""
    after_cut: str = WhenCut.RESUME.value

    @property
    def emergency(self) -> bool:
        """Whether the emergency class is chosen."""
        return self.bulletin_class == BulletinClass.EMERGENCY


@dataclass(frozen=True)
class Timing:
    """When it shall sound: at ``start`` (None: now), from it on again and again, or in a slot of the programme."""

    start: datetime | None = None
    recurrence: Recurrence | None = None
    slot: str | None = None


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

    def one(name: str, most: int = 64, otherwise: str = "") -> str:
        return form.get(name, otherwise)[:most]

    return Typed(
        text=unicodedata.normalize("NFC", form.get("text", "").replace("\r\n", "\n")),
        title=unicodedata.normalize("NFC", one("title", 400).strip()),
        areas=tuple(dict.fromkeys(area[:200] for area in form.getlist("areas")))[:2000],
        when=when if (when := one("when")) in WHENS else "now",
        day=one("day"),
        date=one("date"),
        hour=one("hour"),
        minute=one("minute"),
        bulletin_class=one("bulletin_class", otherwise="ordinary"),
        confirm=one("confirm", 200),
        draft=one("draft"),
        version=_whole(one("version", 9, "0")),
        times=_whole(one("times", 3, "1")),
        drill=form.get("drill") == "1",
        repeating=repeating.read(one, form.getlist),
        slot=one("slot", 200),
        after_cut=chosen if (chosen := one("after_cut")) in tuple(WhenCut) else WhenCut.RESUME.value,
        key=one("key") if len(one("key")) == 32 else fresh_key(),
    )


def _whole(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() else 0


def timing_of(typed: Typed, zone: str) -> Timing:
    """When it was asked for. Raises TimingError, which names the field."""
    if typed.when == "now":
        return Timing()
    if typed.when == "slot":
        return Timing(slot=typed.slot)
    day = written_day(typed.date if typed.day == "other" else typed.day)
    clock = typed.hour, typed.minute
    if typed.when == "at":
        start = moment(day, *clock, zone) if day else None
        return Timing(_there(start))
    begin = _there(repeating.first_of(typed.repeating, day, clock, zone))
    return Timing(begin, repeating.recurrence_of(typed.repeating, begin, zone))


def _there(start: datetime | None) -> datetime:
    if start is None:
        raise TimingError("when", "web.problem_when")
    return start


def at_clock(typed: Typed, start: datetime, zone: str) -> Typed:
    """The form with the day and the time of ``start``."""
    there = local(start, zone)
    day, clock = there.date(), (f"{there:%H}", f"{there:%M}")
    return replace(typed, day=day.isoformat(), date=f"{day:%d/%m/%Y}", hour=clock[0], minute=clock[1])


def class_of(typed: Typed) -> BulletinClass | None:
    """The class asked for; None when it is none."""
    return BulletinClass(typed.bulletin_class) if typed.bulletin_class in set(BulletinClass) else None


def problems(typed: Typed, known: Mapping[str, Area], zone: str, recorded: bool = False) -> dict[str, Said]:
    """What is wrong before the desk is asked: field -> sentence, in the form's order.

    What was ``recorded`` needs no text.
    """
    wrong: dict[str, Said] = {}
    if not recorded and not typed.text.strip():
        wrong["text"] = Said("web.problem_text")
    if not typed.areas:
        wrong["areas"] = Said("web.problem_areas")
    elif not set(typed.areas) <= known.keys():
        wrong["areas"] = Said("web.problem_area_unknown")
    try:
        timing_of(typed, zone)
    except TimingError as refused:
        wrong[refused.field] = refused
    if class_of(typed) is None:
        wrong["class"] = Said("web.problem_class")
    if typed.emergency and "areas" not in wrong and not confirmed(typed, known.values()):
        wrong["confirm"] = Said("web.problem_confirm")
    return wrong


def confirmed(typed: Typed, known: Iterable[Area]) -> bool:
    """Whether the name of one of the chosen areas was typed; accents and capitals do not matter."""
    names = {plain(area.name) for area in known if area.id in typed.areas}
    return plain(typed.confirm) in names
