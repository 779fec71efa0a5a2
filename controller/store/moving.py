"""Areas get other names: they were moved under another, or into another; and whatever names them goes with them.

- An area's name is its path, so one that moves is called otherwise. All in one transaction, or nothing.
- What was issued (plans and their numbers) stays: the station empties what nobody wants any more by the everyday path.
- What is sealed or history (the audit log, days of the public log, receipts) says what the area was called then.
- Where an area goes into one that is there, what both have of a kind (programme, policy, a reading, what is kept
  ready, a bulletin from above) is the target's; what was counted of both is added up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from controller.roster import Area
from controller.store import finding
from controller.store.database import Database
from controller.store.errors import StoreError
from controller.store.naming import KEYED, LISTS, PLAIN, SUMMED, WHOLE, Column, Keyed, Summed, shown_as
from controller.store.rows import Act
from controller.store.shapes import columns
from controller.store.tables import areas, bookings, nodes, policies
from schedules import rulebook_text, timetable

Names = Mapping[str, str]


@dataclass(frozen=True)
class Moving:
    """What moves: ``names`` is old → new for every area of it, ``entered`` those that are new; and what goes along.

    ``called``: new → name as people read it, of those of which that changes too, since the target has one like it.
    ``changed``: rows by what people know them as; ``dropped``: those where the target's stands.
    """

    names: Names
    entered: tuple[Area, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


class Mover:
    """Moves areas with all that names them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def foresee(self, moving: Moving) -> Moving:
        """The same with what would change; nothing is written."""
        with self._database.reading() as connection:
            return _counted(connection, moving)

    def move(self, moving: Moving, act: Act) -> Moving:
        """Move them; what changed. Raises ``store.conflict`` where one that is to be entered is there by now."""
        with self._database.wishing() as connection:
            known = set(connection.execute(sa.select(areas.c.id)).scalars())
            if known & {each.id for each in moving.entered} or not known.issuperset(moving.names):
                raise StoreError("store.conflict", detail="areas")
            done = _counted(connection, moving)
            for each in moving.entered:
                connection.execute(sa.insert(areas), columns(each))
            _rename(connection, moving.names)
            connection.execute(sa.delete(areas).where(areas.c.id.in_(list(moving.names))))
            told = {"changed": done.changed, "dropped": done.dropped, "called": done.called}
            self._database.note(connection, replace(act, detail=f"{act.detail} {json.dumps(told, sort_keys=True)}"))
        return done


def _rename(connection: sa.Connection, names: Names) -> None:
    for column in PLAIN:
        for old, new in _held(connection, column, names):
            _call(connection, column, old, new)
    for keyed in (*KEYED, *SUMMED):
        for old, new in _held(connection, keyed.column, names):
            if isinstance(keyed, Summed):
                connection.execute(_added(keyed, old, new))
            table: Any = keyed.column.table
            connection.execute(sa.delete(table).where(_is_twice(keyed, old, new)))
            _call(connection, keyed.column, old, new)
    for column in WHOLE:
        for old, new in _held(connection, column, names):
            _take_over(connection, column, old, new)
    touched = {row["announcement"] for row in _lists(connection, names) if "announcement" in row}
    for each in sorted(touched | _placed_on_nodes(connection, names)):
        finding.place(connection, each)


def _held(connection: sa.Connection, column: Column, names: Names) -> list[tuple[str, str]]:
    """Those of ``names`` that stand in a column: large tables are looked through once."""
    query = sa.select(column).distinct().where(column.in_(list(names)))
    return [(old, names[old]) for old in sorted(connection.execute(query).scalars())]


def _call(connection: sa.Connection, column: Column, old: str, new: str) -> None:
    table: Any = column.table
    connection.execute(sa.update(table).where(column == old).values({column.name: new}))


def _both(keyed: Keyed, other: Any) -> sa.ColumnElement[bool]:
    """That a row of ``other`` is the same one but for its area."""
    return sa.and_(sa.true(), *(other.c[name] == keyed.column.table.c[name] for name in keyed.others))


def _is_twice(keyed: Keyed, old: str, new: str) -> sa.ColumnElement[bool]:
    """That a row of ``old`` is one of which ``new`` has its own."""
    other: Any = keyed.column.table.alias()
    there = sa.exists().where((other.c[keyed.column.name] == new) & _both(keyed, other)).correlate(keyed.column.table)
    return (keyed.column == old) & there


def _added(summed: Summed, old: str, new: str) -> sa.Update:
    """What ``new`` has, with what ``old`` has beside it."""
    table: Any = summed.column.table
    other = table.alias()
    mine = (other.c[summed.column.name] == old) & _both(summed, other)

    def beside(name: str) -> Any:
        return sa.select(other.c[name]).where(mine).correlate(table).scalar_subquery()

    values = {name: table.c[name] + beside(name) for name in summed.sums}
    for name in summed.longest:
        values[name] = sa.case((beside(name) > table.c[name], beside(name)), else_=table.c[name])
    there = sa.exists().where(mine).correlate(table)
    return sa.update(table).where((summed.column == new) & there).values(values)


def _take_over(connection: sa.Connection, column: Column, old: str, new: str) -> None:
    """Programmes and policies say in their text whose they are."""
    table: Any = column.table
    mine = connection.execute(sa.select(table).where(column == old)).mappings().all()
    if _count(connection, column, [new]):
        connection.execute(sa.delete(table).where(column == old))
        return
    for row in mine:
        body = _renamed_body(table.name, row["body"], new)
        this = (column == old) & (table.c.since == row["since"])
        connection.execute(sa.update(table).where(this).values(area=new, body=body))


def _renamed_body(table: str, body: str, new: str) -> str:
    if table == policies.name:
        return rulebook_text.write(replace(rulebook_text.read(body), area=new))
    return timetable.write(replace(timetable.read(body), area=new))


def _lists(connection: sa.Connection, names: Names) -> Iterable[Mapping[str, Any]]:
    """Rewrite every list that names a moved area; the rows that did."""
    for column in LISTS:
        table: Any = column.table
        keys = list(table.primary_key.columns)
        for row in connection.execute(_naming(column, names)).mappings().all():
            held = row[column.name] or ()
            newer = list(dict.fromkeys(names.get(area, area) for area in held))
            if newer != list(held):
                mine = sa.and_(*(key == row[key.name] for key in keys))
                connection.execute(sa.update(table).where(mine).values({column.name: newer}))
                yield dict(row) if table is bookings else {}


def _naming(column: Column, names: Names) -> sa.Select[Any]:
    """Rows whose list may name one: the top of what moves stands in the text of all of them."""
    top = min(names, key=len)
    return sa.select(column.table).where(sa.cast(column, sa.Text).contains(top, autoescape=True))


def _placed_on_nodes(connection: sa.Connection, names: Names) -> set[str]:
    """Announcements placed on a loudspeaker itself that hangs in what moved: they are found by where it hangs."""
    here = list(names.values())
    moved = set(connection.execute(sa.select(nodes.c.id).where(nodes.c.home.in_(here))).scalars())
    if not moved:
        return set()
    rows = connection.execute(sa.select(bookings.c.announcement, bookings.c.areas))
    return {announcement for announcement, placed in rows if not moved.isdisjoint(placed or ())}


def _counted(connection: sa.Connection, moving: Moving) -> Moving:
    names = moving.names
    changed: dict[str, int] = {"areas": len(names)}
    dropped: dict[str, int] = {}
    for column in (*PLAIN, *(each.column for each in (*KEYED, *SUMMED)), *WHOLE):
        _add(changed, column.table, _count(connection, column, list(names)))
    for column in LISTS:
        rows = connection.execute(_naming(column, names)).mappings()
        _add(changed, column.table, sum(1 for row in rows if not set(names).isdisjoint(row[column.name] or ())))
    for keyed in KEYED:
        for old, new in _held(connection, keyed.column, names):
            _add(dropped, keyed.column.table, _count_twice(connection, keyed, old, new))
    for column in WHOLE:
        for old, new in _held(connection, column, names):
            mine = _count(connection, column, [old]) if _count(connection, column, [new]) else 0
            _add(dropped, column.table, mine)
    return replace(moving, changed=changed, dropped=dropped)


def _count_twice(connection: sa.Connection, keyed: Keyed, old: str, new: str) -> int:
    query = sa.select(sa.func.count()).select_from(keyed.column.table).where(_is_twice(keyed, old, new))
    return int(connection.execute(query).scalar_one())


def _count(connection: sa.Connection, column: Column, among: list[str]) -> int:
    mine = sa.select(sa.func.count()).select_from(column.table).where(column.in_(among))
    return int(connection.execute(mine).scalar_one())


def _add(counts: dict[str, int], table: Any, count: int) -> None:
    if count:
        shown = shown_as(table.name)
        counts[shown] = counts.get(shown, 0) + count
