"""`loa node enrol` and `loa node tone` at a node: over a real web, straight or through somebody in between."""

from __future__ import annotations

import json
import ssl
import threading
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import soundfile
import urllib3
from makers_enrolment import utc_now
from makers_loa import Loa, Told, at_home, in_this_process
from ports import free_port

from controller import bootstrap, keys
from controller.desk import Desk, Enrolment
from controller.roster import Area, AreaKind
from controller.settings import Settings
from controller.store.rows import User
from edge_node import disk, radio
from edge_node import settings as node_settings
from wire import certificates, enrolment
from wire.onetime import Code
from wire.seal import Signer

HOME = "lang-son"
STRETCH = cache(enrolment.stretch)
Change = Callable[[bytes], bytes]


class Station:
    """A station's web on a real socket, without a broker: enrolment needs none."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(state_dir=folder, web_port=free_port())
        self.store = bootstrap.open_store(self.settings)
        self.desk: Desk = bootstrap.make_desk(self.settings, self.store)
        keys.establish(keys.Keyring(self.settings.keys_dir), self.store, ("*",), utc_now())
        self.boss: User = self.desk.open_house("quan-tri", "một câu rất dài để nhớ", utc_now())
        self.desk.add_area(Area(HOME, "Lạng Sơn", AreaKind.PROVINCE), self.boss, utc_now())
        self.running = bootstrap.start(self.settings, station=False)

    def code(self, node: str) -> Code:
        return self.desk.invite_node(Enrolment(node, node, HOME), self.boss, utc_now())

    def stop(self) -> None:
        self.running.stop()
        self.store.close()


class Between:
    """Somebody between a node and its station, who may change what passes, or lose it."""

    def __init__(self, station: str, question: Change = bytes, answer: Change = bytes) -> None:
        self.seen: list[bytes] = []
        between = self

        class Relay(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                with urllib3.PoolManager() as pool:
                    got = pool.request(
                        "POST", station + self.path, body=question(asked), headers={"Content-Type": "application/json"}
                    )
                between.seen += [asked, got.data]
                told = answer(got.data)
                if told:
                    self.send_response(got.status)
                    self.send_header("Content-Length", str(len(told)))
                    self.end_headers()
                    self.wfile.write(told)

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Relay)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    made = Station(tmp_path_factory.mktemp("station"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def stretched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides stretch a code; here the second takes what the first found."""
    monkeypatch.setattr(enrolment, "stretch", STRETCH)


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    return in_this_process(capsys)


@pytest.fixture
def enrol(loa: Loa, tmp_path: Path, station: Station) -> Callable[..., Told]:
    def run(code: Code | str, *more: object, address: str = station.settings.web_url()) -> Told:
        typed = code.shown() if isinstance(code, Code) else code
        places = ("--config", tmp_path / "node.toml", "--state-dir", tmp_path / "state")
        return loa("node", "enrol", typed, "--station", address, *places, "--player", "file", *more)

    return run


def nothing_written(folder: Path) -> bool:
    return not (folder / "node.toml").exists() and not (folder / "state" / "node.key").exists()


def test_a_node_is_enrolled_with_settings_that_can_be_read(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    before = utc_now()
    told = enrol(station.code("loa-01"))
    assert (told.code, told.err) == (0, "")
    made = node_settings.load(tmp_path / "node.toml", {})
    assert (made.node, made.home, made.player, made.broker_host) == ("loa-01", HOME, "file", "127.0.0.1")
    assert made.broker_ca == ""  # this station's broker speaks no TLS
    assert "no TLS" in told.out
    bound = datetime.fromisoformat(disk.read_record(tmp_path / "state" / "clock").decode())
    assert bound >= before - timedelta(seconds=1)  # a lower bound of time for a node that has no clock


def test_what_is_mistyped_is_said_before_anything_is_sent(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    typed = station.code("loa-typed").shown()
    swapped = typed[:5] + typed[6] + typed[5] + typed[7:] if typed[5] != typed[6] else typed[:-1] + "?"
    between = Between(station.settings.web_url())
    with between as address:
        for wrong in (swapped, typed[:-1], typed[:-1] + "0"):
            enrol(wrong, address=address).refuses(1, "lease")
        enrol(typed, address="ftp://x").refuses(1, "ftp://x")
        enrol(typed, "--config", tmp_path / "none" / "node.toml", address=address).refuses(1, "cannot write")
    assert between.seen == []
    assert nothing_written(tmp_path)


def other_root(answer: bytes) -> bytes:
    told = json.loads(answer)
    said = json.loads(told["welcome"]) | {"root_keys": ["ab" * 32]}
    return json.dumps(told | {"welcome": json.dumps(said)}).encode()


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        (bytes, other_root, "does not prove"),
        (bytes, lambda answer: answer.replace(b"127.0.0.1", b"127.0.0.2"), "does not prove"),
        (lambda asked: asked.replace(b'"sealed":"{', b'"sealed":" {'), bytes, "Tries left: 4"),
        (bytes, lambda _: b"<html>", "does not answer as a station does"),
        (bytes, lambda _: b"x" * 70_000, "does not answer as a station does"),
        (bytes, lambda _: b"", "does not answer"),
    ],
)
def test_whoever_is_in_between_can_only_stop_it(
    enrol: Callable[..., Told], station: Station, tmp_path: Path, question: Change, answer: Change, why: str
) -> None:
    code = station.code(f"loa-{len(why)}-{free_port()}")
    between = Between(station.settings.web_url(), question, answer)
    with between as address:
        enrol(code, address=address).refuses(1, why)
    assert nothing_written(tmp_path)
    assert code.secret.encode() not in b"".join(between.seen)


def test_a_node_whose_answer_was_lost_asks_again_with_the_same_keys(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    code = station.code("loa-lost")
    with Between(station.settings.web_url(), answer=lambda _: b"") as address:
        enrol(code, address=address).refuses(1, "does not answer")
    first = station.store.roster.node("loa-lost")
    assert enrol(code).code == 0
    assert station.store.roster.node("loa-lost") == first
    assert not (tmp_path / "state" / "enrolling").exists()
    enrol(code).refuses(1, "has been used")


def test_an_https_address_need_not_be_known_to_anybody(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    """The code proves the station, and a node in 1970 could not judge a certificate."""
    issuer = certificates.Authority(*certificates.Authority.make("nobody", utc_now() + timedelta(days=1)))
    key = certificates.new_key()
    (tmp_path / "web.key").write_bytes(key)
    (tmp_path / "web.pem").write_text(issuer.serve(key, ["elsewhere"], utc_now() + timedelta(days=1)).pem)
    between = Between(station.settings.web_url())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "web.pem", tmp_path / "web.key")
    between.server.socket = context.wrap_socket(between.server.socket, server_side=True)
    with between as address:
        assert enrol(station.code("loa-https"), address=address.replace("http:", "https:")).code == 0


def test_settings_of_another_node_stay_unless_it_is_said_twice(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    file, state = tmp_path / "node.toml", tmp_path / "state"
    assert enrol(station.code("loa-a")).code == 0
    file.write_text(file.read_text() + 'sound_device = "USB Audio"\nfast = true\n')
    (state / "ledger.sqlite").write_text("receipts of loa-a")
    again = station.desk.replace_node("loa-a", station.boss, utc_now())
    assert enrol(again).code == 0  # the same node: what its installer set stays
    held = tomllib.loads(file.read_text())
    assert (held["sound_device"], held["fast"], held["node"]) == ("USB Audio", True, "loa-a")
    before, key = file.read_text(), (state / "node.key").read_text()
    other = station.code("loa-b")
    enrol(other).refuses(1, "--force", "loa-a")
    assert (file.read_text(), (state / "node.key").read_text()) == (before, key)
    assert enrol(other, "--force").code == 0
    assert tomllib.loads(file.read_text())["node"] == "loa-b"
    assert (state / "of-loa-a" / "ledger.sqlite").read_text() == "receipts of loa-a"
    assert not (state / "ledger.sqlite").exists()
    file.write_text("half a [file")
    enrol(station.code("loa-c")).refuses(1, "node.toml")
    assert enrol(station.code("loa-c"), "--force").code == 0


def test_an_example_that_nobody_filled_in_is_no_other_node(
    enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    example = (Path(__file__).parent.parent / "deploy" / "node.toml").read_text()
    (tmp_path / "node.toml").write_text(example)
    assert enrol(station.code("loa-example")).code == 0
    assert tomllib.loads((tmp_path / "node.toml").read_text())["node"] == "loa-example"


# --- the test tone -------------------------------------------------------------------------------------------


def test_a_tone_sounds_as_long_and_as_loud_as_was_asked(
    loa: Loa, enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    enrol(station.code("loa-tone"), "--json")
    config = ("--config", tmp_path / "node.toml")
    with disk.held(tmp_path / "state" / radio.RUNNING):
        loa("node", "tone", *config).refuses(1, "is running")
    assert not (tmp_path / "state" / "out.wav").exists()
    told = loa("node", "tone", *config, "--seconds", 1, "--dbfs", -20)
    assert (told.code, told.err) == (0, "")
    samples, rate = soundfile.read(tmp_path / "state" / "out.wav")
    loud = abs(samples) > 0.001
    assert 0.95 <= loud.sum() / rate <= 1.05
    assert 0.09 <= abs(samples).max() <= 0.11
    loa("node", "tone", *config, "--dbfs", 0).refuses(2, "-60")


def test_a_node_that_makes_no_sound_says_so(
    loa: Loa, enrol: Callable[..., Told], station: Station, tmp_path: Path
) -> None:
    enrol(station.code("loa-null"))
    file = tmp_path / "node.toml"
    file.write_text(file.read_text().replace('"file"', '"null"'))
    loa("node", "tone", "--config", file).refuses(1, "null")


def test_a_node_pins_every_root_how_many_must_agree_and_how_often_they_changed(
    loa: Loa, station: Station, tmp_path: Path
) -> None:
    ring, new = keys.Keyring(station.settings.keys_dir), [Signer(letter * 32) for letter in (b"i", b"j", b"k")]
    before = keys.in_force(ring, station.store)
    draft = keys.with_roots(ring, station.store, [each.public for each in new], 2, utc_now())
    keys.settle(ring, station.store, draft, utc_now(), new[:2])
    config = tmp_path / "node.toml"
    line = ("--station", station.settings.web_url(), "--config", config, "--state-dir", tmp_path / "state")
    assert loa("node", "enrol", station.code("loa-of-three").shown(), *line).code == 0
    pinned = node_settings.load(config, {}).roots
    assert pinned == keys.in_force(ring, station.store)
    assert (pinned.threshold, pinned.version) == (2, before.version + 1)
