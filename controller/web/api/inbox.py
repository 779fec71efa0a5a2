"""The inbox: what came from above to a commune, given its time there or declined; and the order of what clashes."""

from __future__ import annotations

from flask import Response

from controller.rights import Permission
from controller.store.rows import Announcement, BookingRow, InboxItem
from controller.web import bookings, inbox
from controller.web.api import answers
from controller.web.api.announcements import start_of
from controller.web.api.fields import Answered, Asked, Line, Moment, Name, Truth
from controller.web.api.operation import JSON, Once, api, door, once, tag
from controller.web.api.shapes import Again, BookingOut, again_of, booking_out
from controller.web.doors import who
from controller.web.window import window

TAG = tag("inbox", "What came from above, and what clashes")


class Path(Asked):
    """Which announcement, in which commune."""

    announcement: Name
    area: Name


class Start(Asked):
    """When it shall sound there; null: now."""

    start: Moment | None = None


class Declining(Asked):
    """Why it shall not."""

    reason: Line


class Order(Asked):
    """Which of two bookings that clash goes first."""

    own: Name
    above: Name
    own_first: Truth


class ItemOut(Answered):
    """An announcement in the inbox of a commune.

    ``wished``: when its sender would have it sound, ``recurrence``: by which rule it comes again, while it is offered.
    """

    announcement: str
    area: str
    title: str
    text: str
    state: str
    delivered_at: Moment
    deadline: Moment
    decided_by: str | None
    decided_at: Moment | None
    booking: str | None
    reason: str
    times: int
    drill: bool
    wished: Moment | None
    recurrence: Again | None


class ClashOut(Answered):
    """Two priority bookings that want the same loudspeakers; the commune decides until ``decide_by``."""

    own: str
    above: str
    at: Moment
    own_first: bool
    decide_by: Moment


class InboxOut(Answered):
    """What waits, what clashes, and what was decided in the last two weeks."""

    waiting: list[ItemOut]
    clashes: list[ClashOut]
    decided: list[ItemOut]


@api.get("/inbox", tags=TAG, responses={200: InboxOut})
@door(Permission.READ)
def read_inbox() -> Response:
    """The inboxes of the communes that this token speaks for."""
    return answers.one(now_there())


@api.post("/inbox/<announcement>/<area>/placement", tags=TAG, responses={200: BookingOut})
@door(Permission.WRITE, takes=JSON)
@once
def place_item(path: Path, body: Start, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Give it a time in this commune."""
    here = window()
    made = here.desk.place(path.announcement, path.area, start_of(body.start), who(), here.now())
    return answers.done(booking_out(bookings.visible(made.id)))


@api.post("/inbox/<announcement>/<area>/refusal", tags=TAG, responses={200: ItemOut})
@door(Permission.WRITE, takes=JSON)
@once
def decline_item(path: Path, body: Declining, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """It will not sound in this commune; whoever sent it reads why."""
    here = window()
    item = here.desk.decline(path.announcement, path.area, body.reason, who(), here.now())
    held = here.store.announcements.get(item.announcement)
    assert held is not None
    return answers.done(_told(item, held, inbox.offers([(item, held)]).get(held.id)))


@api.post("/inbox/order", tags=TAG, responses={200: InboxOut})
@door(Permission.WRITE, takes=JSON)
@once
def order_clash(body: Order, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """Which of two that clash goes first here."""
    here = window()
    here.desk.order(body.own, body.above, body.own_first, who(), here.now())
    return answers.done(now_there())


def now_there() -> InboxOut:
    """The inbox as it is now."""
    clashes = [
        ClashOut(own=each.own.id, above=each.above.id, at=each.at, own_first=each.own_first, decide_by=each.decide_by)
        for each in window().desk.clashes(who(), window().now())
    ]
    waiting, decided = inbox.waiting(), inbox.decided()
    offers = inbox.offers([*waiting, *decided])
    return InboxOut(
        waiting=[_told(item, held, offers.get(held.id)) for item, held in waiting],
        clashes=clashes,
        decided=[_told(item, held, offers.get(held.id)) for item, held in decided],
    )


def _told(item: InboxItem, held: Announcement, offer: BookingRow | None) -> ItemOut:
    same = ("announcement", "area", "delivered_at", "deadline", "decided_by", "decided_at", "booking", "reason")
    return ItemOut(
        **{name: getattr(item, name) for name in same},
        **{name: getattr(held, name) for name in ("title", "text", "times", "drill")},
        state=item.state.value,
        wished=offer.start if offer else None,
        recurrence=again_of(offer) if offer else None,
    )
