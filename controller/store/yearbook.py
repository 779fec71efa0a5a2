"""The yearbook: what was aired, added up by day, commune and kind, so that a year's report reads no receipt.

- Outcomes are counted in the order in which they came in, each once: where counting has got to stands beside the sums,
  in the same transaction. An outcome never changes, so what was counted stays true.
- A job is one bulletin of a commune, on however many loudspeakers; jobs are remembered for as long as receipts of
  them may come late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.store.asrun import read_receipt
from controller.store.columns import key, moment, text, whole
from controller.store.database import Database
from controller.store.fact_tables import outcomes
from controller.store.shapes import all_shaped, columns
from controller.store.tables import announcements, bookings, metadata, nodes
from wire.receipt import Receipt

aired_jobs = sa.Table(
    "aired_jobs",
    metadata,
    key("job"),
    key("area"),
    text("day"),
    text("kind"),
    whole("sounded"),
    whole("longest_ms"),
    sa.Index("aired_jobs_by_day", "day"),
)
SUMS = ("jobs", "jobs_sounded", "sounded", "missed", "otherwise", "longest_ms")
aired_days = sa.Table("aired_days", metadata, key("day"), key("area"), key("kind"), *map(whole, SUMS))
aired_upto = sa.Table("aired_upto", metadata, key("one"), moment("at"), text("job"), text("node"))

_AT_ONCE = 400  # jobs named in one query
_ONE = "one"
Upto = tuple[datetime, str, str]  # received at, job, node of the last outcome that was counted


@dataclass(frozen=True)
class Told:
    """An outcome. ``home`` empty: of a node that is gone; ``bulletin_class`` empty: an item of a programme."""

    upto: Upto
    home: str
    bulletin_class: str
    drill: bool
    receipt: Receipt


@dataclass(frozen=True)
class AiredJob:
    """A job in a commune: on how many loudspeakers it sounded, and the longest that one did."""

    job: str
    area: str
    day: str  # ISO, local
    kind: str
    sounded: int = 0
    longest_ms: int = 0


@dataclass(frozen=True)
class AiredDay:
    """Sums of a day, a commune and a kind (or of many): bulletins, and how they ended counted on each loudspeaker.

    ``otherwise``: pre-empted, cut, refused. ``longest_ms``: of each bulletin, where it sounded longest.
    """

    day: str
    area: str
    kind: str
    jobs: int = 0
    jobs_sounded: int = 0
    sounded: int = 0
    missed: int = 0
    otherwise: int = 0
    longest_ms: int = 0


class Yearbook:
    """Sums over the as-run log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upto(self) -> Upto | None:
        """Where counting has got to."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(aired_upto)).first()
        return (row.at, row.job, row.node) if row else None

    def told(self, after: Upto | None, until: datetime, limit: int) -> list[Told]:
        """The next outcomes, as they came in, up to ``until``."""
        place = sa.tuple_(outcomes.c.received_at, outcomes.c.job, outcomes.c.node)
        query = (
            sa.select(outcomes.c.received_at, outcomes.c.job, outcomes.c.node, outcomes.c.body, nodes.c.home)
            .add_columns(announcements.c.bulletin_class, announcements.c.drill)
            .outerjoin(nodes, nodes.c.id == outcomes.c.node)
            .outerjoin(bookings, bookings.c.id == outcomes.c.booking)
            .outerjoin(announcements, announcements.c.id == bookings.c.announcement)
            .where(outcomes.c.received_at <= until)
        )
        if after is not None:
            query = query.where((outcomes.c.received_at >= after[0]) & (place > after))
        query = query.order_by(outcomes.c.received_at, outcomes.c.job, outcomes.c.node).limit(limit)
        with self._database.reading() as connection:
            return [
                Told(
                    (row.received_at, row.job, row.node),
                    *(row.home or "", row.bulletin_class or "", bool(row.drill), read_receipt(row.body)),
                )
                for row in connection.execute(query)
            ]

    def jobs(self, names: Sequence[str]) -> list[AiredJob]:
        """What is known of these jobs."""
        found: list[AiredJob] = []
        with self._database.reading() as connection:
            for first in range(0, len(names), _AT_ONCE):
                mine = aired_jobs.c.job.in_(names[first : first + _AT_ONCE])
                found += all_shaped(AiredJob, connection.execute(sa.select(aired_jobs).where(mine)))
        return found

    def enter(self, jobs: Iterable[AiredJob], days: Iterable[AiredDay], upto: Upto, forget_before: str) -> None:
        """Note ``jobs`` as they are now, add ``days`` to what stands there, and that all up to ``upto`` is counted.

        Jobs of days (ISO) before ``forget_before`` are remembered no longer.
        """
        job_rows, day_rows = [columns(each) for each in jobs], [columns(each) for each in days]
        at = dict(zip(("one", "at", "job", "node"), (_ONE, *upto), strict=True))
        job, day, place = (self._database.upsert(table) for table in (aired_jobs, aired_days, aired_upto))
        new = {name: job.excluded[name] for name in ("sounded", "longest_ms")}
        more = {name: aired_days.c[name] + day.excluded[name] for name in SUMS}
        with self._database.writing() as connection:
            if job_rows:
                connection.execute(job.on_conflict_do_update(index_elements=["job", "area"], set_=new), job_rows)
            if day_rows:
                connection.execute(
                    day.on_conflict_do_update(index_elements=["day", "area", "kind"], set_=more), day_rows
                )
            connection.execute(place.values(at).on_conflict_do_update(index_elements=["one"], set_=at))
            connection.execute(sa.delete(aired_jobs).where(aired_jobs.c.day < forget_before))

    def by_area(self, since: str, until: str) -> list[AiredDay]:
        """Sums of the days (ISO, both included) of each area and kind; ``day`` empty."""
        return self._summed(("area", "kind"), since, until)

    def by_day(self, since: str, until: str, areas: Sequence[str]) -> list[AiredDay]:
        """Sums of each day and kind in ``areas``; ``area`` empty."""
        return self._summed(("day", "kind"), since, until, areas)

    def _summed(self, by: Sequence[str], since: str, until: str, areas: Sequence[str] | None = None) -> list[AiredDay]:
        grouped = [aired_days.c[name] for name in by]
        sums = [sa.cast(sa.func.sum(aired_days.c[name]), sa.BigInteger).label(name) for name in SUMS]
        query = sa.select(*grouped, *sums).where((aired_days.c.day >= since) & (aired_days.c.day <= until))
        if areas is not None:
            query = query.where(aired_days.c.area.in_(areas))
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(*grouped).order_by(*grouped)).mappings().all()
        return [_day({"day": "", "area": "", "kind": ""} | {str(k): v for k, v in row.items()}) for row in rows]


def _day(row: Mapping[str, str | int]) -> AiredDay:
    return AiredDay(**row)  # type: ignore[arg-type]
