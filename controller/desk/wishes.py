"""What is asked of the desk, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from controller.rights import Role
from controller.store.rows import Session, User
from schedules.booking import WhenCut
from schedules.calendars import Recurrence
from wire.plan import BulletinClass, Level
from words import Said


class DeskError(Said):
    """A wish that cannot stand; nothing was written."""


class OwnApproval(StrEnum):
    """Whether an approver may approve what they wrote themselves."""

    ALWAYS = "always"
    ORDINARY = "ordinary"  # but no emergency: two people for that
    NEVER = "never"


@dataclass(frozen=True)
class Wish:
    """An announcement, and where and when it shall sound. ``start`` None: as soon as it is voiced.

    With a ``recurrence`` it comes again and again, from ``start`` on. Without a title the first line of the text stands
    for it. A draft is only kept: its areas and start are not looked at. The same ``idempotency_key`` from the same
    person is the same wish. With a ``recording`` (SHA-256) that is heard, and the text may be empty. ``times``: how
    often the words are heard in one broadcast, 1–10. With a ``slot`` it comes in the next slot of that series of the
    programme, instead of at a time. ``after_cut``: what becomes of it when an emergency cuts in; None: as usual.
    """

    text: str
    areas: tuple[str, ...] = ()
    start: datetime | None = None
    title: str = ""
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    idempotency_key: str | None = None
    draft: bool = False
    recurrence: Recurrence | None = None
    recording: str | None = None
    times: int = 1
    drill: bool = False
    slot: str | None = None
    after_cut: WhenCut | None = None

    @property
    def placing(self) -> Placing:
        """Where and when, alone."""
        return Placing(
            self.areas, self.start, self.idempotency_key, self.recurrence, self.slot, after_cut=self.after_cut
        )


@dataclass(frozen=True)
class Draft:
    """What an announcement says, and how. See `Wish`."""

    text: str
    title: str = ""
    bulletin_class: BulletinClass = BulletinClass.ORDINARY
    level: Level = Level.COMMUNE
    recording: str | None = None
    times: int = 1
    drill: bool = False


@dataclass(frozen=True)
class Placing:
    """Where and when a draft shall sound."""

    areas: tuple[str, ...]
    start: datetime | None = None
    idempotency_key: str | None = None
    recurrence: Recurrence | None = None
    slot: str | None = None
    after_cut: WhenCut | None = None


@dataclass(frozen=True)
class Enrolment:
    """A node to enter: its name on the wire, its name for people, where it hangs, its public key in hex.

    Without a key it comes in by a one-time code.
    """

    node: str
    name: str
    home: str
    public_key: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Giving:
    """A right to give: a role over ``area`` and all in it, for a time. See `controller.rights.Grant`.

    ``hours``: days (0 Monday … 6), and from when to when by the station's clock (``HH:MM``).
    """

    role: Role
    area: str
    since: datetime | None = None
    until: datetime | None = None
    hours: tuple[tuple[int, ...], str, str] | None = None


@dataclass(frozen=True)
class NewUser:
    """A person to enter, with the first right that they hold. Without a password they come in by an invitation."""

    name: str
    giving: Giving
    full_name: str = ""
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Place:
    """Where a person is signed in; ``name`` tells it apart and opens nothing, ``here`` is where they ask from."""

    name: str
    session: Session
    here: bool


@dataclass(frozen=True)
class Halfway:
    """A person whose password was right and whose second factor is still to come; the token says so for minutes."""

    user: User
    token: str = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """A person who has come in, and the token that says so; the store knows only its hash."""

    user: User
    token: str = field(repr=False)
