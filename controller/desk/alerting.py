"""Alerts from elsewhere at the desk: each becomes an emergency that waits for a person, or is refused by name.

- Nothing that comes in is on the air by itself: an alert waits for approval, however much whoever took it in may do.
- It is placed in the areas that it means here and that they answer for; without one it is a draft for them to place.
- An update takes the place of what still waits. What was approved stays: only a person takes sound back.
- A cancel takes back what still waits; for what was approved it prepares the words that say so.
- Taking in and refusing are each a line of the audit log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from controller import cap
from controller.cap import Alert, CapError, Judged, Kind, Words
from controller.desk import reach
from controller.desk.announcing import blank
from controller.desk.approving import Approving
from controller.desk.wishes import DeskError, Draft, Placing
from controller.rights import Permission
from controller.roster import Area, ancestors
from controller.store import StoreError
from controller.store.alerts import AlertRow, Made
from controller.store.rows import Act, Announcement, AnnouncementState, BookingRow, User
from wire.plan import BulletinClass

TIMES = 2  # how often an alert is read in one broadcast
MOST_CODE_CHARS, MOST_CODES = 80, 20
_WAITING = (AnnouncementState.DRAFT, AnnouncementState.RETURNED, AnnouncementState.SUBMITTED)
_MAY = (Permission.WRITE, Permission.WARN)


@dataclass(frozen=True)
class TakenIn:
    """What an alert became. ``announcement`` None: it only took others back; ``placed``: it waits for approval."""

    row: AlertRow
    announcement: Announcement | None
    placed: bool
    overtaken: tuple[str, ...]  # titles of what it took back


@dataclass(frozen=True)
class _Means:
    """Where an alert holds here, for one person: their areas, what is nobody's, what is not theirs."""

    areas: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


class Alerting(Approving):
    """The part of the desk where alerts come in."""

    alert_senders: frozenset[str] = frozenset()

    def take_in(self, raw: bytes, who: User, now: datetime) -> TakenIn:
        """Take in one CAP alert as it came. Raises CapError, DeskError; both are in the audit log."""
        reach.need(who, _MAY, now)
        name = hashlib.sha256(raw[: cap.MOST_BYTES + 1]).hexdigest()
        try:
            return self._taken(cap.read(raw), name, who, now)
        except (CapError, DeskError) as wrong:
            self._store.acts.add(Act(who.name, "refused alert", name[:16], f"{wrong.key} {wrong}"[:300], now))
            raise

    def set_codes(self, area: str, codes: Iterable[str], who: User, now: datetime) -> tuple[str, ...]:
        """Let ``area`` be known to alerts by these official codes alone (``GSO=20``). Raises DeskError."""
        reach.place(self._store, area, who, Permission.PLACES, now)
        wanted = tuple(dict.fromkeys(" ".join(code.split()) for code in codes))
        for code in wanted:
            kind, _, value = code.partition("=")
            if not kind.strip() or not value.strip() or len(code) > MOST_CODE_CHARS or not code.isprintable():
                raise DeskError("desk.bad_code", code=code[:80])
        if len(wanted) > MOST_CODES or self._store.roster.area(area) is None:
            raise DeskError("desk.bad_code", code=area[:80])
        self._store.alerts.set_codes(area, wanted, Act(who.name, "set codes", area, ", ".join(wanted), now))
        return wanted

    def _taken(self, alert: Alert, digest: str, who: User, now: datetime) -> TakenIn:
        judged = cap.judge(alert, now, self.alert_senders, self._store.alerts.known(alert.sender))
        waiting, approved = self._before(judged, who, now)
        row = _row(alert, judged, digest, who, now)
        if alert.kind is Kind.CANCEL:
            made = self._retraction(alert, approved, who, now) if approved else Made()
            row = replace(row, areas=made.booking.areas if made.booking else ())
        else:
            means = self._means(alert, who, now)
            row = replace(row, areas=means.areas, unknown=means.unknown, outside=means.outside)
            row = replace(row, notes=(*row.notes, *(("on_air",) if approved else ())))
            made = self._warning(alert, row, who, now)
        return self._filed(row, replace(made, overtaken=tuple(waiting)), who, now)

    def _warning(self, alert: Alert, row: AlertRow, who: User, now: datetime) -> Made:
        """The announcement that a warning becomes; a voice of ours cannot read another language: then it is a draft."""
        written = self._written(cap.words(alert, row.expires, self._zone), alert.drill, who, now)
        placed = row.areas if alert.info and alert.info.vietnamese else ()
        return self._placed_in(written, placed, row.expires, who, now)

    def _retraction(self, alert: Alert, approved: list[Announcement], who: User, now: datetime) -> Made:
        """The words that take back what was approved, for all who may have heard it."""
        title, drill = approved[-1].title, all(each.drill for each in approved)
        written = self._written(cap.retraction(alert, title), drill, who, now)
        heard = [area for each in approved for row in self._store.bookings.of(each.id) for area in row.areas]
        homes = reach.homes_of(self._store)
        mine = [area for area in dict.fromkeys(heard) if reach.may(who, _MAY, [homes.get(area, area)], now)]
        return self._placed_in(written, tuple(mine), None, who, now)

    def _written(self, words: Words, drill: bool, who: User, now: datetime) -> Announcement:
        level = reach.level_of(self._store, who)
        draft = Draft(words.text, words.title, BulletinClass.EMERGENCY, level, times=TIMES, drill=drill)
        return self._worded(blank(who, now), draft, now)

    def _placed_in(
        self, written: Announcement, areas: tuple[str, ...], expires: datetime | None, who: User, now: datetime
    ) -> Made:
        """It waits for approval in ``areas``; a draft where there is none."""
        if not areas:
            return Made(written)
        booking: BookingRow = self._placed(written, Placing(areas, None), who, now)
        if expires:
            booking = replace(booking, late_for_seconds=int((expires - now).total_seconds()))
        return Made(replace(written, state=AnnouncementState.SUBMITTED), booking)

    def _before(self, judged: Judged, who: User, now: datetime) -> tuple[list[Announcement], list[Announcement]]:
        """What became of those that this one is about: what still waits, what was approved. Raises DeskError."""
        rows = [self._store.alerts.get(each.sender, each.identifier) for each in judged.before]
        names = [row.announcement for row in rows if row and row.announcement]
        held = [found for name in names if (found := self._store.announcements.get(name))]
        waiting = [self._mine(each.id, who, now) for each in held if each.state in _WAITING]
        return waiting, [each for each in held if each.state is AnnouncementState.APPROVED]

    def _means(self, alert: Alert, who: User, now: datetime) -> _Means:
        """Where it holds here. Of what is wider than a person's own areas, those areas of theirs that lie in it."""
        places, areas = alert.info.places if alert.info else (), self._store.roster.areas()
        matched = cap.match(places, areas, self._store.alerts.codes())
        names = {area.id: area.name for area in areas}
        mine: list[str] = []
        outside: list[str] = []
        for area in matched.areas:
            own = _own(area, areas, who, now)
            mine += own
            outside += [] if own else [names[area]]
        return _Means(tuple(dict.fromkeys(mine))[: reach.MOST_AREAS], matched.unknown, tuple(outside))

    def _filed(self, row: AlertRow, made: Made, who: User, now: datetime) -> TakenIn:
        """Write all of it at once. Raises CapError where another was first."""
        row = replace(row, announcement=made.announcement.id if made.announcement else None)
        told = f"{row.kind.value} {row.sender} {row.identifier}"
        acts = [Act(who.name, "took in alert", row.announcement or "-", told[:300], now)]
        acts += [Act(who.name, "withdrew", each.id, each.title, now) for each in made.overtaken]
        try:
            self._store.alerts.take(row, made, acts)
        except StoreError as wrong:
            if wrong.key == "store.conflict":
                raise CapError("cap.known", identifier=row.identifier) from None
            raise DeskError("desk.stale") if wrong.key == "store.stale" else wrong from None
        self._bell()
        overtaken = tuple(each.title for each in made.overtaken)
        return TakenIn(row, made.announcement, made.booking is not None, overtaken)


def _own(area: str, areas: list[Area], who: User, now: datetime) -> list[str]:
    """``area`` if ``who`` may warn there, else the widest areas in it where they may."""
    if reach.may(who, _MAY, [area], now):
        return [area]
    mine = [each.id for each in areas if area in ancestors(each.id) and reach.may(who, _MAY, [each.id], now)]
    return [each for each in mine if not set(ancestors(each)) & set(mine)]


def _row(alert: Alert, judged: Judged, digest: str, who: User, now: datetime) -> AlertRow:
    return AlertRow(
        sender=alert.sender,
        identifier=alert.identifier,
        kind=alert.kind,
        sender_name=alert.info.sender_name if alert.info else "",
        sent=alert.sent,
        expires=judged.expires,
        taken_by=who.id,
        taken_at=now,
        digest=digest,
        references=judged.before if alert.kind is Kind.CANCEL else alert.references,
        notes=judged.notes,
    )
