"""Alarms as rows: frozen, complete, every datetime aware and UTC.

- An alarm is one cause in one place; its members are the loudspeakers (or parts of the station) that it is about.
- It is raised, perhaps acknowledged, and cleared when its last member is; nothing of it is ever deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class AlarmRow:
    """``grade``: bad or warn. ``began_at``: when the first of it began; ``joined_at``: when it last grew.

    ``under``: the alarm that explains this one. ``flaps``: how often members went and came again, all together.
    """

    id: str
    cause: str
    place: str  # an area
    grade: str
    began_at: datetime
    raised_at: datetime
    joined_at: datetime
    open_members: int = 0
    all_members: int = 0
    flaps: int = 0
    under: str | None = None
    cleared_at: datetime | None = None
    acknowledged_by: str | None = None  # a user's name
    acknowledged_at: datetime | None = None
    assignee: str | None = None  # a user's id
    deadline: datetime | None = None

    @property
    def state(self) -> str:
        """``cleared``, ``acknowledged`` or ``raised``."""
        if self.cleared_at is not None:
            return "cleared"
        return "acknowledged" if self.acknowledged_at is not None else "raised"

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been mended by now."""
        return self.cleared_at is None and self.deadline is not None and self.deadline < now


@dataclass(frozen=True)
class MemberRow:
    """One that an alarm is about. ``gone_at``: since when its sign is absent, while it is not cleared yet."""

    alarm: str
    member: str
    since: datetime
    gone_at: datetime | None = None
    cleared_at: datetime | None = None
    flaps: int = 0
    facts: dict[str, Any] | None = None


@dataclass(frozen=True)
class Event:
    """A line of an alarm's history; ``who`` is empty for the station itself."""

    alarm: str
    at: datetime
    what: str
    who: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Silence:
    """Nobody is told of this cause in this place until then; it always ends."""

    cause: str
    place: str
    since: datetime
    until: datetime
    reason: str
    who: str


@dataclass(frozen=True)
class Known:
    """What the station goes on from: alarms that are open or were cleared lately, and their members by alarm."""

    alarms: tuple[AlarmRow, ...] = ()
    members: dict[str, tuple[MemberRow, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a look at the facts changes: rows as they are from now on, and the lines of their history."""

    alarms: tuple[AlarmRow, ...] = ()
    members: tuple[MemberRow, ...] = ()
    events: tuple[Event, ...] = ()
