"""An alert as it was read: frozen, complete, every moment aware and in UTC. Names as in CAP 1.2, section 3.2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from words import Said


class CapError(Said):
    """Why an alert is not taken in. Nothing of it was kept."""


class Status(StrEnum):
    """How an alert is to be handled; everything but `ACTUAL` is no warning."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class Kind(StrEnum):
    """What the message is to those before it (``msgType``)."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """Whom it is for."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Urgency(StrEnum):
    """How soon something should be done."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(StrEnum):
    """How bad it is."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """How sure it is."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Reference:
    """An earlier message that this one is about."""

    sender: str
    identifier: str


@dataclass(frozen=True)
class Place:
    """Where it holds: a description, official codes by their kind, shapes as they were written (WGS 84)."""

    name: str
    geocodes: tuple[tuple[str, str], ...] = ()
    polygons: tuple[str, ...] = ()
    circles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Info:
    """What it says in one language. ``language`` as RFC 3066 has it, in small letters."""

    language: str
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def vietnamese(self) -> bool:
        """Whether a Vietnamese voice can read it."""
        return self.language.partition("-")[0] == "vi"


@dataclass(frozen=True)
class Alert:
    """A message. ``info`` is the one chosen; ``left_out`` counts others in its language, which say something else."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    kind: Kind
    scope: Scope
    references: tuple[Reference, ...] = ()
    note: str = ""
    info: Info | None = None
    left_out: int = 0
    signed: bool = False  # it carries an XML signature, which nobody here has checked

    @property
    def drill(self) -> bool:
        """Whether it only practises."""
        return self.status in (Status.EXERCISE, Status.TEST)
