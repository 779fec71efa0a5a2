"""The lexicon: how a place says its own words. What they do to a text is for `controller.newsroom`.

- An area has the readings taught for it, for every area it lies in, and for ``*`` (the whole station); of two for the
  same word the nearest counts.
- Teaching lets drafts in which the word stands be voiced anew; what was sent for approval keeps its sound.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.newsroom.syllables import placed
from controller.roster import ancestors
from controller.store.database import Database
from controller.store.rows import Act, AnnouncementState, VoiceState
from controller.store.shapes import all_shaped, columns
from controller.store.tables import announcements, lexicon, users
from wire.names import lies_within

EVERYWHERE = "*"
_OPEN = (AnnouncementState.DRAFT.value, AnnouncementState.RETURNED.value)


@dataclass(frozen=True)
class Reading:
    """In ``area``, ``written`` is read ``spoken``; taught by the person with this id."""

    area: str
    written: str
    spoken: str
    taught_by: str
    taught_at: datetime


class LexiconBook:
    """Readings by area."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def readings(self, area: str) -> dict[str, str]:
        """Written → spoken for a text of ``area``, its parents' readings among them."""
        nearest_last = [EVERYWHERE, *reversed(ancestors(area)), area]
        with self._database.reading() as connection:
            return _merged(connection, nearest_last)

    def for_author(self, user_id: str) -> dict[str, str]:
        """Written → spoken for what this person writes: the readings of the area that they speak for."""
        with self._database.reading() as connection:
            area = connection.execute(sa.select(users.c.area).where(users.c.id == user_id)).scalar()
            return _merged(connection, [EVERYWHERE, *reversed(ancestors(area)), area] if area else [EVERYWHERE])

    def of(self, area: str) -> list[Reading]:
        """What was taught for exactly this area, in order of the written form."""
        query = sa.select(lexicon).where(lexicon.c.area == area).order_by(lexicon.c.written)
        with self._database.reading() as connection:
            return all_shaped(Reading, connection.execute(query))

    def around(self, area: str) -> list[Reading]:
        """What was taught for ``area``, for what it lies in and for what lies in it; in order of the written form."""
        above = lexicon.c.area.in_([EVERYWHERE, *ancestors(area), area])
        below = lexicon.c.area.startswith(f"{area}:", autoescape=True)
        query = sa.select(lexicon).order_by(lexicon.c.written, lexicon.c.area)
        with self._database.reading() as connection:
            return all_shaped(Reading, connection.execute(query if area == EVERYWHERE else query.where(above | below)))

    def teach(self, reading: Reading, most: int, act: Act | None = None) -> bool:
        """Enter a reading, or replace it; False, and nothing written, when the area has ``most`` others already."""
        mine = (lexicon.c.area == reading.area) & (lexicon.c.written != reading.written)
        row = columns(reading)
        with suppress(_NotWritten), self._database.wishing(act) as connection:
            others = connection.execute(sa.select(sa.func.count()).select_from(lexicon).where(mine)).scalar_one()
            if others >= most:
                raise _NotWritten
            enter = self._database.upsert(lexicon).values(row)
            connection.execute(enter.on_conflict_do_update(index_elements=["area", "written"], set_=row))
            _voice_drafts_again(connection, reading.area, reading.written)
            return True
        return False

    def unteach(self, area: str, written: str, act: Act | None = None) -> bool:
        """Forget a reading; False, and nothing written, when there was none."""
        mine = (lexicon.c.area == area) & (lexicon.c.written == written)
        with suppress(_NotWritten), self._database.wishing(act) as connection:
            if not connection.execute(sa.delete(lexicon).where(mine)).rowcount:
                raise _NotWritten
            _voice_drafts_again(connection, area, written)
            return True
        return False


class _NotWritten(Exception):
    """Leaves a transaction without a trace of it."""


def _merged(connection: sa.Connection, nearest_last: list[str]) -> dict[str, str]:
    rows = connection.execute(sa.select(lexicon).where(lexicon.c.area.in_(nearest_last))).all()
    ranked = sorted(rows, key=lambda row: nearest_last.index(row.area))
    return {row.written: row.spoken for row in ranked}


def _voice_drafts_again(connection: sa.Connection, area: str, written: str) -> None:
    """Let what is not yet sent, by people of ``area``, be voiced anew where the word stands in it."""
    drafts = (
        sa.select(announcements.c.id, announcements.c.text, users.c.area)
        .join(users, users.c.id == announcements.c.author)
        .where(announcements.c.state.in_(_OPEN) & announcements.c.recording.is_(None))
    )
    word = _plain(written)
    stale = [row.id for row in connection.execute(drafts) if lies_within(row.area, area) and word in _plain(row.text)]
    values: dict[str, object] = {
        "spoken": "",
        "spoken_rewrites": [],
        "asset": None,
        "voice_state": VoiceState.WAITING.value,
    }
    for draft in stale:
        again = sa.update(announcements).where(announcements.c.id == draft)
        connection.execute(again.values({**values, "voice_error": None}))


def _plain(text: str) -> str:
    """Text in which a word is found as the newsroom finds it: any case, any tone-mark place, blanks and line ends."""
    return placed(" ".join(text.split())).casefold()
