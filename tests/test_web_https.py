"""https by the station's own certificate: what is served how, who may pass as whom, renewal under way."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import pytest
from makers_tls import NAMES, SecureTown, plain, secure, served
from makers_web import PASSWORD
from ports import free_port

from controller import web_certificates
from controller.authority import establish
from controller.keys import Keyring, KeyTrouble
from controller.settings import Settings, SettingsError, from_values
from controller.web import cookies
from controller.web.headers import HEADERS, HSTS
from controller.web.language import WebError
from controller.web.plain import secure_address
from controller.web.server import Server, serve
from wire import certificates


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SecureTown, Server]]:
    with served(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture
def town(here: tuple[SecureTown, Server]) -> SecureTown:
    return here[0]


@pytest.fixture
def server(here: tuple[SecureTown, Server]) -> Server:
    return here[1]


Got = tuple[int, bytes, HTTPMessage]


def got(connection: HTTPConnection, path: str, method: str = "GET", body: str | None = None) -> Got:
    """The one answer of a connection, which is closed."""
    with closing(connection):
        return again(connection, path, method, body)


def again(connection: HTTPConnection, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Got:
    """An answer of a connection that stays open."""
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def test_one_port_serves_both_and_leads_people_to_https(town: SecureTown, server: Server) -> None:
    status, page, told = got(secure(server, town), "/dang-nhap")
    assert (status, b"<h1>" in page) == (200, True)
    assert told[HSTS[0]] == HSTS[1]
    address = f"https://127.0.0.1:{server.port}"
    for path in ("/", "/dang-nhap?tiep=/ke-hoach%3Fa=1", "/khong-co", "/nh%E1%BA%ADt"):
        status, _, told = got(plain(server), path)
        assert (status, told["Location"]) == (308, address + path)
        assert told["Cache-Control"] == "no-store"
        assert HSTS[0] not in told
    for method in ("POST", "PUT", "DELETE"):
        status, page, _ = got(plain(server), "/dang-nhap", method, "name=a&password=b")
        assert (status, b"https://" in page) == (409, True), method


def test_what_a_node_needs_is_there_without_https(town: SecureTown, server: Server) -> None:
    asset = "0" * 64
    (town.settings.shelf_dir / asset).write_bytes(b"sound")
    assert got(plain(server), f"/audio/{asset}")[0] == 200
    assert got(plain(server), "/suc-khoe")[0] == 200
    assert got(plain(server), "/ghi-danh", "POST", "x")[0] == 400
    assert town.settings.audio_url.startswith("http://")


def test_cookies_over_tls_are_bound_to_the_host(town: SecureTown, server: Server) -> None:
    (cookie,) = got(secure(server, town), "/dang-nhap")[2].get_all("Set-Cookie") or []
    assert cookie.startswith("__Host-loa_bieu_mau=")
    assert {each.strip() for each in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
    token = town.session("van-hoa")
    for sent, status in ((f"__Host-loa_phien={token}", 200), (f"loa_phien={token}", 302)):
        with closing(secure(server, town)) as connection:
            assert again(connection, "/ke-hoach", Cookie=sent)[0] == status, sent


@pytest.mark.parametrize(
    ("header", "views"),
    [
        ("", ""),
        ("a=1; __Host-b=2; __Host-c=3", "b=2; c=3"),
        ("__host-b=2; __Secure-c=3", ""),
        ("__Host-b=__Host-c=1;;__Host-", "b=__Host-c=1; "),
        (' __Host-b="x y" ;c', 'b="x y"'),
    ],
)
def test_only_bound_cookies_come_in(header: str, views: str) -> None:
    assert cookies.came(header) == views


def test_a_cookie_goes_out_secure_once() -> None:
    assert cookies.went("a=1; Path=/") == "__Host-a=1; Path=/; Secure"
    assert cookies.went("a=secure; secure; Path=/") == "__Host-a=secure; secure; Path=/"


def test_every_cookie_of_a_whole_visit_is_one_that_a_browser_takes(town: SecureTown) -> None:
    """`__Host-` is refused with another path, a domain, or without Secure (RFC 6265bis)."""
    client = town.app().test_client()
    base = {"base_url": "https://radio.test"}
    page = client.get("/dang-nhap", **base)
    key = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answers = [page, client.get("/tieng/en", **base)]
    typed = {"csrf_token": key, "name": "van-hoa", "password": PASSWORD}
    answers.append(client.post("/dang-nhap", data=typed, **base))
    assert answers[-1].status_code == 302
    front = client.get("/", **base)
    assert front.status_code == 200
    key = front.text.split('name="csrf_token" value="')[1].split('"')[0]
    answers += [front, client.post("/dang-xuat", data={"csrf_token": key}, **base)]
    sent = [each for answer in answers for each in answer.headers.getlist("Set-Cookie")]
    assert len(sent) >= 6
    for cookie in sent:
        assert cookie.startswith("__Host-"), cookie
        told = {each.strip().lower() for each in cookie.split(";")[1:]}
        assert {"secure", "path=/"} <= told, cookie
        assert "httponly" in told or "max-age=0" in told, cookie
        assert not any(each.startswith("domain") for each in told)
    assert client.get("/", **base).status_code == 302


def test_a_live_page_hears_over_tls_and_its_place_is_free_when_it_leaves(tmp_path: Path) -> None:
    with served(tmp_path) as (town, server):
        viewer = secure(server, town)
        viewer.request("GET", "/su-kien", headers={"Cookie": f"__Host-loa_phien={town.session('van-hoa')}"})
        answer = viewer.getresponse()
        assert answer.status == 200
        town.desk.teach("*", "Nà Pàn", "Nà Pan", town.boss, town.now)
        assert any(line == b"event: changed\n" for line in iter(answer.readline, b""))
        answer.close()
        viewer.close()
        for _ in range(600):
            if len(server.listeners[0].crowd) == 0:
                break
            threading.Event().wait(0.1)
        assert len(server.listeners[0].crowd) == 0


def test_an_answer_that_is_on_its_way_arrives_although_the_server_ends(tmp_path: Path) -> None:
    with served(tmp_path) as (town, server), closing(secure(server, town)) as connection:
        connection.request("GET", "/suc-khoe")
        ending = threading.Thread(target=server.stop)
        answer = connection.getresponse()
        ending.start()
        assert b'"web":"ok"' in answer.read()
        ending.join(60)
        assert not ending.is_alive()


def test_what_cannot_begin_leaves_no_port_behind(tmp_path: Path) -> None:
    town = SecureTown(tmp_path)
    port = free_port()

    def none() -> tuple[Path, None]:
        raise KeyTrouble("keys.not_a_key", path=tmp_path)

    with pytest.raises(KeyTrouble):
        serve(town.app(), "127.0.0.1", port, papers=none)
    serve(town.app(), "127.0.0.1", port, papers=town.papers).stop()
    town.store.close()


# --- certificates --------------------------------------------------------------------------------------------


def test_a_certificate_is_made_once_and_anew_in_time(tmp_path: Path) -> None:
    town = SecureTown(tmp_path)
    first = town.papers()[0].read_bytes()
    ca = town.authority.read_bytes()
    assert town.papers()[0].read_bytes() == first
    town.now += timedelta(days=295)
    assert town.papers()[0].read_bytes() == first
    town.now += timedelta(days=2)
    second = town.papers()[0].read_bytes()
    assert second != first
    told = web_certificates.told(town.settings)
    assert told is not None
    assert abs(told.until - town.now - timedelta(days=396)) < timedelta(seconds=2)
    assert set(told.names) == set(NAMES)
    town.now -= timedelta(days=297)  # the clock was set back: what begins later than now is no good
    third = town.papers()[0].read_bytes()
    assert third not in (first, second)
    (town.papers()[0]).write_bytes(third[:200])  # spoilt, as by a power cut
    assert town.papers()[0].read_bytes()[:200] != third[:200]
    assert town.authority.read_bytes() == ca
    assert (town.settings.keys_dir / web_certificates.CA_KEY).stat().st_mode & 0o777 == 0o600
    assert town.papers()[0].stat().st_mode & 0o777 == 0o600
    town.store.close()


def test_other_names_get_another_certificate_as_far_as_the_authority_reaches(tmp_path: Path) -> None:
    def keep(*names: str) -> bytes:
        return web_certificates.keep(Settings(state_dir=tmp_path, web_names=names), town.now).read_bytes()

    town = SecureTown(tmp_path)
    first = keep("radio.test", "192.168.1.9")
    assert keep("192.168.1.9", "RADIO.test") == first
    assert keep("radio.test", "10.1.2.3", "www.radio.test", "fd00::1") != first
    for stranger in ("evil.test", "notradio.test", "8.8.8.8", "2001:db8::1"):
        with pytest.raises(KeyTrouble, match=stranger.replace(".", r"\.")):
            keep("radio.test", stranger)
    with pytest.raises(KeyTrouble, match="no name"):
        keep("radio..test")
    town.store.close()


@pytest.mark.parametrize(
    "names",
    [("192.168.7.5",), ("192.168.7.5", "radio.test"), ("fd00::5", "192.168.7.5"), ("203.0.113.9",), ("radio.test",)],
    ids=" ".join,
)
def test_openssl_believes_a_certificate_whatever_stands_first(tmp_path: Path, names: tuple[str, ...]) -> None:
    settings = Settings(state_dir=tmp_path, web_names=names)
    path = web_certificates.keep(settings, datetime.now(UTC))
    trusted = ["-x509_strict", "-purpose", "sslserver", "-CAfile", str(settings.web_dir / "ca.pem")]
    for name, agrees in [*((each, True) for each in names), ("192.168.7.6", False), ("evil.test", False)]:
        asked = "-verify_hostname" if name.endswith(".test") else "-verify_ip"
        command = ["openssl", "verify", *trusted, asked, name, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode == 0) is agrees, (name, done.stdout + done.stderr)


def test_a_client_that_calls_by_address_alone_is_served(tmp_path: Path) -> None:
    town = SecureTown(tmp_path)
    town.settle()
    town.settings = replace(town.settings, web_names=("127.0.0.1",))
    server = serve(town.app(), "127.0.0.1", 0, papers=town.papers)
    try:
        with closing(secure(server, town)) as called:
            assert again(called, "/suc-khoe")[0] == 200
    finally:
        server.stop()
        town.store.close()


def test_a_certificate_that_an_earlier_version_made_by_its_address_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, now = Settings(state_dir=tmp_path, web_names=("192.168.7.5",)), datetime.now(UTC)
    monkeypatch.setattr(web_certificates, "_title", lambda names: str(names[0].value))
    before = web_certificates.keep(settings, now).read_bytes()
    monkeypatch.undo()
    after = web_certificates.keep(settings, now).read_bytes()
    assert after != before
    assert web_certificates.keep(settings, now).read_bytes() == after


def test_a_new_certificate_is_served_while_old_connections_go_on(tmp_path: Path) -> None:
    with served(tmp_path) as (town, server):
        old = secure(server, town)
        assert again(old, "/suc-khoe")[0] == 200
        assert isinstance(old.sock, ssl.SSLSocket)
        before = old.sock.getpeercert(True)
        town.now += timedelta(days=300)
        (encryption,) = [each.encryption for each in server.listeners]
        assert encryption is not None
        encryption.look()
        new = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
        assert new != before
        assert again(old, "/suc-khoe")[0] == 200
        # one that cannot be used is left alone
        (town.settings.keys_dir / web_certificates.CA_KEY).write_bytes(b"spoilt")
        town.now += timedelta(days=300)
        encryption.look()
        assert again(old, "/suc-khoe")[0] == 200
        old.close()


def test_a_certificate_of_somebody_else_is_read_again_when_its_files_change(tmp_path: Path) -> None:
    town = SecureTown(tmp_path / "town")
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"

    def lay(days: int) -> None:
        other = Settings(state_dir=tmp_path / f"other{days}", web_names=("radio.test",))
        held = web_certificates.keep(other, town.now + timedelta(days=days)).read_text()
        private, begin, public = held.partition("-----BEGIN CERTIFICATE-----")
        for path, text in ((certificate, begin + public), (key, private)):
            path.with_suffix(".new").write_text(text)
            os.replace(path.with_suffix(".new"), path)

    lay(0)
    server = serve(town.app(), "127.0.0.1", 0, papers=lambda: (certificate, key))
    try:
        (encryption,) = [each.encryption for each in server.listeners]
        assert encryption is not None
        first = ssl.get_server_certificate(("127.0.0.1", server.port))
        lay(1)
        encryption.look()
        assert ssl.get_server_certificate(("127.0.0.1", server.port)) != first
        second = ssl.get_server_certificate(("127.0.0.1", server.port))
        key.write_text("half a k")
        encryption.look()
        certificate.unlink()
        encryption.look()
        assert ssl.get_server_certificate(("127.0.0.1", server.port)) == second
    finally:
        server.stop()
        town.store.close()


def test_nothing_to_begin_with_is_one_sentence(tmp_path: Path) -> None:
    town = SecureTown(tmp_path)
    (tmp_path / "x.pem").write_text("no certificate")
    for path in (tmp_path / "x.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(WebError) as wrong:
            serve(town.app(), "127.0.0.1", 0, papers=lambda path=path: (path, path))  # type: ignore[misc]
        assert wrong.value.key == "web.bad_certificate"
    with pytest.raises(SettingsError, match="neither"):
        from_values({"web_certificate": "/x.pem"})
    town.store.close()


def test_nothing_that_a_node_has_passes_as_the_web_and_nothing_of_the_web_as_a_broker_or_node(tmp_path: Path) -> None:
    town = SecureTown(tmp_path)
    nodes = establish(Keyring(town.settings.keys_dir), town.now)
    until = town.now + timedelta(days=30)
    own = certificates.new_key()
    node = own + nodes.admit(certificates.request(own, "127.0.0.1"), "127.0.0.1", until).pem.encode()
    broker = own + nodes.serve(own, ["127.0.0.1"], until).pem.encode()
    web = town.papers()[0].read_bytes()
    (tmp_path / "nodes.pem").write_text(nodes.certificate)

    def believed(paper: bytes, authority: Path, *, client: bool = False) -> bool:
        """Whether who shows ``paper`` is taken for 127.0.0.1 (as a client: at all) by whoever trusts ``authority``."""
        shown = tmp_path / "shown.pem"
        shown.write_bytes(paper)
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if client:
            serving.load_cert_chain(tmp_path / "broker.pem")
            serving.verify_mode = ssl.CERT_REQUIRED
            serving.load_verify_locations(authority)
            asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
            asking.load_cert_chain(shown)
        else:
            serving.load_cert_chain(shown)
            asking.load_verify_locations(authority)
        return _met(serving, asking)

    (tmp_path / "broker.pem").write_bytes(broker)
    assert believed(web, town.authority)
    assert believed(broker, tmp_path / "nodes.pem")
    assert not believed(node, town.authority)
    assert not believed(broker, town.authority)
    assert not believed(node, tmp_path / "nodes.pem")  # not as a server, although the authority is the right one
    assert not believed(web, tmp_path / "nodes.pem")
    assert believed(node, tmp_path / "nodes.pem", client=True)
    assert not believed(web, tmp_path / "nodes.pem", client=True)
    assert not believed(broker, tmp_path / "nodes.pem", client=True)
    town.store.close()


def _met(serving: ssl.SSLContext, asking: ssl.SSLContext) -> bool:
    """Whether both are content with each other; spoken in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = asking.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    left = [client, server]
    for _ in range(20):
        for each in list(left):
            try:
                each.do_handshake()
                left.remove(each)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return False
    return not left


# --- the page about it ---------------------------------------------------------------------------------------


def test_the_page_about_the_authority_is_open_without_https_and_only_where_there_is_one(
    town: SecureTown, server: Server
) -> None:
    told = web_certificates.told(town.settings)
    assert told is not None
    status, page, _ = got(plain(server), "/chung-chi")
    assert status == 200
    assert told.fingerprint.encode() in page.replace(b"<wbr>", b"")
    status, file, carried = got(plain(server), "/chung-chi.crt")
    assert (status, file) == (200, ssl.PEM_cert_to_DER_cert(town.authority.read_text()))
    assert carried["Content-Type"] == "application/x-x509-ca-cert"
    assert {name: carried[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("radio.test", "https://radio.test"),
        ("RADIO.test:80", "https://radio.test"),
        ("127.0.0.1", "https://127.0.0.1"),
        ("evil.test", "https://radio.test"),
        ("evil.test@radio.test", "https://radio.test"),
        ("[::1]:80", "https://radio.test"),
        ("", "https://radio.test"),
        ("x" * 5000, "https://radio.test"),
    ],
)
def test_a_visitor_is_led_only_where_the_certificate_is_good(asked: str, address: str) -> None:
    settings = Settings(web_names=NAMES, web_port=80, web_tls_port=443)
    assert secure_address(settings, asked) == address


def test_settings_say_where_people_and_nodes_find_the_web() -> None:
    made = from_values({"web_names": "radio.test, 192.0.2.1", "web_port": 80, "web_tls_port": 443, "web_host": "::"})
    assert made.web_url() == "https://radio.test"
    assert made.plain_url() == "http://[::]:80"
    assert made.authority_page == "http://radio.test/chung-chi"
    assert from_values({"web_names": "a"}).web_url(8081) == "https://a:8081"
