"""What a node holds against what was issued to it: behind, or ahead. Pure.

- Behind: the broker or the air lost something. Ahead: this station was restored from a backup, and has issued less
  than nodes have heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.roster import Node, areas_of
from wire import topics
from wire.health import Health
from wire.plan import Lane

LINES = {Lane.PLAN: topics.PLAN, Lane.URGENT: topics.URGENT}


@dataclass(frozen=True)
class Compared:
    """Topics whose document the node lacks, and topics of which it holds a higher serial, with that serial."""

    behind: tuple[str, ...]
    ahead: Mapping[str, int]


def compare(node: Node, health: Health, issued: Mapping[str, int]) -> Compared:
    """``issued``: the newest serial of each topic that has a document in force."""
    held = {topics.TRUST.topic(): health.trust_serial, topics.CONFIG.topic(node=node.id): health.config_serial}
    for each in health.held:
        held |= {LINES[lane].topic(area=each.area): getattr(each, lane.value) for lane in Lane}
    unnumbered = {line.topic(node=node.id) for line in (topics.ACKS, topics.CERTIFICATE)}
    mine = [topic for topic in topics.of_node(node.id, areas_of(node)) if topic not in unnumbered]
    behind = tuple(topic for topic in mine if held.get(topic, 0) < issued.get(topic, 0))
    ahead = {topic: held[topic] for topic in mine if held.get(topic, 0) > issued.get(topic, 0)}
    return Compared(behind, ahead)
