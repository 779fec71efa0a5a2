"""Acts over the station's keys, as `loa key` does them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from controller import keys
from controller.keyring import STATION, Keyring
from controller.store import Store
from wire.seal import PublicKey, Sealer
from wire.trust import Trust


def change(
    ring: Keyring, store: Store, now: datetime, stolen: bool = False, given: Sequence[Sealer] = ()
) -> tuple[PublicKey, Trust]:
    """`loa key change`: the old key, and the trust document."""
    keys.need_roots(ring, given)
    old = ring.public(STATION)
    trust = keys.settle(ring, store, keys.changed(ring, store, now, stolen), now, given)
    assert old
    return old, trust
