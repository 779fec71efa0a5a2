"""Certificates of the station's own authority; that a real broker keeps to them is in `test_enrolment_radio`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from controller import authority
from controller.keys import Keyring, KeyTrouble
from wire import certificates
from wire.certificates import Authority, BadCertificate

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=400)


@pytest.fixture(scope="module")
def issuer() -> Authority:
    return Authority(*Authority.make("Loa", LATER))


def foreign(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    asked = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    )
    return asked.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_node_gets_a_certificate_for_its_own_key_under_the_name_that_it_was_given(issuer: Authority) -> None:
    key = certificates.new_key()
    asked = certificates.request(key, "station")
    made = issuer.admit(asked, "loa-01", NOW + timedelta(days=30))
    assert (made.name, made.until) == ("loa-01", NOW + timedelta(days=30))
    assert certificates.read(made.pem) == made
    assert certificates.public_of(made.pem) == certificates.public_of_key(key) == certificates.public_of_request(asked)
    assert certificates.issued_by(made.pem, issuer.certificate)
    assert not certificates.issued_by(made.pem, Authority.make("Loa", LATER)[1])
    assert issuer.admit(asked, "loa-01", NOW + timedelta(days=9999)).until == LATER  # never longer than its issuer


def test_a_certificate_has_begun_for_a_node_that_believes_it_is_1970(issuer: Authority) -> None:
    for pem in (issuer.certificate, issuer.serve(certificates.new_key(), ["127.0.0.1", "đài.vn"], LATER).pem):
        assert x509.load_pem_x509_certificate(pem.encode()).not_valid_before_utc.year == 1970


def test_a_key_of_another_kind_and_a_request_of_another_key_are_refused(issuer: Authority) -> None:
    wrong = [foreign(rsa.generate_private_key(65537, 2048)), foreign(ec.generate_private_key(ec.SECP384R1()))]
    good = certificates.request(certificates.new_key(), "x").splitlines()
    wrong += ["", "x", "\n".join([*good[:3], good[3][::-1], *good[4:]]), "a" * 9000, issuer.certificate]
    for asked in wrong:
        with pytest.raises(BadCertificate):
            issuer.admit(asked, "loa-01", LATER)
    for hosts in ([], ["a b"], ["x" * 300]):
        with pytest.raises(BadCertificate):
            issuer.serve(certificates.new_key(), hosts, LATER)
    for key in (b"", b"x", certificates.new_key()[:-60]):
        with pytest.raises(BadCertificate):
            Authority(key, issuer.certificate)
    with pytest.raises(BadCertificate, match="do not belong"):
        Authority(certificates.new_key(), issuer.certificate)


def test_the_list_of_revoked_certificates_names_them(issuer: Authority) -> None:
    made = issuer.admit(certificates.request(certificates.new_key(), "x"), "loa-01", LATER)
    held = x509.load_pem_x509_crl(issuer.revoked({made.serial: NOW}, NOW, LATER).encode())
    assert [f"{each.serial_number:x}" for each in held] == [made.serial]


def test_the_authority_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "keys")
    assert authority.find(ring, NOW) is None
    made = authority.establish(ring, NOW)
    assert authority.establish(ring, NOW).certificate == made.certificate
    assert (ring.folder / authority.CERTIFICATE).read_text() == made.certificate
    assert {oct(path.stat().st_mode)[-3:] for path in ring.folder.iterdir()} == {"600"}
    (ring.folder / authority.KEY).write_text("half a key")
    with pytest.raises(KeyTrouble, match="is not a key"):
        authority.establish(ring, NOW)
