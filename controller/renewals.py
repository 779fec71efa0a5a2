"""Renewals: a node that is known by its key gets the next certificate. The station's half of `wire.renewal`.

- What arrives over MQTT was judged by the logbook: sealed by the node's key, and about that node. What arrives over
  HTTP is judged here in the same order, and its answer is sealed here.
- A key is certified once. The same question gets the same certificate again; a key that was revoked or ran out, none.
- Nothing secret is in an answer, and nothing in it depends on the road.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from controller import authority, keyring
from controller.guestlist import STATION_USER
from controller.keys import TRUST_NAME, KeyTrouble
from controller.settings import Settings
from controller.store import Store
from wire import certificates, codec, renewal, seal, topics
from wire.certificates import BadCertificate
from wire.enrolment import No, Refusal
from wire.renewal import Renewal, Renewed, WayBack
from wire.seal import PublicKey

log = logging.getLogger(__name__)

MOST_LIVE, SOON = 6, timedelta(days=1)  # with so many that hold, the next one comes not so soon after the last
STATUS = {No.UNKNOWN: 404, No.WRONG: 403, No.USED: 409, No.TOO_MANY: 429, No.MALFORMED: 400, No.TOO_BIG: 413}
CLOSED_STATUS = 503


class Renewals:
    """Over the store and the keys."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._ring = keyring.of(settings)

    def answer_all(self, asked: Iterable[Renewal], now: datetime) -> list[Renewed]:
        """The answers to questions whose seals are true; who gets none is logged. Raises StoreError."""
        told = []
        for each in asked:
            answered = self._told(each, now)
            if isinstance(answered, Renewed):
                told.append(answered)
            else:
                log.warning("renewal_refused node=%s reason=%s", each.node, answered)
        return told

    def receive(self, node: str, raw: bytes, now: datetime) -> tuple[bytes, int]:
        """The answer to a question as it came over HTTP, and its status. Raises StoreError."""
        reason = No.CLOSED
        try:
            answered = self._judged(node, raw, now)
            if isinstance(answered, Renewed):
                return codec.write(self._way_back(answered)), 200
            reason = answered
        except codec.TooBig:
            reason = No.TOO_BIG
        except codec.Malformed:
            reason = No.MALFORMED
        except KeyTrouble as wrong:
            log.error("renewal_closed why=%s", wrong)
        log.warning("renewal_refused node=%r reason=%s", node[:80], reason)
        return codec.write(Refusal(reason.value)), STATUS.get(reason, CLOSED_STATUS)

    def _judged(self, node: str, raw: bytes, now: datetime) -> Renewed | No:
        """Raises codec.TooBig, codec.Malformed, KeyTrouble, StoreError."""
        known = self._store.roster.node(node[:200])
        if known is None or known.revoked_at is not None:
            return No.UNKNOWN
        key = PublicKey.from_hex(known.public_key)
        envelope = seal.unwrap(raw, renewal.MOST_QUESTION_BYTES)
        if not seal.is_kind(envelope, topics.RENEWAL.name) or not seal.sealed_by(envelope, {key.id: key}):
            return No.WRONG
        asked = codec.read(Renewal, envelope.body(), renewal.MOST_QUESTION_BYTES)
        return self._told(asked, now) if asked.node == node else No.WRONG

    def _told(self, asked: Renewal, now: datetime) -> Renewed | No:
        try:
            return self._certified(asked, now)
        except BadCertificate:
            return No.MALFORMED
        except KeyTrouble as wrong:
            log.error("renewal_closed why=%s", wrong)
            return No.CLOSED

    def _certified(self, asked: Renewal, now: datetime) -> Renewed | No:
        """Raises BadCertificate, KeyTrouble, StoreError."""
        if asked.node == (self._settings.broker_user or STATION_USER):
            return No.CLOSED
        public, book = certificates.public_of_request(asked.request), self._store.enrolments
        issuer = authority.establish(self._ring, now)
        held = book.certified(public)
        if held is not None:
            if held.node != asked.node or held.revoked_at or held.valid_until <= now or not held.pem:
                return No.USED
            pem = held.pem
        else:
            live = book.live(asked.node, now)
            if len(live) >= MOST_LIVE and now - live[0].issued_at < SOON:
                return No.TOO_MANY
            made = issuer.admit(asked.request, asked.node, now + authority.VALIDITY)
            if not book.renew(asked.node, public, made, now):
                return No.UNKNOWN
            log.info("renewed node=%s serial=%s until=%s", asked.node, made.serial, made.until)
            pem = made.pem
        trusted = tuple(each.certificate for each in authority.trusted(self._ring, now))
        return Renewed(asked.node, now, pem, trusted)

    def _way_back(self, answered: Renewed) -> WayBack:
        """Raises KeyTrouble where the station's key lies elsewhere."""
        sealed = seal.seal(topics.CERTIFICATE.name, codec.write(answered), self._ring.station())
        trust = self._store.documents.get(TRUST_NAME)
        return WayBack(sealed.decode(), trust.envelope.decode() if trust else "")
