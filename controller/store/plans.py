"""What was issued: the newest sealed plan of each area and lane, the newest config of each node.

- A serial is taken and its document saved in one transaction, before anybody publishes; a number once taken is
  never taken again, even when its area's plan has been dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from controller.store.database import Database
from controller.store.facts import IssuedConfig, IssuedPlan
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import configs, plans, serials
from schedules.planner import VALIDITY
from wire.plan import Lane

Make = Callable[[int], bytes]


class Plans:
    """The issued documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, area: str, lane: Lane, digest: str, make: Make, now: datetime) -> IssuedPlan | None:
        """Issue the plan that ``make(serial)`` seals; it is valid for `planner.VALIDITY` from ``now``.

        None, and no serial taken, when the plan held has this ``digest`` and more than half its validity left.
        """
        place = (plans.c.area == area) & (plans.c.lane == lane.value)
        with self._database.writing() as connection:
            held = connection.execute(sa.select(plans).where(place)).first()
            if held and held.digest == digest and held.valid_until - now > VALIDITY / 2:
                return None
            serial = self._next(connection, f"plan/{area}/{lane.value}", now)
            issued = IssuedPlan(area, lane, serial, digest, now, now + VALIDITY, make(serial))
            connection.execute(self._replacing(plans, ["area", "lane"]), columns(issued))
        return issued

    def issue_config(self, node: str, digest: str, make: Make, now: datetime) -> IssuedConfig | None:
        """Issue the config that ``make(serial)`` seals; None when the one held has this ``digest``."""
        with self._database.writing() as connection:
            held = connection.execute(sa.select(configs.c.digest).where(configs.c.node == node)).scalar()
            if held == digest:
                return None
            serial = self._next(connection, f"config/{node}", now)
            issued = IssuedConfig(node, serial, digest, now, make(serial))
            connection.execute(self._replacing(configs, ["node"]), columns(issued))
        return issued

    def held(self) -> dict[tuple[str, Lane], int]:
        """The newest serial of every area and lane."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(plans.c.area, plans.c.lane, plans.c.serial))
            return {(row[0], Lane(row[1])): row[2] for row in found}

    def current(self) -> list[IssuedPlan]:
        """The newest plan of every area and lane."""
        with self._database.reading() as connection:
            return all_shaped(IssuedPlan, connection.execute(sa.select(plans).order_by(plans.c.area, plans.c.lane)))

    def numbers(self, upto: datetime, now: datetime, only: Sequence[str] | None = None) -> dict[tuple[str, str], int]:
        """The serials of what was issued at ``upto`` or before and still holds, by (area, lane) or (node, "config").

        ``only``: the nodes whose configs are asked for, a few hundred at most; None: all.
        """
        held = (plans.c.issued_at <= upto) & (plans.c.valid_until > now)
        of_plans = sa.select(plans.c.area, plans.c.lane, plans.c.serial).where(held)
        of_configs = sa.select(configs.c.node, configs.c.serial).where(configs.c.issued_at <= upto)
        if only is not None:
            of_configs = of_configs.where(configs.c.node.in_(only))
        with self._database.reading() as connection:
            found = {(row.area, str(row.lane)): int(row.serial) for row in connection.execute(of_plans)}
            return found | {(row.node, "config"): int(row.serial) for row in connection.execute(of_configs)}

    def of_areas(self, areas: Iterable[str]) -> list[IssuedPlan]:
        """The newest plans of these areas, by area and lane."""
        query = sa.select(plans).where(plans.c.area.in_(list(areas))).order_by(plans.c.area, plans.c.lane)
        with self._database.reading() as connection:
            return all_shaped(IssuedPlan, connection.execute(query))

    def of(self, area: str, lane: Lane) -> IssuedPlan | None:
        """The newest plan of one area and lane."""
        place = (plans.c.area == area) & (plans.c.lane == lane.value)
        with self._database.reading() as connection:
            row = connection.execute(sa.select(plans).where(place)).first()
        return shaped(IssuedPlan, row) if row else None

    def config(self, node: str) -> IssuedConfig | None:
        """The newest config of one node."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(configs).where(configs.c.node == node)).first()
        return shaped(IssuedConfig, row) if row else None

    def configs(self) -> list[IssuedConfig]:
        """The newest config of every node."""
        with self._database.reading() as connection:
            return all_shaped(IssuedConfig, connection.execute(sa.select(configs).order_by(configs.c.node)))

    def drop(self, area: str, lane: Lane) -> None:
        """Forget the plan of an area that is no more; its serials stay taken."""
        place = (plans.c.area == area) & (plans.c.lane == lane.value)
        with self._database.writing() as connection:
            connection.execute(sa.delete(plans).where(place))

    def _next(self, connection: sa.Connection, subject: str, now: datetime) -> int:
        """The next serial of ``subject``; its row is locked until the transaction ends.

        At least the second of ``now`` since 1970: a store restored from a backup goes on above what it had issued.
        """
        second = int(now.timestamp())
        first = self._database.upsert(serials).values(subject=subject, last=second)
        above = sa.case((serials.c.last >= second, serials.c.last + 1), else_=second)
        further = first.on_conflict_do_update(index_elements=["subject"], set_={"last": above})
        return int(connection.execute(further.returning(serials.c.last)).scalar_one())

    def _replacing(self, table: sa.Table, key: list[str]) -> sa.Insert:
        insert = self._database.upsert(table)
        newer = {column.name: insert.excluded[column.name] for column in table.c if column.name not in key}
        return insert.on_conflict_do_update(index_elements=key, set_=newer)
