"""Looking after loudspeakers: how loud, in maintenance until when, a tone that tries one, where each stands."""

from __future__ import annotations

from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Annotated

from flask import Response, abort
from pydantic import Field

from controller.desk.upkeep import LEAST_DBFS, MOST_BANDS
from controller.rights import Permission
from controller.store.positions import Position
from controller.studio import try_tone
from controller.web import bookings, upkeep
from controller.web.api import answers
from controller.web.api.bookings import BookingDetail, detail
from controller.web.api.fields import PLAIN, Answered, Asked, Line, Moment, Name
from controller.web.api.nodes import TAG, Path, visible
from controller.web.api.operation import JSON, Once, api, door, key_for_desk, once
from controller.web.doors import sees, who
from controller.web.window import window
from wire.config import VolumeBand


class Band(Asked):
    """From this local time (``HH:MM``) on so loud, in dBFS."""

    since: Annotated[str, Field(pattern=PLAIN, max_length=5)]
    volume_dbfs: float = Field(ge=LEAST_DBFS, le=0, strict=True)


class Volumes(Asked):
    """How loud from when on; none: as its place wants it."""

    bands: list[Band] = Field(max_length=MOST_BANDS)


class Maintaining(Asked):
    """Until when it sounds emergencies only (90 days at most), and why."""

    until: Moment
    reason: Line


class BandOut(Answered):
    """From this local time on so loud, in dBFS."""

    since: str
    volume_dbfs: float


class UpkeepOut(Answered):
    """How a loudspeaker is looked after. ``maintenance``: it sounds emergencies only, until then."""

    node: str
    bands: list[BandOut]
    maintenance: bool
    maintenance_until: Moment | None
    maintenance_reason: str


class Place(Asked):
    """An area or a loudspeaker."""

    place: Name


class Degrees(Asked):
    """Degrees of WGS 84, within Việt Nam with its sea and islands."""

    latitude: float = Field(ge=-90, le=90, strict=True)
    longitude: float = Field(ge=-180, le=180, strict=True)


class PositionOut(Answered):
    """Where an area or a loudspeaker stands, and who said so when."""

    place: str
    latitude: float
    longitude: float
    set_by: str
    set_at: Moment


@api.get("/nodes/<node>/upkeep", tags=TAG, responses={200: UpkeepOut})
@door(Permission.READ)
def read_upkeep(path: Path) -> Response:
    """How loud a loudspeaker is from when on, and whether it is in maintenance."""
    return answers.one(_told(path.node))


@api.put("/nodes/<node>/volumes", tags=TAG, responses={200: UpkeepOut})
@door(Permission.EQUIP, takes=JSON)
def set_volumes(path: Path, body: Volumes) -> Response:
    """How loud it is from which local time on."""
    here, node = window(), upkeep.mine(path.node)
    here.desk.set_volumes(node.id, [VolumeBand(each.since, each.volume_dbfs) for each in body.bands], who(), here.now())
    return answers.done(_told(node.id))


@api.put("/nodes/<node>/maintenance", tags=TAG, responses={200: UpkeepOut})
@door(Permission.EQUIP, takes=JSON)
def begin_maintenance(path: Path, body: Maintaining) -> Response:
    """From now until then it sounds emergencies only, and nobody is told that it is away."""
    here, node = window(), upkeep.mine(path.node)
    here.desk.maintain(node.id, body.reason, body.until, who(), here.now())
    return answers.done(_told(node.id))


@api.delete("/nodes/<node>/maintenance", tags=TAG, responses={204: None})
@door(Permission.EQUIP)
def end_maintenance(path: Path) -> Response:
    """It sounds everything again."""
    here, node = window(), upkeep.mine(path.node)
    here.desk.end_maintenance(node.id, who(), here.now())
    return Response(status=204)


@api.post("/nodes/<node>/tone", tags=TAG, responses={200: BookingDetail})
@door(Permission.EQUIP)
@once
def try_node(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """A tone on this loudspeaker alone, as soon as can be: the booking, which says how it ended."""
    here, node = window(), upkeep.mine(path.node)
    here.desk.may_try(node.id, who(), here.now())
    with TemporaryDirectory() as folder:
        kept = here.archive.keep(try_tone.write(File(folder) / "tone.wav"))
    made = here.desk.try_out(node.id, kept, key_for_desk() or "", who(), here.now())
    assert made.booking_id is not None
    return answers.done(detail(bookings.visible(made.booking_id).booking.id))


@api.get("/positions/<place>", tags=TAG, responses={200: PositionOut})
@door(Permission.READ)
def read_position(path: Place) -> Response:
    """Where an area or a loudspeaker stands; 404 where that was not entered."""
    if not sees(window().store.roster.homes().get(path.place, "")):
        abort(404)
    found = window().store.positions.all().get(path.place)
    return answers.one(_position(found)) if found else abort(404)


@api.put("/positions/<place>", tags=TAG, responses={200: PositionOut})
@door(Permission.EQUIP, takes=JSON)
def locate(path: Place, body: Degrees) -> Response:
    """Enter where an area or a loudspeaker stands."""
    here = window()
    return answers.done(
        _position(here.desk.locate(path.place, f"{body.latitude:.6f}", f"{body.longitude:.6f}", who(), here.now()))
    )


@api.delete("/positions/<place>", tags=TAG, responses={204: None})
@door(Permission.EQUIP)
def forget_position(path: Place) -> Response:
    """It is not known any more where it stands."""
    here = window()
    here.desk.locate_nowhere(path.place, who(), here.now())
    return Response(status=204)


def _told(name: str) -> UpkeepOut:
    node = visible(name)
    return UpkeepOut(
        node=node.id,
        bands=[BandOut(since=each.since, volume_dbfs=each.volume_dbfs) for each in node.volumes],
        maintenance=node.maintenance,
        maintenance_until=node.maintenance_until,
        maintenance_reason=node.maintenance_reason,
    )


def _position(found: Position) -> PositionOut:
    return PositionOut(**vars(found))
