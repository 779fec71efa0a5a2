"""A draft: what the roots are to say, on its way from one machine with a root key to the next, as a file.

- The documents stand in it as the text that is signed, so that whoever signs can read them. Each root adds its seals.
- A change of roots travels with the trust document that goes with it, and is signed by the same people.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from wire import codec, roots, seal
from wire.roots import Roots
from wire.seal import Envelope, Sealer, Signature
from wire.topics import TRUST
from wire.trust import Trust

MOST_BYTES = 2 * TRUST.most_bytes
_Seals = Annotated[tuple[Signature, ...], Meta(max_length=seal.MOST_SIGNATURES)]


class Sheet(msgspec.Struct, frozen=True):
    """One document as the text that is signed, and the seals so far."""

    text: str
    seals: _Seals = ()

    def envelope(self, kind: str) -> Envelope:
        """As it would travel. Without a seal it is none that anybody reads."""
        return seal.envelope(kind, self.text.encode(), self.seals)


class Draft(msgspec.Struct, frozen=True):
    """``links``: the changes of roots up to now; ``change``: the next one, None where the roots stay.

    ``after``: the serial of the document that it was drawn from, 0 for none: it knows nothing of any later one.
    """

    trust: Sheet
    links: Annotated[tuple[Envelope, ...], Meta(max_length=roots.MOST_LINKS)] = ()
    change: Sheet | None = None
    after: int = 0

    @property
    def says(self) -> Trust:
        """The trust document. Raises codec.Malformed, codec.TooBig."""
        return codec.read(Trust, self.trust.text.encode(), TRUST.most_bytes)

    @property
    def new_roots(self) -> Roots | None:
        """The roots that it would bring, None where they stay. Raises codec.Malformed, codec.TooBig."""
        return codec.read(Roots, self.change.text.encode(), roots.MOST_LINK_BYTES) if self.change else None

    def signed(self, *signers: Sealer) -> Draft:
        """The same with the seals of ``signers`` over all that is in it."""
        change = _signed(self.change, roots.KIND, signers) if self.change else None
        return replace(self, trust=_signed(self.trust, TRUST.name, signers), change=change)

    @property
    def all_links(self) -> tuple[Envelope, ...]:
        """Every change of roots, with the one that it brings."""
        return self.links + ((self.change.envelope(roots.KIND),) if self.change else ())

    def message(self) -> bytes:
        """As it travels to nodes."""
        return roots.rooted(self.trust.envelope(TRUST.name), self.all_links)


def drafted(trust: Trust, links: tuple[Envelope, ...] = (), change: Roots | None = None, after: int = 0) -> Draft:
    """A draft that nobody has signed."""
    sheet = Sheet(codec.write(change).decode()) if change else None
    return Draft(Sheet(codec.write(trust).decode()), links, sheet, after)


def read(raw: bytes) -> Draft:
    """The draft in a file. Raises codec.Malformed, codec.TooBig."""
    found = codec.read(Draft, raw, MOST_BYTES)
    _ = (found.says, found.new_roots)
    return found


def _signed(sheet: Sheet, kind: str, signers: tuple[Sealer, ...]) -> Sheet:
    envelope = seal.add(sheet.envelope(kind), *signers)
    return Sheet(sheet.text, envelope.signatures)
