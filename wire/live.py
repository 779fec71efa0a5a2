"""Live frames: Opus audio of a session that a job announced, QoS 0, each sealed so that no other voice slips in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name


class LiveFrame(msgspec.Struct, frozen=True):
    """A chunk of a live session: consecutive 20 ms Opus packets, base64 in JSON."""

    area: Name
    session: Name  # the id of the job that announced the session
    number: Annotated[int, Meta(ge=0)]
    captured_at: Moment
    packets: Annotated[tuple[bytes, ...], Meta(min_length=1, max_length=50)]
