"""What alarms are judged from, read so that ten thousand nodes cost little: only what is new is read whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.store.alarm_tables import alarm_counts
from controller.store.asrun import read_receipt
from controller.store.database import Database
from controller.store.fact_tables import health, outcomes, presence, refusals, spells
from controller.store.facts import RefusalCount
from controller.store.shapes import all_shaped, columns
from controller.store.tables import announcements, nodes
from wire import codec
from wire.health import Health
from wire.presence import State
from wire.receipt import Receipt

_MOST_BYTES = 1 << 20
_AT_ONCE = 500


@dataclass(frozen=True)
class Here:
    """Whether a node is there, since when, and when its health was last heard; None where it never spoke of it."""

    node: str
    online: bool | None
    since: datetime | None
    heard_at: datetime | None


@dataclass(frozen=True)
class Ended:
    """How a job ended on a node."""

    node: str
    receipt: Receipt
    received_at: datetime


@dataclass(frozen=True)
class Counted:
    """What a node counted of one reason since that start of it, and when we saw it grow."""

    node: str
    reason: str
    boot_id: str
    count: int
    grew_at: datetime


class AlarmFacts:
    """Reads facts; writes only what was counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def here(self) -> list[Here]:
        """Of every enrolled node, in order of name."""
        query = (
            sa.select(nodes.c.id, presence.c.state, presence.c.since, health.c.received_at)
            .outerjoin(presence, presence.c.node == nodes.c.id)
            .outerjoin(health, health.c.node == nodes.c.id)
            .where(nodes.c.revoked_at.is_(None))
            .order_by(nodes.c.id)
        )
        online = State.ONLINE.value
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Here(row[0], row[1] == online if row[1] else None, row[2], row[3]) for row in rows]

    def healths(self, names: Sequence[str]) -> dict[str, Health]:
        """The newest health of each of these nodes that ever told."""
        found: dict[str, Health] = {}
        with self._database.reading() as connection:
            for some in (names[first : first + _AT_ONCE] for first in range(0, len(names), _AT_ONCE)):
                for node, body in connection.execute(
                    sa.select(health.c.node, health.c.body).where(health.c.node.in_(some))
                ):
                    found[node] = codec.read(Health, body.encode(), _MOST_BYTES)
        return found

    def ended(self, since: datetime) -> list[Ended]:
        """Every end of a job that was stored at ``since`` or later, in that order."""
        query = sa.select(outcomes.c.node, outcomes.c.body, outcomes.c.received_at)
        query = query.where(outcomes.c.received_at >= since).order_by(outcomes.c.received_at)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Ended(row[0], read_receipt(row[1]), row[2]) for row in rows]

    def refused(self, since: datetime) -> list[RefusalCount]:
        """What the station itself refused at ``since`` or later."""
        query = sa.select(refusals, refusals.c.place.label("where")).where(refusals.c.last_at >= since)
        with self._database.reading() as connection:
            return all_shaped(RefusalCount, connection.execute(query))

    def unsteady(self, since: datetime, times: int) -> dict[str, int]:
        """The nodes that came back at least so often since then, and how often."""
        count = sa.func.count()
        query = sa.select(spells.c.node, count).where(spells.c.since >= since).group_by(spells.c.node)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query.having(count >= times))}

    def voiceless(self, touched_after: datetime, waiting_since: datetime) -> list[tuple[str, str, datetime]]:
        """Announcements without a voice, id, title, since when: it failed, or nothing came of it for too long."""
        table = announcements.c
        failed = (table.voice_state == "failed") & (table.updated_at >= touched_after)
        slow = (table.voice_state == "waiting") & (table.updated_at < waiting_since)
        alive = table.state.not_in(("withdrawn", "returned"))
        query = sa.select(table.id, table.title, table.updated_at).where(alive & (failed | slow))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(table.updated_at.desc()))
            return [(row[0], row[1], row[2]) for row in rows]

    def counted(self) -> dict[tuple[str, str], Counted]:
        """What was last counted, by node and reason."""
        with self._database.reading() as connection:
            rows = all_shaped(Counted, connection.execute(sa.select(alarm_counts)))
        return {(each.node, each.reason): each for each in rows}

    def count(self, newer: Iterable[Counted]) -> None:
        """Enter what was counted now."""
        rows: list[Mapping[str, object]] = [columns(each) for each in newer]
        if not rows:
            return
        insert = self._database.upsert(alarm_counts)
        new = {name: insert.excluded[name] for name in ("boot_id", "count", "grew_at")}
        with self._database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["node", "reason"], set_=new), rows)
