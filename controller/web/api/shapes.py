"""How announcements and bookings are asked for and told; the same words as on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.store.rows import Announcement, BookingRow, BookingView
from controller.web import reading
from controller.web.api.fields import Answered, Asked, Day, Line, Moment, Name, Text, Truth, Whole
from controller.web.window import window
from schedules.booking import WhenCut
from schedules.calendars import Recurrence
from wire.plan import BulletinClass

Class = Literal["ordinary", "priority", "emergency"]
States = Literal["draft", "submitted", "approved", "returned", "withdrawn"]


class Repeating(Asked):
    """Again and again: an RRULE (RFC 5545), ``LUNAR:`` or ``DATES:``, not on the days ``but``, not past ``until``."""

    rule: Line
    but: list[Day] = Field([], max_length=400)
    until: Moment | None = None

    def recurrence(self) -> Recurrence:
        """The same for the desk."""
        days = tuple(sorted({day.isoformat() for day in self.but}))
        return Recurrence(self.rule, window().settings.zone, days, self.until)


class Placing(Asked):
    """Where and when: at ``start`` (null: once it is voiced), again and again, or in a ``slot`` of that series."""

    areas: list[Name] = Field(min_length=1, max_length=500)
    start: Moment | None = None
    recurrence: Repeating | None = None
    slot: Name | None = None
    after_cut: Literal["resume", "restart", "drop", "duck"] | None = None


class Writing(Asked):
    """What an announcement says. With a ``recording`` (its SHA-256) that is heard, and the text may be empty."""

    text: Text = ""
    title: Name = ""
    bulletin_class: Class = "ordinary"
    recording: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    times: Whole = Field(1, ge=1, le=10)
    drill: Truth = False


class New(Writing):
    """A draft; with a ``placing`` it is sent on its way at once."""

    placing: Placing | None = None


class Again(Answered):
    """How a booking comes again."""

    rule: str
    zone: str
    but: list[str]
    until: Moment | None


class BookingOut(Answered):
    """A booking. ``stage``: where it stands, in one word; counts are of the nodes that should sound it."""

    id: str
    announcement: str
    title: str
    areas: list[str]
    start: Moment | None
    recurrence: Again | None
    slot: str | None
    bulletin_class: Class
    level: str
    state: str
    stage: str
    created_at: Moment
    created_by: str


class AnnouncementOut(Answered):
    """An announcement as it stands. ``voice``: waiting, done or failed; ``asset``: the SHA-256 of its sound."""

    id: str
    title: str
    text: str
    spoken: str
    language: str
    bulletin_class: Class
    level: str
    state: States
    reason: str
    voice: str
    voice_error: str | None
    asset: str | None
    recording: str | None
    times: int
    drill: bool
    author: str
    approver: str | None
    version: int
    created_at: Moment
    updated_at: Moment
    bookings: list[str]


def booking_out(view: BookingView) -> BookingOut:
    """A booking as it is told."""
    row = view.booking
    return BookingOut(
        **{name: getattr(row, name) for name in ("id", "announcement", "start", "slot", "created_at", "created_by")},
        title=view.title,
        areas=list(row.areas),
        recurrence=again_of(row),
        bulletin_class=row.bulletin_class.value,
        level=row.level.value,
        state=row.state.value,
        stage=reading.stage(view, window().now()),
    )


def announcement_out(held: Announcement) -> AnnouncementOut:
    """An announcement as it is told, with the names of its bookings."""
    same = ("id", "title", "text", "spoken", "language", "reason", "asset", "recording", "times", "drill", "author")
    return AnnouncementOut(
        **{name: getattr(held, name) for name in (*same, "approver", "version", "created_at", "updated_at")},
        bulletin_class=held.bulletin_class.value,
        level=held.level.value,
        state=held.state.value,
        voice=held.voice_state.value,
        voice_error=held.voice_error.key if held.voice_error else None,
        bookings=[row.id for row in window().store.bookings.of(held.id)],
    )


def class_of(written: str | None) -> BulletinClass | None:
    """The class that was named."""
    return BulletinClass(written) if written else None


def cut_of(written: str | None) -> WhenCut | None:
    """What becomes of it when it is cut into."""
    return WhenCut(written) if written else None


def again_of(row: BookingRow) -> Again | None:
    """By which rule it comes again."""
    again = row.recurrence
    return Again(rule=again.rule, zone=again.zone, but=list(again.but), until=again.until) if again else None
