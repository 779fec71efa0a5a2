"""The form of a right: a role, a place, a first and a last day, hours of the week. Pure."""

from __future__ import annotations

from datetime import date, datetime, time

from werkzeug.datastructures import MultiDict

from controller.desk.wishes import Giving
from controller.rights import DAY, Role
from controller.web.language import WebError
from controller.web.times import written_day
from schedules.moments import BadMoment, at_local, local

MOST_CHARS = 200
CLOCK = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30))
FIELDS = ("name", "full_name", "from", "to", "bound", "since", "until")
FIELD_OF = {
    "desk.unknown_area": "area",
    "desk.not_your_area": "area",
    "desk.ends_before_it_begins": "to",
    "desk.grant_too_far": "to",
    "desk.beyond_your_time": "to",
    "desk.bad_duty_days": "hours",
    "schedules.bad_clock": "hours",
}


class GivingError(WebError):
    """What cannot be read of the form; ``field`` is its part."""

    def __init__(self, field: str, key: str, **facts: object) -> None:
        super().__init__(key, **facts)
        self.field = field


def read(form: MultiDict[str, str], now: datetime, zone: str) -> Giving:
    """What is wished. The last day is one on which the right still counts. Raises GivingError."""
    try:
        role = Role(form.get("role", ""))
    except ValueError:
        raise GivingError("role", "web.problem_role") from None
    first, last = _day(form, "from"), _day(form, "to")
    today = local(now, zone).date()
    since = _midnight(first, zone, "from") if first and first > today else None
    until = _midnight(last + DAY, zone, "to") if last else None
    hours = None
    if form.get("bound"):
        days = tuple(int(each) for each in form.getlist("day")[:7] if each in set("0123456"))
        hours = (days, form.get("since", "")[:MOST_CHARS], form.get("until", "")[:MOST_CHARS])
    return Giving(role, form.get("area", "")[:MOST_CHARS], since, until, hours)


def _day(form: MultiDict[str, str], field: str) -> date | None:
    written = form.get(field, "")[:MOST_CHARS].strip()
    day = written_day(written) if written else None
    if written and (day is None or not 1970 < day.year < 9000):
        raise GivingError(field, "web.problem_day", day=written[:20])
    return day


def _midnight(day: date, zone: str, field: str) -> datetime:
    try:
        return at_local(day, time(), zone)
    except BadMoment:
        raise GivingError(field, "web.problem_day", day=f"{day:%d/%m/%Y}") from None
