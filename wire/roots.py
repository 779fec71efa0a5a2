"""The roots: the set of offline keys that a node believes, how many of them must agree, and how the set changes.

- A node pins a set at enrolment. What the roots say counts when at least ``threshold`` different
  ones of them sealed it.
- A change is a link (`Roots`), sealed by enough of the set before it and by enough of the set that it names. Links are
  numbered one by one, so a node that was away follows them all (TUF 1.0, §5.3); none is ever taken back.
- Pure; the same for the agent, for the updater that runs as root, and for the station.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from wire import codec, seal
from wire.errors import Reason
from wire.plan import Moment
from wire.seal import Envelope, PublicKey
from wire.trust import Hex32

KIND = "roots"  # in the seal
MOST_ROOTS = 8
MOST_LINKS = 32
MOST_LINK_BYTES = 8192  # one link, unsealed


class Roots(msgspec.Struct, frozen=True):
    """A link: from now on these are the roots."""

    version: Annotated[int, Meta(ge=1)]
    issued_at: Moment
    keys: Annotated[tuple[Hex32, ...], Meta(min_length=1, max_length=MOST_ROOTS)]
    threshold: Annotated[int, Meta(ge=1, le=MOST_ROOTS)] = 1


class Rooted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What travels under `trust`: the sealed trust document, and beside it the changes of roots since the first set.

    Without any it is an `Envelope`, byte for byte; a node that knows no changes of roots does not see them.
    """

    payloadType: Annotated[str, Meta(max_length=100)]  # noqa: N815 - the name DSSE gives it
    payload: str
    signatures: Annotated[tuple[seal.Signature, ...], Meta(min_length=1, max_length=seal.MOST_SIGNATURES)]
    roots: Annotated[tuple[Envelope, ...], Meta(max_length=MOST_LINKS)] = ()

    @property
    def envelope(self) -> Envelope:
        """The trust document alone."""
        return Envelope(self.payloadType, self.payload, self.signatures)


class Unrooted(Exception):
    """What the roots did not say, and why not."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class RootSet:
    """The roots in force. ``version`` 0: as they were in the beginning."""

    keys: tuple[PublicKey, ...]
    threshold: int = 1
    version: int = 0

    @classmethod
    def of(cls, keys: Iterable[str], threshold: int = 1, version: int = 0) -> RootSet:
        """From hex. Raises ValueError: no key at all, one named twice, or a threshold that they cannot reach."""
        found = tuple(map(PublicKey.from_hex, keys))
        if len({key.id for key in found}) != len(found):
            raise ValueError("a root key is named twice")
        if not 1 <= len(found) <= MOST_ROOTS or not 1 <= threshold <= len(found) or version < 0:
            raise ValueError(f"{threshold} of {len(found)} roots")
        return cls(found, threshold, version)

    @property
    def by_id(self) -> dict[str, PublicKey]:
        """Each key by its id."""
        return {str(key.id): key for key in self.keys}

    @property
    def hexes(self) -> tuple[str, ...]:
        """Each key in hex."""
        return tuple(key.hex for key in self.keys)

    def sealed(self, envelope: Envelope) -> None:
        """Raises Unrooted unless enough different roots sealed it; codec.Malformed for a signature that is none."""
        known = self.by_id
        named = [each.keyid for each in envelope.signatures if each.keyid in known]
        if not named:
            raise Unrooted(Reason.UNKNOWN_KEY, f"sealed by {envelope.signatures[0].keyid}")
        true = seal.sealed_by(envelope, known)
        if not true:
            raise Unrooted(Reason.BAD_SEAL, f"not the seal of {named[0]}")
        if len(true) < self.threshold:
            raise Unrooted(Reason.TOO_FEW_ROOTS, f"{len(true)} of {self.threshold} roots sealed it")


def follow(known: RootSet, links: Sequence[Envelope]) -> RootSet:
    """The set to which ``links`` (all since the first set) lead from ``known``; those that led to it are not looked at.

    Raises Unrooted for a gap, for one that the set before or the set it names did not seal, and for a set that cannot
    be; codec.Malformed, codec.TooBig. Then ``known`` stands.
    """
    for link in links[known.version :]:
        known = _next(known, link)
    return known


def _next(known: RootSet, link: Envelope) -> RootSet:
    if not seal.is_kind(link, KIND):
        raise Unrooted(Reason.WRONG_KIND, link.payloadType)
    known.sealed(link)
    roots = codec.read(Roots, link.body(), MOST_LINK_BYTES)
    if roots.version != known.version + 1:
        raise Unrooted(Reason.ROLLED_BACK, f"roots {roots.version} after {known.version}")
    try:
        new = RootSet.of(roots.keys, roots.threshold, roots.version)
    except ValueError as wrong:
        raise Unrooted(Reason.MALFORMED, str(wrong)) from None
    new.sealed(link)
    return new


def read(raw: bytes, most_bytes: int) -> Rooted:
    """What came under `trust`, nothing checked but its form. Raises codec.TooBig, codec.Malformed."""
    return codec.read(Rooted, raw, most_bytes)


def rooted(envelope: Envelope, links: Sequence[Envelope] = ()) -> bytes:
    """The two as they travel."""
    return codec.write(Rooted(envelope.payloadType, envelope.payload, envelope.signatures, tuple(links)))


def link(roots: Roots, *signers: seal.Sealer) -> Envelope:
    """A link under the seals of ``signers``."""
    raw = seal.seal(KIND, codec.write(roots), *signers)
    return seal.unwrap(raw, len(raw))
