"""The book of alarms: the station enters what it judged, people what they did about it.

- The station writes what is wrong (members, counts, clearing), people write who cares (acknowledged, assigned,
  deadline): neither overwrites the other's columns.
- What a person does goes into the alarm's history and into the audit log in one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store import chain
from controller.store.alarm_rows import AlarmRow, Event, Known, MemberRow, Silence, Verdict
from controller.store.alarm_tables import alarm_history, alarm_members, alarm_silences, alarm_watch, alarms
from controller.store.columns import within
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns

PEOPLES = ("acknowledged_by", "acknowledged_at", "assignee", "deadline")  # columns that only people write
_AT_ONCE = 500
_WATCH = 1
_MEMBER = ("alarm", "member", "since", "gone_at", "cleared_at", "flaps", "facts")


class AlarmBook:
    """Alarms, their members, their history, and what is kept quiet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- the station's part ----------------------------------------------------------------------------------

    def known(self, since: datetime) -> Known:
        """The alarms that are open or were cleared at ``since`` or later, with all their members."""
        mine = alarms.c.cleared_at.is_(None) | (alarms.c.cleared_at >= since)
        joined = sa.select(alarm_members).join(alarms, alarms.c.id == alarm_members.c.alarm).where(mine)
        members: dict[str, list[MemberRow]] = defaultdict(list)
        with self._database.reading() as connection:
            found = all_shaped(AlarmRow, connection.execute(sa.select(alarms).where(mine).order_by(alarms.c.raised_at)))
            for row in connection.execute(joined):
                members[row[0]].append(MemberRow(*row))
        return Known(tuple(found), {alarm: tuple(rows) for alarm, rows in members.items()})

    def enter(self, verdict: Verdict, now: datetime) -> None:
        """What the station judged ``now``, whole or not at all."""
        with self._database.writing() as connection:
            self._put(connection, alarms, [columns(each) for each in verdict.alarms], ["id"])
            rows = [{name: getattr(each, name) for name in _MEMBER} for each in verdict.members]
            self._put(connection, alarm_members, rows, ["alarm", "member"])
            _tell(connection, verdict.events)
            changed = bool(verdict.alarms or verdict.members)
            looked = self._database.upsert(alarm_watch).values(id=_WATCH, judged_at=now, changes=1)
            newer = {"judged_at": now, "changes": alarm_watch.c.changes + int(changed)}
            connection.execute(looked.on_conflict_do_update(index_elements=["id"], set_=newer))

    def judged_at(self) -> datetime | None:
        """When the station was last seen to judge, to the minute; None before it ever did."""
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(sa.select(alarm_watch.c.judged_at)).scalar()
        return found

    def _put(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], key: list[str]) -> None:
        if not rows:
            return
        insert = self._database.upsert(table)
        kept = (*key, *PEOPLES) if table is alarms else key
        newer = {column.name: insert.excluded[column.name] for column in table.c if column.name not in kept}
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=newer), rows)

    # ---- what pages show ---------------------------------------------------------------------------------------

    def open(self) -> list[AlarmRow]:
        """Every alarm that is not cleared, newest first."""
        query = sa.select(alarms).where(alarms.c.cleared_at.is_(None)).order_by(alarms.c.raised_at.desc(), alarms.c.id)
        return self._alarms(query)

    def unattended(self) -> list[tuple[str, str]]:
        """Cause and place of every open alarm that nobody has taken on and that no other explains."""
        waits = alarms.c.cleared_at.is_(None) & alarms.c.acknowledged_at.is_(None) & alarms.c.under.is_(None)
        with self._database.reading() as connection:
            return [
                (row[0], row[1]) for row in connection.execute(sa.select(alarms.c.cause, alarms.c.place).where(waits))
            ]

    def cleared(self, limit: int, areas: Iterable[str], before: tuple[datetime, str] | None = None) -> list[AlarmRow]:
        """Those of ``areas`` (``*``: everywhere) and below that were cleared last; ``before``: moment and id of one."""
        mine = alarms.c.cleared_at.is_not(None) & within(alarms.c.place, areas)
        if before is not None:
            at, name = before
            mine &= (alarms.c.cleared_at < at) | ((alarms.c.cleared_at == at) & (alarms.c.id > name))
        query = sa.select(alarms).where(mine).order_by(alarms.c.cleared_at.desc(), alarms.c.id)
        return self._alarms(query.limit(limit))

    def get(self, alarm_id: str) -> AlarmRow | None:
        """One alarm."""
        found = self._alarms(sa.select(alarms).where(alarms.c.id == alarm_id))
        return found[0] if found else None

    def of_member(self, member: str, limit: int = 50) -> list[AlarmRow]:
        """The alarms that one loudspeaker was ever in, newest first."""
        mine = alarms.c.id.in_(sa.select(alarm_members.c.alarm).where(alarm_members.c.member == member))
        return self._alarms(sa.select(alarms).where(mine).order_by(alarms.c.raised_at.desc()).limit(limit))

    def members(self, alarm_id: str, limit: int) -> list[MemberRow]:
        """Whom an alarm is about: those that still are first, by name."""
        ended = alarm_members.c.cleared_at.is_not(None)
        mine = sa.select(alarm_members).where(alarm_members.c.alarm == alarm_id)
        with self._database.reading() as connection:
            rows = connection.execute(mine.order_by(ended, alarm_members.c.member).limit(limit))
            return [MemberRow(*row) for row in rows]

    def samples(self, ids: Sequence[str]) -> dict[str, MemberRow]:
        """Of each alarm its first open member: what a list says of an alarm that has only one."""
        found: dict[str, MemberRow] = {}
        with self._database.reading() as connection:
            for some in (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE)):
                query = sa.select(alarm_members).where(alarm_members.c.alarm.in_(some))
                rows = connection.execute(query.where(alarm_members.c.cleared_at.is_(None)))
                found |= {row[0]: MemberRow(*row) for row in rows}
        return found

    def history(self, alarm_id: str, limit: int = 200) -> list[Event]:
        """What happened to it, the newest first."""
        mine = sa.select(alarm_history).where(alarm_history.c.alarm == alarm_id)
        with self._database.reading() as connection:
            rows = connection.execute(mine.order_by(alarm_history.c.number.desc()).limit(limit))
            return all_shaped(Event, rows)

    def silences(self, now: datetime) -> dict[tuple[str, str], Silence]:
        """What is kept quiet ``now``, by cause and place."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(alarm_silences).where(alarm_silences.c.until > now))
            return {(each.cause, each.place): each for each in all_shaped(Silence, rows)}

    def version(self) -> int:
        """A number that grows whenever the station has raised, joined or cleared anything; cheap to ask often."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(alarm_watch.c.changes)).scalar() or 0)

    def _alarms(self, query: sa.Select[Any]) -> list[AlarmRow]:
        with self._database.reading() as connection:
            return all_shaped(AlarmRow, connection.execute(query))

    # ---- people's part -----------------------------------------------------------------------------------------

    def care(self, alarm_id: str, changes: dict[str, object], event: Event, act: Act) -> bool:
        """A person acknowledges it, or gives it to somebody; False when it is cleared or was never raised.

        ``changes``: of `PEOPLES` only.
        """
        assert changes.keys() <= set(PEOPLES)
        mine = (alarms.c.id == alarm_id) & alarms.c.cleared_at.is_(None)
        with self._database.wishing() as connection:
            if not connection.execute(sa.update(alarms).where(mine).values(**changes)).rowcount:
                return False
            self._done(connection, [event], act)
        return True

    def keep_quiet(self, silence: Silence, event: Event, act: Act) -> None:
        """Nobody is told of that cause in that place until then; a silence that ended ``now`` is lifted by this too."""
        row = columns(silence)
        enter = self._database.upsert(alarm_silences).values(row)
        with self._database.wishing() as connection:
            connection.execute(enter.on_conflict_do_update(index_elements=["cause", "place"], set_=row))
            self._done(connection, [event], act)

    @staticmethod
    def _done(connection: sa.Connection, events: Iterable[Event], act: Act) -> None:
        _tell(connection, events)
        chain.append(connection, [act])


def _tell(connection: sa.Connection, events: Iterable[Event]) -> None:
    """Within a transaction: the next lines of their alarms' histories."""
    waiting = list(events)
    if not waiting:
        return
    last: dict[str, int] = {}
    ids = sorted({each.alarm for each in waiting})
    for some in (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE)):
        newest = sa.select(alarm_history.c.alarm, sa.func.max(alarm_history.c.number))
        held = newest.where(alarm_history.c.alarm.in_(some)).group_by(alarm_history.c.alarm)
        last |= {row[0]: row[1] for row in connection.execute(held)}
    rows = []
    for each in waiting:
        last[each.alarm] = last.get(each.alarm, 0) + 1
        rows.append(columns(each) | {"number": last[each.alarm]})
    connection.execute(sa.insert(alarm_history), rows)


def leave_alarms(connection: sa.Connection, user_id: str, left: Act) -> None:
    """Within a transaction: open alarms of whoever left are nobody's; each tells so, their deadlines stay."""
    theirs = (alarms.c.assignee == user_id) & alarms.c.cleared_at.is_(None)
    found = list(connection.execute(sa.select(alarms.c.id, alarms.c.deadline).where(theirs)))
    connection.execute(sa.update(alarms).where(theirs).values(assignee=None))
    until = [row.deadline.isoformat(timespec="minutes") if row.deadline else "-" for row in found]
    _tell(
        connection,
        [Event(row.id, left.at, "assigned", left.who, f"- {end}") for row, end in zip(found, until, strict=True)],
    )
