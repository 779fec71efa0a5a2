"""The causes of alarms: how grave each is, from what it is known, and whether it comes in incidents. Pure.

- ``PRESENCE``: whether a node is there; nobody knows while the station has no broker.
- ``HEALTH``: what a node says of itself; nobody knows while it is away.
- ``AIR``: what nodes have proven of bulletins. ``STATION``: the station's own.
- An incident is what begins in the same minutes: who falls away on another day is another alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controller.worries import ATTACKS
from wire.errors import Reason

REFUSED = "refused_"  # and a reason code: what looks like somebody at work against the radio


class Source(StrEnum):
    """From what a cause is known."""

    PRESENCE = "presence"
    HEALTH = "health"
    AIR = "air"
    STATION = "station"


@dataclass(frozen=True)
class Cause:
    """``grade``: bad (it does not sound, or somebody is at work) or warn."""

    source: Source
    grade: str = "bad"
    incident: bool = False


_HEALTH = ("undervoltage_now", "hot", "full", "read_only", "card_errors", "audio", "amplifier", "clock", "battery")
CAUSES: dict[str, Cause] = {
    "broker": Cause(Source.STATION),
    "station_late": Cause(Source.STATION),
    "station_stood": Cause(Source.STATION),
    "voice": Cause(Source.STATION),
    "keys": Cause(Source.STATION, "warn"),
    "papers": Cause(Source.STATION, "warn"),  # the station's own certificates
    "most_out": Cause(Source.PRESENCE),
    "offline": Cause(Source.PRESENCE, incident=True),
    "silent": Cause(Source.PRESENCE, incident=True),
    "unsteady": Cause(Source.PRESENCE, "warn"),
    "never": Cause(Source.PRESENCE, "warn"),
    "mute": Cause(Source.AIR),
    "missed": Cause(Source.AIR),
    "behind": Cause(Source.HEALTH),
    "cloned": Cause(Source.STATION),
    "safe_mode": Cause(Source.HEALTH),
    "set_aside": Cause(Source.HEALTH),
    **{name: Cause(Source.HEALTH) for name in _HEALTH},
    "clock_off": Cause(Source.HEALTH, "warn"),
    "worn": Cause(Source.HEALTH, "warn"),
    "certificate": Cause(Source.HEALTH, "warn"),
    "certificate_over": Cause(Source.HEALTH),
    **{f"{REFUSED}{reason.value}": Cause(Source.STATION, grade) for reason, grade in ATTACKS.items()},
    f"{REFUSED}{Reason.NOT_ENROLLED.value}": Cause(Source.STATION, "warn"),
}
OF_HEALTH = frozenset(name for name, each in CAUSES.items() if each.source is Source.HEALTH) - {"behind"}
OF_PRESENCE = frozenset(name for name, each in CAUSES.items() if each.source is Source.PRESENCE)
_UNKNOWN = Cause(Source.STATION, "warn")


def cause_of(name: str) -> Cause:
    """What is known of a cause; one of another version of this program is a warning."""
    return CAUSES.get(name, _UNKNOWN)
