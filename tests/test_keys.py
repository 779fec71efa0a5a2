"""The station's keys: files that are written once and read by nobody else, and the trust document over them."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers_keys import change

from controller import bootstrap, keys, succession
from controller.keys import NEXT, ROOT, STATION, TRUST_VALIDITY, Keyring, KeyTrouble
from controller.settings import Settings
from controller.store import Store
from wire import codec, seal
from wire.loopback import Loopback
from wire.plan import BulletinClass
from wire.seal import Signer
from wire.trust import Trust

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
SEED = "ab" * 32


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "state" / "keys")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- files ---------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_found_again(ring: Keyring) -> None:
    assert ring.find(STATION) is None
    assert not ring.folder.exists()
    made = ring.make(STATION)
    held = (ring.folder / "station.key").read_bytes()
    assert held == made.secret.hex().encode() + b"\n"
    again = (ring.make(STATION), ring.station(), Keyring(ring.folder).station())
    assert {each.public.hex for each in again} == {made.public.hex}
    assert (ring.folder / "station.key").read_bytes() == held
    assert ring.make(ROOT).public.hex != made.public.hex
    assert sorted(path.name for path in ring.folder.iterdir()) == ["root.key", "station.key"]


def test_nobody_else_may_read_a_key(ring: Keyring) -> None:
    before = os.umask(0)
    try:
        ring.make(STATION)
    finally:
        os.umask(before)
    assert (mode(ring.folder), mode(ring.folder / "station.key")) == (0o700, 0o600)


def test_what_was_restored_with_wider_modes_is_narrowed(ring: Keyring) -> None:
    ring.folder.mkdir(parents=True, mode=0o755)
    path = ring.folder / "station.key"
    path.write_text(SEED)
    path.chmod(0o644)
    assert ring.station().secret.hex() == SEED
    assert mode(path) == 0o600
    ring.make(ROOT)
    assert mode(ring.folder) == 0o700


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"ab", SEED[:-2].encode(), SEED.encode() + b"ab", b"zz" * 32, b"\xff\x00" * 32, b"ab" * 600]
)
def test_a_file_that_is_no_key_is_said_and_left_alone(ring: Keyring, content: bytes) -> None:
    ring.folder.mkdir(parents=True)
    path = ring.folder / "station.key"
    path.write_bytes(content)
    for act in (ring.station, lambda: ring.find(STATION), lambda: ring.make(STATION)):
        with pytest.raises(KeyTrouble, match="is not a key") as said:
            act()
        assert str(path) in said.value.say("vi")
        assert SEED[:20] not in str(said.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [SEED, SEED.upper(), f" {SEED} \r\n"])
def test_a_key_that_was_typed_in_is_taken(ring: Keyring, content: str) -> None:
    ring.folder.mkdir(parents=True)
    (ring.folder / "station.key").write_text(content)
    assert ring.station().secret.hex() == SEED


def test_a_key_that_cannot_be_read_is_said(ring: Keyring) -> None:
    (ring.folder / "station.key").mkdir(parents=True)
    loop = ring.folder / "root.key"
    loop.symlink_to(loop)
    for name in (STATION, ROOT):
        for act in (ring.find, ring.make):
            with pytest.raises(KeyTrouble, match="cannot be read"):
                act(name)


def test_where_no_key_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "keys"):
        with pytest.raises(KeyTrouble) as said:
            Keyring(folder).make(STATION)
        assert said.value.key in ("keys.unwritable", "keys.unreadable")


def test_a_key_that_is_not_there_is_said(ring: Keyring) -> None:
    with pytest.raises(KeyTrouble, match="loa key init"):
        ring.station()


def test_what_a_crash_left_behind_does_not_count(ring: Keyring) -> None:
    ring.folder.mkdir(parents=True)
    (ring.folder / "station.new").write_text("half")
    (ring.folder / "station-abc.new").write_text("half")
    assert ring.find(STATION) is None
    assert ring.make(STATION).public.hex == ring.station().public.hex


def test_a_disk_that_fills_up_leaves_no_half_key(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyTrouble, match="cannot be written"):
        ring.make(STATION)
    assert list(ring.folder.iterdir()) == []


def test_a_key_made_meanwhile_is_not_overwritten(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Signer(bytes.fromhex(SEED))
    link = os.link

    def late(aside: str, path: Path) -> None:
        Path(path).write_text(SEED)
        link(aside, path)

    monkeypatch.setattr(os, "link", late)
    assert ring.make(STATION).public.hex == other.public.hex
    assert [path.name for path in ring.folder.iterdir()] == ["station.key"]


def test_many_that_make_one_key_agree_on_it(ring: Keyring) -> None:
    made: list[str] = []
    gate = threading.Barrier(8)

    def make() -> None:
        gate.wait()
        made.append(ring.make(STATION).public.hex)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(made) == {ring.station().public.hex}
    assert len(made) == 8


# --- the trust document --------------------------------------------------------------------------------------


def document_in(store: Store, root: Signer) -> Trust:
    """What the store holds, its seal checked."""
    held = store.documents.get(keys.TRUST_NAME)
    assert held
    envelope = seal.unwrap(held.envelope, 1_000_000)
    envelope.verify("trust", {root.public.key_id: root.public})
    return codec.read(Trust, envelope.body(), 1_000_000)


def test_the_first_time_both_keys_and_the_document_are_made(ring: Keyring, store: Store) -> None:
    assert keys.held_trust(store) is None
    made = keys.establish(ring, store, (), NOW)
    (grant,) = made.grants
    assert (grant.public_key, grant.areas) == (ring.station().public.hex, ("*",))
    assert grant.up_to is BulletinClass.EMERGENCY
    assert made.valid_until == NOW + TRUST_VALIDITY
    assert keys.held_trust(store) == made
    assert keys.establish(ring, store, (), NOW + timedelta(days=300)) == made
    assert keys.establish(ring, store, ("*",), NOW) == made


def test_a_document_that_is_half_spent_is_sealed_anew(ring: Keyring, store: Store) -> None:
    first = keys.establish(ring, store, ("lang-son",), NOW)
    later = NOW + TRUST_VALIDITY / 2
    second = keys.establish(ring, store, (), later)
    assert second.serial > first.serial
    assert second.valid_until == later + TRUST_VALIDITY
    assert second.grants[0].areas == ("lang-son",)


def test_the_areas_are_those_that_were_told_and_no_others(ring: Keyring, store: Store) -> None:
    own = keys.establish(ring, store, ("*",), NOW).grants[0].public_key
    for areas in (("a", "b"), ("a",), ("*",)):
        made = keys.establish(ring, store, areas, NOW)
        assert [(each.public_key, each.areas) for each in made.grants] == [(own, areas)]
        assert keys.areas_of(made, ring.station().public) == set(areas)
        assert keys.establish(ring, store, (), NOW) == made


def test_a_new_station_key_leaves_the_old_ones_grant(ring: Keyring, store: Store) -> None:
    first = keys.establish(ring, store, ("lang-son",), NOW)
    (ring.folder / "station.key").unlink()
    second = keys.establish(ring, store, ("lang-son",), NOW)
    assert second.serial > first.serial
    assert [each.public_key for each in second.grants] == [first.grants[0].public_key, ring.station().public.hex]


def test_without_the_root_key_nothing_new_is_sealed(ring: Keyring, store: Store) -> None:
    made = keys.establish(ring, store, ("*",), NOW)
    (ring.folder / "root.key").rename(ring.folder.parent / "drawer.key")
    assert keys.establish(ring, store, ("*",), NOW) == made
    for areas, now in ((("a",), NOW), ((), NOW + TRUST_VALIDITY)):
        with pytest.raises(KeyTrouble, match="only the root key"):
            keys.establish(ring, store, areas, now)
    assert keys.held_trust(store) == made
    assert ring.find(ROOT) is None  # another root would be trusted by no node


# --- change and revocation -----------------------------------------------------------------------------------


def grants(store: Store) -> dict[str, datetime]:
    held = keys.held_trust(store)
    assert held
    return {each.public_key: each.until for each in held.grants}


def test_a_changed_key_counts_a_day_beside_the_new_one(ring: Keyring, store: Store) -> None:
    keys.establish(ring, store, ("lang-son",), NOW)
    before = ring.station().public
    old, trust = change(ring, store, NOW + timedelta(days=9))
    new = ring.station().public
    assert (old.hex, new.hex != old.hex) == (before.hex, True)
    assert grants(store)[old.hex] == NOW + timedelta(days=10)
    assert [each.areas for each in trust.grants] == [("lang-son",)] * 2
    assert sorted(path.name for path in ring.folder.iterdir()) == ["root.key", "root.pub", "station.key"]
    change(ring, store, NOW + timedelta(days=9, hours=1))
    assert grants(store)[old.hex] == NOW + timedelta(days=10), "an ending key is not prolonged"


def test_a_stolen_key_counts_no_more(ring: Keyring, store: Store) -> None:
    keys.establish(ring, store, (), NOW)
    old, trust = change(ring, store, NOW, stolen=True)
    assert [each.public_key for each in trust.grants] == [ring.station().public.hex]
    assert old.hex not in grants(store)
    assert keys.establish(ring, store, (), NOW) == trust


def test_a_change_that_was_interrupted_is_finished_by_the_next(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.establish(ring, store, (), NOW)
    before = ring.station().public.hex

    def cut(*_: object) -> None:
        raise KeyTrouble("keys.unwritable", path="x", why="power")

    monkeypatch.setattr(Keyring, "promote", cut)
    with pytest.raises(KeyTrouble):
        change(ring, store, NOW)
    monkeypatch.undo()
    assert ring.station().public.hex == before, "the old key goes on"
    assert before in grants(store)
    waiting = (ring.folder / "station-next.key").read_text()
    change(ring, store, NOW)
    assert (ring.folder / "station.key").read_text() == waiting
    assert set(grants(store)) == {before, ring.station().public.hex}


def cut_change(ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch, *, stolen: bool) -> tuple[str, str]:
    """The power goes between the trust document and the file: the old key that lies there, and the one that waits."""

    def cut(*_: object) -> None:
        raise KeyTrouble("keys.unwritable", path="x", why="power")

    with monkeypatch.context() as patched:
        patched.setattr(Keyring, "promote", cut)
        with pytest.raises(KeyTrouble):
            change(ring, store, NOW, stolen=stolen)
    old, new = ring.public(STATION), ring.public(NEXT)
    assert old
    assert new
    assert (old.hex in grants(store), new.hex in grants(store)) == (not stolen, True)
    return old.hex, new.hex


@pytest.mark.parametrize("stolen", [False, True])
def test_a_change_that_was_cut_and_run_again_gives_the_new_key_what_the_old_one_had(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch, stolen: bool
) -> None:
    keys.establish(ring, store, ("lang-son:dong-dang",), NOW)
    old, new = cut_change(ring, store, monkeypatch, stolen=stolen)
    _, trust = change(ring, store, NOW, stolen=stolen)
    assert ring.station().public.hex == new
    assert {each.public_key: each.areas for each in trust.grants} == dict.fromkeys(
        [new] if stolen else [old, new], ("lang-son:dong-dang",)
    )


@pytest.mark.parametrize("act", ["init", "draft", "revoke"])
def test_whatever_comes_after_a_cut_change_never_names_the_stolen_key_again(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    keys.establish(ring, store, ("lang-son:dong-dang",), NOW)
    other = Signer.generate().public
    held = keys.held_trust(store)
    assert held
    more = keys._drawn(store, (*held.grants, keys.grant(other, ("lang-son",), NOW)), NOW)
    keys.settle(ring, store, more, NOW)
    old, new = cut_change(ring, store, monkeypatch, stolen=True)
    assert succession.is_cut(ring, store)
    if act == "init":
        keys.establish(ring, store, (), NOW)
    elif act == "draft":
        drawn = keys.renewed(ring, store, (), NOW, always=True)
        assert drawn
        keys.settle(ring, store, drawn, NOW)
    else:
        keys.revoke(ring, store, other.hex, NOW)
    assert ring.station().public.hex == new
    assert not succession.is_cut(ring, store)
    trust = keys.held_trust(store)
    assert trust
    assert {each.public_key for each in trust.grants} == ({new} if act == "revoke" else {new, other.hex})
    assert old not in grants(store)
    assert keys.areas_of(trust, ring.station().public) == {"lang-son:dong-dang"}


def test_a_station_that_starts_after_a_cut_change_seals_with_the_key_that_nodes_believe(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.establish(ring, store, ("lang-son",), NOW)
    _, new = cut_change(ring, store, monkeypatch, stolen=True)
    settings = Settings(state_dir=ring.folder.parent, voice_chain=("espeak",))
    station = bootstrap.make_station(settings, store, Loopback().link("station"))
    assert station.transmitter.key.hex == new
    assert not ring.path(NEXT).exists()


def test_a_key_that_was_only_drafted_stays_where_it_waits(ring: Keyring, store: Store) -> None:
    keys.establish(ring, store, ("lang-son",), NOW)
    own = ring.station().public
    keys.changed(ring, store, NOW, stolen=True)
    keys.establish(ring, store, ("lang-son", "b"), NOW)
    assert not succession.finish(ring, store)
    assert ring.station().public == own
    assert ring.path(NEXT).exists()


def test_a_key_that_the_roots_have_taken_back_gets_nothing_that_nobody_said(ring: Keyring, store: Store) -> None:
    keys.establish(ring, store, ("lang-son",), NOW)
    change(ring, store, NOW, stolen=True)
    ring.path(STATION).write_text(SEED)  # as a backup of before would put it back
    held = keys.held_trust(store)
    acts = (
        lambda: keys.establish(ring, store, (), NOW),
        lambda: keys.renewed(ring, store, (), NOW, always=True),
        lambda: change(ring, store, NOW, stolen=True),
    )
    for act in acts:
        with pytest.raises(KeyTrouble, match="--area"):
            act()
    assert keys.held_trust(store) == held
    assert not ring.path(NEXT).exists()
    old = ring.station().public
    trust = keys.settle(ring, store, keys.changed(ring, store, NOW, stolen=True, areas=("lang-son",)), NOW)
    assert ring.station().public.hex in grants(store)
    assert {each.areas for each in trust.grants} == {("lang-son",)}
    assert old.hex not in grants(store)


def test_a_key_is_taken_back_by_its_name_and_nothing_else_changes(ring: Keyring, store: Store) -> None:
    keys.establish(ring, store, (), NOW)
    old, trust = change(ring, store, NOW)
    taken = keys.revoke(ring, store, old.hex.upper(), NOW, above=trust.serial + 40)
    assert taken.serial == trust.serial + 41
    assert set(grants(store)) == {ring.station().public.hex}


def test_what_cannot_be_changed_is_said_and_nothing_is(ring: Keyring, store: Store) -> None:
    with pytest.raises(KeyTrouble, match=r"root key"):
        change(ring, store, NOW)
    ring.make(ROOT)
    with pytest.raises(KeyTrouble, match="loa key init"):
        keys.revoke(ring, store, SEED, NOW)
    keys.establish(ring, store, (), NOW)
    held = keys.held_trust(store)
    for key, why in ((SEED, "does not name"), ("x" * 5000, "does not name"), (ring.station().public.hex, "--stolen")):
        with pytest.raises(KeyTrouble, match=why):
            keys.revoke(ring, store, key, NOW)
    (ring.folder / "root.key").unlink()
    for act in (lambda: change(ring, store, NOW), lambda: keys.revoke(ring, store, SEED, NOW)):
        with pytest.raises(KeyTrouble):
            act()
    assert keys.held_trust(store) == held
    assert sorted(path.name for path in ring.folder.iterdir()) == ["root.pub", "station.key"]
