"""Step-up: acts that want a person who has just proved who they are. Pure.

- Whoever comes through the web is `SignedIn`, and carries until when their proof is fresh.
- A plain `User` acts at the station's own command line: whoever sits there has its disk, keys and database already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controller.store.rows import User
from words import Said

CLOCK_SLACK = timedelta(minutes=1)  # two web processes, or a clock that was put right


class Critical(StrEnum):
    """What wants a fresh proof."""

    EMERGENCY = "emergency"
    LIVE = "live"
    USERS = "users"
    NODES = "nodes"
    KEYS = "keys"
    FACTORS = "factors"


class SecondFactor(StrEnum):
    """Of whom a second factor is demanded. Whoever has one is always asked for it."""

    OWN = "own"  # of nobody else
    CRITICAL = "critical"  # of whoever does what is critical
    EVERYBODY = "everybody"


class NotFresh(Said):
    """An act that wants a fresh proof of who one is; nothing was written. ``lacking``: a second factor is missing."""

    def __init__(self, what: Critical, lacking: bool) -> None:
        super().__init__("desk.factor_needed" if lacking else "desk.not_fresh")
        self.what = what
        self.lacking = lacking


@dataclass(frozen=True)
class SignedIn(User):
    """A person who is signed in, in the session with that hash; what they have, and until when their proof is fresh."""

    session: str = field(default="", repr=False)
    proven_at: datetime | None = None
    fresh_until: datetime | None = None
    has_code: bool = False
    has_passkey: bool = False
    policy: SecondFactor = SecondFactor.OWN

    @property
    def has_factor(self) -> bool:
        """Whether there is a second factor."""
        return self.has_code or self.has_passkey

    @property
    def owes_factor(self) -> bool:
        """Whether nothing is open before one is set up."""
        return self.policy is SecondFactor.EVERYBODY and not self.has_factor

    def is_fresh(self, now: datetime) -> bool:
        """Whether who this is was proved a moment ago."""
        if self.proven_at is None or self.fresh_until is None:
            return False
        return self.proven_at - CLOCK_SLACK <= now < self.fresh_until


def need(who: User, what: Critical, now: datetime) -> None:
    """Raises NotFresh unless ``who`` may do it now without proving again who they are."""
    if not isinstance(who, SignedIn):
        return
    lacking = what is not Critical.FACTORS and who.policy is not SecondFactor.OWN and not who.has_factor
    if lacking or not who.is_fresh(now):
        raise NotFresh(what, lacking)
