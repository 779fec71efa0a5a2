"""A node renews its certificate over MQTT, and comes back over HTTP after long: real broker, web, node."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from makers_enrolment import HOST, Commune, eventually, utc_now

from controller import authority, keys
from edge_node import badge
from fleet import mosquitto
from wire import certificates, renewal

pytestmark = pytest.mark.skipif(
    mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto"
)


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    with Commune(tmp_path) as made:
        yield made


def held(commune: Commune) -> certificates.Certificate:
    """The certificate of the node's proven pair."""
    pair = (commune.folder / "device" / "state" / badge.PROVEN).read_text()
    return certificates.read(certificates.split(pair)[0])


def tells(commune: Commune) -> datetime | None:
    """Until when the node's certificate holds, as it told last; None before it ever did."""
    condition = commune.store.health.condition("loa-01")
    return condition.health.certificate_until if condition and condition.health else None


def ending(commune: Commune, key: bytes, days: int) -> str:
    """A certificate of the node's key that ends so many days from now."""
    issuer = authority.find(keys.Keyring(commune.settings.keys_dir), utc_now())
    assert issuer
    return issuer.admit(certificates.request(key, "loa-01"), "loa-01", utc_now() + timedelta(days=days)).pem


def test_a_node_renews_in_time_and_comes_back_when_it_was_away_too_long(commune: Commune) -> None:
    told = commune.enrol(commune.code().shown(), "device")
    assert told.returncode == 0, told.stderr.decode()
    state = commune.folder / "device" / "state"
    access = commune.settings.broker_dir / "access"
    eventually(lambda: "user loa-01" in access.read_text())
    commune.take_over()
    first = certificates.read((state / "broker.pem").read_text())
    assert timedelta(days=89) < first.until - utc_now() <= renewal.VALIDITY

    (state / "broker.pem").write_text(ending(commune, (state / "broker.key").read_bytes(), days=15))
    commune.run("device")
    eventually(lambda: (state / badge.PROVEN).exists())
    renewed = held(commune)
    assert timedelta(days=89) < renewed.until - utc_now() <= renewal.VALIDITY
    assert certificates.public_of(renewed.pem) != certificates.public_of(first.pem)
    assert stat.S_IMODE((state / badge.PROVEN).stat().st_mode) == 0o600
    eventually(lambda: not (state / badge.PENDING).exists())
    eventually(lambda: tells(commune) == renewed.until)
    assert commune.store.enrolments.certificate("loa-01").serial == renewed.serial
    assert certificates.split((state / badge.AUTHORITIES).read_text()) == [
        (commune.settings.keys_dir / authority.CERTIFICATE).read_text()
    ]
    commune.kill("device")

    text = (state / badge.PROVEN).read_text()
    key = text[text.index("-----BEGIN PRIVATE KEY") :].encode()
    for pair, pem in ((badge.PROVEN, ending(commune, key, days=-100) + key.decode()), ("broker.pem", None)):
        (state / pair).write_text(pem or ending(commune, (state / "broker.key").read_bytes(), days=-100))
    commune.run("device")
    eventually(lambda: held(commune).until > utc_now())
    back = held(commune)
    assert back.serial != renewed.serial
    eventually(lambda: tells(commune) == back.until)
    assert "renewal_asked over=http" in (commune.folder / "device.log").read_text()
    assert commune.settings.web_url().startswith(f"http://{HOST}")
