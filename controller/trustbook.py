"""The trust document as the store holds it, and what it says. Reads only; no private key."""

from __future__ import annotations

from controller.roster import Node
from controller.store import Store
from wire import codec, cosigned, roots, topics
from wire.plan import BulletinClass
from wire.roots import Rooted
from wire.seal import PublicKey
from wire.trust import Trust

TRUST_NAME = "trust"  # in the store


def held_message(store: Store) -> Rooted | None:
    """What the store holds, None when there is none yet."""
    held = store.documents.get(TRUST_NAME)
    return roots.read(held.envelope, topics.TRUST.most_bytes) if held else None


def held_trust(store: Store) -> Trust | None:
    """The trust document that the store holds, None when there is none yet."""
    held = held_message(store)
    return codec.read(Trust, held.envelope.body(), topics.TRUST.most_bytes) if held else None


def areas_of(trust: Trust | None, key: PublicKey) -> set[str]:
    """What ``key`` may speak for."""
    grants = trust.grants if trust else ()
    return {area for each in grants if each.public_key == key.hex for area in each.areas}


def wide(trust: Trust | None, areas: tuple[str, ...], nodes: list[Node], what: BulletinClass) -> tuple[str, ...]:
    """Those of ``areas`` for which an emergency needs a second person, as ``nodes`` (all of them) judge it.

    Areas of several communes in one act are as wide as what they have in common, and then it is all of them; a node
    sees one area at a time and cannot ask for that.
    """
    if trust is None or what is not BulletinClass.EMERGENCY or not areas:
        return ()
    first, *others = (_span(each, nodes) for each in areas)
    if others and cosigned.width(cosigned.span(first, others)) < trust.cosign_below:
        return areas
    return tuple(each for each in areas if cosigned.width(_span(each, nodes)) < trust.cosign_below)


def _span(area: str, nodes: list[Node]) -> str:
    """A node is as wide as where it hangs, a group as where all hang that are in it."""
    home = next((node.home for node in nodes if node.id == area), None)
    return home or cosigned.span(area, (node.home for node in nodes if area in node.groups))
