"""What nodes keep at all times: the siren, and the announcements that are kept ready for areas.

- An announcement that is no longer approved is kept nowhere; its line stays until somebody drops it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from controller.configs import Standby
from controller.store.database import Database
from controller.store.rows import Act
from controller.store.shapes import all_shaped, columns, shaped
from controller.store.tables import announcements, assets, sirens, standby
from controller.store.wanted import ON_THE_AIR
from wire.plan import Asset, BulletinClass


@dataclass(frozen=True)
class SirenRow:
    """The siren's asset, and the recipe that it was made by."""

    recipe: str
    asset: str
    made_at: datetime


@dataclass(frozen=True)
class KeptRow:
    """An announcement kept ready on every node of an area; ``kept_by`` is a person's id."""

    area: str
    announcement: str
    kept_by: str
    kept_at: datetime


@dataclass(frozen=True)
class KeptView:
    """A line of what is kept. ``asset`` None: it is not approved, or not voiced, and on no node."""

    area: str
    announcement: str
    kept_at: datetime
    title: str
    bulletin_class: BulletinClass
    asset: Asset | None


class StandbyBook:
    """The siren and what is kept ready."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self) -> Standby:
        """What configs are to name."""
        held = self.siren()
        kept: dict[str, list[Asset]] = defaultdict(list)
        for each in self.list():
            if each.asset:
                kept[each.area].append(each.asset)
        siren = self._asset(held.asset) if held else None
        return Standby(siren, {area: tuple(found) for area, found in kept.items()})

    def keep(self, row: KeptRow, act: Act | None = None) -> None:
        """Keep an announcement for an area; one that is kept there already stays as it is."""
        enter = self._database.upsert(standby).values(columns(row))
        with self._database.wishing(act) as connection:
            connection.execute(enter.on_conflict_do_nothing(index_elements=["area", "announcement"]))

    def drop(self, area: str, announcement: str, act: Act | None = None) -> None:
        """Keep it there no longer."""
        mine = (standby.c.area == area) & (standby.c.announcement == announcement)
        with self._database.wishing(act) as connection:
            connection.execute(sa.delete(standby).where(mine))

    def list(self) -> list[KeptView]:
        """All that is kept, by area, the oldest first."""
        query = (
            sa.select(standby, announcements.c.title, announcements.c.bulletin_class, ON_THE_AIR.label("ready"))
            .add_columns(assets.c.sha256, assets.c.size_bytes, assets.c.duration_ms, assets.c.media_type)
            .join(announcements, announcements.c.id == standby.c.announcement)
            .outerjoin(assets, assets.c.sha256 == announcements.c.asset)
            .order_by(standby.c.area, standby.c.kept_at, standby.c.announcement)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [_view(row) for row in rows]

    def siren(self) -> SirenRow | None:
        """The siren that was made last."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(sirens).order_by(sirens.c.made_at.desc()).limit(1))
            rows = all_shaped(SirenRow, found)
        return rows[0] if rows else None

    def set_siren(self, recipe: str, asset: str, now: datetime) -> None:
        """The siren of that recipe is this asset, from now on."""
        row = columns(SirenRow(recipe, asset, now))
        enter = self._database.upsert(sirens).values(row)
        with self._database.wishing() as connection:
            connection.execute(enter.on_conflict_do_update(index_elements=["recipe"], set_=row))

    def _asset(self, sha256: str) -> Asset | None:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(assets).where(assets.c.sha256 == sha256)).mappings().first()
        return _as_asset(row) if row else None


def _view(row: sa.RowMapping) -> KeptView:
    kept = shaped(KeptRow, row)
    asset = _as_asset(row) if row["ready"] and row["sha256"] else None
    told = kept.area, kept.announcement, kept.kept_at, row["title"], BulletinClass(row["bulletin_class"])
    return KeptView(*told, asset)


def _as_asset(row: sa.RowMapping) -> Asset:
    return Asset(row["sha256"], row["size_bytes"], row["duration_ms"], row["media_type"], url=row["sha256"])
