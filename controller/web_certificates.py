"""The web's own certificates: an authority that people install in their browsers, and what it signs for this machine.

- Apart from `controller.authority`: what a browser trusts signs no node, and what a node or broker trusts no web page.
- The authority can speak for the names that it was made for and for private addresses, and for servers only (name
  constraints, RFC 5280 4.2.1.10; extended key usage): whoever steals its key cannot play a bank to an official.
- A certificate lasts 397 days, for browsers refuse longer ones, and is made anew 100 days before its end.
- ``web-ca.key`` (key and certificate) lies with the other keys, ``web/ca.pem`` is for everybody, ``web/server.pem``
  holds key and certificate in one file, so that whoever reads it never gets halves of two.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.durable import write_once
from controller.safe import Ask, KeyTrouble, Safe
from controller.settings import Settings

CA_KEY, CA, SERVER = "web-ca.key", "ca.pem", "server.pem"
CA_VALIDITY = timedelta(days=3650)
VALIDITY = timedelta(days=397)
RENEWED_BEFORE_END = timedelta(days=100)
EARLIER = timedelta(days=1)  # a browser's clock may be behind ours
MOST_BYTES = 16_384
PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Held:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Told:
    """What a person may want to know: the server's names and end, the authority's fingerprint (SHA-256) and end."""

    names: tuple[str, ...]
    until: datetime
    fingerprint: str
    authority_until: datetime


def keep(settings: Settings, now: datetime, *, anew: bool = False) -> Path:
    """The file of a certificate that is good now for ``web_names``, made where needed. Raises KeyTrouble.

    A certificate is made when there is none, when its end is near, when names were added or left, when it begins later
    than ``now`` (the clock was set back), when another authority signed it, or when it is wanted ``anew``.
    """
    names = tuple(map(_general, settings.web_names))
    try:
        authority = _authority(settings, names, now)
        path, safe = settings.web_dir / SERVER, Safe(settings.keys_dir)
        held = _standing(safe, path)
        if anew or held is None or not _good(held, authority, names, now):
            _replace(path, safe.wrapped(path, _written(_issue(authority, names, now))), 0o600)
    except OSError as wrong:
        raise KeyTrouble("keys.unwritable", path=settings.web_dir, why=wrong.strerror or wrong) from wrong
    return settings.web_dir / SERVER


def told(settings: Settings, ask: Ask | None = None) -> Told | None:
    """What stands; None where nothing was made. ``ask``: by whom a passphrase is had. Raises KeyTrouble."""
    safe = Safe(settings.keys_dir, ask)
    server, authority = _read(safe, settings.web_dir / SERVER), _read(safe, settings.keys_dir / CA_KEY)
    if server is None or authority is None:
        return None
    found = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return Told(
        tuple(str(each.value) for each in found),
        server.certificate.not_valid_after_utc,
        authority.certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        authority.certificate.not_valid_after_utc,
    )


def _authority(settings: Settings, names: Sequence[x509.GeneralName], now: datetime) -> Held:
    """The authority, made when there is none. Raises KeyTrouble, also when it may not speak for one of the names."""
    safe, path = Safe(settings.keys_dir), settings.keys_dir / CA_KEY
    held = _read(safe, path)
    if held is None:
        settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another web process was first: its authority counts
            write_once(path, safe.wrapped(path, _written(_make(settings.web_names[0], names, now))))
        held = _read(safe, path)
    assert held is not None
    allowed = held.certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    for name in names:
        if not any(_covers(each, name) for each in allowed):
            raise KeyTrouble("keys.web_name_outside", name=name.value, path=settings.keys_dir / CA_KEY)
    _replace(settings.web_dir / CA, held.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return held


def _make(title: str, names: Sequence[x509.GeneralName], now: datetime) -> Held:
    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Loa web {title[:40]}")])
    private = [x509.IPAddress(ipaddress.ip_network(each)) for each in PRIVATE]
    # localhost also when only addresses are named: without any name all names would be allowed
    allowed = [x509.DNSName("localhost"), *private, *(_subtree(each) for each in names)]
    builder = (
        _begun(owner, owner, key.public_key(), now, CA_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.NameConstraints(list(dict.fromkeys(allowed)), None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Held(key, builder.sign(key, hashes.SHA256()))


def _issue(authority: Held, names: Sequence[x509.GeneralName], now: datetime) -> Held:
    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _title(names))])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _begun(owner, authority.certificate.subject, key.public_key(), now, VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signer, critical=False)
    )
    return Held(key, builder.sign(authority.key, hashes.SHA256()))


def _begun(
    owner: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, validity: timedelta
) -> x509.CertificateBuilder:
    begun = x509.CertificateBuilder().subject_name(owner).issuer_name(issuer).public_key(key)
    begun = begun.serial_number(x509.random_serial_number())
    return begun.not_valid_before(now - EARLIER).not_valid_after(now - EARLIER + validity)


def _usage(**wanted: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**(dict.fromkeys(_USES, False) | wanted))


def _good(held: Held, authority: Held, names: Sequence[x509.GeneralName], now: datetime) -> bool:
    certificate = held.certificate
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    titles = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if any(_is_address(str(each.value)) for each in titles):  # made by an earlier version: OpenSSL refuses it
        return False
    in_time = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED_BEFORE_END
    return in_time and set(found) == set(names)


def _general(text: str) -> x509.GeneralName:
    """A name or an address as certificates hold it. Raises KeyTrouble."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text.lower().encode("idna").decode())
    except (UnicodeError, ValueError):
        raise KeyTrouble("keys.web_name_bad", name=text[:80]) from None


def _title(names: Sequence[x509.GeneralName]) -> str:
    """The common name: the first name, else words around the address.

    A bare address is none: where there is no name OpenSSL takes it for one, and the authority may not speak for that.
    """
    first = next((str(each.value) for each in names if isinstance(each, x509.DNSName)), None)
    return first[:64] if first else f"Loa web {names[0].value}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    if isinstance(name, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(str(name.value)))
    return name


def _covers(allowed: x509.GeneralName, name: x509.GeneralName) -> bool:
    if isinstance(allowed, x509.IPAddress) and isinstance(name, x509.IPAddress):
        return ipaddress.ip_address(str(name.value)) in ipaddress.ip_network(str(allowed.value))
    if isinstance(allowed, x509.DNSName) and isinstance(name, x509.DNSName):
        return f".{name.value}".endswith(f".{allowed.value}")
    return False


def _written(held: Held) -> bytes:
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = held.key.private_bytes(serialization.Encoding.PEM, form, clear)
    return key + held.certificate.public_bytes(serialization.Encoding.PEM)


def _standing(safe: Safe, path: Path) -> Held | None:
    """A server's certificate that is spoilt is made anew, like one that is not there; not one that is locked."""
    try:
        return _read(safe, path)
    except KeyTrouble as wrong:
        if wrong.key in ("keys.locked", "keys.wrong_passphrase"):
            raise
        return None


def _read(safe: Safe, path: Path) -> Held | None:
    text = safe.read(path)
    if text is None:
        return None
    try:
        text = text[:MOST_BYTES]
        key, certificate = serialization.load_pem_private_key(text, None), x509.load_pem_x509_certificate(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyTrouble("keys.not_a_key", path=path) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyTrouble("keys.not_a_key", path=path)
    return Held(key, certificate)


def _replace(path: Path, content: bytes, mode: int) -> None:
    """``path`` with ``content``, whole or not at all; untouched when it has that already."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == content:
        return
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(aside, mode)
        os.replace(aside, path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
