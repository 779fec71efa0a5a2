"""The badge: by which key and certificate the broker lets this node in. What lies on the disk is the truth.

- Three pairs, in this order: one that came and is to be tried, the one that was proven, and that of the enrolment.
  Key and certificate of the first two are one file each, replaced whole: a power cut leaves one that works.
- A pair that came is proven by a connection; only then does it take the place of the one before. One that the broker
  turns away twice, while it lets the older one in, is put away.
- A broker that cannot be reached at all proves nothing: the pairs are tried in turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge_node import disk
from edge_node.keep import Keep, Sealed
from edge_node.settings import Settings
from wire import certificates
from wire.certificates import BadCertificate, Certificate
from wire.mqtt import Tls, tls

log = logging.getLogger("loa.node.badge")

NEXT, PROVEN, AUTHORITIES, PENDING = "broker-next.pem", "broker-now.pem", "broker-authorities.pem", "renewal.key"
TURNED_AWAY = "turned-away"  # a mark for the walk, and for the next start
KEY_FILES = (NEXT, PROVEN, PENDING)
RENEWED = (NEXT, PROVEN, AUTHORITIES, PENDING, TURNED_AWAY)  # what an enrolment makes void
MOST_LOSSES = 2
AGAIN_SECONDS = 60.0  # between two trials of a pair that came, while an older one works
SURE_COUNT = 3  # so often turned away by word of a certificate, and it is no chance


class Badge:
    """The pairs in ``settings.state_dir``; `files`, `worked`, `failed` and `fresher` are for the link's thread."""

    def __init__(self, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._folder, self._monotonic = settings, settings.state_dir, monotonic
        self.keep = Keep(settings)
        self._place = 0  # of the pair that is tried, in the order above
        self._losses, self._tried_at = 0, -AGAIN_SECONDS
        self._lost = False  # the pair that came was turned away just now
        self._using: Path | None = None
        self._turned_away = 0

    # ---- for the link ---------------------------------------------------------------------------------------

    def files(self) -> Tls:
        """What the next connection shows, and whom it trusts."""
        pairs = self._pairs()
        pair = self._using = pairs[self._place % len(pairs)]
        if pair == self._folder / NEXT:
            self._tried_at = self._monotonic()
        key = self._settings.broker_key if str(pair) == self._settings.broker_cert else ""
        return tls(self.authorities, str(pair), key) | {"opened": self.keep.opened}

    def worked(self) -> None:
        """The broker let us in."""
        self._turned_away = self._place = 0
        self._mark(False)
        if self._using == self._folder / NEXT:
            self._promote()
        elif self._lost:
            self._losses += 1
            log.warning("certificate_refused losses=%d", self._losses)
            if self._losses >= MOST_LOSSES:
                self._put_away()
        self._lost = False

    def failed(self, why: str) -> None:
        """There was no connection. ``why``: as OpenSSL or the link says it."""
        self._lost = self._using == self._folder / NEXT
        self._place += 1
        said = why.lower()
        if "certificate" in said or "unknown ca" in said:
            self._turned_away += 1
            self._mark(self._turned_away >= SURE_COUNT)

    def fresher(self) -> bool:
        """Whether to connect anew: a pair came and waits to be tried."""
        waits = self._using != self._folder / NEXT and (self._folder / NEXT).exists()
        return waits and self._monotonic() - self._tried_at >= AGAIN_SECONDS

    # ---- for the renewal ------------------------------------------------------------------------------------

    @property
    def is_turned_away(self) -> bool:
        """Whether brokers said more than by chance that certificates do not fit."""
        return (self._folder / TURNED_AWAY).exists()

    @property
    def authorities(self) -> str:
        """The file of those that we trust at the broker."""
        renewed = self._folder / AUTHORITIES
        return str(renewed) if renewed.exists() else self._settings.broker_ca

    def trusted(self) -> list[str]:
        """The authorities, one PEM text each."""
        return certificates.split(self._text(Path(self.authorities)))

    def newest(self) -> Certificate | None:
        """The certificate of the best pair, None when none can be read."""
        for pair in self._pairs():
            try:
                return certificates.read(certificates.split(self._text(pair))[0])
            except (BadCertificate, IndexError):
                continue
        return None

    @property
    def is_renewed(self) -> bool:
        """Whether there is a pair beside that of the enrolment."""
        return len(self._pairs()) > 1

    @property
    def has_next(self) -> bool:
        """Whether a pair came and is not proven yet."""
        return (self._folder / NEXT).exists()

    def pending_key(self, *, fresh: bool = False) -> bytes:
        """The key to be certified, made (0600) when there is none, or ``fresh``; never one in use. Raises OSError."""
        path = self._folder / PENDING
        key = b"" if fresh else self._text(path).encode()
        if not self._is_unused(key):
            key = certificates.new_key()
            self.keep.write(path, key)
        return key

    def held_key(self) -> bytes:
        """The key that waits to be certified; empty when there is none."""
        return self._text(self._folder / PENDING).encode()

    def take(self, certificate: str, authorities: list[str]) -> None:
        """A certificate for the pending key came. Raises OSError; then all is as before, or is done at the next."""
        key = self.held_key()
        disk.write(self._folder / AUTHORITIES, "".join(authorities).encode())
        self.keep.write(self._folder / NEXT, certificate.encode() + key)
        disk.remove(self._folder / PENDING)

    def _mark(self, turned_away: bool) -> None:
        path = self._folder / TURNED_AWAY
        with suppress(OSError):  # a card that takes no writes: then the end of the certificate says it
            if turned_away and not path.exists():
                path.touch()
            elif not turned_away and path.exists() and self._turned_away == 0:
                path.unlink()

    def _is_unused(self, key: bytes) -> bool:
        try:
            public = certificates.public_of_key(key)
        except BadCertificate:
            return False
        return public not in [_public(self._text(pair)) for pair in self._pairs()]

    def _pairs(self) -> list[Path]:
        renewed = [self._folder / name for name in (NEXT, PROVEN)]
        return [path for path in renewed if path.exists()] + [Path(self._settings.broker_cert)]

    def _text(self, path: Path) -> str:
        """What a small file holds; empty for one that cannot be read, or not be opened."""
        try:
            return self.keep.read(path)[: 8 * certificates.MOST_BYTES].decode("ascii", "replace")
        except (OSError, Sealed):
            return ""

    def _promote(self) -> None:
        try:
            (self._folder / NEXT).replace(self._folder / PROVEN)
            disk.sync_folder(self._folder)
        except OSError as wrong:  # it works all the same, and is tried first again
            log.error("certificate_not_kept error=%s", wrong)
            return
        self._using = self._folder / PROVEN
        log.info("certificate_renewed")

    def _put_away(self) -> None:
        self._losses = 0
        try:
            disk.remove(self._folder / NEXT)
        except OSError as wrong:
            log.error("certificate_not_removed error=%s", wrong)


def _public(pair: str) -> str:
    try:
        return certificates.public_of(certificates.split(pair)[0])
    except (BadCertificate, IndexError):
        return ""
