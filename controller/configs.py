"""What the station wants of a node: its config but for serial and date. Pure.

- One function for the transmitter, which seals it, and for previews, which look ahead: what a preview knows of quiet
  hours, volumes and limits on a day is what the node will be told on that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from controller.roster import Node, ancestors, areas_of
from controller.settings import Settings
from schedules.rulebook import NO_LIMITS, Rulebook, in_force
from wire.config import NodeConfig

UNDATED = datetime.min.replace(tzinfo=UTC)

Rulebooks = Mapping[str, Sequence[tuple[date, Rulebook]]]  # by area, in order of their first days


def wanted_config(node: Node, settings: Settings, rulebooks: Rulebooks, day: date) -> NodeConfig:
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
        maintenance=node.maintenance,
        health_seconds=settings.health_seconds,
        limits=rules.limits if rules.limits != NO_LIMITS else None,
    )
