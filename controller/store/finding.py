"""Finding announcements again: by the words in them, whatever their accents and capitals, and by where they sounded.

- What can be found stands in ``findable``: folded words, a mark for each area that it was placed on and all above;
  another mark says of an area that it was placed on this very one.
- SQLite finds with FTS5 over that table (kept in step by triggers), PostgreSQL with a GIN index: both by whole words
  and by how words begin, newest first, a page at a time.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.rows import Announcement, AnnouncementState
from controller.store.shapes import all_shaped
from controller.store.tables import announcements, bookings, findable, nodes
from wire.plan import BulletinClass

MOST_WORDS = 12
MOST_PAGE = 201  # the largest page of the API, and one more: is there another page
_EXACTLY = "="  # before the name of an area: placed on it, and not on one below
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Sought:
    """What somebody looks for. Empty or None: any.

    ``areas`` (``*``: everywhere) and all below them, or just ``or_on`` these, or what ``or_by`` (a user's id) wrote
    wherever it is; ``since`` to before ``until``: when it was written; ``below``: the number that the page before ended
    with. Drafts, and what was returned, are found only for ``asking``, the user who wrote them.
    """

    words: str = ""
    areas: tuple[str, ...] = ("*",)
    or_on: tuple[str, ...] = ()
    or_by: str = ""
    bulletin_class: BulletinClass | None = None
    state: AnnouncementState | None = None
    since: datetime | None = None
    until: datetime | None = None
    below: int | None = None
    asking: str = ""


@dataclass(frozen=True)
class Found:
    """An announcement with the number by which the next page goes on."""

    number: int
    announcement: Announcement


def plain(text: str) -> str:
    """``text`` without accents, capitals and double spaces, for comparing what people type."""
    marks = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(char for char in marks if not unicodedata.combining(char)).split())


class Finder:
    """Looks for announcements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, sought: Sought, limit: int = 20) -> list[Found]:
        """The newest first, at most ``limit`` (1 to 201)."""
        query = sa.select(findable.c.number, announcements).join(
            announcements, announcements.c.id == findable.c.announcement
        )
        for condition in self._conditions(sought):
            query = query.where(condition)
        query = query.order_by(findable.c.number.desc()).limit(max(1, min(limit, MOST_PAGE)))
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        found = all_shaped(Announcement, rows)
        return [Found(row.number, each) for row, each in zip(rows, found, strict=True)]

    def _conditions(self, sought: Sought) -> Iterable[sa.ColumnElement[bool]]:
        terms: list[tuple[str, ...]] = [(f"{word}*",) for word in _WORD.findall(plain(sought.words))[:MOST_WORDS]]
        if "*" not in sought.areas:
            exact = (f"{_EXACTLY}{area}" for area in sought.or_on)
            terms.append(tuple(map(_mark, filter(None, (*sought.areas, *exact, sought.or_by)))))
        if terms:
            yield self._matching(terms)
        if sought.bulletin_class is not None:
            yield announcements.c.bulletin_class == sought.bulletin_class.value
        if sought.state is not None:
            yield announcements.c.state == sought.state.value
        if sought.since is not None:
            yield announcements.c.created_at >= sought.since
        if sought.until is not None:
            yield announcements.c.created_at < sought.until
        if sought.below is not None:
            yield findable.c.number < sought.below
        unsent = announcements.c.state.in_((AnnouncementState.DRAFT.value, AnnouncementState.RETURNED.value))
        yield ~unsent | (announcements.c.author == sought.asking)

    def _matching(self, terms: list[tuple[str, ...]]) -> sa.ColumnElement[bool]:
        """That of each of the ``terms`` one stands there; one that ends in ``*`` may go on."""
        if self._database.is_sqlite:
            wanted = " AND ".join(f"({' OR '.join(map(_for_sqlite, each))})" for each in terms)
            rows = sa.text("SELECT rowid FROM findable_text WHERE findable_text MATCH :wanted").columns(
                rowid=sa.Integer
            )
            return findable.c.number.in_(rows.bindparams(wanted=wanted))
        wanted = " & ".join(f"({' | '.join(each).replace('*', ':*')})" for each in terms)
        held: sa.ColumnElement[Any] = sa.literal_column("to_tsvector('simple', words || ' ' || places)")
        return held.op("@@", is_comparison=True)(sa.func.to_tsquery("simple", wanted))


def _for_sqlite(term: str) -> str:
    return f'"{term[:-1]}"*' if term.endswith("*") else f'"{term}"'


def enter(connection: sa.Connection, announcement: Announcement) -> None:
    """Within a wish: a new announcement can be found."""
    number = connection.execute(sa.select(sa.func.coalesce(sa.func.max(findable.c.number), 0))).scalar_one() + 1
    held = {"number": number, "announcement": announcement.id, "words": _words(announcement)}
    connection.execute(sa.insert(findable), held | {"places": marks_of((), announcement.author)})


def reword(connection: sa.Connection, announcement: Announcement) -> None:
    """Within a wish: it is found by its new words."""
    mine = findable.c.announcement == announcement.id
    connection.execute(sa.update(findable).where(mine).values(words=_words(announcement)))


def place(connection: sa.Connection, announcement_id: str) -> None:
    """Within a wish: it is found in every area that it was ever placed on, and above, and among its author's."""
    author = connection.execute(sa.select(announcements.c.author).where(announcements.c.id == announcement_id)).scalar()
    placed = connection.execute(sa.select(bookings.c.areas).where(bookings.c.announcement == announcement_id))
    named = {area for areas in placed.scalars() for area in areas or ()}
    homes: Any = connection.execute(sa.select(nodes.c.id, nodes.c.home).where(nodes.c.id.in_(named))).all()
    marks = marks_of(named | {home for _, home in homes}, author or "")
    mine = findable.c.announcement == announcement_id
    connection.execute(sa.update(findable).where(mine).values(places=marks))


def marks_of(areas: Iterable[str], author: str) -> str:
    """A mark for each of ``areas``, for each that it lies in, and for the ``author``, in one line."""
    placed = set(areas)
    parts = [area.split(":") for area in placed]
    above = {":".join(part[: depth + 1]) for part in parts for depth in range(len(part))}
    return " ".join(sorted(_mark(name) for name in above | {f"{_EXACTLY}{area}" for area in placed} | {author}))


def words_of(title: str, text: str) -> str:
    """Title and text as they are looked for: letters a to z and figures, one space between words."""
    return " ".join(_WORD.findall(plain(f"{title} {text}")))


def _words(announcement: Announcement) -> str:
    return words_of(announcement.title, announcement.text)


def _mark(name: str) -> str:
    """An area or a user's id as one word that nobody types."""
    return f"x{hashlib.sha256(name.encode()).hexdigest()[:24]}"
