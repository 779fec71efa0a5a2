"""Areas: the tree and the groups, as far as a token reads; the programme that holds in one."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response, url_for
from pydantic import BaseModel, Field

from controller.desk import DeskError
from controller.desk.alarming import MOST_STATIONS
from controller.rights import Permission
from controller.roster import Area, AreaKind, ancestors
from controller.store.programmes import ProgrammeRow, edition_of
from controller.web import programme, programme_edit, reading, standing
from controller.web.api import answers
from controller.web.api.fields import PLAIN, Answered, Asked, Cursor, Day, Limit, Moment, Name, Whole
from controller.web.api.operation import JSON, Once, api, door, once, tag
from controller.web.doors import who
from controller.web.language import WebError
from controller.web.window import window

TAG = tag("areas", "The area tree, and the programme and the policy of a place")


class Path(Asked):
    """Which area."""

    area: Name


class Query(Asked):
    """A page of areas, by name."""

    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class AreaOut(Answered):
    """An area; ``parent`` is the nearest area above it, null for none. ``nodes``: how many listen to it."""

    id: str
    name: str
    kind: str
    parent: str | None
    nodes: int


class AreaPage(Answered):
    """Areas, by their paths."""

    items: list[AreaOut]


class Standing(Answered):
    """A programme of an area: its text (TOML), and from which local day it holds."""

    since: str
    title: str
    text: str
    applied_at: Moment
    applied_by: str


class ProgrammeOut(Answered):
    """What holds in exactly this area now, and what follows; ``from_above``: the area whose programme holds instead."""

    area: str
    current: Standing | None
    later: list[Standing]
    from_above: str | None


class Programme(Asked):
    """The text of a programme (docs/schedules.md), and the local day from which it shall hold (null: now)."""

    text: Annotated[str, Field(pattern=PLAIN)]  # how long it may be is the timetable's own rule
    since: Day | None = None


class IfMatch(BaseModel):
    """The ETag of the programme that the new one was made from."""

    if_match: str = Field(alias="If-Match", pattern=r"^[ -~]{1,200}$")


class NewArea(Asked):
    """An area to be entered: its whole path (``lang-son:dong-dang:thon-7``), what it is called, and what it is."""

    id: Name
    name: Name
    kind: Literal["province", "district", "commune", "hamlet", "group"]


class OtherStations(Asked):
    """How many stations of a commune are not on this system, by kind."""

    wired: Whole = Field(ge=0, le=MOST_STATIONS)
    fm: Whole = Field(ge=0, le=MOST_STATIONS)


class OtherStationsOut(Answered):
    """The same as it is kept, and who said so when."""

    area: str
    wired: int
    fm: int
    set_by: str
    set_at: Moment


@api.get("/areas", tags=TAG, responses={200: AreaPage})
@door(Permission.READ)
def list_areas(query: Query) -> Response:
    """The areas that this token reads."""
    after = answers.read_cursor(query.cursor, str) or ""
    mine = [each for each in reading.own_areas() if each.id > after]
    more = mine[query.limit - 1].id if len(mine) > query.limit else None
    return answers.page(AreaPage(items=_told(mine[: query.limit])), more)


@api.post("/areas", tags=TAG, responses={201: AreaOut})
@door(Permission.PLACES, takes=JSON)
@once
def enter_area(body: NewArea, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """One area more; what it lies in must be there."""
    here = window()
    if here.store.roster.area(body.id):
        raise DeskError("desk.name_taken", name=body.id)
    made = here.desk.add_area(Area(body.id, body.name, AreaKind(body.kind)), who(), here.now())
    return answers.made(_told([made])[0], url_for("api.read_area", area=made.id))


@api.get("/areas/<area>", tags=TAG, responses={200: AreaOut})
@door(Permission.READ)
def read_area(path: Path) -> Response:
    """One area."""
    found = window().store.roster.area(programme.readable(path.area))
    assert found is not None
    return answers.one(_told([found])[0])


@api.get("/areas/<area>/programme", tags=TAG, responses={200: ProgrammeOut})
@door(Permission.READ)
def read_programme(path: Path) -> Response:
    """The standing week of an area; its ETag is what `put` asks for."""
    area = programme.readable(path.area)
    return answers.one(_programme(area), edition_of(window().store.programmes.of(area)))


@api.put("/areas/<area>/programme", tags=TAG, responses={200: ProgrammeOut})
@door(Permission.PROGRAMME, takes=JSON)
def apply_programme(path: Path, header: IfMatch, body: Programme) -> Response:
    """Let a programme hold from a day on; 412 where somebody applied another since it was read."""
    here, area = window(), programme_edit.own(path.area)
    edition = answers.tag_of(header.if_match)
    if edition != edition_of(here.store.programmes.of(area)):
        raise WebError("web.api_changed")
    row = here.desk.weigh_programme(body.text, body.since, who(), here.now())
    if row.area != area:
        raise WebError("web.programme_other_area", area=row.area)
    here.desk.apply_programme(body.text, body.since, who(), here.now(), edition)
    return answers.one(_programme(area), edition_of(here.store.programmes.of(area)))


@api.put("/areas/<area>/other-stations", tags=TAG, responses={200: OtherStationsOut})
@door(Permission.EQUIP, takes=JSON)
def tell_of_stations(path: Path, body: OtherStations) -> Response:
    """How many stations of a commune are not on this system: what the province's targets count."""
    here, area = window(), programme.readable(path.area)
    here.desk.tell_of_stations(area, body.wired, body.fm, who(), here.now())
    return answers.done(OtherStationsOut(**vars(here.store.tallies.other_stations()[area])))


def _told(areas: list[Area]) -> list[AreaOut]:
    roster = window().store.roster
    known, listening = {each.id for each in roster.areas()}, roster.listening()
    return [
        AreaOut(
            id=each.id,
            name=each.name,
            kind=each.kind.value,
            parent=next((above for above in ancestors(each.id) if above in known), None),
            nodes=listening.get(each.id, 0),
        )
        for each in areas
    ]


def _programme(area: str) -> ProgrammeOut:
    held, above = standing.holding(area), standing.above(area)
    current = _standing(held.current) if held.current else None
    from_above = above.area if above and held.current is None else None
    later = [_standing(row) for row in held.later]
    return ProgrammeOut(area=area, current=current, later=later, from_above=from_above)


def _standing(row: ProgrammeRow) -> Standing:
    return Standing(
        since=row.since,
        title=row.programme.title,
        text=row.body,
        applied_at=row.applied_at,
        applied_by=row.applied_by,
    )
