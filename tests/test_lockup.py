"""Every key of a station locked at rest: what lies on the disk, who reads it all the same, and all or nothing."""

from __future__ import annotations

import dataclasses
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_enrolment import HOST
from makers_loa import Loa, at_home, in_this_process

from controller import authority, keyring, keys, lockup, safe, web_certificates
from controller.durable import replace
from controller.guestlist import Guestlist
from controller.keyring import Keyring, KeyTrouble
from controller.safe import Safe
from controller.settings import Settings
from controller.store import Store
from controller.vault import Lockbox
from controller.web.guard import cookie_key
from wire import closed

WORDS, OTHER = "mười hai chữ cái trở lên", "một cụm từ khác hẳn"
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
PRIVATE = {  # kind -> files
    "station": {"station.key"},
    "root": {"root.key"},
    "authority": {"ca.key"},
    "broker": {"broker.key"},
    "mqtt": {"mqtt.key"},
    "web": {"web-ca.key", "server.pem", "web-cookie.key"},
    "factors": {"factors.key"},
}


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just begun."""
    monkeypatch.setattr(keyring, "_opened", {})
    monkeypatch.setattr(safe, "_stretched", {})


def typing(folder: Path, words: str | None = WORDS) -> Keyring:
    """A person at the terminal who types that."""
    return Keyring(folder, ask=lambda _: words)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A station with every kind of key, none locked."""
    forget(monkeypatch)
    monkeypatch.setattr(safe, "LOG_N", 4)  # the tests lock often
    made = Settings(state_dir=tmp_path / "station", web_names=("radio.test",))
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    store.migrate()
    keys.establish(Keyring(made.keys_dir), store, ("*",), NOW)
    Guestlist(store, made).certify([HOST], NOW)
    web_certificates.keep(made, NOW)
    Lockbox(made.keys_dir).mark("123456", "u1")
    cookie_key(made.state_dir)
    store.close()
    return made


def secrets_of(settings: Settings) -> dict[str, bytes]:
    """What every key file holds."""
    return {path.name: path.read_bytes() for path in lockup.files(settings)}


def locked(settings: Settings, words: str = WORDS, kinds: tuple[str, ...] = lockup.ALL) -> None:
    lockup.carry_out(lockup.locking(typing(settings.keys_dir), settings, words, kinds))


def test_no_private_key_of_a_station_is_left_out(settings: Settings) -> None:
    found = {path.name for path in lockup.files(settings)}
    assert found == {name for names in PRIVATE.values() for name in names}
    private = (b"PRIVATE KEY", b"AGE-SECRET-KEY")
    for path in settings.state_dir.rglob("*"):
        if path.is_file() and any(mark in path.read_bytes() for mark in private):
            assert path.name in found


def test_what_lies_on_the_disk_holds_no_key_and_all_is_read_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, mark = secrets_of(settings), Lockbox(settings.keys_dir).mark("123456", "u1")
    locked(settings)
    for path in lockup.files(settings):
        held = path.read_bytes()
        assert closed.is_closed(held) or Keyring(settings.keys_dir).is_locked(path.stem)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(line in held for line in before[path.name].splitlines() if len(line) > 20)
    forget(monkeypatch)
    with pytest.raises(KeyTrouble, match="LoadCredentialEncrypted"):
        authority.find(typing(settings.keys_dir, None), NOW)
    with pytest.raises(KeyTrouble, match="does not open"):
        authority.find(typing(settings.keys_dir, OTHER), NOW)
    asking = typing(settings.keys_dir)
    assert authority.find(asking, NOW)
    assert asking.safe.read(settings.broker_dir / "broker.key") == before["broker.key"]
    assert asking.station().public == keyring.Signer(bytes.fromhex(before["station.key"].decode().strip())).public
    assert cookie_key(settings.state_dir) == before["web-cookie.key"]
    assert Lockbox(settings.keys_dir).mark("123456", "u1") == mark
    lockup.carry_out(lockup.unlocking(asking, settings, lockup.ALL))
    assert secrets_of(settings) == before
    assert not (settings.keys_dir / safe.LOCK).exists()


def test_a_new_key_is_locked_from_its_first_moment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    locked(settings)
    asking = typing(settings.keys_dir)
    late = NOW + authority.AUTHORITY_VALIDITY - timedelta(days=500)
    authority.establish(asking, late)
    web_certificates.keep(settings, late, anew=True)
    for path in (settings.keys_dir / "ca-2.key", settings.web_dir / "server.pem"):
        assert closed.is_closed(path.read_bytes())
    forget(monkeypatch)
    assert len(authority.find_all(asking)) == 2
    nobody = typing(settings.keys_dir, None)
    forget(monkeypatch)
    (settings.keys_dir / "mqtt.key").unlink()
    with pytest.raises(KeyTrouble, match="LoadCredentialEncrypted"):
        authority.make_key(nobody, settings.keys_dir / "mqtt.key")
    assert not (settings.keys_dir / "mqtt.key").exists()  # nor is a plain one made


def test_some_kinds_are_locked_and_one_passphrase_opens_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = secrets_of(settings)
    locked(settings, kinds=("factors", "station"))
    changed = {name for name, held in secrets_of(settings).items() if held != before[name]}
    assert changed == {"factors.key", "station.key"}
    locked(settings, OTHER, ("web",))  # what is locked already comes along
    assert set(lockup.locked_kinds(Keyring(settings.keys_dir))) == {"station", "factors", "web"}
    forget(monkeypatch)
    asking = typing(settings.keys_dir, OTHER)
    assert asking.station()
    assert asking.safe.read(settings.keys_dir / "factors.key") == before["factors.key"]
    lockup.carry_out(lockup.unlocking(asking, settings, ("web",)))
    assert secrets_of(settings)["web-ca.key"] == before["web-ca.key"]
    assert set(lockup.locked_kinds(asking)) == {"station", "factors"}
    forget(monkeypatch)
    assert typing(settings.keys_dir, OTHER).safe.read(settings.keys_dir / "factors.key") == before["factors.key"]


def test_files_that_changed_places_or_were_spoilt_open_for_nobody(settings: Settings) -> None:
    locked(settings)
    asking, place = typing(settings.keys_dir), settings.keys_dir
    mqtt = (place / "mqtt.key").read_bytes()
    for content in ((place / "factors.key").read_bytes(), mqtt[:-9], mqtt.replace(b"a", b"b"), b'{"nonce":' * 9999):
        (place / "mqtt.key").write_bytes(content)
        with pytest.raises(KeyTrouble):
            asking.safe.read(place / "mqtt.key")
    lock = (place / safe.LOCK).read_bytes()
    (place / safe.LOCK).write_bytes(lock.replace(b'"web",', b""))  # what is locked is bound to the passphrase too
    with pytest.raises(KeyTrouble):
        Safe(place, ask=lambda _: WORDS).wrapped(place / "mqtt.key", b"x") and Safe(place).key()


@pytest.mark.parametrize("place", [1, 4, 9])
def test_when_a_file_cannot_be_written_all_is_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    before, tries = secrets_of(settings), iter(range(99))

    def full(path: Path, content: bytes) -> None:
        if next(tries) == place:
            raise OSError(28, "No space left on device")
        replace(path, content)

    monkeypatch.setattr(lockup, "replace", full)
    with pytest.raises(lockup.NotAll, match="every key is as it was") as wrong:
        locked(settings)
    assert wrong.value.left == []
    assert secrets_of(settings) == before
    assert not (settings.keys_dir / safe.LOCK).exists()


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    forget(monkeypatch)
    return in_this_process(capsys)


def test_the_audit_log_has_what_was_begun_and_what_came_of_it(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loa("key", "init").code == 0
    (tmp_path / "words").write_text(WORDS)
    line = ("key", "lock", "--passphrase-file", tmp_path / "words")

    def never(path: Path, content: bytes) -> None:
        if path.name != "station.key":
            raise OSError(28, "No space left on device")
        (never_back if content.startswith(b"{") is False else replace)(path, content)

    def never_back(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(lockup, "replace", never)
    loa(*line).refuses(1, "root.key", "station.key", "could not be put back")
    monkeypatch.setattr(lockup, "replace", replace)
    told = loa("audit", "list", "--json").out
    assert "began to lock keys" in told
    assert "failed=root.key left=station.key" in told
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "loa-keys").write_text(WORDS)
    assert loa(*line).code == 0  # the same again finishes
    assert '"locked keys"' in loa("audit", "list", "--json").out
    assert loa("audit", "verify").code == 0


def test_every_kind_can_be_named(loa: Loa) -> None:
    from loa.verbs.trust import KEY_KINDS

    assert KEY_KINDS == lockup.ALL == tuple(PRIVATE)
    loa("key", "lock", "--only", "everything").refuses(2, "everything")


def test_a_second_person_s_areas_are_chosen_among_their_own(loa: Loa, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(WORDS)
    assert loa("key", "init").code == 0
    assert loa("user", "add", "quan-tri").code == 0
    for area in ("lang-son", "lang-son:dong-dang", "lang-son:tam-thanh", "cao-bang"):
        assert loa("area", "add", area, area).code == 0, area
    for name, role in (("hoa", "emergency"), ("mai", "editor")):
        told = loa("user", "add", name, "--role", role, "--area", "lang-son")
        assert told.code == 0, told
    line = ("key", "cosigner", "--passphrase-file", tmp_path / "words")
    loa(*line, "mai").refuses(1, "mai", "lang-son")
    for area in ("cao-bang", "*"):
        loa(*line, "hoa", "--area", area).refuses(1, "hoa", area)
    loa(*line, "hoa", "--area", "nowhere").refuses(1, "nowhere")

    def named() -> tuple[str, ...]:
        store = Store(f"sqlite:///{tmp_path / 'home' / 'loa.db'}")
        trust = keys.held_trust(store)
        store.close()
        assert trust
        return trust.cosigners[0].areas

    assert loa(*line, "hoa", "--area", "lang-son:dong-dang", "--area", "lang-son:tam-thanh").code == 0
    assert named() == ("lang-son:dong-dang", "lang-son:tam-thanh")
    assert loa(*line, "hoa").code == 0
    assert named() == ("lang-son",)


def test_the_broker_s_key_is_given_on_once_and_only_where_there_is_memory(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    list_ = Guestlist(store, dataclasses.replace(settings))
    locked(settings)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    list_.write(NOW)
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(run))
    typing(settings.keys_dir).safe.check()
    assert run / "broker.key" in list_.write(NOW)
    assert stat.S_IMODE((run / "broker.key").stat().st_mode) == 0o600
    assert run / "broker.key" not in list_.write(NOW)
    store.close()
