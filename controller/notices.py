"""The public page: which announcements everybody may read and hear again. Off unless the station's settings say so.

- Shown is what a loudspeaker of the area sounded in the last days, by its own sealed receipt, and an emergency as soon
  as it was ordered; only while it is still approved, in the words that were sounded, and unless somebody keeps it off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.settings import Settings
from controller.store import Store
from controller.store.notices import Aired
from controller.store.rows import Announcement, AssetRow
from wire.names import lies_within
from wire.plan import BulletinClass

SHOWN_FOR = timedelta(days=30)
URGENT_FOR = timedelta(days=1)  # an emergency that no loudspeaker has told of yet


@dataclass(frozen=True)
class Notice:
    """An announcement for everybody. ``at``: planned for when, the last time; ``nodes`` 0: no loudspeaker has told yet.

    ``asset`` None: its sound is not made, and its text alone is shown.
    """

    held: Announcement
    at: datetime
    nodes: int
    asset: AssetRow | None


def is_shown(area: str, settings: Settings) -> bool:
    """Whether everybody may read what was sounded in ``area``."""
    chosen = settings.public_log_areas
    return settings.public_bulletins and (not chosen or any(lies_within(area, each) for each in chosen))


def recent(store: Store, area: str, now: datetime) -> list[Notice]:
    """What ``area`` was told of late, the newest first; at most 100. Raises StoreError."""
    placed = store.notices.placed(area)
    aired = store.notices.aired(area, [each.id for each in placed], now - SHOWN_FOR)
    found = [(each, _last(each, aired.get(each.id), now)) for each in placed]
    shown = [
        Notice(each, last.at, last.nodes, store.assets.get(each.asset) if each.asset else None)
        for each, last in found
        if last
    ]
    return sorted(shown, key=lambda each: (each.at, each.held.id), reverse=True)


def _last(held: Announcement, aired: Aired | None, now: datetime) -> Aired | None:
    """How it may be told of; None where it may not."""
    if aired is not None:
        return aired if held.updated_at <= aired.at else None
    urgent = held.bulletin_class is BulletinClass.EMERGENCY and now - held.updated_at < URGENT_FOR
    return Aired(held.updated_at, 0) if urgent else None
