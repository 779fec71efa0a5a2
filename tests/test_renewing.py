"""A node's half of a renewal: what it takes, what it does not, and what a power cut or a broker that says no leaves."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_wire import NODE, NODE_KEY, NOON

from edge_node import asking, badge, disk
from edge_node.asking import Answered
from edge_node.badge import AUTHORITIES, NEXT, PENDING, PROVEN, Badge
from edge_node.gate import Gate
from edge_node.renewing import Renewing
from edge_node.settings import Settings
from wire import certificates, codec, renewal, seal, topics
from wire.certificates import Authority
from wire.loopback import Loopback
from wire.mqtt import context
from wire.renewal import Renewal, Renewed

FAR = NOON + timedelta(days=5000)
HOME = "lang-son"


@pytest.fixture(scope="module")
def issuer() -> Authority:
    return Authority(*Authority.make("Loa", FAR))


@pytest.fixture
def settings(tmp_path: Path, issuer: Authority) -> Settings:
    """A node whose certificate ends in 15 days."""
    key = certificates.new_key()
    made = issuer.admit(certificates.request(key, NODE), NODE, NOON + timedelta(days=15))
    files = {"broker.key": key.decode(), "broker.pem": made.pem, "broker-ca.pem": issuer.certificate}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    places = (str(tmp_path / name) for name in ("broker-ca.pem", "broker.pem", "broker.key"))
    ca, cert, own = places
    return Settings(NODE, HOME, ("0" * 64,), tmp_path, broker_ca=ca, broker_cert=cert, broker_key=own)


def renewing(settings: Settings) -> Renewing:
    return Renewing(settings, NODE_KEY, Gate(NODE, HOME, settings.root_keys), lambda: None)


def answer(settings: Settings, issuer: Authority, name: str = NODE, days: float = 90, key: bytes = b"") -> Renewed:
    """What a station says to the key that waits."""
    request = certificates.request(key or (settings.state_dir / PENDING).read_bytes(), name)
    made = issuer.admit(request, name, NOON + timedelta(days=days))
    return Renewed(NODE, NOON, made.pem, (issuer.certificate,))


def asked_over(settings: Settings, node: Renewing, after_days: float = 0) -> list[Renewal]:
    """What it asks, over a link that stands."""
    broker = Loopback()
    station, own = broker.link("station"), broker.link(NODE)
    station.listen([(topics.RENEWAL.filter(), 1)])
    station.start()
    own.start()
    node.look(own, NOON + timedelta(days=after_days), 1000.0)
    sealed = [seal.unwrap(message.payload, 8192) for message in station.take(0.0)]
    assert all(seal.sealed_by(each, {NODE_KEY.public.id: NODE_KEY.public}) for each in sealed)
    return [codec.read(Renewal, each.body(), 8192) for each in sealed]


def test_it_asks_when_a_third_is_left_and_not_before(settings: Settings, issuer: Authority) -> None:
    (asked,) = asked_over(settings, renewing(settings))
    assert certificates.public_of_request(asked.request) == certificates.public_of_key(
        (settings.state_dir / PENDING).read_bytes()
    )
    for days, asks in ((31, 0), (89, 0), (19, 1), (1800, 1)):  # the last one is from before there was renewal
        key = (settings.state_dir / "broker.key").read_bytes()
        (settings.state_dir / "broker.pem").write_text(answer(settings, issuer, days=days, key=key).certificate)
        assert len(asked_over(settings, renewing(settings))) == asks, days


@given(st.text("abcdefgh0123456789", min_size=1, max_size=20))
def test_every_node_asks_between_thirty_and_twenty_days_before_the_end(node: str) -> None:
    left = NOON - renewal.due_at(node, NOON)
    assert timedelta(days=20) <= left <= timedelta(days=30)


def test_what_was_asked_for_is_tried_and_proven(settings: Settings, issuer: Authority) -> None:
    node = renewing(settings)
    asked_over(settings, node)
    node.take(answer(settings, issuer), NOON)
    link = Badge(settings)
    assert link.fresher()
    assert link.files()["certfile"].endswith(NEXT)
    link.worked()
    assert not link.fresher()
    assert {path.name for path in settings.state_dir.glob("*")} >= {PROVEN, AUTHORITIES}
    assert not (settings.state_dir / NEXT).exists()
    assert not (settings.state_dir / PENDING).exists()
    held = Badge(settings).newest()
    assert held
    assert held.until == NOON + timedelta(days=90)


def test_what_was_not_asked_for_changes_nothing(settings: Settings, issuer: Authority) -> None:
    node = renewing(settings)
    asked_over(settings, node)
    other = Authority(*Authority.make("Loa", FAR))
    good = answer(settings, issuer)
    leaf = certificates.read(good.certificate).pem
    bad = [
        answer(settings, issuer, name="loa-02"),
        answer(settings, issuer, key=certificates.new_key()),
        answer(settings, issuer, days=-1),
        answer(settings, issuer, days=4000),
        Renewed(NODE, NOON, answer(settings, other).certificate, (issuer.certificate,)),
        Renewed(NODE, NOON, good.certificate, (leaf,)),
        Renewed(NODE, NOON, "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", (issuer.certificate,)),
        Renewed(NODE, NOON, "", (issuer.certificate,)),
        Renewed(NODE, NOON, good.certificate, ("x",)),
    ]
    before = {path.name: path.read_bytes() for path in settings.state_dir.iterdir()}
    for each in bad:
        node.take(each, NOON)
        assert {path.name: path.read_bytes() for path in settings.state_dir.iterdir()} == before, each
    node.take(good, NOON)
    assert (settings.state_dir / NEXT).exists()
    node.take(good, NOON)  # twice, as QoS 1 may
    assert certificates.read((settings.state_dir / NEXT).read_text().split("-----BEGIN PRIV")[0]).name == NODE


def test_an_authority_that_is_named_is_trusted_beside_the_one_that_is(settings: Settings, issuer: Authority) -> None:
    node, successor = renewing(settings), Authority(*Authority.make("Loa 2044", FAR))
    asked_over(settings, node)
    made = answer(settings, successor).certificate
    node.take(Renewed(NODE, NOON, made, (successor.certificate,)), NOON)
    assert Badge(settings).trusted() == [issuer.certificate, successor.certificate]


def test_a_pair_that_the_broker_turns_away_twice_is_put_away(settings: Settings, issuer: Authority) -> None:
    node, seconds = renewing(settings), [0.0]
    asked_over(settings, node)
    node.take(answer(settings, issuer), NOON)
    link = Badge(settings, lambda: seconds[0])
    for _ in range(badge.MOST_LOSSES):
        assert link.files()["certfile"].endswith(NEXT)
        link.failed("sslv3 alert certificate unknown")
        assert link.files()["certfile"] == settings.broker_cert
        link.worked()
        assert not link.fresher()
        seconds[0] += badge.AGAIN_SECONDS
    assert not (settings.state_dir / NEXT).exists()
    assert not link.is_turned_away


def test_a_broker_that_cannot_be_reached_proves_nothing(settings: Settings, issuer: Authority) -> None:
    node = renewing(settings)
    asked_over(settings, node)
    node.take(answer(settings, issuer), NOON)
    link = Badge(settings)
    for _ in range(9):
        link.files()
        link.failed("Connection refused")
    assert (settings.state_dir / NEXT).exists()
    while not link.files()["certfile"].endswith(NEXT):
        link.failed("Connection refused")
    link.worked()
    assert (settings.state_dir / PROVEN).exists()


class PowerCut(BaseException):
    """Not an error: nobody catches it."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("cut_at", range(6))
def test_a_power_cut_at_any_write_leaves_a_pair_that_works(
    settings: Settings, issuer: Authority, monkeypatch: pytest.MonkeyPatch, cut_at: int, after: bool
) -> None:
    writes = iter(range(100))
    real = {name: getattr(disk, name) for name in ("write", "remove", "sync_folder")}

    def cutting(name: str):
        def act(*given: object, **named: object) -> None:
            number = next(writes) if name != "sync_folder" else -1
            if number == cut_at and not after:
                raise PowerCut
            real[name](*given, **named)
            if number == cut_at:
                raise PowerCut

        return act

    def renew() -> None:
        node = renewing(settings)
        asked_over(settings, node)
        if (settings.state_dir / PENDING).exists():
            node.take(answer(settings, issuer), NOON)
        link = Badge(settings)
        link.files()
        link.worked()

    with monkeypatch.context() as patched:
        for name in real:
            patched.setattr(disk, name, cutting(name))
        with contextlib.suppress(PowerCut):
            renew()
    left = Badge(settings)
    context(left.files())  # key and certificate belong together
    assert left.newest()
    renew()
    held = Badge(settings).newest()
    assert held
    assert held.until == NOON + timedelta(days=90)
    context(Badge(settings).files())


def test_spoilt_files_are_passed_over(settings: Settings) -> None:
    for name in (NEXT, PROVEN):
        (settings.state_dir / name).write_bytes(b"\xff half a pair")
    link = Badge(settings)
    seen = []
    for _ in range(3):
        seen.append(link.files()["certfile"])
        link.failed("no certificate in it")
    assert seen[-1] == settings.broker_cert
    held = link.newest()
    assert held
    assert held.until == NOON + timedelta(days=15)


def test_who_is_turned_away_asks_over_http_whatever_the_dates_say(
    settings: Settings, issuer: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a node that does not know the time, or one whose broker has an authority that it never heard of."""
    node = Renewing(
        replace(settings, station_url="http://192.0.2.1:8080"), NODE_KEY, Gate(NODE, HOME, ("0" * 64,)), lambda: None
    )
    posted: list[tuple[str, str]] = []

    def post(station: str, path: str, body: bytes, most_bytes: int) -> Answered:
        posted.append((station, path))
        assert seal.sealed_by(seal.unwrap(body, 8192), {NODE_KEY.public.id: NODE_KEY.public})
        return Answered(200, codec.write(renewal.WayBack("certificate", "trust")))

    monkeypatch.setattr(asking, "post", post)
    away, link = Loopback().link(NODE), Badge(settings)
    node.look(away, NOON, 1000.0)
    assert posted == []
    for said in ("sslv3 alert certificate expired", "tlsv1 alert unknown ca", "certificate verify failed"):
        assert not link.is_turned_away
        link.files()
        link.failed(said)
        link.failed("MQTT_ERR_CONN_LOST")
    node.look(away, NOON, 2000.0)
    assert node._thread
    node._thread.join()
    assert posted == [("http://192.0.2.1:8080", f"/gia-han/{NODE}")]
    assert [message.topic for message in node.brought()] == [
        topics.TRUST.topic(),
        topics.CERTIFICATE.topic(node=NODE),
    ]
    assert node.brought() == []
    link.worked()
    assert not Badge(settings).is_turned_away


def test_what_nobody_foresaw_at_one_address_does_not_keep_it_from_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node = renewing(settings)
    monkeypatch.setattr(node, "_stations", lambda: ["http://192.0.2.1:8080", "http://192.0.2.2:8080"])
    posted: list[str] = []

    def post(station: str, path: str, body: bytes, most_bytes: int) -> Answered:
        posted.append(station)
        if len(posted) == 1:
            raise KeyError("nobody foresaw it")
        return Answered(200, codec.write(renewal.WayBack("certificate", "trust")))

    monkeypatch.setattr(asking, "post", post)
    node.look(Loopback().link(NODE), NOON + timedelta(days=16), 1000.0)
    assert node._thread
    node._thread.join()
    assert len(posted) == len(node.brought()) == 2
    assert "Traceback" in caplog.text


def test_a_machine_without_a_thread_to_give_is_asked_again_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, away, posted = renewing(settings), Loopback().link(NODE), list[str]()
    monkeypatch.setattr(node, "_stations", lambda: ["http://192.0.2.1:8080"])

    def post(station: str, *_: object) -> Answered:
        posted.append(station)
        return Answered(404, b"")

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asking, "post", post)
    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", none)
        node.look(away, NOON + timedelta(days=16), 1000.0)
    node.look(away, NOON + timedelta(days=16), 9000.0)
    assert node._thread
    node._thread.join()
    assert len(posted) == 1
