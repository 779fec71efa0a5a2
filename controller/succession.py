"""The station's key and the one that waits to follow it: a change that was cut between trust document and file.

- The document comes first: from then on nodes know the new key, and the old one perhaps no more. The file follows.
- Whoever comes next (a start of the station, an act over keys) takes the new key: the roots have said it.
"""

from __future__ import annotations

from controller.keyring import NEXT, STATION, Keyring, KeyTrouble
from controller.store import Store
from controller.trustbook import areas_of, held_trust
from wire.seal import PublicKey
from wire.trust import Trust

EVERYTHING = "*"


def finish(ring: Keyring, store: Store) -> bool:
    """Take the key that waits, if the trust document names it: a change was cut before that. Whether there was one.

    Until then the station would seal with the key that the roots have taken back. Raises KeyTrouble.
    """
    if not is_cut(ring, store):
        return False
    ring.promote(NEXT, STATION)
    return True


def is_cut(ring: Keyring, store: Store) -> bool:
    """Whether the trust document names a key that still waits. Raises KeyTrouble."""
    return bool(_areas_waiting(ring, held_trust(store)))


def areas_now(ring: Keyring, held: Trust | None, own: PublicKey) -> tuple[str, ...]:
    """What the station may speak for, by its key ``own`` or the one that waits; everything where nobody said anything.

    Raises KeyTrouble ``keys.no_areas`` where there is a document and it names neither: a key that the roots know
    nothing of, or have taken back, is given nothing that nobody said.
    """
    if held is None:
        return (EVERYTHING,)
    areas = areas_of(held, own) | _areas_waiting(ring, held)
    if not areas:
        raise KeyTrouble("keys.no_areas", public=own.hex)
    return tuple(sorted(areas))


def _areas_waiting(ring: Keyring, held: Trust | None) -> set[str]:
    waiting = ring.public(NEXT)
    return areas_of(held, waiting) if waiting is not None else set()
