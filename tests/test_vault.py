"""A station kept in one locked file and given back on an empty machine; and everything that such a file may not be."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pyrage
import pytest
from makers_loa import Loa, at_home, in_this_process, python
from makers_store import NOW, SHA, furnish, on_the_air, session
from postgres import Postgres

from controller import durable, keys, vault, witness
from controller.settings import Settings
from controller.store import Store, StoreError
from controller.store.rows import Act
from controller.vault import VaultError, locking, workplace
from wire.plan import Lane

PASSPHRASE = "một cụm từ đủ dài"


def _numbered(serial: int) -> bytes:
    return b"%d" % serial


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """age's scrypt takes a second at each use, on purpose: where only what is inside matters, it is left out."""
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda content, _passphrase: content)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", lambda content, _passphrase: content)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    store = Store(settings.store_url)
    yield store
    store.close()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """A station with people, a booking, keys, audio, a voice, a recording and a sealed audit log."""
    home = tmp_path / "station"
    home.mkdir()
    url = "" if database_url.startswith("sqlite") else database_url
    made = Settings(state_dir=home, database_url=url)
    with opened(made) as store:
        store.migrate()
        furnish(store)
        on_the_air(store)
        ring = keys.Keyring(home / "keys")
        keys.establish(ring, store, ("*",), NOW)
        store.acts.add(Act("lan", "approved", "a1", "", NOW))
        (home / "locked").write_text(vault.Lockbox(home / "keys").lock("SECRET", "u-lan"))
        witness.testify(store, ring.station(), home, NOW)
    for name in (f"shelf/{SHA[:2]}/{SHA}", "recordings/ab.flac", "voices/huong/model.onnx", "broker/broker.key"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(random.Random(name).randbytes(70_000))
    return made


@pytest.fixture
def elsewhere(tmp_path: Path, request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """An empty machine."""
    server: Postgres | None = request.getfixturevalue("postgres") if settings.database_url else None
    return Settings(state_dir=tmp_path / "elsewhere", database_url=server.database() if server else "")


def kept(settings: Settings, path: Path) -> Path:
    with opened(settings) as store:
        done = vault.keep(settings, store, path, PASSPHRASE, NOW)
    assert (done.size_bytes, done.vanished) == (path.stat().st_size, [])
    return path


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises((VaultError, StoreError)) as refused:
        call()
    for language in ("vi", "en"):
        assert refused.value.say(language)
    return refused.value.key


def files(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith("loa.db")
    }


@pytest.mark.usefixtures("quick")
def test_an_empty_machine_becomes_the_station_that_was_kept(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    with opened(settings) as store:
        store.people.open_session(session("hash"), NOW)
        before = store.roster.nodes(), store.bookings.view("b1"), store.acts.head()
    (settings.keys_dir / "cosigners").mkdir(mode=0o700)
    (settings.keys_dir / "cosigners" / "hoa.key").write_text("locked")
    path = kept(settings, tmp_path / "backup.tar")
    contents = vault.give_back(elsewhere, path, PASSPHRASE)
    assert contents.made_at == NOW
    was = files(settings.state_dir)
    assert was.pop("keys/root.key")
    locked = was.pop("locked").decode()
    assert vault.Lockbox(elsewhere.keys_dir).open(locked, "u-lan") == "SECRET"
    assert files(elsewhere.state_dir) == was
    for secret in ("keys/station.key", "keys/factors.key", "broker/broker.key"):
        assert (elsewhere.state_dir / secret).stat().st_mode & 0o777 == 0o600
    for folder in ("keys", "keys/cosigners", "broker"):
        assert (elsewhere.state_dir / folder).stat().st_mode & 0o777 == 0o700
    with opened(elsewhere) as store:
        assert (store.roster.nodes(), store.bookings.view("b1"), store.acts.head()) == before
        assert store.people.session("hash", NOW) is None
        known = witness.known_keys(store)
        assert witness.examine_store(store, witness.kept_aside(elsewhere.state_dir).envelopes, known).faults == []


@pytest.mark.usefixtures("quick")
def test_what_a_station_issues_after_it_was_given_back_lies_above_what_it_issued_before(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    path = kept(settings, tmp_path / "backup.tar")
    with opened(settings) as store:  # it goes on for a day after the backup, and then burns down
        later = [NOW + timedelta(hours=hour) for hour in range(1, 25)]
        issued = [store.plans.issue("lang-son", Lane.PLAN, f"d{at}", _numbered, at) for at in later]
    vault.give_back(elsewhere, path, PASSPHRASE)
    with opened(elsewhere) as store:
        again = store.plans.issue("lang-son", Lane.PLAN, "new", _numbered, later[-1] + timedelta(minutes=5))
    assert again is not None
    assert again.serial > max(each.serial for each in issued if each)


def test_nothing_in_the_file_can_be_read_without_the_passphrase(settings: Settings, tmp_path: Path) -> None:
    path = kept(settings, tmp_path / "backup.tar")
    raw = path.read_bytes()
    secret = (settings.state_dir / "keys/station.key").read_bytes().strip()
    assert secret not in raw
    assert b"lang-son" not in raw
    assert path.stat().st_mode & 0o777 == 0o600
    assert refusal(lambda: vault.give_back(Settings(state_dir=tmp_path / "x"), path, "một cụm từ khác hẳn")) == (
        "vault.wrong_passphrase"
    )
    assert not list((tmp_path / "x").iterdir())


@pytest.mark.usefixtures("quick")
def test_it_opens_by_hand_as_its_readme_says(settings: Settings, tmp_path: Path) -> None:
    with tarfile.open(kept(settings, tmp_path / "backup.tar")) as outer:
        assert outer.getnames() == [locking.ABOUT, locking.KEY, locking.BODY]
        key = pyrage.passphrase.decrypt(outer.extractfile(locking.KEY).read(), PASSPHRASE)  # type: ignore[union-attr]
        body = outer.extractfile(locking.BODY).read()  # type: ignore[union-attr]
    inner = pyrage.decrypt(body, [pyrage.x25519.Identity.from_str(key.decode())])
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        names = tar.getnames()
    assert names[0] == "database"
    assert names[-1] == "list.json"
    assert "keys/root.key" not in names


@pytest.mark.usefixtures("quick")
def test_a_station_that_lives_is_not_written_over_and_a_backup_neither(settings: Settings, tmp_path: Path) -> None:
    path = kept(settings, tmp_path / "backup.tar")
    before, raw = files(settings.state_dir), path.read_bytes()
    assert refusal(lambda: vault.give_back(settings, path, PASSPHRASE)) == "vault.not_empty"
    assert files(settings.state_dir) == before
    with opened(settings) as store:
        assert refusal(lambda: vault.keep(settings, store, path, PASSPHRASE, NOW)) == "vault.exists"
        assert refusal(lambda: vault.keep(settings, store, tmp_path / "b", "ngắn", NOW)) == "vault.passphrase"
        assert refusal(lambda: vault.keep(settings, store, tmp_path / "no/b", PASSPHRASE, NOW)) == "vault.unwritable"
    assert path.read_bytes() == raw
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("quick")
def test_a_backup_that_was_cut_or_changed_anywhere_gives_back_nothing(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    raw = kept(settings, tmp_path / "backup.tar").read_bytes()
    chance, broken = random.Random(4), tmp_path / "broken.tar"
    start = len(raw) - len(raw) * 9 // 10  # behind the README
    for _ in range(12):
        broken.write_bytes(raw[: chance.randrange(len(raw) - 10_240)])
        assert refusal(lambda: vault.give_back(elsewhere, broken, PASSPHRASE)).startswith("vault.")
        place = chance.randrange(start, len(raw) - 2048)
        broken.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        assert refusal(lambda: vault.give_back(elsewhere, broken, PASSPHRASE)).startswith("vault.")
    assert files(elsewhere.state_dir) == {}
    for content in (b"", b"\0" * 10_240, b"not a tar", raw[:512] * 40):
        broken.write_bytes(content)
        assert refusal(lambda: vault.give_back(elsewhere, broken, PASSPHRASE)) == "vault.not_a_backup"


def forged(path: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    """A backup whose maker knows the passphrase, and put in it what he likes."""

    def write(into: BinaryIO) -> None:
        with tarfile.open(fileobj=into, mode="w|") as tar:
            fill(tar)

    with path.open("wb") as out:
        locking.lock(out, PASSPHRASE, write)
    return path


def member(tar: tarfile.TarFile, name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    tar.addfile(info, io.BytesIO(content))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("/etc/loa", tarfile.REGTYPE),
        ("shelf/../../outside", tarfile.REGTYPE),
        ("keys", tarfile.SYMTYPE),
        ("shelf/link", tarfile.SYMTYPE),
        ("shelf/link", tarfile.LNKTYPE),
        ("shelf/device", tarfile.CHRTYPE),
        ("shelf/pipe", tarfile.FIFOTYPE),
        ("shelf", tarfile.DIRTYPE),
        ("loa.db", tarfile.REGTYPE),
        ("shelf/" + "a/" * 12 + "b", tarfile.REGTYPE),
        ("shelf//a", tarfile.REGTYPE),
    ],
)
def test_what_would_lie_elsewhere_is_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    path = forged(tmp_path / "forged.tar", lambda tar: member(tar, name, kind=kind))
    home = Settings(state_dir=tmp_path / "home/loa")
    assert refusal(lambda: vault.give_back(home, path, PASSPHRASE)) in {"vault.strange_name", "vault.damaged"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["forged.tar", "home"]
    assert files(tmp_path / "home") == {}


@pytest.mark.usefixtures("quick")
def test_a_list_that_does_not_fit_its_files_is_refused(tmp_path: Path) -> None:
    told = {"made_at": "2026-11-24T00:00:00Z", "version": "1", "revision": "0001", "kind": "sqlite", "members": []}

    def listed(*members: str, **changes: object) -> Callable[[tarfile.TarFile], None]:
        def fill(tar: tarfile.TarFile) -> None:
            for each in members:
                member(tar, each)
            member(tar, "list.json", json.dumps(told | changes).encode())

        return fill

    home = Settings(state_dir=tmp_path / "home")
    claimed = [{"name": "database", "size_bytes": 1, "sha256": "0" * 64}]
    for fill, key in (
        (listed(), "vault.incomplete"),
        (listed("database"), "vault.incomplete"),
        (listed("database", members=claimed), "vault.incomplete"),
        (listed(members="x"), "vault.damaged"),
        (lambda tar: member(tar, "database"), "vault.incomplete"),
        (lambda tar: [member(tar, "database"), member(tar, "database")], "vault.damaged"),
        (lambda tar: member(tar, "list.json", b"["), "vault.damaged"),
    ):
        assert refusal(lambda fill=fill: vault.give_back(home, forged(tmp_path / "f.tar", fill), PASSPHRASE)) == key
    assert files(tmp_path / "home") == {}


def test_a_full_disk_leaves_no_half_backup(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_out: BinaryIO, _passphrase: str, _fill: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(locking, "lock", full)
    with opened(settings) as store:
        refused = refusal(lambda: vault.keep(settings, store, tmp_path / "backup.tar", PASSPHRASE, NOW))
    assert refused == "vault.unwritable"
    assert not (tmp_path / "backup.tar").exists()
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
    assert not list(settings.state_dir.glob("backup-*"))


# --- what is cut ---------------------------------------------------------------------------------------------------

KILLED = """
import os, pyrage
from datetime import datetime
from pathlib import Path
from controller import vault
from controller.settings import Settings
from controller.store import Store
from controller.vault import locking
pyrage.passphrase.encrypt = pyrage.passphrase.decrypt = lambda content, _passphrase: content
settings = Settings(state_dir=Path({home!r}), database_url={url!r})
def half(out, *_):
    out.write(b"half")
    out.flush()
    os._exit(9)
{cut}
{act}
"""


def killed(settings: Settings, cut: str, act: str) -> None:
    """A process that dies as by kill -9 in the midst of an act."""
    home, url = str(settings.state_dir), settings.database_url
    done = python(KILLED.format(home=home, url=url, cut=cut, act=act), settings.state_dir)
    assert done.returncode == 9, done.stderr


def killed_backup(settings: Settings, path: Path) -> None:
    act = f"vault.keep(settings, Store(settings.store_url), Path({str(path)!r}), {PASSPHRASE!r}, datetime.now())"
    killed(settings, "locking.lock = half", act)


def left(settings: Settings) -> list[str]:
    return [each.name for each in settings.state_dir.iterdir() if each.name.startswith(("backup-", "restore-"))]


@pytest.mark.usefixtures("quick")
def test_what_a_backup_left_that_was_cut_is_swept_by_the_next(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "backup.tar"
    (tmp_path / ".backup.tar.new").write_bytes(b"of a version before")
    killed_backup(settings, path)
    assert len(left(settings)) == 1
    assert len(list(tmp_path.glob(".backup.tar.*"))) == 1
    kept(settings, path)
    assert left(settings) == []
    assert not list(tmp_path.glob(".backup.tar.*"))
    assert vault.give_back(elsewhere, path, PASSPHRASE).made_at == NOW


@pytest.mark.usefixtures("quick")
def test_a_restore_that_was_cut_is_named_and_leaves_a_way_on(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    path, home = kept(settings, tmp_path / "backup.tar"), elsewhere.state_dir
    act = f"vault.give_back(settings, Path({str(path)!r}), {PASSPHRASE!r})"
    killed(elsewhere, "Store.take_back = lambda *_: os._exit(9)", act)
    assert len(left(elsewhere)) == 1
    assert not (home / "loa.db").exists()
    before = files(home / "keys")
    with pytest.raises(VaultError) as refused:
        vault.give_back(elsewhere, path, PASSPHRASE)
    assert refused.value.key == "vault.no_database"
    assert "shelf, keys, broker" in refused.value.say("en")
    assert left(elsewhere) == []
    assert files(home / "keys") == before
    for each in list(home.iterdir()):
        each.rename(tmp_path / f"away-{each.name}")
    vault.give_back(elsewhere, path, PASSPHRASE)
    assert files(home / "keys") == before


@pytest.mark.usefixtures("quick")
def test_while_the_database_is_not_in_its_place_nobody_is_signed_in_any_more(
    settings: Settings, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if settings.database_url:
        pytest.skip("a dump is made ready in the database itself")
    with opened(settings) as store:
        store.people.open_session(session("hash"), NOW)
    path, seen = kept(settings, tmp_path / "backup.tar"), []

    def full(_store: Store, database: Path) -> None:
        with opened(Settings(state_dir=tmp_path, database_url=f"sqlite:///{database}")) as made:
            seen.append(made.people.session("hash", NOW))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "take_back", full)
    assert refusal(lambda: vault.give_back(elsewhere, path, PASSPHRASE)) == "vault.unwritable"
    assert seen == [None]
    assert not list(elsewhere.state_dir.iterdir())


@pytest.mark.usefixtures("quick")
def test_what_runs_is_not_swept(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with workplace.for_backup(settings.state_dir) as folder, workplace.becoming(path) as out:
        (folder / "database").write_bytes(b"plain")
        out.write(b"the first")
        assert refusal(lambda: vault.give_back(settings, path, PASSPHRASE)) == "vault.busy"
        kept(settings, tmp_path / "other.tar")
        with pytest.raises(VaultError, match="already"), workplace.becoming(path):
            path.write_bytes(b"somebody was faster")
        path.unlink()
        assert (folder / "database").read_bytes() == b"plain"
    assert path.read_bytes() == b"the first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert left(settings) == []


@pytest.mark.usefixtures("quick")
def test_what_somebody_else_put_there_is_not_swept(settings: Settings, tmp_path: Path) -> None:
    home = settings.state_dir
    for name, inside in (
        ("backup-november", "database/of the old station"),
        ("backup-old", "database"),
        ("restore-by_hand0", "list.json"),
        ("backup-abcdefgh", "notes"),
    ):
        (home / name / inside).parent.mkdir(parents=True, mode=0o700)
        (home / name / inside).write_bytes(b"dear")
    (home / "backup-november").chmod(0o755)
    (home / "backup-zzzzzzzz").symlink_to(tmp_path)
    (home / "backup-99999999").write_bytes(b"a file")
    before = files(home)
    kept(settings, tmp_path / "backup.tar")
    assert files(home) == before
    assert (home / "backup-zzzzzzzz").is_symlink()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("refuses", [False, True])
def test_a_backup_is_told_only_when_its_name_is_on_the_disk(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    target, flushed = tmp_path / "stick", []
    target.mkdir()

    def flush(folder: Path) -> None:
        if refuses:
            raise OSError(22, "Invalid argument")
        flushed.append((folder, [each.name for each in folder.iterdir()]))

    monkeypatch.setattr(durable, "flush_folder", flush)
    monkeypatch.setattr("os.sync", lambda: flush_all.append(target))
    flush_all: list[Path] = []
    kept(settings, target / "backup.tar")
    assert (flushed, flush_all) == (([], [target]) if refuses else ([(target, ["backup.tar"])], []))


@pytest.mark.usefixtures("quick")
def test_a_database_on_another_file_system_is_copied_there_whole(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if settings.database_url:
        pytest.skip("no file")
    path, real = kept(settings, tmp_path / "backup.tar"), Path.replace
    (tmp_path / "far").mkdir()

    def replace(own: Path, target: Path) -> Path:
        if own.parent != target.parent:
            raise OSError(18, "Invalid cross-device link")
        return real(own, target)

    monkeypatch.setattr(Path, "replace", replace)
    far = Settings(state_dir=tmp_path / "new", database_url=f"sqlite:///{tmp_path}/far/my.db")
    vault.give_back(far, path, PASSPHRASE)
    assert [each.name for each in (tmp_path / "far").iterdir() if not each.name.startswith("my.db")] == []
    assert (tmp_path / "far/my.db").stat().st_mode & 0o777 == 0o600
    with opened(far) as store:
        assert store.roster.nodes()


# --- from the shell ------------------------------------------------------------------------------------------------


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    return in_this_process(capsys)


def test_backup_and_restore_by_the_shell(loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("--passphrase-file", tmp_path / "passphrase")
    assert loa("user", "add", "lan").code == 0
    assert loa("key", "init").code == 0
    told = loa("backup", tmp_path / "b.tar", *given)
    assert (told.code, "root key is not in it" in told.out) == (0, True), told
    shown = loa("key", "show").out
    at_home(monkeypatch, tmp_path / "new")
    assert "Everybody must sign in again" in loa("restore", tmp_path / "b.tar", *given).out
    assert loa("key", "show").out.splitlines()[1:] == shown.splitlines()[1:]
    loa("restore", tmp_path / "b.tar", *given).refuses(1, "Only an empty place")
    loa("backup", tmp_path / "c.tar").refuses(1, "--passphrase-file")
    loa("backup", tmp_path / "c.tar", "--passphrase-file", tmp_path / "none").refuses(1, "none")
    loa("restore", tmp_path / "none.tar", *given).refuses(1, "already")
