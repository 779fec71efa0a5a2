"""The statement judged: bytes in, a release to obey or a named hitch out. Pure; the same for agent and updater.

- The order of checks is the order of the code: form, kind, key, seal, contents, machine, validity, serial, version.
- The serial never goes back, whatever the version: a roll-back is a newer statement that says so.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime

from wire import codec, seal
from wire.errors import Reason
from wire.release import KIND, MOST_STATEMENT_BYTES, Hitch, Release, numbers
from wire.roots import RootSet, Unrooted
from wire.seal import Envelope

# an older one is replaced by a newer one, so what is refused for these reasons is no attack
NOT_FOR_US = (Hitch.OTHER_MACHINE,)
_HITCHES = {
    Reason.UNKNOWN_KEY: Hitch.UNKNOWN_KEY,
    Reason.BAD_SEAL: Hitch.BAD_SEAL,
    Reason.TOO_FEW_ROOTS: Hitch.TOO_FEW_ROOTS,
}


@dataclass(frozen=True)
class Here:
    """What runs on this machine. ``serial``: of the newest statement that was dealt with, 0 for none yet."""

    version: str
    python: str
    machine: str
    serial: int = 0


class Refused(Exception):
    """Why a statement is not obeyed; ``release`` is what it says, once its seal was found true."""

    def __init__(self, hitch: Hitch, detail: str, release: Release | None = None) -> None:
        super().__init__(detail)
        self.hitch, self.release = hitch, release


def here(version: str, serial: int = 0) -> Here:
    """This machine and this Python, running ``version``."""
    python = ".".join(platform.python_version_tuple()[:2])
    return Here(version, python, platform.machine().lower(), serial)


def opened(raw: bytes, roots: RootSet) -> Release:
    """The statement in ``raw``, under true seals of enough roots. Raises Refused."""
    try:
        return unsealed(seal.unwrap(raw, MOST_STATEMENT_BYTES), roots)
    except (codec.TooBig, codec.Malformed) as wrong:
        raise Refused(Hitch.MALFORMED, str(wrong)) from None


def unsealed(envelope: Envelope, roots: RootSet) -> Release:
    """`opened`, of an envelope that was read already. Raises Refused."""
    if not seal.is_kind(envelope, KIND):
        raise Refused(Hitch.MALFORMED, f"sealed as {envelope.payloadType}")
    try:
        roots.sealed(envelope)
        return codec.read(Release, envelope.body(), MOST_STATEMENT_BYTES)
    except Unrooted as wrong:
        raise Refused(_HITCHES[wrong.reason], wrong.detail) from None
    except (codec.TooBig, codec.Malformed) as wrong:
        raise Refused(Hitch.MALFORMED, str(wrong)) from None


def judge(release: Release, here: Here, now: datetime) -> None:
    """Raises Refused unless ``release`` is one that this machine may go to."""
    if (release.python, release.machine) != (here.python, here.machine):
        detail = f"for {release.python} on {release.machine}, here is {here.python} on {here.machine}"
        raise Refused(Hitch.OTHER_MACHINE, detail, release)
    if release.serial <= here.serial:
        raise Refused(Hitch.OLD_SERIAL, f"serial {release.serial}, held {here.serial}", release)
    if now > release.valid_until:
        raise Refused(Hitch.EXPIRED, f"valid until {release.valid_until}", release)
    if numbers(release.version) < numbers(here.version) and not release.roll_back:
        raise Refused(Hitch.DOWNGRADE, f"version {release.version}, here is {here.version}", release)
