"""What the station wants of a node: its config but for serial and date. Pure.

- One function for the transmitter, which seals it, and for previews, which look ahead: what a preview knows of quiet
  hours, volumes and limits on a day is what the node will be told on that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from controller.roster import Node, ancestors, areas_of
from controller.settings import Settings
from schedules.moments import local
from schedules.rulebook import NO_LIMITS, Rulebook, in_force
from wire.config import NodeConfig
from wire.plan import Asset

UNDATED = datetime.min.replace(tzinfo=UTC)

Rulebooks = Mapping[str, Sequence[tuple[date, Rulebook]]]  # by area, in order of their first days


MOST_STANDBY = 20  # assets that a config names


@dataclass(frozen=True)
class Standby:
    """What nodes keep at all times: the siren, and the announcements ``kept`` ready for each area, oldest first."""

    siren: Asset | None = None
    kept: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)

    def of(self, node: Node) -> tuple[Asset, ...]:
        """The siren, then what is kept for the node's areas, the nearest first; no more than a config holds."""
        nearest = (asset for area in areas_of(node) for asset in self.kept.get(area, ()))
        found = [*((self.siren,) if self.siren else ()), *nearest]
        return tuple({asset.sha256: asset for asset in found}.values())[:MOST_STANDBY]


NOTHING_KEPT = Standby()


def data_budget(node: Node, settings: Settings) -> int:
    """How many bytes of audio and streams the node may take a day; 0: as many as it wants."""
    own = node.data_budget_bytes_per_day
    return settings.data_budget_bytes_per_day if own is None else own


def _is_over(node: Node, zone: str, day: date) -> bool:
    """Whether its maintenance has ended before the local ``day`` begins."""
    until = node.maintenance_until
    return until is not None and local(until, zone).date() < day


def wanted_config(
    node: Node, settings: Settings, rulebooks: Rulebooks, day: date, standby: Standby = NOTHING_KEPT
) -> NodeConfig:
    """The config that ``node`` is to have on the local ``day``, as number 1 and `UNDATED`."""
    rules = in_force(rulebooks, (node.home, *ancestors(node.home)), day) or Rulebook()
    return NodeConfig(
        node=node.id,
        serial=1,
        issued_at=UNDATED,
        areas=areas_of(node),
        media_url=settings.audio_url,
        zone=settings.zone,
        quiet_hours=node.quiet or rules.quiet or settings.quiet,
        volumes=node.volumes or rules.volumes,
        offset_ms=node.offset_ms,
        maintenance=node.maintenance and not _is_over(node, settings.zone, day),
        health_seconds=settings.health_seconds,
        data_budget_bytes_per_day=data_budget(node, settings),
        limits=rules.limits if rules.limits != NO_LIMITS else None,
        standby=standby.of(node),
        siren=standby.siren.sha256 if standby.siren else None,
    )
