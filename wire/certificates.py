"""Certificates: who may speak to the broker at all. The door to X.509; what is *said* is sealed elsewhere (`seal`).

- The station's own authority signs them; nothing is bought, no name is looked up outside.
- Keys are ECDSA on P-256 and nothing else: what every broker and every Debian can do.
- A certificate begins in 1970: a node without a clock must be able to believe the broker's. The end is what counts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MOST_BYTES = 8192  # of any PEM text that is read
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_IN_TEXT = re.compile("-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----")
_CLIENT, _SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


class BadCertificate(ValueError):
    """A text that is no key, no request or no certificate that we can use."""


@dataclass(frozen=True)
class Certificate:
    """A certificate as PEM text, its serial number in hex, whose it is, and until when it holds."""

    pem: str
    serial: str
    name: str
    until: datetime


def new_key() -> bytes:
    """A new private key as PEM."""
    return _written(ec.generate_private_key(ec.SECP256R1()))


def request(key: bytes, name: str) -> str:
    """A request for a certificate, as PEM: proves that whoever asks has the private ``key``. Raises BadCertificate."""
    asked = x509.CertificateSigningRequestBuilder().subject_name(_named(name))
    return asked.sign(_private(key), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def read(pem: str) -> Certificate:
    """What stands in a certificate. Raises BadCertificate."""
    return _told(_certificate(pem))


def hosts_of(pem: str) -> list[str]:
    """The names and addresses by which a server is called, as `Authority.serve` takes them. Raises BadCertificate."""
    try:
        named = _certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise BadCertificate("no host") from None
    return [*named.get_values_for_type(x509.DNSName), *map(str, named.get_values_for_type(x509.IPAddress))]


def split(text: str) -> list[str]:
    """The certificates in a text of several, each as PEM; whatever else stands there is left out."""
    return [f"{found}\n" for found in _IN_TEXT.findall(text)]


def is_authority(pem: str) -> bool:
    """Whether this is a certificate that says that it may sign others."""
    try:
        return bool(_certificate(pem).extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (ValueError, x509.ExtensionNotFound):
        return False


def public_of_request(pem: str) -> str:
    """The public key that a request asks for, in hex; its signature is checked. Raises BadCertificate."""
    return _public_hex(_asked(pem).public_key())


def public_of_key(key: bytes) -> str:
    """The public half of a private ``key``, in hex. Raises BadCertificate."""
    return _public_hex(_private(key).public_key())


def public_of(pem: str) -> str:
    """The public key in a certificate, in hex. Raises BadCertificate."""
    return _public_hex(_certificate(pem).public_key())


def issued_by(pem: str, authority: str) -> bool:
    """Whether ``authority`` (PEM) signed the certificate ``pem``. Raises BadCertificate."""
    try:
        _certificate(pem).verify_directly_issued_by(_certificate(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


class Authority:
    """Signs certificates for nodes and brokers, with a key and the certificate that the others trust."""

    def __init__(self, key: bytes, certificate: str) -> None:
        """Both as PEM. Raises BadCertificate, also when they do not belong together."""
        self._key, self._own = _private(key), _certificate(certificate)
        if _public_hex(self._own.public_key()) != public_of_key(key):
            raise BadCertificate("key and certificate do not belong together")
        self.certificate = certificate

    @classmethod
    def make(cls, name: str, until: datetime) -> tuple[bytes, str]:
        """A new authority's key and certificate, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = _usage(key_cert_sign=True, crl_sign=True)
        made = (
            _begun(_named(name), _named(name), key.public_key(), until)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return _written(key), _pem(made)

    def admit(self, asked: str, name: str, until: datetime) -> Certificate:
        """A client's certificate for the request ``asked``; ``name`` counts, not what the request calls itself.

        Raises BadCertificate.
        """
        return self._issue(_asked(asked).public_key(), name, until, (_CLIENT,))

    def serve(self, key: bytes, hosts: Iterable[str], until: datetime, *, calls: bool = False) -> Certificate:
        """A server's certificate for its ``key`` and the ``hosts`` (names or addresses) by which it is called.

        ``calls``: it also counts where that server is the one who calls, as within a cluster. Raises BadCertificate.
        """
        known = [_host(each) for each in hosts]
        if not known:
            raise BadCertificate("no host")
        purposes = (_SERVER, _CLIENT) if calls else (_SERVER,)
        return self._issue(_private(key).public_key(), "broker", until, purposes, x509.SubjectAlternativeName(known))

    def revoked(self, serials: Mapping[str, datetime], at: datetime, until: datetime) -> str:
        """The list of certificates (serial in hex -> since when) that no longer count, as PEM."""
        made = x509.CertificateRevocationListBuilder().issuer_name(self._own.subject).last_update(at).next_update(until)
        for serial, since in serials.items():
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(since)
            made = made.add_revoked_certificate(entry.build())
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def _issue(
        self,
        key: object,
        name: str,
        until: datetime,
        purposes: Iterable[x509.ObjectIdentifier],
        *more: x509.ExtensionType,
    ) -> Certificate:
        public = _elliptic(key)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            _begun(_named(name), self._own.subject, public, min(until, self._own.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(authority, critical=False)
        )
        for extension in more:
            made = made.add_extension(extension, critical=False)
        return _told(made.sign(self._key, hashes.SHA256()))


def _begun(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    begun = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
    return begun.serial_number(x509.random_serial_number()).not_valid_before(BEGIN).not_valid_after(until)


def _usage(**wanted: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**(dict.fromkeys(_USES, False) | wanted))


def _named(name: str) -> x509.Name:
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    except ValueError as wrong:
        raise BadCertificate(str(wrong)) from None


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = text.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise BadCertificate(f"no host: {text[:80]!r}")
    return x509.DNSName(name)


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem[:MOST_BYTES], None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadCertificate("no private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCertificate("not a P-256 key")
    _elliptic(key.public_key())
    return key


def _elliptic(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadCertificate("not a P-256 key")
    return key


def _asked(pem: str) -> x509.CertificateSigningRequest:
    try:
        asked = x509.load_pem_x509_csr(_bounded(pem))
        good = asked.is_signature_valid
        _elliptic(asked.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as wrong:
        raise BadCertificate("no request for a P-256 key") from wrong
    if not good:
        raise BadCertificate("the request is not signed by its own key")
    return asked


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_bounded(pem))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadCertificate("no certificate") from None


def _bounded(pem: str) -> bytes:
    if len(pem) > MOST_BYTES:
        raise BadCertificate("too long")
    return pem.encode("ascii", "replace")


def _told(made: x509.Certificate) -> Certificate:
    names = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    return Certificate(_pem(made), f"{made.serial_number:x}", name, made.not_valid_after_utc)


def _pem(made: x509.Certificate) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _public_hex(key: object) -> str:
    form = serialization.PublicFormat.UncompressedPoint
    return _elliptic(key).public_bytes(serialization.Encoding.X962, form).hex()


def _written(key: ec.EllipticCurvePrivateKey) -> bytes:
    clear = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, clear)
