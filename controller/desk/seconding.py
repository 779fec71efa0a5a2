"""A second person at the desk: what needs one, who may be it, and what they agree to.

- A wide emergency waits for approval whoever wrote it, and whoever approves it did not write it.
- The approval is their seal over what is heard, where and when: so "now" becomes this second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.rights import Permission
from controller.store import Store
from controller.store.rows import Announcement, BookingRow, User
from schedules.booking import Booking
from wire.plan import MAX_SPOKEN_CHARS, Asset, BulletinClass, Cosigned
from words import Said

MOST_AREAS = 64  # of one seal


class Second(Protocol):
    """Whoever keeps second people's keys. ``agree`` raises Said."""

    def wide(self, areas: tuple[str, ...], bulletin_class: BulletinClass) -> tuple[str, ...]:
        """Those of ``areas`` for which two people are needed."""

    def holders(self, areas: tuple[str, ...], now: datetime) -> tuple[str, ...]:
        """Who may agree for all of ``areas``, by name."""

    def keys_of(self, holder: str) -> tuple[str, ...]:
        """The public keys (hex) that the trust document names as theirs."""

    def agree(self, booking: Booking, holder: str, passphrase: str, now: datetime) -> Cosigned:
        """The second seal."""


class Seconding:
    """The part of the desk where two people are asked for. Without a ``second`` nobody ever is."""

    _store: Store
    second: Second | None = None

    def wide(self, held: Announcement, bookings: Sequence[BookingRow]) -> tuple[str, ...]:
        """The areas of ``bookings`` for which it needs a second person."""
        if self.second is None or held.bulletin_class is not BulletinClass.EMERGENCY:
            return ()
        areas = tuple(dict.fromkeys(area for each in bookings for area in each.areas))
        return self.second.wide(areas, held.bulletin_class)

    def seconds(self, areas: tuple[str, ...], author: str, now: datetime) -> tuple[str, ...]:
        """The names of those who may agree now for ``areas`` to what ``author`` (a user's id) wrote.

        A key outlives its holder's rights: who left, or orders no emergencies there any more, is not among them.
        """
        names = self.second.holders(areas, now) if self.second else ()
        homes = reach.homes_of(self._store)
        places = [homes.get(area, area) for area in areas]
        found = [self._store.people.by_name(each) for each in dict.fromkeys(names)]
        able = [each for each in found if each and each.id != author and reach.may(each, Permission.WARN, places, now)]
        return tuple(each.name for each in able)

    def _agreed(
        self, held: Announcement, wanted: Sequence[BookingRow], who: User, passphrase: str, now: datetime
    ) -> list[BookingRow]:
        """Those of ``wanted`` that need it with the seal of ``who``. Raises DeskError."""
        wide = self.wide(held, wanted)
        if not wide or self.second is None:
            return []
        if held.author == who.id:
            raise DeskError("desk.own_wide", areas=", ".join(wide))
        if len(wide) > MOST_AREAS:
            raise DeskError("desk.too_many_areas", most=MOST_AREAS)
        if not passphrase:
            raise DeskError("desk.second_needed", areas=", ".join(wide))
        if not held.spoken and not held.asset:
            raise DeskError("desk.not_read_yet")
        mine = [each for each in wanted if set(each.areas) & set(wide)]
        placed = [replace(each, start=each.start or now) for each in mine]
        try:
            return [
                replace(each, cosigned=self.second.agree(self._as_planned(held, each), who.name, passphrase, now))
                for each in placed
            ]
        except DeskError:
            raise
        except Said as wrong:
            raise DeskError(wrong.key, **wrong.facts) from None

    def _as_planned(self, held: Announcement, row: BookingRow) -> Booking:
        """The booking as the planner will get it, with the sound that there is by now."""
        made = self._store.assets.get(held.asset) if held.asset else None
        asset = Asset(made.sha256, made.size_bytes, made.duration_ms, made.media_type, made.sha256) if made else None
        assert row.start
        return Booking(
            id=row.id,
            title=held.title,
            areas=row.areas,
            starts=(row.start,),
            asset=asset,
            bulletin_class=row.bulletin_class,
            level=row.level,
            late=row.late,
            late_for=timedelta(seconds=row.late_for_seconds),
            spoken=held.spoken[:MAX_SPOKEN_CHARS],
            drill=held.drill,
        )
