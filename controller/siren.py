"""The siren that every node keeps on its disk: made once, kept for ever, made anew when its recipe changes.

- What cannot make it (no ffmpeg, a full disk) is said once, and tried again at the next tick; the radio goes on.
"""

from __future__ import annotations

import logging
from datetime import datetime

from controller.store import Store
from controller.store.rows import AssetRow
from controller.studio import MasteringError, ShelfError, Studio

log = logging.getLogger(__name__)


class Siren:
    """The siren of one station."""

    def __init__(self, store: Store, studio: Studio) -> None:
        self._store, self._studio = store, studio
        self._why_not = ""

    def keep(self, now: datetime) -> bool:
        """Have it on the shelf and in the store. Whether it was made now."""
        recipe, held = self._studio.siren_recipe, self._store.standby.siren()
        if held and held.recipe == recipe and self._studio.has(held.asset):
            return False
        try:
            made = self._studio.make_siren()
        except (MasteringError, ShelfError) as wrong:
            if str(wrong) != self._why_not:
                log.warning("no_siren why=%s", wrong)
            self._why_not = str(wrong)
            return False
        facts = made.sha256, made.size_bytes, made.duration_ms, made.media_type, made.voice
        self._store.assets.put(AssetRow(*facts, created_at=now, lufs=made.lufs, peak_dbtp=made.peak_dbtp))
        self._store.standby.set_siren(recipe, made.sha256, now)
        self._why_not = ""
        log.info("siren asset=%s seconds=%.1f", made.sha256, made.duration_ms / 1000)
        return True
