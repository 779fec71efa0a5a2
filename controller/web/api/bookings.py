"""Bookings: where and when announcements sound, how far each has come, and taking one back."""

from __future__ import annotations

from datetime import UTC

from flask import Response, abort
from pydantic import Field

from controller.rights import Permission
from controller.store.rows import BookingView
from controller.web import agenda, bookings, reading
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Day, Limit, Moment, Name, Whole
from controller.web.api.operation import JSON, Once, api, door, once, tag
from controller.web.api.shapes import BookingOut, booking_out
from controller.web.doors import sees, who
from controller.web.window import window

TAG = tag("bookings", "Where and when announcements sound, and how far they have come")
TAKING_BACK = (Permission.WRITE, Permission.WARN, Permission.APPROVE)
MOST_COMINGS = 50


class Path(Asked):
    """Which booking."""

    booking: Name


class Query(Asked):
    """Of which area and what lies in it or above it."""

    area: Name | None = None
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class BookingPage(Answered):
    """Bookings: those without a time, those that come again, then by start."""

    items: list[BookingOut]


class Progress(Answered):
    """How many nodes should sound it, have, or ended otherwise; the others have not said."""

    expected: int
    sounded: int
    ended_otherwise: int
    waiting: int


class Withheld(Answered):
    """A coming that a place's rules hold back."""

    area: str
    start: Moment
    reason: str


class BookingDetail(BookingOut):
    """A booking, its next 50 comings, the next 50 that are held back of it, and how it ended so far."""

    comings: list[Moment]
    held_back: list[Withheld]
    progress: Progress


class LeaveOut(Asked):
    """The local day on which it shall not come; ``known``: how many days are left out of it as far as was read."""

    day: Day
    known: Whole = Field(ge=0, le=400)


@api.get("/bookings", tags=TAG, responses={200: BookingPage})
@door(Permission.READ)
def list_bookings(query: Query) -> Response:
    """What may sound from a few hours ago to two weeks ahead, in what this token reads."""
    if query.area and not sees(query.area):
        abort(404)
    after = answers.read_cursor(query.cursor, (int, str, str))
    views = sorted(bookings.ahead(query.area or ""), key=_place)
    rest = [view for view in views if after is None or _place(view) > after]
    shown = rest[: query.limit]
    more = _place(shown[-1]) if len(rest) > len(shown) else None
    return answers.page(BookingPage(items=[booking_out(view) for view in shown]), more)


@api.get("/bookings/<booking>", tags=TAG, responses={200: BookingDetail})
@door(Permission.READ)
def read_booking(path: Path) -> Response:
    """One booking, and how far it is."""
    return answers.one(detail(path.booking))


@api.post("/bookings/<booking>/withdrawal", tags=TAG, responses={200: BookingDetail})
@door(*TAKING_BACK)
@once
def withdraw_booking(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Take it back: it leaves the plan, and nodes forget it."""
    here, view = window(), bookings.visible(path.booking)
    here.desk.withdraw(view.booking.id, who(), here.now())
    return answers.done(detail(view.booking.id))


@api.post("/bookings/<booking>/stop", tags=TAG, responses={200: BookingDetail})
@door(*TAKING_BACK)
@once
def stop_booking(path: Path, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """End what sounds of it now: taken back, or, of what comes again, left out on this day only."""
    here, view = window(), bookings.visible(path.booking)
    here.desk.stop(view.booking.id, who(), here.now())
    return answers.done(detail(view.booking.id))


@api.post("/bookings/<booking>/exceptions", tags=TAG, responses={200: BookingDetail})
@door(*TAKING_BACK, takes=JSON)
@once
def leave_out(path: Path, body: LeaveOut, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Of what comes again, one day is taken back."""
    here, view = window(), bookings.visible(path.booking)
    here.desk.leave_out(view.booking.id, body.day, body.known, who(), here.now())
    return answers.done(detail(view.booking.id))


def _place(view: BookingView) -> list[int | str]:
    """Its place in the list, whatever comes and goes around it."""
    start, again = view.booking.start, view.booking.recurrence is not None
    if start is None:
        return [0, "", view.booking.id]
    return [1 if again else 2, start.astimezone(UTC).isoformat(timespec="microseconds"), view.booking.id]


def detail(booking: str) -> BookingDetail:
    """The booking as it is now; 404 unless this token may see it."""
    here, view = window(), bookings.visible(booking)
    how = reading.progress(view)
    held = here.store.held.of(booking, since=here.now() - agenda.BEHIND)
    counted = Progress(expected=how.expected, sounded=how.sounded, ended_otherwise=how.ended, waiting=how.waiting)
    return BookingDetail(
        **vars(booking_out(view)),
        comings=here.desk.comings(view.booking, here.now())[:MOST_COMINGS],
        held_back=[Withheld(area=each.area, start=each.start, reason=each.reason) for each in held[:MOST_COMINGS]],
        progress=counted,
    )
