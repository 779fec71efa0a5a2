"""Releases: the root's statements that the station passes on, and which of them a node's config names. Pure.

- They are kept as sealed documents, one for each area and kind of machine; a node is an area too, and so is everything.
- Of all that reach a node the highest serial of each kind of machine counts: a few nodes first, then the others, needs
  nothing taken back.
- The station cannot make one, only pass it on: what it lets through wrongly, the nodes refuse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controller.roster import Node, areas_of
from controller.store.facts import Document
from wire import codec, seal
from wire.release import KIND, MOST_RELEASES, MOST_STATEMENT_BYTES, Release
from wire.roots import RootSet, Unrooted
from wire.seal import Envelope
from words import Said

EVERYWHERE = "*"
PREFIX = "release:"  # of their names in the store


class ReleaseError(Said):
    """A statement that the station does not pass on."""


@dataclass(frozen=True)
class Published:
    """A statement that is passed on to ``area``."""

    area: str
    release: Release
    envelope: Envelope

    @property
    def name(self) -> str:
        """Its name in the store."""
        return name_of(self.release, self.area)


def name_of(release: Release, area: str) -> str:
    """The name under which the store keeps the newest of this kind of machine in ``area``."""
    return f"{PREFIX}{release.python}-{release.machine}:{area}"


def read(raw: bytes, roots: RootSet) -> Release:
    """What the statement says.

    Raises ReleaseError when it is none, or not sealed by enough of the ``roots``.
    """
    try:
        envelope = seal.unwrap(raw, MOST_STATEMENT_BYTES)
        release = codec.read(Release, envelope.body(), MOST_STATEMENT_BYTES)
        if not seal.is_kind(envelope, KIND):
            raise ReleaseError("keys.release_unreadable", why=envelope.payloadType)
        roots.sealed(envelope)
    except Unrooted as wrong:
        raise ReleaseError("keys.release_not_roots", why=wrong.detail) from None
    except (codec.Malformed, codec.TooBig) as wrong:
        raise ReleaseError("keys.release_unreadable", why=wrong) from None
    return release


def published(documents: Iterable[Document]) -> tuple[Published, ...]:
    """What the store's documents of this kind say, by area, the newest first."""
    found = []
    for each in documents:
        envelope = seal.unwrap(each.envelope, MOST_STATEMENT_BYTES)
        release = codec.read(Release, envelope.body(), MOST_STATEMENT_BYTES)
        found.append(Published(each.name.removeprefix(PREFIX).partition(":")[2], release, envelope))
    return tuple(sorted(found, key=lambda each: (each.area, -each.release.serial)))


def of_node(known: Iterable[Published], node: Node) -> tuple[Envelope, ...]:
    """What the config of ``node`` names: the newest for each kind of machine, the newest of all first."""
    reaching = {EVERYWHERE, *areas_of(node)}
    newest: dict[tuple[str, str], Published] = {}
    for each in sorted(known, key=lambda each: each.release.serial):
        if each.area in reaching:
            newest[each.release.python, each.release.machine] = each
    ordered = sorted(newest.values(), key=lambda each: -each.release.serial)
    return tuple(each.envelope for each in ordered[:MOST_RELEASES])
