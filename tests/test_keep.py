"""A node's keys closed under what the machine hands over: read, renewed, and of no use on another machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from makers_enrolment import Commune, eventually, utc_now

from controller import authority, keyring
from edge_node import badge, identity, radio
from edge_node.badge import Badge
from edge_node.keep import Keep, Sealed
from edge_node.settings import Settings
from fleet import mosquitto
from wire import certificates, closed

SECRET = b"what the machine hands over, of this machine alone"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A node of a machine that hands a secret over; nothing is closed yet."""
    given, state = tmp_path / "given", tmp_path / "state"
    given.mkdir()
    state.mkdir()
    (given / "loa-node-keys").write_bytes(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    (state / "broker.key").write_bytes(certificates.new_key())
    own = str(state / "broker.key")
    return Settings("loa-01", "lang-son:x", ("ab" * 32,), state, broker_key=own, key_credential="loa-node-keys")


def test_what_lies_open_is_closed_at_the_start_and_read_all_the_same(settings: Settings) -> None:
    state = settings.state_dir
    made, before = identity.make(state / "node.key"), (state / "broker.key").read_bytes()
    pair = certificates.new_key()
    (state / badge.NEXT).write_bytes(pair)
    radio.close_keys(settings)
    radio.close_keys(settings)  # again: nothing to do
    for name in ("node.key", "broker.key", badge.NEXT):
        assert closed.is_closed((state / name).read_bytes())
        assert (state / name).stat().st_mode & 0o077 == 0
    assert identity.load_or_make(state / "node.key", Keep(settings)).public == made.public
    assert Keep(settings).opened(settings.broker_key) == before
    (state / badge.NEXT).replace(state / badge.PROVEN)  # a pair that is proven is renamed
    assert Keep(settings).read(state / badge.PROVEN) == pair
    assert closed.is_closed(_pending(settings))


def _pending(settings: Settings) -> bytes:
    Badge(settings).pending_key()
    return (settings.state_dir / badge.PENDING).read_bytes()


@pytest.mark.parametrize("handed", [None, b"", b"short", b"of another machine, long enough"])
def test_elsewhere_it_opens_nothing_and_no_key_is_made_in_silence(settings: Settings, handed: bytes | None) -> None:
    path = settings.state_dir / "node.key"
    identity.make(path, Keep(settings))
    before, given = path.read_bytes(), Path(os.environ["CREDENTIALS_DIRECTORY"]) / "loa-node-keys"
    given.unlink()
    if handed is not None:
        given.write_bytes(handed)
    for spoilt in (before, before[:-9], before.replace(b"A", b"B")):
        path.write_bytes(spoilt)
        with pytest.raises(Sealed):
            identity.load_or_make(path, Keep(settings))
        assert path.read_bytes() == spoilt
    with pytest.raises(identity.BadIdentity):
        identity.load_or_make(path)  # nor by whoever names no credential


@pytest.mark.skipif(shutil.which("systemd-creds") is None, reason="apt-get install systemd")
@pytest.mark.skipif(os.geteuid() != 0, reason="the host's key is root's")
def test_what_systemd_seals_is_what_the_node_reads(settings: Settings, tmp_path: Path) -> None:
    sealed, given = tmp_path / "loa-node-keys.cred", Path(os.environ["CREDENTIALS_DIRECTORY"]) / "loa-node-keys"
    line = ["systemd-creds", "encrypt", "--with-key=auto", "--tpm2-pcrs=", "--name=loa-node-keys", "-", str(sealed)]
    made = subprocess.run(line, input=os.urandom(32), capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"this machine seals nothing: {made.stderr.decode()[:200]}")
    given.unlink()
    subprocess.run(["systemd-creds", "decrypt", "--name=loa-node-keys", str(sealed), str(given)], check=True)
    key = identity.make(settings.state_dir / "node.key", Keep(settings))
    assert identity.load_or_make(settings.state_dir / "node.key", Keep(settings)).public == key.public


@pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto")
def test_a_node_whose_keys_are_closed_comes_in_and_renews(settings: Settings, tmp_path: Path) -> None:
    with Commune(tmp_path / "commune") as commune:
        told = commune.enrol(commune.code().shown(), "device")
        assert told.returncode == 0, told.stderr.decode()
        home = commune.folder / "device"
        state = home / "state"
        issuer = authority.find(keyring.Keyring(commune.settings.keys_dir), utc_now())
        assert issuer
        asked = certificates.request((state / "broker.key").read_bytes(), "loa-01")
        (state / "broker.pem").write_text(issuer.admit(asked, "loa-01", utc_now() + timedelta(days=15)).pem)
        with (home / "node.toml").open("a") as file:
            file.write('key_credential = "loa-node-keys"\n')
        eventually(lambda: "user loa-01" in (commune.settings.broker_dir / "access").read_text())
        commune.take_over()
        commune.run("device")
        eventually(lambda: (state / badge.PROVEN).exists())
        eventually(lambda: commune.online("loa-01"))
        assert b"key_sealed" in (commune.folder / "device.log").read_bytes()
        commune.kill("device")  # files come and go in the folder of one that lives
        for path in state.rglob("*"):
            assert path.is_dir() or b"PRIVATE KEY" not in path.read_bytes(), path
        assert closed.is_closed((state / "node.key").read_bytes())
