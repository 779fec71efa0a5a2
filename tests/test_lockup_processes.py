"""A station, a broker, a node and a backup whose every key is locked: real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_enrolment import HOST, TOP, Commune, eventually, utc_now
from makers_loa import Loa, at_home, in_this_process, lines_until, program
from makers_tls import trusting
from ports import free_port

from controller import authority, guestlist, keyring, lockup, safe
from controller.guestlist import Guestlist
from controller.keyring import Keyring
from controller.safe import Safe
from controller.settings import Settings
from fleet import mosquitto
from wire import certificates, closed
from wire.mqtt import MqttLink, tls

WORDS, OTHER = "mười hai chữ cái trở lên", "một cụm từ khác hẳn"
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just begun."""
    monkeypatch.setattr(keyring, "_opened", {})
    monkeypatch.setattr(safe, "_stretched", {})


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    forget(monkeypatch)
    return in_this_process(capsys)


class LockedCommune(Commune):
    """All its keys are locked before broker and station begin; the broker's comes to it as the units do it."""

    def _start_broker(self) -> None:
        ring = Keyring(self.settings.keys_dir)
        lockup.carry_out(lockup.locking(ring, self.settings, WORDS, lockup.ALL))
        Guestlist(self.store, self.settings).write(utc_now())  # as the station's first tick
        super()._start_broker()

    def _hand_over(self) -> None:
        places = {"LOA_BROKER_FROM": self.settings.broker_dir, "LOA_BROKER_TO": self.folder / "etc" / "broker"}
        places |= {"LOA_RUNTIME": self.folder / "run", "LOA_BROKER_MEMORY": self.folder / "memory"}
        places |= {"LOA_BROKER_GROUP": Path("root")}
        line = ["/bin/sh", str(TOP / "deploy" / "give-broker-files.sh")]
        subprocess.run(line, env=os.environ | {name: str(path) for name, path in places.items()}, check=True)


@pytest.fixture
def credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemd gives a unit: the passphrase, and a folder in memory."""
    forget(monkeypatch)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "loa-keys").write_text(WORDS + "\n")
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    return tmp_path


@pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto")
@pytest.mark.skipif(os.geteuid() != 0, reason="the broker's files are handed over by root")
def test_a_broker_a_node_and_renewals_with_every_key_locked(credential: Path) -> None:
    with LockedCommune(credential) as commune:
        broker = credential / "etc" / "broker"
        assert (broker / "broker.key").readlink() == credential / "memory" / "broker.key"
        assert b"PRIVATE KEY" not in (commune.settings.broker_dir / "broker.key").read_bytes()
        told = commune.enrol(commune.code().shown(), "device")
        assert told.returncode == 0, told.stderr.decode()
        access = commune.settings.broker_dir / "access"
        eventually(lambda: "user loa-01" in access.read_text())
        commune.take_over()
        commune.run("device")
        eventually(lambda: commune.online("loa-01"))

        later = utc_now() + authority.SERVER_VALIDITY - timedelta(days=30)
        before = (commune.settings.keys_dir / guestlist.OWN_CERT).read_text()
        names = {path.name for path in Guestlist(commune.store, commune.settings).renew(later)}
        assert {"broker.pem", "mqtt.pem"} <= names
        own = (commune.settings.keys_dir / guestlist.OWN_CERT).read_text()
        assert certificates.read(own).until > certificates.read(before).until
        files = tls(commune.settings.broker_ca, commune.settings.broker_cert, commune.settings.broker_key)
        files["opened"] = Safe(commune.settings.keys_dir).opened
        link = MqttLink("station-2", HOST, commune.broker_port, tls=files)
        link.start()
        eventually(link.connected)
        link.stop()

        commune.desk.revoke_node("loa-01", commune.boss, utc_now())
        eventually(lambda: commune.settings.broker_dir.joinpath("revoked.pem").exists())
        assert [path for path, content in contents(commune.settings.state_dir) if b"PRIVATE KEY" in content] == []
        lockup.carry_out(lockup.unlocking(Keyring(commune.settings.keys_dir), commune.settings, lockup.ALL))
        commune.take_over()
        assert not (broker / "broker.key").is_symlink()
        assert b"PRIVATE KEY" in (broker / "broker.key").read_bytes()


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below, as long as it lies there: the station goes on meanwhile."""
    for place, _, names in os.walk(folder):
        for path in (Path(place) / name for name in names):
            with suppress(FileNotFoundError):
                yield path, path.read_bytes()


def https(port: int, authority_file: Path) -> int:
    from http.client import HTTPSConnection

    asked = HTTPSConnection(HOST, port, timeout=20, context=trusting(authority_file))
    asked.request("GET", "/dang-nhap")
    status = asked.getresponse().status
    asked.close()
    return status


def test_a_station_of_its_own_process_opens_its_keys_and_is_backed_up_and_restored_locked(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, port, words = tmp_path / "home", free_port(), tmp_path / "words"
    words.write_text(WORDS)
    (tmp_path / "other").write_text(OTHER)
    monkeypatch.setenv("LOA_WEB_NAMES", f"radio.test,{HOST}")
    assert loa("key", "init").code == 0
    assert loa("key", "certify", HOST).code == 0
    assert loa("web", "certificate").code == 0
    assert loa("key", "lock", "--passphrase-file", words).code == 0
    config = tmp_path / "controller.toml"
    config.write_text(f'web_names = ["radio.test", "{HOST}"]\nweb_port = {port}\n')
    line = ("web", "--config", str(config))
    for more, said in (((), b"LoadCredentialEncrypted"), (("--passphrase-file", str(tmp_path / "other")), b"open")):
        with program(home, *line, *more) as refused:
            assert said in refused.communicate(timeout=60)[1]
            assert refused.returncode == 1
    with program(home, *line, "--passphrase-file", str(words)) as running:
        try:
            assert running.stdout
            lines_until(running.stdout, b"https://")
            assert https(port, home / "web" / "ca.pem") == 200
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=60) == 0
        finally:
            running.kill()

    forget(monkeypatch)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "loa-keys").write_text(WORDS)
    kept = tmp_path / "kept.tar"
    assert loa("backup", kept, "--passphrase-file", tmp_path / "other").code == 0
    old = Keyring(home / "keys").station().public
    root = tmp_path / "stick"
    root.mkdir()
    shutil.copyfile(home / "keys" / "root.key", root / "root.key")
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path / "new"))
    assert loa("restore", kept, "--passphrase-file", tmp_path / "other").code == 0
    new = Settings(state_dir=tmp_path / "new")
    assert {path.name for path in lockup.files(new)} >= {
        "station.key",
        "ca.key",
        "broker.key",
        "mqtt.key",
        "web-ca.key",
    }
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in lockup.files(new))
    assert Keyring(new.keys_dir).station().public == old
    assert loa("key", "change", "--stolen", "--root", root).code == 0
    assert Keyring(new.keys_dir).station().public != old
    assert Keyring(new.keys_dir).is_locked("station")
    assert loa("key", "certify", HOST, "radio.test").code == 0
    assert loa("key", "unlock").code == 0
    assert not any(closed.is_closed(path.read_bytes()) for path in lockup.files(new))


@pytest.fixture(autouse=True)
def _no_file_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from controller import passphrases

    yield
    monkeypatch.setattr(passphrases, "_named", [])
