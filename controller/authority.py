"""The station's own authorities: they sign the certificates by which nodes, broker and station know each other.

- ``ca.key`` holds the first one's key and certificate, ``ca-2.key`` its successor's and so on; ``ca.pem`` the
  certificates of all that have not ended. Each is made once, when it is needed.
- A successor is made `KNOWN_BEFORE` its predecessor ends, and signs from `SIGNS_BEFORE` on: in between every node that
  is there renews its certificate several times, and learns with it whom to trust next.
- Each has a name of its own: OpenSSL would take two of one name for the same, and try the wrong key.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from controller.durable import write_once
from controller.keyring import Keyring, KeyTrouble
from wire import certificates, renewal
from wire.certificates import Authority, BadCertificate

KEY, CERTIFICATE = "ca.key", "ca.pem"
_BEGIN = b"-----BEGIN CERTIFICATE-----"
AUTHORITY_VALIDITY = timedelta(days=20 * 365)
KNOWN_BEFORE, SIGNS_BEFORE = timedelta(days=2 * 365), timedelta(days=365)  # an authority's end
VALIDITY = renewal.VALIDITY  # of a node's certificate
SERVER_VALIDITY, SERVER_BEFORE = timedelta(days=365), timedelta(days=60)  # of broker and station; when a new one is due


def find(ring: Keyring, now: datetime) -> Authority | None:
    """The authority that signs now, None where none has been made. Raises KeyTrouble."""
    known = find_all(ring)
    lasting = [each for each in known if _until(each) - now > SIGNS_BEFORE]
    return lasting[0] if lasting else known[-1] if known else None


def find_all(ring: Keyring) -> list[Authority]:
    """Every authority, the oldest first. Raises KeyTrouble."""
    known: list[Authority] = []
    for number in count(1):
        held = _authority(ring, ring.folder / _name(number))
        if held is None:
            return known
        known.append(held)
    raise AssertionError


def trusted(ring: Keyring, now: datetime) -> list[Authority]:
    """Those that have not ended, the oldest first. Raises KeyTrouble."""
    return [each for each in find_all(ring) if _until(each) > now]


def establish(ring: Keyring, now: datetime) -> Authority:
    """The authority that signs, its certificates beside it; made, and its successor, when due. Raises KeyTrouble."""
    known = find_all(ring)
    try:
        if not known or _until(known[-1]) - now <= KNOWN_BEFORE:
            name = f"Loa {now.year}" if known else "Loa"
            key, certificate = Authority.make(name, now + AUTHORITY_VALIDITY)
            ring.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):  # somebody made it in this moment
                path = ring.folder / _name(len(known) + 1)
                write_once(path, ring.safe.wrapped(path, key + certificate.encode()))
        if not known:
            with suppress(FileExistsError):
                write_once(ring.folder / CERTIFICATE, find_all(ring)[0].certificate.encode())
    except OSError as wrong:
        raise KeyTrouble("keys.unwritable", path=ring.folder / KEY, why=wrong.strerror or wrong) from wrong
    signs = find(ring, now)
    if signs is None:
        raise KeyTrouble("keys.not_a_key", path=ring.folder / KEY)
    return signs


def ends(ring: Keyring) -> datetime | None:
    """Until when the last of the authorities holds, None where there is none. Raises KeyTrouble."""
    known = find_all(ring)
    return _until(known[-1]) if known else None


def revoked_lists(issuers: list[Authority], serials: dict[str, datetime], now: datetime) -> str:
    """The lists of revoked certificates (serial -> since when) for the broker: one of each authority, or it lets nobody
    in who comes from the one that has none."""
    return "".join(each.revoked(serials, now, now + AUTHORITY_VALIDITY) for each in issuers)


def make_key(ring: Keyring, path: Path) -> bytes:
    """The private key in ``path``, made (mode 0600) when there is none. Raises KeyTrouble."""
    held = ring.safe.read(path)
    if held is not None:
        return held
    key = certificates.new_key()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(path, ring.safe.wrapped(path, key))
    except OSError as wrong:
        raise KeyTrouble("keys.unwritable", path=path, why=wrong.strerror or wrong) from wrong
    return key


def _name(number: int) -> str:
    return KEY if number == 1 else f"ca-{number}.key"


def _until(authority: Authority) -> datetime:
    return certificates.read(authority.certificate).until


def _authority(ring: Keyring, path: Path) -> Authority | None:
    held = ring.safe.read(path)
    if held is None:
        return None
    key, begin, rest = held.partition(_BEGIN)
    try:
        return Authority(key, (begin + rest).decode("ascii", "replace"))
    except BadCertificate:
        raise KeyTrouble("keys.not_a_key", path=path) from None
