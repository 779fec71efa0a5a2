"""A release: the root's word on one program, and what a node says of its own update.

- A statement is sealed by the root and by nobody else: a station key that is stolen makes no code run on a node.
- It travels inside a config, as an envelope of its own; the config's seal only says that this node is meant.
- The bundle it names is one uncompressed tar, fetched like audio: by its SHA-256, below the config's ``media_url``.
- Modelled on The Update Framework (TUF 1.0, §5): a serial that never goes back, an end of validity, length and hash.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import END, MAX_AUDIO_BYTES, Asset, Moment, Sha256

KIND = "release"  # in the seal
MOST_STATEMENT_BYTES = 4096  # sealed
MOST_RELEASES = 6  # of one config: as many kinds of machine as one area has
MEDIA_TYPE = "application/x-tar"

Version = Annotated[str, Meta(pattern=rf"^[0-9]{{1,6}}(?:\.[0-9]{{1,6}}){{1,3}}{END}", max_length=28)]
Python = Annotated[str, Meta(pattern=rf"^3\.[0-9]{{1,2}}{END}", max_length=4)]
Machine = Annotated[str, Meta(pattern=f"^[a-z0-9_]{{1,20}}{END}")]


class Release(msgspec.Struct, frozen=True):
    """The statement: this bundle is this version, for this Python on this kind of machine."""

    version: Version
    python: Python  # 3.11
    machine: Machine  # aarch64, x86_64
    sha256: Sha256
    size_bytes: Annotated[int, Meta(ge=1, le=MAX_AUDIO_BYTES)]
    serial: Annotated[int, Meta(ge=1)]
    issued_at: Moment
    valid_until: Moment  # not begun after that; a version that runs goes on
    roll_back: bool = False  # may lead to a lower version than the one that runs

    def bundle(self) -> Asset:
        """The bundle as something to fetch."""
        return Asset(self.sha256, self.size_bytes, 1, MEDIA_TYPE, self.sha256)


class UpdateState(StrEnum):
    """How far an update has come on a node."""

    INSTALLED = "installed"  # the newest release that this node was told of is what runs
    FETCHING = "fetching"  # the bundle is on its way, after all audio
    WAITING = "waiting"  # for air that is free, or for the updater
    BUILDING = "building"  # the other environment is being made
    READY = "ready"  # it is made and checked; the restart waits for free air
    TRIAL = "trial"  # it runs, and must prove itself
    FAILED = "failed"  # it did not come to run; the version before goes on
    ROLLED_BACK = "rolled_back"  # it ran and did not prove itself; the version before runs again
    REFUSED = "refused"  # the statement itself was not obeyed


class Hitch(StrEnum):
    """Why an update was refused, waits or failed."""

    MALFORMED = "malformed"  # no envelope of a release, or no release in it
    UNKNOWN_KEY = "unknown_key"  # sealed by none of this node's roots, such as by a station
    BAD_SEAL = "bad_seal"  # the signature does not fit the bytes
    TOO_FEW_ROOTS = "too_few_roots"  # sealed by fewer of this node's roots than must agree
    OTHER_MACHINE = "other_machine"  # for another Python or another kind of machine
    EXPIRED = "expired"  # past its valid_until
    OLD_SERIAL = "old_serial"  # not above the newest statement this node has dealt with
    DOWNGRADE = "downgrade"  # a lower version, and the statement does not say that it rolls back
    NO_BUNDLE = "no_bundle"  # the bundle is not there whole: it is fetched again
    NO_UPDATER = "no_updater"  # nothing on this machine installs updates
    AIR_TAKEN = "air_taken"  # something sounds, or is due too soon
    DISK_FULL = "disk_full"  # no room for another environment; tried again later
    BAD_BUNDLE = "bad_bundle"  # the right bytes, but no bundle of this program
    NOT_BUILT = "not_built"  # pip could not install it
    NOT_PROVEN = "not_proven"  # the other environment failed its self-check
    NO_LIFE = "no_life"  # it was started and gave no sign
    CRASHED = "crashed"  # it ended and was started again, more than once
    HUNG = "hung"  # it stood still
    NOT_HEALTHY = "not_healthy"  # it ran, and was not healthy within the time of its trial
    POWER_CUTS = "power_cuts"  # the machine started again and again during its trial


class Update(msgspec.Struct, frozen=True):
    """What a node says of its update, inside its health. Words of a newer node are passed on as they are."""

    state: Annotated[str, Meta(max_length=20)]  # UpdateState
    version: Annotated[str, Meta(max_length=40)] = ""  # the version it is about
    serial: int = 0  # of the statement it is about
    reason: Annotated[str, Meta(max_length=40)] = ""  # Hitch
    detail: Annotated[str, Meta(max_length=200)] = ""  # for an engineer


def numbers(version: str) -> tuple[int, ...]:
    """``0.10.2`` as (0, 10, 2), to be compared; () for what is no such version."""
    parts = version.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    found = [int(part) for part in parts]
    while found and found[-1] == 0:
        found.pop()
    return (0, *found)
