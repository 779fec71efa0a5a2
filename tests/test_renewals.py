"""The station's half of a renewal: who gets a certificate, who gets the same one again, and who gets none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_enrolment import NOW, Device, House, furnished, stretched_once  # noqa: F401 - fixtures

from controller import authority, keys
from controller.guestlist import BROKER_CERT, OWN_CERT, REVOKED, Guestlist
from controller.renewals import MOST_LIVE, Renewals
from wire import certificates, codec, renewal, seal, topics
from wire.enrolment import Refusal
from wire.renewal import Renewal, Renewed, WayBack
from wire.seal import Signer

YEAR = timedelta(days=365)


@pytest.fixture
def house(tmp_path: Path, furnished: Path) -> Iterator[House]:  # noqa: F811
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    made = House(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def device(house: House) -> Device:
    """A node that was let in."""
    made = Device(house.code())
    house.lets_in(made)
    return made


def question(signer: Signer, key: bytes = b"", node: str = "loa-01", kind: str = "renewal") -> bytes:
    request = certificates.request(key or certificates.new_key(), "whatever it calls itself")
    return seal.seal(kind, codec.write(Renewal(node, NOW, request)), signer)


def told(house: House, raw: bytes, node: str = "loa-01", days: float = 0) -> Renewed | str:
    """What is answered over HTTP: a certificate under the station's seal, or the reason why not."""
    body, status = Renewals(house.store, house.settings).receive(node, raw, NOW + timedelta(days=days))
    if status != 200:
        return codec.read(Refusal, body, 1000).reason
    back = codec.read(WayBack, body, renewal.MOST_ANSWER_BYTES)
    station = keys.Keyring(house.settings.keys_dir).station().public
    envelope = seal.unwrap(back.certificate.encode(), topics.CERTIFICATE.most_bytes)
    assert seal.is_kind(envelope, "certificate")
    assert seal.sealed_by(envelope, {station.id: station})
    assert seal.is_kind(seal.unwrap(back.trust.encode(), topics.TRUST.most_bytes), "trust")
    return codec.read(Renewed, envelope.body(), topics.CERTIFICATE.most_bytes)


def test_a_node_gets_a_certificate_for_its_new_key_and_the_old_one_holds_on(house: House, device: Device) -> None:
    key = certificates.new_key()
    got = told(house, question(device.signer, key))
    assert isinstance(got, Renewed)
    made = certificates.read(got.certificate)
    assert (made.name, made.until) == ("loa-01", NOW + renewal.VALIDITY)
    assert certificates.public_of(got.certificate) == certificates.public_of_key(key)
    assert certificates.issued_by(got.certificate, got.authorities[0])
    assert len(house.store.enrolments.live("loa-01", NOW)) == 2
    assert house.store.enrolments.revoked(NOW) == []


def test_the_same_question_gets_the_same_certificate_and_a_key_that_is_over_gets_none(
    house: House, device: Device
) -> None:
    raw = question(device.signer)
    first = told(house, raw)
    assert isinstance(first, Renewed)
    again = told(house, raw, days=89)
    assert isinstance(again, Renewed)
    assert again.certificate == first.certificate
    assert told(house, raw, days=91) == "used"
    assert len(house.store.enrolments.live("loa-01", NOW)) == 2


def test_who_is_not_the_node_gets_none(house: House, device: Device) -> None:
    stranger = Signer.generate()
    bad = {
        "wrong": [question(stranger), question(device.signer, node="loa-02"), question(device.signer, kind="receipts")],
        "malformed": [b"", b"{}", question(device.signer)[:-9], seal.seal("renewal", b"{}", device.signer)],
        "too_big": [b" " * (renewal.MOST_QUESTION_BYTES + 1)],
    }
    bad["malformed"].append(seal.seal("renewal", codec.write(Renewal("loa-01", NOW, "no request")), device.signer))
    for reason, raws in bad.items():
        assert [told(house, raw) for raw in raws] == [reason] * len(raws)
    for node in ("loa-99", "", "../loa-01", "station", "x" * 999):
        assert told(house, question(device.signer), node=node) == "unknown"
    assert len(house.store.enrolments.live("loa-01", NOW)) == 1


@given(st.binary(max_size=300))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
def test_any_bytes_get_a_reason(house: House, device: Device, raw: bytes) -> None:
    assert told(house, raw) in ("malformed", "wrong")


def test_a_revoked_node_gets_none_until_another_device_took_its_place(house: House, device: Device) -> None:
    raw = question(device.signer)
    assert isinstance(told(house, raw), Renewed)
    house.desk.revoke_node("loa-01", house.boss, NOW)
    assert told(house, raw) == told(house, question(device.signer)) == "unknown"
    assert len(house.store.enrolments.revoked(NOW)) == 2
    asked = Renewal("loa-01", NOW, certificates.request(certificates.new_key(), "x"))
    assert Renewals(house.store, house.settings).answer_all([asked], NOW) == []
    second = Device(house.desk.replace_node("loa-01", house.boss, NOW))
    house.lets_in(second)
    assert told(house, question(device.signer)) == "wrong"
    assert told(house, raw) == "wrong"
    assert isinstance(told(house, question(second.signer)), Renewed)


def test_certificates_without_end_are_not_given_in_a_day(house: House, device: Device) -> None:
    got = [told(house, question(device.signer)) for _ in range(MOST_LIVE + 2)]
    assert got[MOST_LIVE - 1 :] == ["too_many"] * 3
    assert isinstance(told(house, question(device.signer), days=2), Renewed)


def test_an_authority_has_a_successor_in_time_and_everybody_hears_of_it(house: House, device: Device) -> None:
    guests, ring = Guestlist(house.store, house.settings), keys.Keyring(house.settings.keys_dir)
    guests.certify(["127.0.0.1"], NOW)
    (first,) = authority.find_all(ring)
    assert guests.renew(NOW + 17 * YEAR) != []  # broker and station; the authority is alone
    assert len(authority.find_all(ring)) == 1
    soon = NOW + 18 * YEAR + timedelta(days=1)
    guests.renew(soon)
    _, second = authority.find_all(ring)
    got = told(house, question(device.signer), days=(soon - NOW).days)
    assert isinstance(got, Renewed)
    assert got.authorities == (first.certificate, second.certificate)
    assert certificates.issued_by(got.certificate, first.certificate)
    later = NOW + 19 * YEAR + timedelta(days=1)
    guests.renew(later)
    got = told(house, question(device.signer), days=(later - NOW).days)
    assert isinstance(got, Renewed)
    assert certificates.issued_by(got.certificate, second.certificate)
    text = (house.settings.broker_dir / authority.CERTIFICATE).read_text()
    assert certificates.split(text) == [first.certificate, second.certificate]
    assert (house.settings.broker_dir / REVOKED).read_text().count("BEGIN X509 CRL") == 2
    for place in (house.settings.broker_dir / BROKER_CERT, house.settings.keys_dir / OWN_CERT):
        held = certificates.read(place.read_text())
        assert held.until - later > authority.SERVER_BEFORE
    assert guests.renew(later) == []
    assert guests.ending(later) == {}
    assert guests.ending(later + timedelta(days=352)).keys() == {"broker", "station"}
    assert guests.ending(NOW + 38 * YEAR).keys() == {"authority", "broker", "station"}
    guests.renew(NOW + 20 * YEAR + timedelta(days=1))
    assert (house.settings.keys_dir / authority.CERTIFICATE).read_text() == second.certificate
