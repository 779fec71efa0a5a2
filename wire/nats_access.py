"""Access rules for the NATS server as an MQTT broker, from the same table of topics as `topics.access_rules`.

- A topic is a subject there: levels are parted by dots, ``+`` is ``*``. Every MQTT client also needs its own inbox of
  the server (``$MQTT.sub.>``), which no other client can write.
- What is not allowed is refused: SUBSCRIBE by 0x80, PUBLISH in silence, for MQTT 3.1.1 has no word for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from wire.names import BadName, area_id, node_id
from wire.topics import LIVE, PREFIX, TABLE, of_node

_INBOX = "$MQTT.sub.>"


def subject(topic: str) -> str:
    """``topic`` (or a filter with ``+``) as NATS names it; there is no dot and no space in a topic of ours."""
    return ".".join("*" if level == "+" else level for level in topic.split("/"))


def users(
    station: str, nodes: Iterable[tuple[str, Iterable[str]]], known_as: Callable[[str], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The value of ``authorization.users``: the station does all, a node only what the table lets it do.

    ``nodes``: (node name, areas it listens to). ``known_as``: by what NATS knows a name, such as `by_certificate`.
    Raises BadName, as `topics.access_rules` does.
    """
    all_of_ours = [subject(PREFIX), f"{subject(PREFIX)}.>"]  # for MQTT, # is the level above it too
    everything = {"publish": all_of_ours, "subscribe": [*all_of_ours, _INBOX]}
    made: list[dict[str, Any]] = [{**known_as(station), "permissions": everything}]
    for node, areas in nodes:
        if node_id(node) == node_id(station):
            raise BadName("node", node)
        mine = sorted({node, *(area_id(area) for area in areas)})
        heard = [*of_node(node, mine), *(LIVE.topic(area=area, session="+") for area in mine)]
        said = [line.topic(node=node) for line in TABLE if not line.down]
        rights = {"publish": list(map(subject, said)), "subscribe": [*map(subject, heard), _INBOX]}
        made.append({**known_as(node), "permissions": rights})
    return made


def by_certificate(name: str) -> dict[str, Any]:
    """For ``verify_and_map``: the subject of the certificate that our authority gives (RFC 2253)."""
    return {"user": f"CN={name}"}


def rules(station: str, nodes: Iterable[tuple[str, Iterable[str]]]) -> str:
    """The file that a server's settings include: who is let in, by certificate, and what each may do.

    Raises BadName, as `users` does.
    """
    lines = ",\n".join(json.dumps(each) for each in users(station, nodes, by_certificate))
    return f'authorization: {{"users": [\n{lines}\n]}}\n'
