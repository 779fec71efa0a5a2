"""The table of topics: who says what to whom, whether it is kept, how surely it travels, how large it may be.

- From this one table come the topic strings, the subscriptions, the size limits, `docs/wire.md` and the
  broker's access rules: there is no second place to forget.
- Prefix ``radio/v1``; a change that an old node would misread gets ``radio/v2`` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from wire.config import NodeConfig
from wire.health import Health
from wire.live import LiveFrame
from wire.names import SLUG, BadName, area_id, node_id
from wire.plan import Plan
from wire.presence import Presence
from wire.receipt import Ack, Receipts
from wire.renewal import Renewal, Renewed
from wire.trust import Trust

PREFIX = "radio/v1"
_KB = 1024


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    name: str
    pattern: str  # below the prefix, with {area}, {node} or {session}
    down: bool  # True: station -> nodes; False: node -> station
    retained: bool
    qos: int
    most_bytes: int  # of the message as it travels
    kind: type[msgspec.Struct]
    sealed: bool
    what: str

    def topic(self, **names: str) -> str:
        """The topic for these names."""
        return f"{PREFIX}/{self.pattern.format(**names)}"

    def filter(self) -> str:
        """The subscription that matches every topic of this line."""
        return f"{PREFIX}/{re.sub(r'{[^}]+}', '+', self.pattern)}"


PLAN = Line("plan", "areas/{area}/plan", True, True, 1, 4096 * _KB, Plan, True, "the area's jobs for the days ahead")
URGENT = Line("urgent", "areas/{area}/urgent", True, True, 1, 512 * _KB, Plan, True, "emergencies only: the fast lane")
LIVE = Line("live", "areas/{area}/live/{session}", True, False, 0, 32 * _KB, LiveFrame, True, "audio of a live session")
CONFIG = Line(
    "config", "nodes/{node}/config", True, True, 1, 64 * _KB, NodeConfig, True, "what the station wants of a node"
)
TRUST = Line("trust", "trust", True, True, 1, 256 * _KB, Trust, True, "which key may seal what (root-signed)")
ACKS = Line("acks", "nodes/{node}/acks", True, True, 1, 4 * _KB, Ack, True, "the highest receipt number stored")
PRESENCE = Line(
    "presence", "nodes/{node}/presence", False, True, 1, 4 * _KB, Presence, False, "online / offline, and the last will"
)
HEALTH = Line(
    "health", "nodes/{node}/health", False, False, 0, 16 * _KB, Health, False, "measurements, and the serials held"
)
RECEIPTS = Line("receipts", "nodes/{node}/receipts", False, False, 1, 256 * _KB, Receipts, True, "numbered outcomes")
RENEWAL = Line(
    "renewal", "nodes/{node}/renewal", False, False, 1, 8 * _KB, Renewal, True, "asks for its next certificate"
)
CERTIFICATE = Line(
    "certificate", "nodes/{node}/certificate", True, False, 1, 32 * _KB, Renewed, True, "the certificate asked for"
)

TABLE: tuple[Line, ...] = (PLAN, URGENT, LIVE, CONFIG, TRUST, PRESENCE, HEALTH, RECEIPTS, ACKS, RENEWAL, CERTIFICATE)
MOST_BYTES = max(line.most_bytes for line in TABLE)  # a message larger than this is refused unread
MOST_TOPIC_CHARS = 500

_NAMES = {"area": rf"{SLUG}(?::{SLUG})*", "node": SLUG, "session": rf"{SLUG}(?::{SLUG})*"}


def _matcher(line: Line) -> re.Pattern[str]:
    """Only names that the wire carries are recognised: no line break, no wildcard, nothing to log twice."""
    named = re.sub(r"{([^}]+)}", lambda hole: f"(?P<{hole[1]}>{_NAMES[hole[1]]})", line.pattern)
    return re.compile(re.escape(f"{PREFIX}/") + named)


_MATCHERS = [(line, _matcher(line)) for line in TABLE]


def recognise(topic: str) -> tuple[Line, dict[str, str]] | None:
    """The table's line for ``topic`` and the names in it, or None when the table has no such topic."""
    if len(topic) > MOST_TOPIC_CHARS:
        return None
    for line, matcher in _MATCHERS:
        found = matcher.fullmatch(topic)
        if found:
            return line, found.groupdict()
    return None


def matches(wanted: str, topic: str) -> bool:
    """Whether the filter ``wanted`` covers ``topic`` (MQTT 3.1.1, §4.7)."""
    if topic.startswith("$") != wanted.startswith("$"):
        return False
    filters, levels = wanted.split("/"), topic.split("/")
    if filters[-1] == "#":
        filters = filters[:-1]
        levels = levels[: len(filters)]
    return len(filters) == len(levels) and all(f in ("+", level) for f, level in zip(filters, levels, strict=True))


def of_node(node: str, areas: Iterable[str]) -> list[str]:
    """The topics that a node listens to: its own, and those of its areas (its own area among them)."""
    own = [TRUST.topic(), *(line.topic(node=node) for line in (CONFIG, ACKS, CERTIFICATE))]
    return own + [line.topic(area=area) for area in sorted({node, *areas}) for line in (PLAN, URGENT)]


def urgent_of_home(home: str) -> list[str]:
    """The urgent topics of the area where a node hangs and of those above it: what it hears before any config."""
    parts = home.split(":")
    return [URGENT.topic(area=":".join(parts[:count])) for count in range(1, len(parts) + 1)]


def access_rules(station: str, nodes: Iterable[tuple[str, Iterable[str]]], revoked: Iterable[str] = ()) -> str:
    """Access rules for mosquitto (`acl_file`): the station does all, a node only what the table lets it do.

    What is the same for every node is a pattern, and an area is one line: mosquitto looks for the user's name at every
    line that it reads, so lines times nodes is what a reload costs. ``nodes``: (node name, areas it listens to). The
    user name is the node's name (`use_identity_as_username`). ``revoked``: nodes that may do nothing, also within a
    session that goes on. Raises BadName for what would not stay one name on one line, and for a node that is named
    like the station.
    """
    rules = [f"user {station}", f"topic readwrite {PREFIX}/#"]
    rules += [f"pattern {'read' if line.down else 'write'} {_of_every_node(line)}" for line in TABLE]
    for node, areas in nodes:
        others = sorted({*map(area_id, areas)} - {_not_the_station(node, station)})
        rules += ["", f"user {node}"] + [f"topic read {PREFIX}/areas/{area}/#" for area in others]
    for node in revoked:
        rules += ["", f"user {_not_the_station(node, station)}", f"topic deny {PREFIX}/#"]
    return "\n".join(rules) + "\n"


def _of_every_node(line: Line) -> str:
    """What a node may have of a line by its name alone: it is an area too."""
    return f"{PREFIX}/{line.pattern.format(node='%u', area='%u', session='+')}"


def _not_the_station(node: str, station: str) -> str:
    if node_id(node) == node_id(station):
        raise BadName("node", node)
    return node
