"""What an installer is told: against a real broker, a real media server, real files, and what programs say."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from makers_node import (
    HAMLET,
    NODE,
    ROOT,
    config_message,
    make_config,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
    trust_message,
)
from ports import free_port
from test_link_tls import certify

from edge_node import checkup, disk, lives
from edge_node.checkup import examine, machine, network
from edge_node.checkup.trust import judge, read
from edge_node.held import Held
from edge_node.radio import make_link
from edge_node.settings import Settings, make
from edge_node.wallclock import Wallclock
from fleet import mosquitto
from loa.__main__ import main
from wire.health import Modem, Storage, Vitals
from wire.plan import Asset
from wire.seal import Signer
from wire.topics import TRUST
from words import Said

MOSQUITTO = mosquitto.find()
PROJECT = Path(__file__).parent.parent


def told(folder: Path, **changed: object) -> Settings:
    given = {"node": NODE, "home": HAMLET, "root_keys": [ROOT.public.hex], "state_dir": str(folder)}
    return make({**given, "clock": "trust", "player": "null", "broker_port": 1, **changed})


def keys(findings: Iterator[checkup.Finding] | list[checkup.Finding]) -> list[str]:
    """What was found, the bad marked; every sentence can be said in both languages."""
    found = list(findings)
    for each in found:
        assert each.say("vi") != each.say("en")
        assert "{" not in each.say("vi")
    return [("" if each.good else "!") + each.key.removeprefix("node.check_") for each in found]


# --- the broker ----------------------------------------------------------------------------------------------


class Brokers:
    """One mosquitto with a door for each fault."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("authority", "broker", "node"):
            certify(folder, name, "authority")
        certify(folder, "stranger", "stranger")
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), NODE, "right"], check=True)
        self.ports = {name: free_port() for name in ("plain", "tls", "mutual", "named")}
        lines = ["per_listener_settings true", "log_dest none", "user root"]
        for name, port in self.ports.items():
            lines += [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {folder}/passwords"]
            if name != "plain":
                own = "broker"
                lines += [
                    f"cafile {folder}/authority.pem",
                    f"certfile {folder}/{own}.pem",
                    f"keyfile {folder}/{own}.key",
                ]
                lines += [f"require_certificate {'true' if name == 'mutual' else 'false'}"]
        (folder / "conf").write_text("\n".join(lines) + "\n")
        assert MOSQUITTO
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.ports["named"]), 1).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.02)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    made = Brokers(tmp_path_factory.mktemp("brokers"))
    yield made
    made.close()


RIGHT = {"broker_user": NODE, "broker_password": "right"}


@pytest.mark.parametrize(
    ("door", "changed", "found"),
    [
        ("plain", RIGHT, "broker_ok"),
        ("plain", {**RIGHT, "broker_password": "wrong"}, "!broker_credentials"),
        ("plain", {}, "!broker_credentials"),
        ("plain", {**RIGHT, "broker_ca": "authority"}, "!broker_no_tls"),
        ("tls", {**RIGHT, "broker_ca": "authority"}, "broker_ok"),
        ("tls", {**RIGHT, "broker_ca": "stranger"}, "!broker_cert_unknown"),
        ("tls", {**RIGHT, "broker_ca": "authority", "broker_host": "localhost"}, "!broker_cert_name"),
        ("tls", {**RIGHT, "broker_ca": "authority", "broker_password": "wrong"}, "!broker_credentials"),
        ("tls", RIGHT, "!broker_not_mqtt"),
        ("mutual", {**RIGHT, "broker_ca": "authority"}, "!broker_cert_wanted"),
        ("", RIGHT, "!broker_bad"),
        ("plain", {**RIGHT, "broker_host": "no-such-host.invalid"}, "!broker_no_name"),
    ],
)
def test_what_keeps_a_node_from_its_broker_is_told_apart(
    brokers: Brokers, tmp_path: Path, door: str, changed: dict[str, str], found: str
) -> None:
    changed = dict(changed)
    if "broker_ca" in changed:
        changed["broker_ca"] = str(brokers.folder / f"{changed['broker_ca']}.pem")
    port = brokers.ports[door] if door else free_port()
    assert keys(network.broker(told(tmp_path, broker_port=port, **changed))) == [found]


def test_a_certificate_that_is_over_or_not_begun_is_named(brokers: Brokers, tmp_path: Path) -> None:
    faketime = shutil.which("faketime")
    if faketime is None:
        pytest.skip("the program faketime is not installed")
    for shift, found in (("+30d", "CERT_EXPIRED"), ("-30d", "CERT_NOT_YET")):
        # the clock of the one who knocks is the one that is wrong
        code = (
            "import ssl, sys; from wire.mqtt.knock import knock; "
            "print(knock(('127.0.0.1', int(sys.argv[1])), 'n', None, ssl.create_default_context(cafile=sys.argv[2])))"
        )
        command = [faketime, "-m", "-f", shift, "python3", "-c", code]
        command[4] = sys.executable
        answer = subprocess.run(
            [*command, str(brokers.ports["tls"]), str(brokers.folder / "authority.pem")],
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
            timeout=60,
            env={"PATH": "/usr/bin:/bin", "DONT_FAKE_MONOTONIC": "1"},
        )
        assert found in answer.stdout, answer.stderr


@pytest.mark.parametrize(
    ("says", "found"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "!broker_not_mqtt"),
        (b"", "!broker_not_mqtt"),
        (b"\x20\x02\x00\x03", "!broker_rejected"),
    ],
)
def test_something_else_that_listens_is_no_broker(tmp_path: Path, says: bytes, found: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.recv(1024)
                visitor.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert keys(network.broker(told(tmp_path, broker_port=server.getsockname()[1]))) == [found]
        thread.join(10)


def test_a_broker_that_says_nothing_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire.mqtt.knock.KNOCK_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = told(tmp_path, broker_port=server.getsockname()[1])
        assert keys(network.broker(settings)) == ["!broker_silent"]


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "none.pem"):
        (found,) = network.broker(told(tmp_path, broker_ca=str(tmp_path / name)))
        assert (found.good, found.key) == (False, "node.bad_ca")


@pytest.mark.parametrize(
    ("spoilt", "text"),
    [
        (spoilt, text)
        for spoilt in ("ca", "cert", "key")
        for text in (
            None,
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "strange",
        )
    ],
)
def test_of_the_files_for_tls_the_one_that_is_wrong_is_named(spoilt: str, text: str | None, tmp_path: Path) -> None:
    certify(tmp_path, "authority", "authority")
    certify(tmp_path, "node", "authority")
    certify(tmp_path, "other", "authority")
    files = {"ca": tmp_path / "authority.pem", "cert": tmp_path / "node.pem", "key": tmp_path / "node.key"}
    files[spoilt].unlink()
    if text == "strange":  # a key where a certificate should be, or one of another certificate
        text = (tmp_path / "other.key").read_text()
    if text is not None:
        files[spoilt].write_text(text)
    settings = told(tmp_path, **{f"broker_{name}": str(path) for name, path in files.items()})
    (found,) = network.broker(settings)
    with pytest.raises(Said) as refused:
        make_link(settings, Wallclock(tmp_path / "clock", trusted=True))
    for said in (found.say("vi"), found.say("en"), refused.value.say("vi"), refused.value.say("en")):
        assert [name for name, path in files.items() if str(path) in said] == [spoilt]
        assert f"(broker_{spoilt})" in said


def test_a_key_in_the_certificates_own_file_is_found_there_and_missed_there(brokers: Brokers, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    for text, found in (("", "node.bad_tls_file"), ((brokers.folder / "node.key").read_text(), "node.check_broker_ok")):
        both.write_text((brokers.folder / "node.pem").read_text() + text)
        files = {"broker_ca": str(brokers.folder / "authority.pem"), "broker_cert": str(both)}
        (said,) = network.broker(told(tmp_path, broker_port=brokers.ports["mutual"], **RIGHT, **files))
        assert said.key == found
        assert said.good or said.facts["setting"] == "broker_cert"


# --- what the station has sealed ------------------------------------------------------------------------------

Messages = Callable[[datetime], list[tuple[str, bytes]]]
DAY = timedelta(days=1)


def held(now: datetime, valid: timedelta = 300 * DAY, plan_age: timedelta = timedelta()) -> list[tuple[str, bytes]]:
    trust = trust_message(valid_until=now + valid, issued_at=now)
    config = config_message(make_config(issued_at=now))
    issued = now - plan_age
    return [trust, config, plan_message(make_plan(make_job(start=now + DAY), issued_at=issued))]


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        (lambda now: [], ["!trust_none"]),
        (lambda now: held(now), ["trust", "config", "plan"]),
        (lambda now: held(now)[:1], ["trust", "!config_none"]),
        (lambda now: held(now)[:2], ["trust", "config", "!plan_none"]),
        (lambda now: held(now, valid=10 * DAY), ["!trust_soon", "config", "plan"]),
        (lambda now: held(now, valid=-DAY), ["!trust_over", "config", "plan"]),
        (lambda now: held(now, plan_age=3 * DAY), ["trust", "config", "!plan_old"]),
        (lambda now: held(now, plan_age=20 * DAY), ["trust", "config", "!plan_over"]),
        (
            lambda now: [(TRUST.topic(), sealed("trust", make_trust(), Signer(b"x" * 32)))],
            ["!trust_strange"],
        ),
        (
            lambda now: [
                trust_message(make_grant(areas=("ha-giang",), around=now), valid_until=now + 300 * DAY, issued_at=now),
                *held(now)[1:2],
            ],
            ["!trust_elsewhere", "!config_none", "!held_refused"],
        ),
        (
            lambda now: [*held(now)[:1], ("radio/v1/areas/x/plan", b"rubbish")],
            ["trust", "!config_none", "!held_refused"],
        ),
    ],
)
def test_trust_config_and_plans_are_judged(tmp_path: Path, messages: Messages, found: list[str]) -> None:
    settings, now = told(tmp_path), datetime.now(UTC)
    for topic, raw in messages(now):
        Held(tmp_path / "held").keep(topic, raw)
    clock = Wallclock(tmp_path / "clock", trusted=True)
    assert keys(judge(settings, read(settings, clock), clock)) == found


# --- the machine -----------------------------------------------------------------------------------------------


class Told(Wallclock):
    """A clock that knows the time or does not."""

    def __init__(self, known: bool) -> None:
        self._known = known

    def known(self) -> bool:
        return self._known

    def now(self) -> datetime:
        return datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "known", "source", "offset_ms", "found"),
    [
        ("auto", False, "none", None, ["!clock_unknown"]),
        ("auto", True, "ntp", 2.0, ["clock_known"]),
        ("auto", True, None, None, ["clock_known"]),
        ("auto", True, "none", None, ["clock_kept"]),
        ("auto", True, "chrony 192.168.1.1", -900.0, ["clock_known", "!clock_off"]),
        ("trust", True, "none", None, ["!clock_trusted"]),
        ("trust", True, None, None, ["!clock_trusted"]),
        ("trust", True, "ntp", 900.0, ["clock_known", "!clock_off"]),
    ],
)
def test_a_clock_is_judged_by_its_source(
    tmp_path: Path, clock: str, known: bool, source: str | None, offset_ms: float | None, found: list[str]
) -> None:
    read_ = Vitals(clock_source=source, clock_offset_ms=offset_ms)
    said = list(machine.clock(told(tmp_path, clock=clock), Told(known), read_))
    assert keys(said) == found
    assert all("none" not in each.say("en") for each in said)
    assert all("08:02:03 27/11/2026" in each.say("vi") for each in said[:1] if known)


@pytest.mark.parametrize(
    ("throttled", "celsius", "found"),
    [
        (None, None, []),
        (0, 50.0, ["power_ok", "cool"]),
        (0x50005, 50.0, ["!undervoltage_now", "!hot"]),
        (0x10000, 50.0, ["!undervoltage_before", "cool"]),
        (0x80000, 50.0, ["power_ok", "!hot_before"]),
        (0, 85.0, ["power_ok", "!hot"]),
    ],
)
def test_undervoltage_and_heat_are_sentences(throttled: int | None, celsius: float | None, found: list[str]) -> None:
    assert keys(machine.power(Vitals(throttled=throttled, cpu_celsius=celsius))) == found


@pytest.mark.parametrize(
    ("storage", "found"),
    [
        (None, []),
        (Storage(0, 0, 20, 1, read_only=False), []),
        (Storage(file_system_errors=2, disk_errors=1), ["!card_errors"]),
        (Storage(worn_percent=90), ["!card_worn"]),
        (Storage(end_of_life=2), ["!card_worn"]),
        (Storage(read_only=True), ["!card_read_only"]),
    ],
)
def test_what_a_card_says_is_a_sentence(tmp_path: Path, storage: Storage | None, found: list[str]) -> None:
    assert keys(machine.disk(told(tmp_path), Vitals(storage=storage))) == ["disk_ok", *found, "key"]


def test_a_key_is_made_for_the_nodes_own_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, root = tmp_path / "node.key", os.geteuid()
    with monkeypatch.context() as other:
        other.setattr(machine.os, "geteuid", lambda: root + 1)
        assert keys(machine.disk(told(tmp_path), Vitals())) == ["disk_ok", "!key_none"]
        assert not list(tmp_path.iterdir())
    assert keys(machine.disk(told(tmp_path), Vitals())) == ["disk_ok", "key"]
    assert path.stat().st_uid == tmp_path.stat().st_uid
    owners = {path: 0, tmp_path: 4321}
    monkeypatch.setattr(machine, "_owner", owners.__getitem__)
    (said,) = [each for each in machine.disk(told(tmp_path), Vitals()) if not each.good]
    assert keys([said]) == ["!key_of_root"]
    assert f"sudo chown 4321: {path}" in said.say("en")
    owners[tmp_path] = 0
    assert keys(machine.disk(told(tmp_path), Vitals())) == ["disk_ok", "key"]


def test_a_slow_a_full_and_an_unwritable_disk_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(machine, "SLOW_FSYNC_MS", -1)
        slow.setattr(machine, "LEAST_FREE_MB", 1 << 40)
        assert keys(machine.disk(told(tmp_path), Vitals())) == ["!disk_full", "!disk_slow", "key"]
    (tmp_path / "file").write_text("")
    assert keys(machine.disk(told(tmp_path / "file"), Vitals())) == ["!disk_bad", "!key_bad"]


@pytest.mark.parametrize(
    ("modem", "dbm", "found"),
    [
        (None, None, []),
        (Modem("Viettel", 70, "lte", "connected"), -50, ["modem_ok", "wifi_ok"]),
        (Modem("Viettel", 12, "lte", "connected"), -85, ["!modem_weak", "!wifi_weak"]),
        (Modem(None, None, None, "locked"), None, ["!modem_away"]),
    ],
)
def test_the_network_is_a_sentence(modem: Modem | None, dbm: int | None, found: list[str]) -> None:
    assert keys(network.modem(Vitals(modem=modem, wifi_dbm=dbm))) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, "watchdog_none"),
        ("LoadState=not-found\nWatchdogUSec=0\n", "watchdog_none"),
        ("LoadState=loaded\nWatchdogUSec=0\n", "!watchdog_off"),
        ("LoadState=loaded\nWatchdogUSec=1min 30s\n", "watchdog_on"),
    ],
)
def test_safe_mode_and_the_watchdog_are_told(tmp_path: Path, answer: str | None, found: str) -> None:
    assert keys(machine.life(told(tmp_path), lambda command: answer)) == [found]
    past = lives.Past("1", "m", short=5, safe=True, aside=("audio abc",))
    disk.write(tmp_path / "lives", json.dumps(msgspec.structs.asdict(past)).encode())
    assert keys(machine.life(told(tmp_path), lambda command: answer)) == ["!safe_mode", "!set_aside", found]


def test_gpio_lines_are_told(tmp_path: Path) -> None:
    settings = told(tmp_path, mains_pin="gpiochip0:17", battery_pin="gpiochip0:22", amplifier_pin="gpiochip0:4")
    answers = {"gpioget": "gpioget (libgpiod) v2.2.1", "gpioinfo": "gpiochip0 - 54 lines"}
    read_ = Vitals(mains=True, battery=None)
    assert keys(machine.lines(settings, read_, lambda command: None)) == ["!gpio_none"]
    assert keys(machine.lines(settings, read_, lambda command: answers.get(command[0]))) == [
        "gpio_on",
        "!gpio_bad",
        "gpio_chip",
    ]
    assert keys(machine.lines(told(tmp_path), read_, lambda command: None)) == []


# --- media and the round ----------------------------------------------------------------------------------------


def answering(status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Range"] == "bytes=0-0"
            self.send_response(status)
            self.send_header("Content-Length", "1")
            self.end_headers()
            self.wfile.write(b"x")

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def test_the_media_server_is_asked_for_one_byte(tmp_path: Path) -> None:
    asset = Asset("a" * 64, 3, 1000, "audio/ogg", "a.ogg")
    assert keys(network.media(None, [asset])) == ["media_unknown"]
    assert keys(network.media(make_config(media_url="http://127.0.0.1:1"), [asset])) == ["!media_bad"]
    assert keys(network.media(make_config(media_url="file:///etc"), [asset])) == ["!media_bad"]
    for status, found in ((206, "media_ok"), (200, "!media_whole"), (404, "!media_bad")):
        with ThreadingHTTPServer(("127.0.0.1", 0), answering(status)) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            config = make_config(media_url=f"http://127.0.0.1:{server.server_address[1]}/")
            assert keys(network.media(config, [asset])) == [found]
            server.shutdown()


def test_a_whole_round_ends_with_one_when_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = keys(examine(told(tmp_path), lambda command: None))
    assert "clock_known" in found or "!clock_trusted" in found  # as this machine has a time source or none
    assert {"disk_ok", "key", "!trust_none", "!broker_bad", "device_ok", "audio_none"} <= set(found)
    monkeypatch.setattr("edge_node.programs.PATIENCE_SECONDS", 0.5)
    path = tmp_path / "node.toml"
    path.write_text(
        f'node = "{NODE}"\nhome = "{HAMLET}"\nroot_keys = ["{ROOT.public.hex}"]\nstate_dir = "{tmp_path}"\n'
        'player = "null"\nbroker_port = 1\nclock = "trust"\n'
    )
    assert main(["node", "check", "--config", str(path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["good"] is False
    assert {"good": False, "key": "check_trust_none"}.items() <= answer["findings"][
        [each["key"] for each in answer["findings"]].index("check_trust_none")
    ].items()
    path.write_text("node = 'x'\nbroker_port = 0\n")
    assert main(["node", "check", "--config", str(path)]) == 1
    assert capsys.readouterr().out.count("✗") == 4
