"""Counters of refusals that nodes keep since they were started: which have grown lately. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from controller.store.alarm_facts import Counted
from wire.health import Health

Counts = dict[tuple[str, str], Counted]  # by node and reason


def grown(health: Health, held: Counts, watched: frozenset[str], now: datetime) -> Iterator[Counted]:
    """What ``health`` counted more often than was known, of the ``watched`` reasons. After a start it begins at 0."""
    for reason, count in health.refusals.items():
        if reason not in watched or count <= 0:
            continue
        before = held.get((health.node, reason))
        same = before is not None and before.boot_id == health.boot_id
        if before is None or not same or count > before.count:
            yield Counted(health.node, reason, health.boot_id, count, now)


def lately(counts: Mapping[tuple[str, str], Counted], since: datetime) -> dict[str, dict[str, int]]:
    """By node: the reasons that grew at ``since`` or later."""
    found: dict[str, dict[str, int]] = {}
    for each in counts.values():
        if each.grew_at >= since:
            found.setdefault(each.node, {})[each.reason] = each.count
    return found
