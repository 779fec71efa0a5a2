"""Eviction: a node that was revoked is thrown off the broker, also out of a session that goes on.

- Mosquitto does not end a session because a certificate was revoked: that bites at the next connection (measured with
  2.0.11). So the station, which is the authority, comes in the node's name, with a certificate of an hour made for
  this: two of one client id cannot be, and the broker lets the older one go. NATS ends sessions itself at a reload.
- It is no act that is over after a while, but a state that is looked at: a node is out when a visit in its name showed
  that the broker keeps the rules (mosquitto lets nothing through that is said there, NATS does not let it in) and
  nothing was heard under that name since. Until then, and whenever somebody speaks under that name again, the visit is
  repeated, later and later. While the broker is out of reach nothing is tried, and nothing given up.
- Nothing is subscribed, and the broker forgets what it kept for that client.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller import authority, flags
from controller.guestlist import NATS
from controller.keys import Keyring, KeyTrouble
from controller.roster import Node
from controller.settings import Settings
from controller.store import Store
from wire import certificates, closed, topics
from wire.certificates import Authority
from wire.mqtt import MqttLink, tls

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3.0
SETTLED = timedelta(seconds=10)  # of silence after a visit that showed that the rules hold
PAUSES = (0, 5, 10, 20, 40, 60)  # seconds before a visit; the last one from then on
MANY = 6  # visits in vain, and somebody is told
FORGIVEN = timedelta(minutes=10)  # out for so long, and pauses begin anew
MOST_AT_ONCE = 3  # visits in one look
_VALIDITY = timedelta(hours=1)


@dataclass
class Case:
    """One revoked node. ``worked_at``: since when all looks as if it were out."""

    revoked_at: datetime
    tries: int = 0
    due_at: datetime | None = None
    good: int = 0
    worked_at: datetime | None = None
    is_out: bool = False

    def heard(self, now: datetime) -> None:
        """Somebody spoke under its name."""
        if self.is_out and self.worked_at and now - self.worked_at > FORGIVEN:
            self.tries, self.due_at = 0, None
        self.good, self.worked_at, self.is_out = 0, None, False

    def settle(self, now: datetime) -> bool:
        """Whether it is out, as of now."""
        self.is_out = self.is_out or (self.worked_at is not None and now - self.worked_at >= SETTLED)
        return self.is_out

    def due(self, now: datetime) -> bool:
        """Whether to go now."""
        return not self.is_out and self.worked_at is None and (self.due_at is None or now >= self.due_at)

    def visited(self, good: bool, needed: int, now: datetime) -> None:
        """What a visit showed; ``needed``: how often in a row that must be so."""
        self.tries += 1
        self.due_at = now + timedelta(seconds=PAUSES[min(self.tries, len(PAUSES) - 1)])
        self.good = self.good + 1 if good else 0
        self.worked_at = now if self.good >= needed else None


class Eviction:
    """At the broker that ``settings`` name; does nothing where it knows nobody by certificates of ours."""

    def __init__(self, store: Store, settings: Settings, connected: Callable[[], bool]) -> None:
        """``connected``: whether the station itself is at the broker."""
        self._store, self._settings, self._ring = store, settings, Keyring(settings.keys_dir)
        self._connected = connected
        self._cases: dict[str, Case] = {}
        self._revoked: dict[str, datetime] = {}

    def heard(self, names: Iterable[str], now: datetime) -> None:
        """Somebody spoke under these names, to which no key belongs any more."""
        for name in names:
            if case := self._cases.get(name):
                case.heard(now)

    def throw_out(self, nodes: Iterable[Node], now: datetime) -> list[str]:
        """Those revoked of ``nodes`` that may still be in, as far as it is their turn, thrown off; their names."""
        if not self._settings.broker_ca:
            return []
        self._know({node.id: node.revoked_at for node in nodes if node.revoked_at}, now)
        if not self._connected():
            return []
        open_cases = {name: case for name, case in self._cases.items() if not case.settle(now)}
        due = [name for name, case in open_cases.items() if case.due(now)][:MOST_AT_ONCE]
        try:
            issuer = authority.find(self._ring, now) if due else None
            came = [name for name in due if issuer and self._visit(name, issuer, now)]
        except (OSError, KeyTrouble) as wrong:
            log.warning("not_thrown_out nodes=%s why=%s", due, wrong)
            came = []
        self._tell([name for name, case in open_cases.items() if case.tries >= MANY and not case.worked_at], now)
        return came

    def _know(self, revoked: dict[str, datetime], now: datetime) -> None:
        """A case for each that a certificate still lets in; those revoked last come first."""
        if revoked == self._revoked:
            return
        holding = {each.node for each in self._store.enrolments.revoked(now)}
        newest_first = sorted(revoked.items(), key=lambda each: each[1], reverse=True)
        cases = {name: Case(at) for name, at in newest_first if name in holding}
        for name, case in cases.items():
            known = self._cases.get(name)
            cases[name] = known if known and known.revoked_at == case.revoked_at else case
        self._cases, self._revoked = cases, revoked

    def _visit(self, name: str, issuer: Authority, now: datetime) -> bool:
        came = self._come_as(name, issuer, now)
        if self._connected():  # else nobody could have heard what was said there
            nats = self._settings.broker_kind == NATS
            self._cases[name].visited(came is not nats, 2 if nats else 1, now)
        return came

    def _tell(self, names: list[str], now: datetime) -> None:
        if not names:
            flags.silence(self._store, flags.STILL_IN)
        elif flags.sound(self._store, flags.STILL_IN, flags.some_of(sorted(names)), now):
            log.error("still_in nodes=%s", names[: flags.MOST_NAMED])

    def _come_as(self, name: str, issuer: Authority, now: datetime) -> bool:
        """Whether the broker let us in under that name; there we say a word that must reach nobody. Raises OSError."""
        key = certificates.new_key()
        made = issuer.admit(certificates.request(key, name), name, now + _VALIDITY)
        with closed.in_memory(made.pem.encode() + key) as pair:  # while the link reads it: on no disk
            link = MqttLink(
                *(name, self._settings.broker_host, self._settings.broker_port),
                clean=True,
                tls=tls(self._settings.broker_ca, pair),
            )
            link.start()
            until = time.monotonic() + CONNECT_SECONDS
            while not link.connected() and time.monotonic() < until:
                link.take(0.1)
            came = link.connected()
            link.publish(topics.HEALTH.topic(node=name), b"", retain=False, qos=1)
            link.stop()
        log.info("thrown_out node=%s came=%s", name, came)
        return came
