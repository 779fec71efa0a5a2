"""Alarms on the page: what is wrong, by cause, the overdue first; taken on, given to somebody, kept quiet for a while.

- Shown is what lies in a reader's areas; what another alarm explains stands beneath that one.
- Whoever may do something about it does it here; every act is in the alarm's history and in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import EVERYWHERE, Permission
from controller.rights import may as person_may
from controller.store.alarm_rows import AlarmRow, Event, MemberRow, Silence
from controller.web import alarm_words, ground, raw, reading
from controller.web.doors import door, may, reach, sees, who
from controller.web.forms import Problem
from controller.web.language import said, t
from controller.web.times import written_day
from controller.web.window import window
from schedules.moments import at_local

pages = Blueprint("alarms", __name__)

MOST_SHOWN, MOST_CLEARED, MOST_MEMBERS = 200, 20, 200
STALE_AFTER = timedelta(minutes=3)  # since the station last judged
SILENCE_HOURS = (1, 4, 12, 24, 72, 168)
DEADLINE_DAYS = (1, 3, 7, 14)
END_OF_DAY = time(17, 0)
MOST_CHARS = 300
MOST_RAW = 20  # members whose records are shown
FIELD_OF = {"desk.unknown_user": "person", "desk.bad_deadline": "days", "desk.no_silence_reason": "reason"}


@dataclass(frozen=True)
class Told:
    """An alarm as a list shows it, with those that it explains."""

    row: AlarmRow
    title: str
    overdue: bool = False
    silence: Silence | None = None
    assignee: str = ""
    children: tuple[Told, ...] = ()

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """The overdue first, then what nobody has taken on, the grave, the new."""
        newest = -self.row.raised_at.timestamp()
        return not self.overdue, self.row.state != "raised", self.row.grade != "bad", newest


@dataclass
class Group:
    """Everything of one cause, the first of its alarms leading it."""

    cause: str
    alarms: list[Told] = field(default_factory=list)


@pages.get("/canh-bao")
@door(Permission.READ)
def list_() -> ResponseReturnValue:
    """Everything that is wrong in this person's areas (or in one of them), by cause."""
    area = request.args.get("dia-ban", "")[:200]
    if area and not sees(area):
        abort(404)
    shown, quiet = listed(area)
    open_now = [*shown, *quiet]
    where = (area,) if area else reach(Permission.READ)
    over = [tell(row, {}) for row in window().store.alarms.cleared(MOST_CLEARED, where)]
    view: dict[str, Any] = {"groups": grouped(shown[:MOST_SHOWN]), "quiet": quiet, "over": over, "area": area}
    view |= {"total": len(shown), "counts": counts(shown, quiet), "stale": stale(), "areas": reading.own_areas()}
    return render_template("alarms.html", most=MOST_SHOWN, anything=bool(open_now), **view)


@pages.get("/canh-bao/<alarm>")
@door(Permission.READ)
def one(alarm: str) -> ResponseReturnValue:
    """One alarm: whom it is about, what happened, and what can be done."""
    return page(alarm)


@pages.get("/canh-bao/<alarm>/<act>")
@door(Permission.READ)
def again(alarm: str, act: str) -> ResponseReturnValue:  # noqa: ARG001 – the page that answered a form, asked for again
    """Back to the alarm."""
    return redirect(url_for("alarms.one", alarm=seen(alarm).id), 303)


@pages.post("/canh-bao/<alarm>/nhan")
@door(Permission.EQUIP)
def take_on(alarm: str) -> ResponseReturnValue:
    """I have seen it."""
    return done(alarm, lambda: window().desk.take_on(alarm, who(), window().now()), "alarm_taken")


@pages.post("/canh-bao/<alarm>/giao")
@door(Permission.EQUIP)
def hand_over(alarm: str) -> ResponseReturnValue:
    """Somebody mends it, by a day."""
    person, deadline = request.form.get("person", "")[:80], wished_deadline()
    if deadline is None and request.form.get("days") == "other":
        return page(alarm, [Problem("day", t("problem_day", day=request.form.get("day", "")[:10]))])
    return done(alarm, lambda: window().desk.hand_over(alarm, person, deadline, who(), window().now()), "alarm_given")


@pages.post("/canh-bao/<alarm>/im-lang")
@door(Permission.EQUIP)
def silence(alarm: str) -> ResponseReturnValue:
    """Nobody is told for a while."""
    hours = request.form.get("hours", type=int) or 0
    until, reason = window().now() + timedelta(hours=min(max(hours, 0), 10_000)), request.form.get("reason", "")
    reason = reason[: MOST_CHARS + 1]
    return done(alarm, lambda: window().desk.keep_quiet(alarm, until, reason, who(), window().now()), "alarm_silenced")


@pages.post("/canh-bao/<alarm>/thoi-im-lang")
@door(Permission.EQUIP)
def speak_again(alarm: str) -> ResponseReturnValue:
    """It is told again."""
    return done(alarm, lambda: window().desk.speak_again(alarm, who(), window().now()), "alarm_unsilenced")


def done(alarm: str, act: Callable[[], None], told: str) -> ResponseReturnValue:
    """Do it, and go back to where it was asked for; or say on the alarm's page why not."""
    seen(alarm)
    try:
        act()
    except DeskError as wrong:
        return page(alarm, [Problem(FIELD_OF.get(wrong.key, "acts"), said(wrong))])
    flash(t(told))
    back = "alarms.list_" if request.form.get("from") == "list" else "alarms.one"
    return redirect(url_for(back, alarm=alarm if back == "alarms.one" else None), 303)


def page(alarm: str, problems: list[Problem] | None = None) -> ResponseReturnValue:
    """One alarm's page, with what went wrong."""
    row, here = seen(alarm), window()
    now = here.now()
    members = here.store.alarms.members(row.id, MOST_MEMBERS)
    silenced = here.store.alarms.silences(now).get((row.cause, row.place))
    held = tell(row, {(row.cause, row.place): silenced} if silenced else {})
    children = [tell(each, {}) for each in here.store.alarms.open() if each.under == row.id and sees(each.place)]
    view: dict[str, Any] = {"a": held, "members": members, "children": children, "problems": problems or []}
    view |= {"raw_alarm": raw.of_alarm(row), "raw_members": raw_members(members), "most_raw": MOST_RAW}
    view |= {"names": names_of(members), "history": told_history(row, people_names()), "parent": parent_of(row)}
    may_act = may(Permission.EQUIP, row.place)
    view |= {"may_act": may_act, "people": assignable(row.place, now) if may_act else []}
    view |= {"hours_offered": SILENCE_HOURS, "days_offered": DEADLINE_DAYS, "said_of": alarm_words.of_member}
    return render_template("alarm.html", **view), 422 if problems else 200


def raw_members(members: list[MemberRow]) -> list[tuple[MemberRow, raw.Facts]]:
    """What the alarm rests on: of the first members all that is kept, with what loudspeakers said of themselves."""
    first = members[:MOST_RAW]
    known = window().store.health.conditions({each.member for each in first})
    return [(each, raw.of_member(each, known.get(each.member))) for each in first]


def seen(alarm: str) -> AlarmRow:
    """The alarm, if it lies where this person may look; else there is none."""
    row = window().store.alarms.get(alarm[:64])
    if row is None or not sees(row.place):
        abort(404)
    return row


def mine(row: AlarmRow, area: str = "") -> bool:
    """Whether an alarm lies in this person's areas, and in ``area``."""
    inside = not area or row.place == area or row.place.startswith(f"{area}:")
    return inside and sees(row.place)


def listed(area: str = "") -> tuple[list[Told], list[Told]]:
    """What is open and to be told, the most urgent first, and what is kept quiet."""
    here = window()
    rows = [row for row in here.store.alarms.open() if mine(row, area)]
    silences = here.store.alarms.silences(here.now())
    known = {row.id for row in rows}
    people = people_names()
    below: dict[str, list[Told]] = {}
    for row in rows:
        if row.under in known:
            below.setdefault(row.under or "", []).append(tell(row, silences, people))
    found = [tell(row, silences, people, below.get(row.id, ())) for row in rows if row.under not in known]
    found.sort(key=lambda each: each.rank)
    return [each for each in found if each.silence is None], [each for each in found if each.silence is not None]


def tell(
    row: AlarmRow,
    silences: dict[tuple[str, str], Silence],
    people: dict[str, str] | None = None,
    children: Iterable[Told] = (),
) -> Told:
    """An alarm in words."""
    now = window().now()
    name = (people if people is not None else people_names()).get(row.assignee or "", "")
    title = alarm_words.title(row, place_names())
    return Told(row, title, row.is_overdue(now), silences.get((row.cause, row.place)), name, tuple(children))


def grouped(alarms: Iterable[Told]) -> list[Group]:
    """By cause (all refusals are one); in the order of their most urgent alarm."""
    groups: dict[str, Group] = {}
    for each in alarms:
        cause = alarm_words.family(each.row.cause)
        groups.setdefault(cause, Group(cause)).alarms.append(each)
    return list(groups.values())


def counts(shown: list[Told], quiet: list[Told]) -> dict[str, int]:
    """How many are in which state."""
    raised = sum(each.row.state == "raised" for each in shown)
    told = {"raised": raised, "acknowledged": len(shown) - raised, "quiet": len(quiet)}
    return told | {"overdue": sum(each.overdue for each in [*shown, *quiet])}


def count_waiting() -> int:
    """How many alarms nobody has taken on yet, of this person's areas: for the navigation."""
    quiet = ground.silences(window().now())
    return sum(sees(place) for cause, place in ground.unattended() if (cause, place) not in quiet)


def stale() -> datetime | None:
    """When the station judged last, where that is too long ago (or never was) for anybody to trust this page."""
    judged = window().store.alarms.judged_at()
    return judged if judged is not None and window().now() - judged > STALE_AFTER else None


def place_names() -> dict[str, str]:
    """Area -> name. Nodes are not among them: there may be ten thousand."""
    if "place_names" not in g:
        g.place_names = {area.id: area.name for area in window().store.roster.areas()} | {EVERYWHERE: t("all_areas")}
    found: dict[str, str] = g.place_names
    return found


def people_names() -> dict[str, str]:
    """A user's id or sign-in name -> how they are called; read once for a request."""
    if "people_names" not in g:
        people = ground.everybody()
        g.people_names = {key: each.full_name or each.name for each in people for key in (each.id, each.name)}
    found: dict[str, str] = g.people_names
    return found


def names_of(members: list[MemberRow]) -> dict[str, str]:
    """How loudspeakers and communes among the members are called."""
    return window().store.roster.names([each.member for each in members]) | place_names()


def assignable(place: str, now: datetime) -> list[tuple[str, str]]:
    """Who may be given an alarm of that place: those who may see it."""
    people = window().store.people.all()
    able = [each for each in people if not each.disabled and person_may(each, Permission.READ, place, now)]
    return sorted(((each.id, each.full_name or each.name) for each in able), key=lambda pair: pair[1])


def parent_of(row: AlarmRow) -> Told | None:
    """What explains it, where this person may see that."""
    found = window().store.alarms.get(row.under) if row.under else None
    return tell(found, {}) if found and sees(found.place) else None


def told_history(row: AlarmRow, people: dict[str, str]) -> list[tuple[Event, str, str]]:
    """Each line with its words and who it was."""
    now, zone = window().now(), window().settings.zone
    events = window().store.alarms.history(row.id)
    return [(each, *alarm_words.of_event(each, people, (now, zone))) for each in events]


def wished_deadline() -> datetime | None:
    """The end of the working day that was chosen or written; None for none."""
    here = window()
    chosen, day = request.form.get("days", "")[:5], written_day(request.form.get("day", "")[:10])
    if chosen.isdigit() and int(chosen) in DEADLINE_DAYS:
        return here.now() + timedelta(days=int(chosen))
    if chosen != "other" or day is None:
        return None
    return at_local(day, END_OF_DAY, here.settings.zone)
