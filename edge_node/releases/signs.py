"""What the agent lets the updater know, in files of ``update/`` in its own folder: request, lease and sign of life.

- Times are seconds of the monotonic clock of one run of the machine, and name that run: no wall clock hops in them.
- The updater believes them only as far as the agent could do the same harm itself: it may end itself at any time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from edge_node.releases import foreign
from wire import codec

FOLDER = "update"
REQUEST, LEASE, SIGN = "request", "lease", "sign"
MOST_BYTES = 1024
LONGEST_LEASE_SECONDS = 60.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Lease(msgspec.Struct, frozen=True):
    """The air is free until then: whoever asks may restart the node now."""

    boot: str
    until: float


class Sign(msgspec.Struct, frozen=True):
    """A node lives during a trial: the one on trial, or still the one before."""

    environment: str  # a or b
    process: str  # another one for each start
    boot: str
    at: float
    healthy: bool = False
    free: bool = False  # nothing sounds and nothing is due soon


Kind = TypeVar("Kind", bound=msgspec.Struct)


def read(kind: type[Kind], home: Path, name: str) -> Kind | None:
    """What the agent wrote last; None when nothing, or nothing that can be read."""
    try:
        return codec.read(kind, foreign.read(home, FOLDER, name, MOST_BYTES), MOST_BYTES)
    except (foreign.NotTaken, codec.Malformed, codec.TooBig):
        return None


def boot() -> str:
    """The name of this run of the machine."""
    return _BOOT.read_text("ascii").strip()


def holds(lease: Lease | None, boot: str, mono: float) -> bool:
    """Whether the lease is one, and is not over."""
    return lease is not None and lease.boot == boot and 0 < lease.until - mono <= LONGEST_LEASE_SECONDS
