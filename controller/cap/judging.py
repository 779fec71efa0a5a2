"""Whether an alert may be taken in now: whom it is for, from whom it claims to be, when, and what came before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.cap.alert import Alert, CapError, Kind, Reference, Scope, Status

AHEAD = timedelta(minutes=15)  # how wrong a sender's clock, or ours, may be
UNTIL_FURTHER = timedelta(hours=6)  # how long one holds that does not say it
FARTHEST = timedelta(days=14)  # the end of one that says it


@dataclass(frozen=True)
class Earlier:
    """What was taken in before, and what that referred to."""

    own: Reference
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Judged:
    """It may be taken in. ``expires``: from when on it may not be heard any more; ``notes``: keys of what to know."""

    expires: datetime
    before: tuple[Reference, ...] = ()
    notes: tuple[str, ...] = ()


def judge(alert: Alert, now: datetime, senders: Collection[str], known: Sequence[Earlier]) -> Judged:
    """Whether it may be taken in. ``senders``: who may send, empty for anybody; ``known``: what there is of any sender.

    Raises CapError.
    """
    _meant_for_us(alert, senders)
    own = Reference(alert.sender, alert.identifier)
    if any(each.own == own for each in known):
        raise CapError("cap.known", identifier=alert.identifier)
    expires = _expires(alert, now)
    if any(own in each.references and each.own.sender == own.sender for each in known):
        raise CapError("cap.superseded", identifier=alert.identifier)
    taken = {each.own for each in known}
    before = tuple(each for each in alert.references if each in taken and each.sender == alert.sender)
    if alert.kind is Kind.CANCEL and not before:
        raise CapError("cap.cancels_unknown")
    return Judged(expires, before, _notes(alert, senders, before))


def _meant_for_us(alert: Alert, senders: Collection[str]) -> None:
    if alert.status in (Status.DRAFT, Status.SYSTEM):
        raise CapError("cap.not_actual", status=alert.status.value)
    if alert.kind in (Kind.ACK, Kind.ERROR):
        raise CapError("cap.no_warning", kind=alert.kind.value)
    if alert.scope is not Scope.PUBLIC:
        raise CapError("cap.not_public", scope=alert.scope.value)
    if senders and alert.sender not in senders:
        raise CapError("cap.unknown_sender", sender=alert.sender)
    if alert.info is None and alert.kind is not Kind.CANCEL:
        raise CapError("cap.missing", field="info")


def _expires(alert: Alert, now: datetime) -> datetime:
    if alert.sent > now + AHEAD:
        raise CapError("cap.future")
    said = alert.info.expires if alert.info else None
    if alert.kind is Kind.CANCEL:  # its own end is often that of what it takes back
        return min(said, now + UNTIL_FURTHER) if said and said > now else now + UNTIL_FURTHER
    expires = said or alert.sent + UNTIL_FURTHER
    if expires <= now:
        raise CapError("cap.expired")
    if expires > now + FARTHEST:
        raise CapError("cap.too_far", days=FARTHEST.days)
    return expires


def _notes(alert: Alert, senders: Collection[str], before: tuple[Reference, ...]) -> tuple[str, ...]:
    found = {
        "unlisted": not senders,
        "signature": alert.signed,
        "not_vietnamese": alert.info is not None and not alert.info.vietnamese,
        "left_out": alert.left_out > 0,
        "unknown_before": alert.kind is Kind.UPDATE and not before,
        "no_end": alert.info is not None and alert.info.expires is None and alert.kind is not Kind.CANCEL,
    }
    return tuple(key for key, true in found.items() if true)
