"""People and what they hold, to be read. Who changes that has just proved who they are: on the page."""

from __future__ import annotations

from flask import Response

from controller.rights import Grant, Permission
from controller.store.rows import User
from controller.web import people
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Moment, Name
from controller.web.api.operation import api, door, tag
from controller.web.doors import may, who
from controller.web.window import window

TAG = tag("people", "Who there is, and what they may do")


class Path(Asked):
    """Which person, by id."""

    user: Name


class Query(Asked):
    """A page of people, by name."""

    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class HoursOut(Answered):
    """Hours of the week in which a right counts; ``days``: 0 is Monday."""

    days: list[int]
    since: str
    until: str
    zone: str


class GrantOut(Answered):
    """A right: a role over an area and all in it, for a time."""

    id: str
    role: str
    area: str
    since: Moment | None
    until: Moment | None
    hours: HoursOut | None
    given_by: str
    given_at: Moment


class PersonOut(Answered):
    """A person; of what they hold that which lies where the asker has a say over people."""

    id: str
    name: str
    full_name: str
    area: str
    has_left: bool
    created_at: Moment
    grants: list[GrantOut]


class PersonPage(Answered):
    """People, by name."""

    items: list[PersonOut]


@api.get("/people", tags=TAG, responses={200: PersonPage})
@door(Permission.PEOPLE)
def list_people(query: Query) -> Response:
    """Whoever belongs or holds something where this token has a say over people."""
    after = answers.read_cursor(query.cursor, str)
    everybody = window().desk.staff(who(), window().now())
    names = [each.name for each in everybody]
    first = names.index(after) + 1 if after in names else 0
    shown = everybody[first : first + query.limit]
    more = shown[-1].name if first + query.limit < len(everybody) else None
    return answers.page(PersonPage(items=[_told(each) for each in shown]), more)


@api.get("/people/<user>", tags=TAG, responses={200: PersonOut})
@door(Permission.PEOPLE)
def read_person(path: Path) -> Response:
    """One person."""
    return answers.one(_told(people.shown(path.user)))


def _told(user: User) -> PersonOut:
    return PersonOut(
        id=user.id,
        name=user.name,
        full_name=user.full_name,
        area=user.area,
        has_left=user.disabled,
        created_at=user.created_at,
        grants=[_grant(each) for each in user.grants if may(Permission.PEOPLE, each.area)],
    )


def _grant(grant: Grant) -> GrantOut:
    hours = grant.hours
    told = HoursOut(days=list(hours.days), since=hours.since, until=hours.until, zone=hours.zone) if hours else None
    same = ("id", "area", "since", "until", "given_by", "given_at")
    return GrantOut(**{name: getattr(grant, name) for name in same}, role=grant.role.value, hours=told)
