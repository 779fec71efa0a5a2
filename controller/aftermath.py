"""The aftermath of a restore: what nodes know and this station does not, for it is older than they are.

- A trust document that is newer than ours: nodes hold it, so keys that were taken back since still stand with us. It
  is asked for at the broker, which keeps it, and taken in when enough roots sealed it; until then it is told.
- Names that nobody entered here and that speak: nodes that came after the backup. Told only after a restore.
- That a backup was put back is itself told until a person says that they have looked (`loa alarms --confirm`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from controller import flags, keys
from controller.keyring import Keyring, KeyTrouble
from controller.roster import Node
from controller.store import Store, StoreError
from controller.store.facts import Condition, Document
from controller.store.rows import Act
from controller.trustbook import TRUST_NAME, held_trust
from wire import codec, roots, seal, topics
from wire.link import Message
from wire.roots import Unrooted
from wire.trust import Trust

log = logging.getLogger(__name__)

MOST_NAMES = 100  # of nodes that nobody knows


class Aftermath:
    """Over one store. ``ring``: which roots are in force."""

    def __init__(self, store: Store, ring: Keyring) -> None:
        self._store, self._ring = store, ring
        self._unknown: set[str] = set()
        self.wants_trust = False  # whether to listen to what the broker keeps of it

    def look(self, conditions: Iterable[tuple[Node, Condition]], now: datetime) -> bool:
        """Tell when nodes hold a newer trust document than we; whether there is something more to listen to."""
        held = held_trust(self._store)
        own, wanted = (held.serial if held else 0), self.wants_trust
        newer = {
            node.id: each.health.trust_serial
            for node, each in conditions
            if node.revoked_at is None and each.health is not None and each.health.trust_serial > own
        }
        self.wants_trust = bool(newer)
        if newer:
            facts = flags.some_of(sorted(newer)) | {"serial": str(max(newer.values())), "own": str(own)}
            if flags.sound(self._store, flags.OLDER, facts, now):
                log.error("older_than_nodes trust=%d nodes_hold=%s nodes=%d", own, facts["serial"], len(newer))
        else:
            flags.silence(self._store, flags.OLDER)
        return self.wants_trust and not wanted

    def heard(self, strangers: Iterable[str], known: Iterable[str], now: datetime) -> None:
        """Names without a key spoke; ``known``: those that are in the roster."""
        unknown = set(strangers) - set(known) - self._unknown
        if not unknown or len(self._unknown) >= MOST_NAMES or flags.find(self._store, flags.RESTORED) is None:
            return
        self._unknown |= unknown
        flags.sound(self._store, flags.UNSEEN, flags.some_of(sorted(self._unknown)), now)

    def take(self, overheard: Iterable[Message], now: datetime) -> bool:
        """Take in a newer trust document among these that enough roots sealed. Whether there was one."""
        mine = [message.payload for message in overheard if message.topic == topics.TRUST.topic()]
        taken = [self._taken(raw, now) for raw in mine]
        return any(taken)

    def _taken(self, raw: bytes, now: datetime) -> bool:
        held = held_trust(self._store)
        try:
            message = roots.read(raw, topics.TRUST.most_bytes)
            led = roots.follow(keys.in_force(self._ring, self._store), message.roots)
            led.sealed(message.envelope)
            if not seal.is_kind(message.envelope, topics.TRUST.name):
                return False
            trust = codec.read(Trust, message.envelope.body(), topics.TRUST.most_bytes)
            if held is not None and trust.serial <= held.serial:
                return False
            self._store.documents.put(
                Document(TRUST_NAME, trust.serial, raw, now), Act("station", "took trust", str(trust.serial), "", now)
            )
            self._ring.note_roots(led)
        except (Unrooted, codec.Malformed, codec.TooBig, KeyTrouble, StoreError, OSError) as wrong:
            log.warning("trust_not_taken why=%s", wrong)
            return False
        log.warning("took_trust serial=%d: nodes held it before this station did", trust.serial)
        return True
