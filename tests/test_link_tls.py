"""A link over TLS with certificates on both sides, to a real mosquitto."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from makers_wire import eventually

from fleet import mosquitto
from fleet.broker import EmbeddedBroker
from fleet.wanted import Wanted
from wire import topics
from wire.mqtt import MqttLink, Tls

BROKER_SINCE = -timedelta(days=1)  # when the broker's certificate becomes valid, from now
LINES = """
cafile tls/authority.pem
certfile tls/broker.pem
keyfile tls/broker.key
require_certificate true
"""


def certify(folder: Path, name: str, issuer: str = "authority", since: timedelta = -timedelta(days=1)) -> None:
    """Write ``name``.pem and .key, signed by ``issuer`` of the same folder, valid from ``since`` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = issuer == name
    issuer_key = key if own else serialization.load_pem_private_key((folder / f"{issuer}.key").read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) + since)
        .not_valid_after(datetime.now(UTC) + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    clear = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / f"{name}.key").write_bytes(key.private_bytes(pem, form, clear))


def tls(folder: Path, name: str) -> Tls:
    return Tls(
        ca_certs=str(folder / "authority.pem"),
        certfile=str(folder / f"{name}.pem"),
        keyfile=str(folder / f"{name}.key"),
    )


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedBroker]:
    for name in ("authority", "node"):
        certify(tmp_path, name, "authority")
    certify(tmp_path, "broker", "authority", BROKER_SINCE)
    certify(tmp_path, "stranger", "stranger")
    plain = mosquitto.configure

    def configure(wanted: Wanted) -> list[str]:
        arguments = plain(wanted)
        wanted.write("mosquitto.conf", (wanted.folder / "mosquitto.conf").read_text() + LINES)
        (wanted.folder / "tls").mkdir()
        for path in (*tmp_path.glob("*.pem"), tmp_path / "broker.key"):
            wanted.write(f"tls/{path.name}", path.read_text())
        return arguments

    monkeypatch.setattr(mosquitto, "configure", configure)
    with EmbeddedBroker(tmp_path / "state", engine="mosquitto") as running:
        yield running


def test_the_largest_message_travels_both_ways_over_tls(broker: EmbeddedBroker, tmp_path: Path) -> None:
    link = MqttLink("node", broker.host, broker.port, tls=tls(tmp_path, "node"))
    link.listen([("radio/v1/#", 1)])
    link.start()
    eventually(link.connected)
    largest, got = b"x" * topics.MOST_BYTES, []
    link.publish(topics.TRUST.topic(), largest, retain=True, qos=1)
    eventually(lambda: got.extend(link.take(0.2)) or got)
    assert got[0].payload == largest
    link.stop()


def test_a_certificate_of_another_authority_and_none_at_all_stay_outside(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    outside = [
        MqttLink("stranger", broker.host, broker.port, tls=tls(tmp_path, "stranger")),
        MqttLink("naked", broker.host, broker.port, tls=Tls(ca_certs=str(tmp_path / "authority.pem"))),
        MqttLink("plain", broker.host, broker.port),
        MqttLink("fooled", broker.host, broker.port, tls=Tls(ca_certs=str(tmp_path / "stranger.pem"))),
    ]
    for link in outside:
        link.start()
    eventually(lambda: all(link._attempt >= 2 for link in outside))
    assert [link.connections() for link in outside] == [0] * len(outside)
    for link in outside:
        link.stop()


def test_a_certificate_that_is_not_valid_yet_lets_in_who_does_not_know_the_time_and_nobody_else(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that woke in 1970 must hear of an emergency; the broker is transport, its word is not believed anyway."""
    monkeypatch.setattr("test_link_tls.BROKER_SINCE", timedelta(days=2))
    broker: EmbeddedBroker = request.getfixturevalue("broker")
    own = tls(tmp_path, "node")
    lost = MqttLink("lost", broker.host, broker.port, tls=own, clock_known=lambda: False)
    sure = MqttLink("sure", broker.host, broker.port, tls=own, clock_known=lambda: True)
    fooled = Tls(own, ca_certs=str(tmp_path / "stranger.pem"))
    strict = MqttLink("strict", broker.host, broker.port, tls=fooled, clock_known=lambda: False)
    for link in (lost, sure, strict):
        link.start()
    eventually(lambda: lost.connected() and sure._attempt >= 2 and strict._attempt >= 2)
    assert (sure.connections(), strict.connections()) == (0, 0)
    for link in (lost, sure, strict):
        link.stop()


def test_files_that_cannot_be_used_are_refused_before_anything_is_tried(tmp_path: Path) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    for name in ("missing.pem", "words.pem"):
        with pytest.raises(OSError):  # noqa: PT011 - of whatever kind
            MqttLink("lost", "127.0.0.1", 1, tls=Tls(ca_certs=str(tmp_path / name)))
