"""Policy: when a loudspeaker may sound, and how loud. The same code plans, previews and guards the node."""

from __future__ import annotations

from datetime import datetime

from schedules import moments
from wire.config import NodeConfig, QuietHours
from wire.plan import BulletinClass

NEVER_QUIET = QuietHours("00:00", "00:00")


def is_quiet(moment: datetime, quiet: QuietHours, zone_name: str) -> bool:
    """Whether ``moment`` lies in quiet hours, on the zone's clock."""
    clock = moments.local(moment, zone_name).time()
    return moments.within(clock, moments.clock_time(quiet.since), moments.clock_time(quiet.until))


def may_sound(bulletin_class: BulletinClass, moment: datetime, quiet: QuietHours, zone_name: str) -> bool:
    """Whether a job of this class may sound at ``moment``: in quiet hours only an emergency (DOMAIN §2.5)."""
    return bulletin_class is BulletinClass.EMERGENCY or not is_quiet(moment, quiet, zone_name)


def volume_dbfs(bulletin_class: BulletinClass, moment: datetime, config: NodeConfig) -> float:
    """The attenuation for audio at ``moment``: the band in force, or the emergency volume."""
    if bulletin_class is BulletinClass.EMERGENCY:
        return config.emergency_volume_dbfs
    if not config.volumes:
        return 0.0
    clock = moments.local(moment, config.zone).strftime("%H:%M")
    begun = [band for band in config.volumes if band.since <= clock]
    # before the first band of the day, the last band of the day before is still in force
    band = max(begun or config.volumes, key=lambda each: each.since)
    return band.volume_dbfs
