"""Alarms: what is wrong in one's areas; seen, given to somebody, kept quiet for a while."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Literal

from flask import Response, abort
from pydantic import Field

from controller.rights import Permission
from controller.store.alarm_rows import AlarmRow, Event, MemberRow, Silence
from controller.web import alarms
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Line, Moment, Name
from controller.web.api.operation import JSON, Once, api, door, once, tag
from controller.web.doors import reach, sees, who
from controller.web.window import window

TAG = tag("alarms", "What is wrong, and who sees to it")
MOST_MEMBERS = 200
States = Literal["raised", "acknowledged", "cleared"]


class Path(Asked):
    """Which alarm."""

    alarm: Name


class Query(Asked):
    """Of which area; nothing but what is open, unless ``cleared`` is asked for."""

    area: Name | None = None
    state: States | None = None
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class Assignment(Asked):
    """Who is to mend it (a person's id; null: nobody), and until when (null: without a day)."""

    person: Name | None = Field(None, min_length=1)
    deadline: Moment | None = None


class Quiet(Asked):
    """Until when nobody is told of this cause in this place (a week at most), and why."""

    until: Moment
    reason: Line


class SilenceOut(Answered):
    """Nobody is told until then."""

    until: Moment
    reason: str
    who: str


class AlarmOut(Answered):
    """One cause in one place. ``under``: the alarm that explains it; counts are of loudspeakers, or of parts."""

    id: str
    cause: str
    place: str
    grade: str
    state: States
    began_at: Moment
    raised_at: Moment
    cleared_at: Moment | None
    open_members: int
    all_members: int
    flaps: int
    under: str | None
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    assignee: str | None
    deadline: Moment | None
    silence: SilenceOut | None


class AlarmPage(Answered):
    """What is open, the oldest first; or what is over, the newest first.

    ``stale_since``: when the station judged last, where that is too long ago to trust this.
    """

    items: list[AlarmOut]
    stale_since: Moment | None


class MemberOut(Answered):
    """One that the alarm is about."""

    member: str
    since: Moment
    cleared_at: Moment | None
    flaps: int


class EventOut(Answered):
    """A line of its history; ``who`` is empty for the station itself."""

    at: Moment
    what: str
    who: str
    detail: str


class AlarmDetail(AlarmOut):
    """An alarm with whom it is about (200 at most, those that are not cleared first), and what happened."""

    members: list[MemberOut]
    history: list[EventOut]


@api.get("/alarms", tags=TAG, responses={200: AlarmPage})
@door(Permission.READ)
def list_alarms(query: Query) -> Response:
    """The alarms of the areas that this token reads."""
    if query.area and not sees(query.area):
        abort(404)
    rest, quiet = _over(query) if query.state == "cleared" else _open(query), _silences()
    shown = rest[: query.limit]
    items = [AlarmOut(**_facts(row, quiet.get((row.cause, row.place)))) for row in shown]
    more = _place(shown[-1]) if len(rest) > len(shown) else None
    return answers.page(AlarmPage(items=items, stale_since=alarms.stale()), more)


@api.get("/alarms/<alarm>", tags=TAG, responses={200: AlarmDetail})
@door(Permission.READ)
def read_alarm(path: Path) -> Response:
    """One alarm."""
    return answers.one(detail(path.alarm))


@api.post("/alarms/<alarm>/acknowledgement", tags=TAG, responses={200: AlarmDetail})
@door(Permission.EQUIP)
@once
def acknowledge_alarm(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """It has been seen, and somebody sees to it."""
    here, row = window(), alarms.seen(path.alarm)
    here.desk.take_on(row.id, who(), here.now())
    return answers.done(detail(row.id))


@api.post("/alarms/<alarm>/assignment", tags=TAG, responses={200: AlarmDetail})
@door(Permission.EQUIP, takes=JSON)
@once
def assign_alarm(path: Path, body: Assignment, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Somebody mends it, until a day."""
    here, row = window(), alarms.seen(path.alarm)
    here.desk.hand_over(row.id, body.person or "", body.deadline, who(), here.now())
    return answers.done(detail(row.id))


@api.put("/alarms/<alarm>/silence", tags=TAG, responses={200: AlarmDetail})
@door(Permission.EQUIP, takes=JSON)
def silence_alarm(path: Path, body: Quiet) -> Response:
    """Nobody is told of this cause in this place for a while."""
    here, row = window(), alarms.seen(path.alarm)
    here.desk.keep_quiet(row.id, body.until, body.reason, who(), here.now())
    return answers.done(detail(row.id))


@api.delete("/alarms/<alarm>/silence", tags=TAG, responses={204: None})
@door(Permission.EQUIP)
def end_silence(path: Path) -> Response:
    """It is told again."""
    here, row = window(), alarms.seen(path.alarm)
    here.desk.speak_again(row.id, who(), here.now())
    return Response(status=204)


def _open(query: Query) -> list[AlarmRow]:
    """What is open and not on a page before, by when it was raised, the oldest first: a new one comes last."""
    after = answers.read_cursor(query.cursor, (str, str))
    mine = [row for row in window().store.alarms.open() if alarms.mine(row, query.area or "")]
    asked = [row for row in mine if query.state in (None, row.state) and (after is None or _place(row) > after)]
    return sorted(asked, key=_place)


def _over(query: Query) -> list[AlarmRow]:
    """A page of what was cleared, the newest first, and one more."""
    before = answers.read_cursor(query.cursor, (str, str))
    where = (query.area,) if query.area else reach(Permission.READ)
    since = (answers.read_moment(before[0]), before[1]) if before else None
    return window().store.alarms.cleared(query.limit + 1, where, since)


def _place(row: AlarmRow) -> list[str]:
    """Its place in the list."""
    return [(row.cleared_at or row.raised_at).astimezone(UTC).isoformat(timespec="microseconds"), row.id]


def _silences() -> dict[tuple[str, str], Silence]:
    return window().store.alarms.silences(window().now())


def detail(alarm: str) -> AlarmDetail:
    """The alarm as it is now; 404 unless this token may see it."""
    row, book = alarms.seen(alarm), window().store.alarms
    quiet = book.silences(window().now()).get((row.cause, row.place))
    members = [_member(each) for each in book.members(row.id, MOST_MEMBERS)]
    return AlarmDetail(**_facts(row, quiet), members=members, history=[_event(each) for each in book.history(row.id)])


def _facts(row: AlarmRow, quiet: Silence | None) -> dict[str, Any]:
    same = [name for name in AlarmOut.model_fields if name not in ("state", "silence")]
    kept = SilenceOut(until=quiet.until, reason=quiet.reason, who=quiet.who) if quiet else None
    return {name: getattr(row, name) for name in same} | {"state": row.state, "silence": kept}


def _member(row: MemberRow) -> MemberOut:
    return MemberOut(member=row.member, since=row.since, cleared_at=row.cleared_at, flaps=row.flaps)


def _event(row: Event) -> EventOut:
    return EventOut(at=row.at, what=row.what, who=row.who, detail=row.detail)
