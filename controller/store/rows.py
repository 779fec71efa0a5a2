"""The rows that the store takes and gives: frozen, complete, without a connection behind them.

- Every datetime is aware and UTC.
- `Area` and `Node` are the roster's own (`controller.roster`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from controller.rights import Grant
from schedules.booking import WhenCut
from schedules.calendars import Recurrence
from wire.plan import BulletinClass, Cosigned, Late, Level


class AnnouncementState(StrEnum):
    """How far an announcement has come: only an approved one is planned."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class VoiceState(StrEnum):
    """Whether an announcement's text has become sound."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class BookingState(StrEnum):
    """Whether a booking is still wanted; one that is offered is placed by each commune itself."""

    WANTED = "wanted"
    OFFERED = "offered"
    WITHDRAWN = "withdrawn"


class InboxState(StrEnum):
    """What became of an ordinary bulletin from above in one commune."""

    WAITING = "waiting"
    PLACED = "placed"
    DECLINED = "declined"
    LAPSED = "lapsed"  # nobody decided in time
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class User:
    """A person. ``area`` is where they belong, ``*`` for the whole station: at its level they speak, as it reads they
    are read. What they may do is in their ``grants``. ``password_hash`` empty: cannot sign in.
    """

    id: str
    name: str
    area: str
    created_at: datetime
    full_name: str = ""
    password_hash: str = field(default="", repr=False)
    disabled: bool = False
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class VoiceFault:
    """Why a text could not be voiced: a sentence's key and its facts."""

    key: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Announcement:
    """An announcement (bản tin). ``version`` grows by one at every change (optimistic lock).

    With a ``recording`` that is what is heard, and the text only tells what it says, or is empty.
    """

    id: str
    title: str
    text: str
    author: str  # a user's id
    created_at: datetime
    updated_at: datetime
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    state: AnnouncementState = AnnouncementState.DRAFT
    spoken: str = ""
    spoken_rewrites: tuple[dict[str, Any], ...] = ()
    asset: str | None = None  # SHA-256
    voice_state: VoiceState = VoiceState.WAITING
    voice_error: VoiceFault | None = None
    approver: str | None = None
    reason: str = ""  # why it was returned
    version: int = 1
    recording: str | None = None  # SHA-256
    language: str = "vi"  # BCP 47
    times: int = 1  # how often it is heard in one broadcast
    drill: bool = False

    @property
    def script(self) -> tuple[object, ...]:
        """All that decides how it sounds."""
        return self.text, self.bulletin_class.value, self.recording, self.times, self.drill

    @property
    def script_hash(self) -> str:
        """SHA-256 of the script, 64 hex digits: names what the studio was asked to make."""
        return hashlib.sha256(repr(self.script).encode()).hexdigest()


@dataclass(frozen=True)
class AssetRow:
    """A finished audio file on the shelf."""

    sha256: str
    size_bytes: int
    duration_ms: int
    media_type: str
    voice: str
    created_at: datetime
    lufs: float | None = None
    peak_dbtp: float | None = None


@dataclass(frozen=True)
class RecordingRow:
    """What a person recorded, admitted and kept; ``file_name`` as the person called it."""

    sha256: str
    size_bytes: int
    duration_ms: int
    lufs: float
    language: str  # BCP 47
    file_name: str
    admitted_by: str  # a user's id
    admitted_at: datetime


@dataclass(frozen=True)
class BookingRow:
    """A booking (lịch phát) as it is kept; ``start`` None means "as soon as the voice is ready".

    With a ``slot`` the station gives it its start, and may give it another until the slot is about to begin.
    With a ``recurrence``, ``start`` is the first possible moment of it.
    """

    id: str
    announcement: str
    areas: tuple[str, ...]
    start: datetime | None
    created_by: str
    created_at: datetime
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    late: Late = Late.PLAY_LATE
    late_for_seconds: int = 1800
    after_cut: WhenCut = WhenCut.RESUME
    idempotency_key: str | None = None
    state: BookingState = BookingState.WANTED
    recurrence: Recurrence | None = None
    before: tuple[str, ...] | None = None  # bookings that it goes ahead of, by a commune's order
    slot: str | None = None  # the series whose slot it asked for instead of a time
    slot_note: str | None = None  # why it does not stand in the first such slot: `placing.Note`
    cosigned: Cosigned | None = None  # a second person's word on a wide emergency


@dataclass(frozen=True)
class InboxItem:
    """An announcement in the inbox of the commune ``area``; ``booking`` is the one that was made for it there."""

    announcement: str
    area: str
    delivered_at: datetime
    deadline: datetime  # from then on it is too late to place it
    state: InboxState = InboxState.WAITING
    decided_by: str | None = None  # a user's id
    decided_at: datetime | None = None
    booking: str | None = None
    reason: str = ""  # why it was declined


@dataclass(frozen=True)
class BookingView:
    """A booking with what a list of bookings shows of its announcement."""

    booking: BookingRow
    title: str
    announcement_state: AnnouncementState
    voice_state: VoiceState
    asset: str | None
    drill: bool = False


@dataclass(frozen=True)
class Session:
    """A person who is signed in on a device, by the hash of the token that the device holds."""

    token_hash: str = field(repr=False)
    user: str
    created_at: datetime
    expires_at: datetime
    device: str
    seen_at: datetime
    proven_at: datetime | None = None  # when this person last proved who they are


@dataclass(frozen=True)
class Announced:
    """What an announce call made, or had made before with the same key."""

    announcement_id: str
    booking_id: str | None


@dataclass(frozen=True)
class Act:
    """A line of the audit log; it is never changed."""

    who: str
    what: str
    subject: str
    detail: str
    at: datetime
