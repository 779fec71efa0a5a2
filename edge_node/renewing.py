"""Renewing: asks for the next certificate in time, judges the answer, and finds a way back when it is too late.

- Over MQTT while the broker lets us in. When it does not any more (the certificate ended while the node was away, or an
  authority changed), the same question goes to the station over HTTP, in a thread of its own: the walk never waits.
- The time need not be known: `now` is never later than the true time, so nothing is asked too early.
- What comes over HTTP goes through the gate like any message; here only the certificate itself is judged.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from edge_node import asking
from edge_node.badge import Badge
from edge_node.gate import Gate
from edge_node.settings import Settings
from wire import certificates, codec, renewal, seal, topics
from wire.certificates import BadCertificate
from wire.link import Link, Message
from wire.renewal import Renewal, Renewed, WayBack
from wire.seal import Signer
from words import Said

log = logging.getLogger("loa.node.renewing")

LOOK_SECONDS, OUTSIDE_LOOK_SECONDS = 30.0, 5.0  # while the broker lets us in, and while it does not
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 120.0, 3600.0
SAME_KEY_ASKS = 5  # a key that nobody certified by then is made anew
MOST_VALIDITY = timedelta(days=400)


class Renewing:
    """``gate``: its config says where audio is, which most likely is the station. ``wake``: ends the walk's rest."""

    def __init__(self, settings: Settings, signer: Signer, gate: Gate, wake: Callable[[], None]) -> None:
        self._settings, self._signer, self._gate, self._wake = settings, signer, gate, wake
        self.badge = Badge(settings)
        self._on = bool(settings.broker_ca and settings.broker_cert)
        self._look_at = self._again_at = 0.0
        self._asks = self._connections = 0
        self._brought: list[Message] = []
        self._thread: threading.Thread | None = None
        self.until: datetime | None = None

    def look(self, link: Link, now: datetime, mono: float) -> None:
        """Ask if it is time to. Asked at every tick."""
        if not self._on or (mono < self._look_at and link.connections() == self._connections):
            return
        self._connections = link.connections()
        self._look_at = mono + (LOOK_SECONDS if link.connected() else OUTSIDE_LOOK_SECONDS)
        held = self.badge.newest()
        self.until = held.until if held else None
        if self.badge.has_next or mono < self._again_at or (self._thread and self._thread.is_alive()):
            return
        ended = held is None or now >= held.until
        if link.connected():
            if held is None or renewal.is_due(self._settings.node, held.until, now):
                self._ask(link, now, mono)
        elif ended or self.badge.is_turned_away:
            self._ask(None, now, mono)

    def brought(self) -> list[Message]:
        """What came over HTTP since the last call, as messages for the gate: the trust document first."""
        brought, self._brought = self._brought, []
        return brought

    def take(self, answer: Renewed, now: datetime) -> None:
        """A sealed answer came: kept when it is what we asked for and can be used."""
        try:
            why = self._why_not(answer, now)
            if why is None:
                self.badge.take(answer.certificate, self._authorities(answer, now))
        except (BadCertificate, OSError) as wrong:
            why = str(wrong)
        if why:
            log.warning("certificate_not_taken why=%s", why)
            return
        self._asks, self._again_at, self._look_at = 0, 0.0, 0.0
        self._wake()
        log.info("certificate_came until=%s", certificates.read(answer.certificate).until)

    def _ask(self, link: Link | None, now: datetime, mono: float) -> None:
        """``link`` None: over HTTP."""
        pause = min(MOST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._asks, 10))
        spread = 0.5 + zlib.crc32(f"{self._settings.node}:{self._asks}".encode()) / 2**32
        self._again_at, self._asks = mono + pause * spread, self._asks + 1
        try:
            key = self.badge.pending_key(fresh=self._asks % (SAME_KEY_ASKS + 1) == 0)
        except OSError as wrong:
            log.error("renewal_not_asked error=%s", wrong)
            return
        asked = Renewal(self._settings.node, now, certificates.request(key, self._settings.node))
        sealed = seal.seal(topics.RENEWAL.name, codec.write(asked), self._signer)
        log.info("renewal_asked over=%s", "mqtt" if link else "http")
        if link:
            topic = topics.RENEWAL.topic(node=self._settings.node)
            link.publish(topic, sealed, retain=topics.RENEWAL.retained, qos=topics.RENEWAL.qos)
            return
        self._thread = threading.Thread(target=self._post, args=(sealed,), name="renewal", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as wrong:  # the machine has no thread to give: asked again in time
            log.error("renewal_not_asked error=%s", wrong)

    def _post(self, sealed: bytes) -> None:
        """In its own thread: the first of the addresses that answers."""
        for station in self._stations():
            try:
                answered = asking.post(
                    station, f"{renewal.PATH}/{self._settings.node}", sealed, renewal.MOST_ANSWER_BYTES
                )
                if answered.status != 200:
                    log.warning("renewal_refused station=%s status=%d", station, answered.status)
                    continue
                came = codec.read(WayBack, answered.body, renewal.MOST_ANSWER_BYTES)
            except (Said, codec.Malformed, codec.TooBig) as wrong:
                log.warning("renewal_unanswered station=%s why=%s", station, wrong)
                continue
            except Exception:  # one address is no reason not to ask at the next
                log.exception("renewal_failed station=%s", station)
                continue
            trust = [Message(topics.TRUST.topic(), came.trust.encode())] if came.trust else []
            own = topics.CERTIFICATE.topic(node=self._settings.node)
            self._brought = [*trust, Message(own, came.certificate.encode())]
            self._wake()
            return

    def _stations(self) -> list[str]:
        """Where the station may be: as it was at the enrolment, and the host of its audio."""
        config = self._gate.config
        media = urlsplit(config.media_url if config else "")
        found = [self._settings.station_url, f"{media.scheme}://{media.netloc}" if media.netloc else ""]
        return list(dict.fromkeys(each for each in found if each))

    def _authorities(self, answer: Renewed, now: datetime) -> list[str]:
        """Those that we trust and have not ended, and those that the station names."""
        kept = [each for each in self.badge.trusted() if certificates.read(each).until > now]
        return list(dict.fromkeys([*(each.strip() + "\n" for each in (*kept, *answer.authorities))]))

    def _why_not(self, answer: Renewed, now: datetime) -> str | None:
        """Why the certificate is not ours, or cannot be used. Raises BadCertificate."""
        made, key = certificates.read(answer.certificate), self.badge.held_key()
        if not key or certificates.public_of(answer.certificate) != certificates.public_of_key(key):
            return "not for the key that waits"
        if made.name != self._settings.node:
            return f"for {made.name[:80]}"
        if not all(certificates.is_authority(each) for each in answer.authorities):
            return "an authority that is none"
        if not any(certificates.issued_by(made.pem, each) for each in (*self.badge.trusted(), *answer.authorities)):
            return "of no authority that is known"
        if not now < made.until <= answer.issued_at + MOST_VALIDITY:
            return f"until {made.until}"
        return None
