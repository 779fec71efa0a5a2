"""Presence: online or offline. Retained; the offline form is also the connection's last will."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name


class State(StrEnum):
    """What a node says of itself, or the broker in its name (last will)."""

    ONLINE = "online"
    OFFLINE = "offline"


class Presence(msgspec.Struct, frozen=True):
    """One word from a node about itself. ``at`` is when the connection was made: a will is written then."""

    node: Name
    state: State
    boot_id: Annotated[str, Meta(max_length=64)]
    at: Moment
    version: Annotated[str, Meta(max_length=40)] = ""
    clean: bool = False  # an offline said by the node itself on a clean stop, not by its will
    safe_mode: bool = False  # after a boot loop: it sounds what it holds and hears emergencies
