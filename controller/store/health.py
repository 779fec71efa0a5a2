"""Health and presence: the newest of each node, hours rolled up, and the spells in which a node was online.

- Only a newer message replaces; what is older than the one held is given back to the caller as stale.
- Uptime is the share of time inside spells, never a count of messages; before a node was first heard of nothing
  is known of it, and nothing is claimed.
- A batch is one transaction: rows are first brought together in memory, one for each node and hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.fact_tables import health, health_hours, presence, spells
from controller.store.facts import Condition, HealthHour
from controller.store.rollup import hour_of, rolled_up, taking_in, to_hour
from wire import codec
from wire.health import Health
from wire.presence import Presence, State

_MOST_BYTES = 1 << 20
_AT_ONCE = 500  # nodes named in one query


class HealthBook:
    """What is known of every node's state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take_health(self, messages: Sequence[Health], received_at: datetime) -> list[Health]:
        """Keep the newest of each node and roll all up by the hour of ``received_at``; gives back the stale ones."""
        if not messages:
            return []
        with self._database.writing() as connection:
            held = _held(connection, health, {each.node for each in messages})
            fresh, stale, newest = _sorted_out(messages, held)
            if fresh:
                latest = [
                    {"node": node, "at": each.at, "received_at": received_at, "body": codec.write(each).decode()}
                    for node, each in sorted(newest.items())
                ]
                connection.execute(self._replacing(health), latest)
                hours = self._database.upsert(health_hours)
                connection.execute(taking_in(hours), rolled_up(fresh, hour_of(received_at)))
        return stale

    def take_presence(self, messages: Sequence[Presence], received_at: datetime) -> list[Presence]:
        """Apply what nodes, or their wills, said of them, in this order; gives back the stale ones.

        A will is written before its connection is made, so within one run of a node (its boot id) what arrives later
        counts. Between runs the time does: the will of a run that is over says nothing of the one that followed.
        """
        if not messages:
            return []
        stale = []
        with self._database.writing() as connection:
            held = _states(connection, {each.node for each in messages})
            changed: dict[str, dict[str, Any]] = {}
            for each in messages:
                known = held.get(each.node)
                if known is not None and _of_an_earlier_run(each, known, received_at):
                    stale.append(each)
                    continue
                state = _next_state(known, each, received_at)
                self._mark_spell(connection, known, state, received_at)
                held[each.node] = changed[each.node] = state
            if changed:
                connection.execute(self._replacing(presence), [changed[node] for node in sorted(changed)])
        return stale

    def latest(self) -> list[Condition]:
        """The state of every node that ever spoke, in order of name."""
        return self._conditions(None)

    def condition(self, node: str) -> Condition | None:
        """The state of one node, None when it never spoke."""
        found = self._conditions([node])
        return found[0] if found else None

    def conditions(self, names: set[str]) -> dict[str, Condition]:
        """The state of each of these nodes that ever spoke."""
        found: list[Condition] = []
        for some in _portions(names):
            found += self._conditions(some)
        return {each.node: each for each in found}

    def newest(self, limit: int) -> list[tuple[Health, datetime]]:
        """What was heard last of all, each with when it was received."""
        query = sa.select(health.c.body, health.c.received_at).order_by(health.c.received_at.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [(codec.read(Health, row[0].encode(), _MOST_BYTES), row[1]) for row in rows]

    def hours(self, node: str, since: datetime, until: datetime) -> list[HealthHour]:
        """The node's roll-ups of the hours that begin in [since, until), oldest first."""
        wanted = (health_hours.c.node == node) & (health_hours.c.hour >= since) & (health_hours.c.hour < until)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(health_hours).where(wanted).order_by(health_hours.c.hour)).mappings()
            return [to_hour(row) for row in rows]

    def uptime(self, node: str, since: datetime, until: datetime) -> float | None:
        """The share of [since, until) in which the node was online, 0 to 1; ``until`` is not after now.

        Counted from when the node was first heard of; None when that was not before ``until``.
        """
        return self.uptimes({node: since}, until)[node]

    def uptimes(self, since: Mapping[str, datetime], until: datetime) -> dict[str, float | None]:
        """The same of some nodes, each from a moment of its own on."""
        names = list(since)
        first = min(since.values(), default=until)
        mine = spells.c.node.in_(names)
        late = mine & (spells.c.since < until) & (spells.c.until.is_(None) | (spells.c.until > first))
        begun = sa.select(spells.c.node, sa.func.min(spells.c.since)).where(mine).group_by(spells.c.node)
        known = sa.select(presence.c.node, presence.c.since).where(presence.c.node.in_(names))
        online: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        with self._database.reading() as connection:
            heard = {row[0]: row[1] for row in connection.execute(known)}
            heard |= {row[0]: min(row[1], heard.get(row[0], row[1])) for row in connection.execute(begun)}
            for row in connection.execute(sa.select(spells.c.node, spells.c.since, spells.c.until).where(late)):
                online[row.node].append((row.since, row.until or until))
        return {name: share_online(online[name], max(since[name], heard.get(name, until)), until) for name in names}

    def _mark_spell(
        self, connection: sa.Connection, known: dict[str, Any] | None, state: dict[str, Any], received_at: datetime
    ) -> None:
        """Open a spell when a node comes online, end it when it goes."""
        was = known is not None and known["state"] == State.ONLINE.value
        online = state["state"] == State.ONLINE.value
        if online and not was:
            new = self._database.upsert(spells).values(node=state["node"], since=state["since"], until=None)
            connection.execute(new.on_conflict_do_update(index_elements=["node", "since"], set_={"until": None}))
        if was and not online:
            still_open = (spells.c.node == state["node"]) & spells.c.until.is_(None)
            connection.execute(sa.update(spells).where(still_open).values(until=received_at))

    def _replacing(self, table: sa.Table) -> sa.Insert:
        insert = self._database.upsert(table)
        newer = {column.name: insert.excluded[column.name] for column in table.c if column.name != "node"}
        return insert.on_conflict_do_update(index_elements=["node"], set_=newer, where=table.c.at <= insert.excluded.at)

    def _conditions(self, only: list[str] | None) -> list[Condition]:
        with self._database.reading() as connection:
            states = {row[0]: row for row in connection.execute(_of(_STATES, presence, only))}
            measured = {row[0]: row for row in connection.execute(_of(_MEASURED, health, only))}
        return [_condition(node, states.get(node), measured.get(node)) for node in sorted(states.keys() | measured)]


def _sorted_out(
    messages: Iterable[Health], held: dict[str, datetime]
) -> tuple[list[Health], list[Health], dict[str, Health]]:
    """(fresh, stale, the newest of each node): a message at the second of the one before it is stale."""
    fresh: list[Health] = []
    stale: list[Health] = []
    newest: dict[str, Health] = {}
    for each in messages:
        last = held.get(each.node)
        if last is not None and each.at <= last:
            stale.append(each)
            continue
        held[each.node] = each.at
        newest[each.node] = each
        fresh.append(each)
    return fresh, stale, newest


def _held(connection: sa.Connection, table: sa.Table, names: set[str]) -> dict[str, datetime]:
    """When the message was written that is held of each node."""
    held: dict[str, datetime] = {}
    for some in _portions(names):
        query = sa.select(table.c.node, table.c.at).where(table.c.node.in_(some))
        held.update((node, at) for node, at in connection.execute(query))
    return held


def _states(connection: sa.Connection, names: set[str]) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = {}
    for some in _portions(names):
        for row in connection.execute(sa.select(presence).where(presence.c.node.in_(some))).mappings():
            states[row["node"]] = dict(row)
    return states


def _portions(names: set[str]) -> Iterable[list[str]]:
    ordered = sorted(names)
    return (ordered[first : first + _AT_ONCE] for first in range(0, len(ordered), _AT_ONCE))


def _of_an_earlier_run(said: Presence, known: dict[str, Any], received_at: datetime) -> bool:
    """Whether another run has spoken since. A time that lies ahead, from a clock that was wrong, counts as now."""
    if said.boot_id == known["boot_id"]:
        return False
    newest: datetime = known["at"]
    return min(said.at, received_at) < min(newest, received_at)


def _next_state(known: dict[str, Any] | None, said: Presence, received_at: datetime) -> dict[str, Any]:
    """The row of a node after ``said``; ``since`` stays while the state does."""
    begun = min(said.at, received_at) if said.state is State.ONLINE else received_at
    if known is not None:
        begun = known["since"] if known["state"] == said.state.value else max(begun, known["since"])
    version = said.version or (known["version"] if known else "")
    state = {"node": said.node, "state": said.state.value, "boot_id": said.boot_id, "version": version}
    at = min(said.at, received_at)
    return state | {"at": max(at, known["at"]) if known else at, "since": begun}


_STATES = sa.select(presence.c.node, presence.c.state, presence.c.since, presence.c.boot_id, presence.c.version)
_MEASURED = sa.select(health.c.node, health.c.body, health.c.received_at)


def _of(query: sa.Select[Any], table: sa.Table, only: list[str] | None) -> sa.Select[Any]:
    return query if only is None else query.where(table.c.node.in_(only))


def _condition(node: str, state: Sequence[Any] | None, measured: Sequence[Any] | None) -> Condition:
    """Rows of `_STATES` and `_MEASURED`."""
    _, word, since, boot_id, version = state or (node, None, None, "", "")
    newest = codec.read(Health, measured[1].encode(), _MOST_BYTES) if measured else None
    return Condition(
        node=node,
        online=word == State.ONLINE.value if state else None,
        presence_since=since,
        boot_id=newest.boot_id if newest else boot_id,
        version=newest.version if newest else version,
        health=newest,
        health_received_at=measured[2] if measured else None,
    )


def share_online(online: Iterable[tuple[datetime, datetime]], begin: datetime, until: datetime) -> float | None:
    """The share of [begin, until) that lies in the spells ``online``; None of nothing."""
    if begin >= until:
        return None
    spent = sum((max(min(end, until) - max(start, begin), timedelta()) for start, end in online), timedelta())
    return min(spent / (until - begin), 1.0)
