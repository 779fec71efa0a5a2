"""The guest list: whom the broker lets in and what each may do, as files in a folder for whoever keeps the broker.

- ``access`` is made of the roster by the table of topics, ``revoked.pem`` of the certificates that no longer count.
- Written only when they change, whole: a unit that watches the folder may reload the broker at each change.
- Where nothing can be written the station goes on; the next look tries again.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

from controller import authority, cluster
from controller.durable import lay, replace
from controller.keyring import Keyring, KeyTrouble
from controller.roster import areas_of
from controller.settings import Settings
from controller.store import Store
from wire import certificates, nats_access, topics
from wire.certificates import Authority, BadCertificate, Certificate
from wire.names import BadName

log = logging.getLogger(__name__)

ACCESS, REVOKED, BROKER_KEY, BROKER_CERT = "access", "revoked.pem", "broker.key", "broker.pem"
NATS, NATS_ACCESS = "nats", "access.nats"  # the kind of broker, and its rules
OWN_KEY, OWN_CERT = "mqtt.key", "mqtt.pem"  # of the station, with its other keys
STATION_USER = "station"
SOON = timedelta(days=14)
RUNTIME = "RUNTIME_DIRECTORY"  # set by systemd


class Guestlist:
    """The two files, kept true to the store."""

    def __init__(self, store: Store, settings: Settings, ring: Keyring | None = None) -> None:
        self._store, self._settings = store, settings
        self._ring = ring or Keyring(settings.keys_dir)
        self._revoked: tuple[str, ...] | None = None

    def write(self, now: datetime) -> list[Path]:
        """Bring the files to what the store says; those that changed. What cannot be written is logged."""
        try:
            return self._write(now)
        except (OSError, BadName, KeyTrouble) as wrong:
            log.warning("guestlist_not_written folder=%s why=%s", self._settings.broker_dir, wrong)
            return []

    def certify(self, hosts: list[str], now: datetime) -> Path:
        """Everything that a broker with TLS needs, and this station's own certificate; the broker's folder.

        ``hosts``: by which names or addresses nodes and station call the broker. Its certificate is made anew each
        time, keys are kept. Raises KeyTrouble, BadCertificate, OSError.
        """
        issuer, folder = authority.establish(self._ring, now), self._settings.broker_dir
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._trust(now)
        self._serve(issuer, hosts, now)
        if self._settings.broker_kind == NATS:
            cluster.establish(folder, hosts, now)
        self._admit_itself(issuer, now)
        self._write(now)
        return folder

    def renew(self, now: datetime) -> list[Path]:
        """What ends soon anew, where this station has an authority: its successor, the broker's certificate and the
        station's own. The files that changed; what cannot be done is logged, and tried again."""
        try:
            if authority.find(self._ring, now) is None:
                return []
            issuer = authority.establish(self._ring, now)
            changed = self._trust(now)
            broker = _certificate(self._settings.broker_dir / BROKER_CERT)
            if broker and broker.until - now <= authority.SERVER_BEFORE:
                changed.append(self._serve(issuer, certificates.hosts_of(broker.pem), now))
            own = _certificate(self._ring.folder / OWN_CERT)
            if own and own.until - now <= authority.SERVER_BEFORE:
                changed.append(self._admit_itself(issuer, now))
            changed += self._write(now)
        except (OSError, BadCertificate, BadName, KeyTrouble) as wrong:
            log.warning("certificates_not_renewed why=%s", wrong)
            return []
        for path in (each for each in changed if each):
            log.info("renewed file=%s", path.name)
        return [path for path in changed if path]

    def ending(self, now: datetime) -> dict[str, datetime]:
        """What was not made anew in time, and until when it holds: somebody must look.

        ``authority`` within a year of its end, ``broker`` and ``station`` within two weeks.
        """
        try:
            ends = self.holding()
        except (OSError, BadCertificate, KeyTrouble) as wrong:
            log.warning("certificates_unreadable why=%s", wrong)
            return {}
        within = {"authority": authority.SIGNS_BEFORE}
        return {name: until for name, until in ends.items() if until - now <= within.get(name, SOON)}

    def holding(self) -> dict[str, datetime]:
        """Until when the last ``authority``, the certificates of ``broker`` and ``station`` hold, those that are here.

        Raises OSError, BadCertificate, KeyTrouble.
        """
        last = authority.ends(self._ring)
        places = {"broker": self._settings.broker_dir / BROKER_CERT, "station": self._ring.folder / OWN_CERT}
        held = {name: _certificate(path) for name, path in places.items()}
        return ({"authority": last} if last else {}) | {name: each.until for name, each in held.items() if each}

    def _trust(self, now: datetime) -> list[Path | None]:
        """Whom everybody trusts, here and for the broker."""
        text = "".join(each.certificate for each in authority.trusted(self._ring, now))
        places = [self._ring.folder, *([self._settings.broker_dir] if self._settings.broker_dir.exists() else [])]
        return [lay(place / authority.CERTIFICATE, text) for place in places]

    def _serve(self, issuer: Authority, hosts: list[str], now: datetime) -> Path | None:
        key = authority.make_key(self._ring, self._settings.broker_dir / BROKER_KEY)
        made = issuer.serve(key, hosts, now + authority.SERVER_VALIDITY)
        return lay(self._settings.broker_dir / BROKER_CERT, made.pem)

    def _admit_itself(self, issuer: Authority, now: datetime) -> Path | None:
        key = authority.make_key(self._ring, self._ring.folder / OWN_KEY)
        user = self._settings.broker_user or STATION_USER
        made = issuer.admit(certificates.request(key, user), user, now + authority.SERVER_VALIDITY)
        return lay(self._ring.folder / OWN_CERT, made.pem)

    def _write(self, now: datetime) -> list[Path]:
        known = self._store.roster.nodes()
        nodes = [(node.id, areas_of(node)) for node in known if node.revoked_at is None]
        revoked = [node.id for node in known if node.revoked_at is not None]
        station, folder = self._settings.broker_user or STATION_USER, self._settings.broker_dir
        if self._settings.broker_kind == NATS:
            changed = [lay(folder / NATS_ACCESS, nats_access.rules(station, nodes)), self._hand_over()]
        else:
            changed = [lay(folder / ACCESS, topics.access_rules(station, nodes, revoked)), self._hand_over()]
        issuers = authority.trusted(self._ring, now)
        if issuers:
            changed.append(self._write_revoked(issuers, now))
        return [path for path in changed if path]

    def _hand_over(self) -> Path | None:
        """The broker's key, locked here, to whoever keeps the broker: into memory (systemd's RuntimeDirectory)."""
        given, folder = self._ring.safe.opened(str(self._settings.broker_dir / BROKER_KEY)), os.environ.get(RUNTIME)
        if given is None or not folder:
            return None
        path = Path(folder.split(":")[0]) / BROKER_KEY
        if path.exists() and path.read_bytes() == given:
            return None
        replace(path, given)
        return path

    def _write_revoked(self, issuers: list[Authority], now: datetime) -> Path | None:
        """The list is signed anew only when it holds other certificates, for each signature differs."""
        revoked = self._store.enrolments.revoked(now)
        serials = (*(each.serial for each in revoked), *(each.certificate for each in issuers))
        path = self._settings.broker_dir / REVOKED
        if serials == self._revoked and path.exists():
            return None
        since = {each.serial: each.revoked_at or now for each in revoked}
        written = lay(path, authority.revoked_lists(issuers, since, now))
        self._revoked = serials
        return written


def _certificate(path: Path) -> Certificate | None:
    """What stands in the file; None where there is none. Raises OSError, BadCertificate."""
    return certificates.read(path.read_text("ascii", "replace")) if path.exists() else None
