"""What the overview adds up: states of today's nodes, hours of being there, how a day's bulletins ended.

- The station adds up from time to time (`controller.tallies`); pages read a few rows, whatever the number of nodes.
- An hour that is over is added up once. A day is added up again and again until it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from controller.store.alarm_tables import arrivals, commune_hours, commune_states, day_tallies, other_stations
from controller.store.database import Database
from controller.store.fact_tables import outcomes, presence, receipts, spells
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns
from controller.store.tables import nodes


@dataclass(frozen=True)
class CommuneState:
    """How many loudspeakers of a commune are in which state (`alarms.signs.state_of`)."""

    area: str
    nodes: int = 0
    online: int = 0
    offline: int = 0
    silent: int = 0
    never: int = 0


@dataclass(frozen=True)
class CommuneHour:
    """Seconds of being online in an hour, of the seconds in which its loudspeakers were known, all together."""

    hour: datetime
    area: str
    online_seconds: int
    known_seconds: int


@dataclass(frozen=True)
class DayTally:
    """A day's bulletins in a commune, counted on each loudspeaker: how they ended, and what is still to come.

    ``otherwise``: pre-empted, cut, refused. ``unheard``: it should have begun, and nothing was told of its end.
    """

    day: str  # ISO, local
    area: str
    sounded: int = 0
    missed: int = 0
    otherwise: int = 0
    unheard: int = 0
    ahead: int = 0
    at: datetime | None = None


@dataclass(frozen=True)
class Arrival:
    """On how many nodes the audio of a job does not lie yet, as counted for exactly that audio, areas and start.

    ``first``: some that lack it: name, why, and since when in ISO (empty: not known).
    """

    job: str
    asset: str
    areas: tuple[str, ...]
    start: datetime
    expected: int
    lacking: int
    first: tuple[tuple[str, str, str], ...]
    counted_at: datetime


@dataclass(frozen=True)
class OtherStations:
    """Stations of a commune that are not on this system."""

    area: str
    wired: int
    fm: int
    set_by: str
    set_at: datetime


class TallyBook:
    """Sums by commune."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- what the station adds up ----------------------------------------------------------------------------

    def set_states(self, states: Iterable[CommuneState]) -> None:
        """All communes as they are now; those that are not named are gone."""
        rows = [columns(each) for each in states]
        with self._database.writing() as connection:
            connection.execute(sa.delete(commune_states))
            if rows:
                connection.execute(sa.insert(commune_states), rows)

    def spells(self, begin: datetime, end: datetime) -> list[tuple[str, datetime, datetime | None]]:
        """Every spell of being online that touches [begin, end): node, since, until."""
        mine = (spells.c.since < end) & (spells.c.until.is_(None) | (spells.c.until > begin))
        with self._database.reading() as connection:
            query = sa.select(spells.c.node, spells.c.since, spells.c.until).where(mine)
            return [(row[0], row[1], row[2]) for row in connection.execute(query)]

    def heard_from(self) -> dict[str, datetime]:
        """Every node that ever spoke, and since when it is enrolled."""
        query = sa.select(nodes.c.id, nodes.c.enrolled_at).join(presence, presence.c.node == nodes.c.id)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def newest_hour(self) -> datetime | None:
        """The last hour that was added up."""
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(sa.select(sa.func.max(commune_hours.c.hour))).scalar()
        return found

    def add_hours(self, hours: Iterable[CommuneHour], forget_before: datetime) -> None:
        """Enter hours that are over; what is older than ``forget_before`` goes."""
        rows = [columns(each) for each in hours]
        insert = self._database.upsert(commune_hours)
        with self._database.writing() as connection:
            connection.execute(sa.delete(commune_hours).where(commune_hours.c.hour < forget_before))
            if rows:
                connection.execute(insert.on_conflict_do_nothing(index_elements=["hour", "area"]), rows)

    def ended(self, since: datetime) -> list[tuple[str, str, str, int]]:
        """How jobs ended since then: home of the node, job, step, on how many nodes."""
        query = (
            sa.select(nodes.c.home, outcomes.c.job, outcomes.c.step, sa.func.count())
            .join(nodes, nodes.c.id == outcomes.c.node)
            .where(outcomes.c.received_at >= since)
            .group_by(nodes.c.home, outcomes.c.job, outcomes.c.step)
        )
        with self._database.reading() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]

    def set_day(self, tallies: Sequence[DayTally]) -> None:
        """A day as it stands now."""
        if not tallies:
            return
        rows = [columns(each) for each in tallies]
        with self._database.writing() as connection:
            connection.execute(sa.delete(day_tallies).where(day_tallies.c.day == tallies[0].day))
            connection.execute(sa.insert(day_tallies), rows)

    def set_arrivals(self, counted: Sequence[Arrival]) -> None:
        """What many nodes are to sound soon, as counted now; of all else nothing is known."""
        rows = [columns(each) for each in counted]
        with self._database.writing() as connection:
            connection.execute(sa.delete(arrivals))
            if rows:
                connection.execute(sa.insert(arrivals), rows)

    # ---- what pages read -------------------------------------------------------------------------------------

    def states(self) -> list[CommuneState]:
        """Every commune, by path."""
        return self._rows(CommuneState, sa.select(commune_states).order_by(commune_states.c.area))

    def availability(self, since: datetime, until: datetime | None = None) -> dict[str, tuple[int, int]]:
        """Seconds online and seconds known of each commune, of the hours that began at ``since`` or later.

        And before ``until``, where that is named.
        """
        sums = sa.func.sum(commune_hours.c.online_seconds), sa.func.sum(commune_hours.c.known_seconds)
        query = sa.select(commune_hours.c.area, *sums).where(commune_hours.c.hour >= since)
        if until is not None:
            query = query.where(commune_hours.c.hour < until)
        with self._database.reading() as connection:
            return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query.group_by("area"))}

    def day(self, day: str) -> list[DayTally]:
        """A day's sums, by commune."""
        return self._rows(DayTally, sa.select(day_tallies).where(day_tallies.c.day == day))

    def arrivals(self, jobs: Sequence[str]) -> dict[str, Arrival]:
        """What was counted of these jobs."""
        found = self._rows(Arrival, sa.select(arrivals).where(arrivals.c.job.in_(jobs))) if jobs else []
        return {each.job: each for each in found}

    def told(self, jobs: Sequence[str]) -> dict[str, dict[str, int]]:
        """What was told of these jobs so far: by job, by step, on how many nodes. Begun and ended only."""
        found: dict[str, dict[str, int]] = {}
        begun = sa.select(receipts.c.job, receipts.c.step, sa.func.count(sa.distinct(receipts.c.node)))
        begun = begun.where(receipts.c.job.in_(jobs) & (receipts.c.step == "started"))
        ended = sa.select(outcomes.c.job, outcomes.c.step, sa.func.count()).where(outcomes.c.job.in_(jobs))
        with self._database.reading() as connection:
            for query, table in ((begun, receipts), (ended, outcomes)):
                for job, step, count in connection.execute(query.group_by(table.c.job, table.c.step)):
                    found.setdefault(job, {})[step] = count
        return found

    # ---- what the operator tells -------------------------------------------------------------------------------

    def other_stations(self) -> dict[str, OtherStations]:
        """What was told, by commune."""
        return {each.area: each for each in self._rows(OtherStations, sa.select(other_stations))}

    def set_other_stations(self, told: OtherStations, act: Act) -> None:
        """From now on it is so."""
        row = columns(told)
        enter = self._database.upsert(other_stations).values(row)
        with self._database.wishing(act) as connection:
            connection.execute(enter.on_conflict_do_update(index_elements=["area"], set_=row))

    def _rows(self, kind: type[Any], query: sa.Select[Any]) -> list[Any]:
        with self._database.reading() as connection:
            return all_shaped(kind, connection.execute(query))
