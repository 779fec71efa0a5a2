"""Listeners at the desk: what people outside could not hear, what was answered, what is kept off their page.

- Who says that they could not hear has no account; what they say is cut to size, and counted by area and day.
- Whoever writes, approves or looks after loudspeakers in the area answers; an approver says what is kept off.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.newsroom import one_line
from controller.rights import Permission
from controller.store import Store
from controller.store.rows import Act, Announcement, User
from controller.store.unheard import Ailment, UnheardRow

MOST_WORDS_CHARS = 300
MOST_A_DAY = 100  # in one area
DAY = timedelta(days=1)
ANSWERING = (Permission.WRITE, Permission.APPROVE, Permission.EQUIP)


class Listeners:
    """The part of the desk that hears those whom the loudspeakers are for."""

    _store: Store
    _bell: Callable[[], None]

    def tell_unheard(
        self, area: str, kind: Ailment, words: str, announcement: str | None, now: datetime
    ) -> UnheardRow | None:
        """Keep what somebody in ``area`` says; None where that area has said enough today. Raises DeskError."""
        if self._store.roster.area(area) is None:
            raise DeskError("desk.unknown_area", area=area[:80])
        said = one_line(words)
        if len(said) > MOST_WORDS_CHARS:
            raise DeskError("desk.unheard_too_long", most=MOST_WORDS_CHARS)
        row = UnheardRow(f"h{secrets.token_hex(6)}", area, announcement, kind, said, now)
        return row if self._store.unheard.tell(row, now - DAY, MOST_A_DAY) else None

    def answer_unheard(self, unheard: str, answer: str, who: User, now: datetime) -> None:
        """Say what came of it; the first answer stands. Raises DeskError."""
        held = self._store.unheard.get(unheard)
        if held is None:
            raise DeskError("desk.unknown_unheard")
        reach.need(who, ANSWERING, now, held.area)
        said = one_line(answer)
        if not said or len(said) > MOST_WORDS_CHARS:
            raise DeskError("desk.bad_unheard_answer", most=MOST_WORDS_CHARS)
        act = Act(who.name, "answered a listener", held.area, f"{held.id}: {said}", now)
        if not self._store.unheard.answer(held.id, who.id, said, act):
            raise DeskError("desk.unheard_answered")
        self._bell()

    def unlist(self, announcement: str, who: User, now: datetime) -> None:
        """Keep an announcement off the public page. Raises DeskError."""
        held = self._to_list(announcement, who, now)
        self._store.notices.unlist(held.id, who.id, Act(who.name, "unlisted", held.id, held.title, now))

    def list_again(self, announcement: str, who: User, now: datetime) -> None:
        """It may stand on the public page again. Raises DeskError."""
        held = self._to_list(announcement, who, now)
        self._store.notices.list_again(held.id, Act(who.name, "listed again", held.id, held.title, now))

    def _to_list(self, announcement: str, who: User, now: datetime) -> Announcement:
        held = self._store.announcements.get(announcement)
        if held is None:
            raise DeskError("desk.unknown_announcement", announcement=announcement[:80])
        homes = reach.homes_of(self._store)
        placed = {homes.get(area, area) for row in self._store.bookings.of(held.id) for area in row.areas}
        if not placed:
            raise DeskError("desk.no_area")
        for area in sorted(placed):
            reach.need(who, reach.to_approve(held.bulletin_class), now, area)
        return held
