"""A station out of an old backup: what was revoked since does not silently come back, and it sees that it is older."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import makers_store as made
import msgspec
import pyrage
import pytest
from makers_keys import change
from makers_loa import Loa, Told, at_home, in_this_process
from makers_station import Radio, furnished, online
from makers_web import NOON, settled_town

from controller import flags, keys, revocations, vault
from controller.revocations import Revocations
from controller.rights import Grant, Role
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act
from controller.store.tokens import TokenRow
from controller.trustbook import held_trust
from edge_node.gate import Gate
from loa import house
from wire import codec, seal, topics
from wire.link import Message
from wire.seal import Signer

NOW = made.NOW
LATER = NOW + timedelta(hours=1)
PASSPHRASE = "một cụm từ đủ dài"


@contextmanager
def lives(home: Path) -> Iterator[Store]:
    home.mkdir(exist_ok=True)
    store = Store(f"sqlite:///{home}/loa.db")
    store.migrate()
    yield store
    store.close()


@contextmanager
def lives_at(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    """At the machine on which the backup is put back. age's scrypt, a second at each use, is left out."""
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda content, _passphrase: content)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", lambda content, _passphrase: content)
    at_home(monkeypatch, tmp_path / "new")
    monkeypatch.setattr(house, "now", lambda: LATER + timedelta(hours=1))
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    return in_this_process(capsys)


@pytest.fixture
def old(loa: Loa, tmp_path: Path) -> Iterator[Radio]:
    """The station that was kept, went on for an hour in which things were taken away, and is no more."""
    with lives(tmp_path / "old") as store:
        settings = Settings(state_dir=tmp_path / "old", revocations_copy=str(tmp_path / "stick"))
        radio = furnished(store, tmp_path / "old", settings=settings)
        store.people.give(made_editor(store), right("g-old"), Act("lan", "gave a right", "x", "", NOW))
        for name in ("t-lost", "t-kept"):
            held = TokenRow(name, made_editor(store), name, name, Role.VIEWER, "*", NOW, NOW + timedelta(days=90))
            store.tokens.add(held, 9, Act("lan", "made a token", "x", name, NOW))
        radio.station.enrol(NOW)
        vault.keep(settings, store, tmp_path / "backup.tar", PASSPHRASE, NOW)

        first, second, *_ = store.roster.nodes()
        store.enrolments.revoke(first.id, LATER, Act("lan", "revoked node", first.id, "", LATER))
        store.roster.add_node(replace(second, public_key=NEW_KEY))
        store.tokens.end("t-lost", LATER, Act("lan", "ended a token", "x", "", LATER))
        store.people.end_grant("g-old", LATER, Act("lan", "took a right", "x", "", LATER))
        store.people.set_disabled(gone(store), True, Act("lan", "dismissed", "x", "", LATER))
        ring = keys.Keyring(tmp_path / "old" / "keys")
        drawn = keys.renewed(ring, store, (), LATER, always=True)
        assert drawn
        keys.settle(ring, store, drawn, LATER, ())
        radio.station.enrol(LATER)
        radio.station.plan(LATER)
        yield radio


NEW_KEY = Signer.generate().public.hex


def made_editor(store: Store) -> str:
    return store.people.all()[0].id


def gone(store: Store) -> str:
    """Who leaves after the backup."""
    return store.people.all()[1].id


def right(name: str) -> Grant:
    return Grant(name, Role.EDITOR, "*", "u-lan", NOW)


def restore(loa: Loa, tmp_path: Path, *more: object) -> str:
    told = loa("restore", tmp_path / "backup.tar", "--passphrase-file", tmp_path / "passphrase", *more)
    assert told.code == 0, told
    return told.out


def test_what_was_taken_away_after_the_backup_is_taken_away_again(loa: Loa, old: Radio, tmp_path: Path) -> None:
    first, second, *others = old.store.roster.nodes()
    told = restore(loa, tmp_path, "--revocations", tmp_path / "stick")
    assert first.id in told
    with lives(tmp_path / "new") as store:
        assert store.roster.node(first.id).revoked_at is not None
        assert store.roster.node(second.id).revoked_at is None
        assert store.roster.node(second.id).public_key == NEW_KEY
        assert [store.roster.node(each.id) for each in others] == others
        (grant,) = [each for person in store.people.all() for each in person.grants if each.id == "g-old"]
        assert grant.until is not None
        assert [each.id for each in store.people.all() if each.disabled] == [gone(store)]
        alarm = flags.find(store, flags.RESTORED)
        assert [each.id for each in store.tokens.all() if each.ended_at] == ["t-lost"]
        assert alarm.facts["count"] == "5"
        assert revocations.take_away(store, revocations.read(tmp_path / "stick", store), grant.until) == []
    shown = loa("alarms")
    assert shown.code == 1
    assert "restored from a backup" in shown.out
    assert json.loads(loa("alarms", "--json").out)[0]["name"] == "restored"
    confirmed = loa("alarms", "--confirm", "restored")
    assert (confirmed.code, confirmed.out) == (0, "Nothing to look at.\n")


def test_without_a_list_it_is_said_that_revocations_are_lost(loa: Loa, old: Radio, tmp_path: Path) -> None:
    assert "WARNING: there is no list of revocations" in restore(loa, tmp_path)
    with lives(tmp_path / "new") as store:
        assert flags.find(store, flags.RESTORED).facts["upto"] == "-"


def restored_with(loa: Loa, tmp_path: Path, path: Path) -> Told:
    passphrase = ("--passphrase-file", tmp_path / "passphrase")
    return loa("restore", tmp_path / "backup.tar", *passphrase, "--revocations", path)


@pytest.mark.parametrize("spoil", ["cut", "altered", "gone", "another kind"])
def test_where_the_list_cannot_be_used_nothing_is_restored_and_the_right_one_can_be_given(
    loa: Loa, old: Radio, tmp_path: Path, spoil: str
) -> None:
    held, path = (tmp_path / "stick").read_bytes(), tmp_path / "wrong"
    if spoil == "another kind":
        path.write_bytes(seal.seal("plan", b"{}", old.signer))
    elif spoil != "gone":
        path.write_bytes(held[:-9] if spoil == "cut" else held.replace(b"A", b"B", 40))
    restored_with(loa, tmp_path, path).refuses(1, "wrong")
    assert not (tmp_path / "new" / "loa.db").exists()
    told = restored_with(loa, tmp_path, tmp_path / "stick")
    assert (told.code, "5 were revoked again" in told.out) == (0, True), told


def test_a_list_under_a_strange_seal_takes_nothing_away(loa: Loa, old: Radio, tmp_path: Path) -> None:
    path = tmp_path / "stick"
    path.unlink()
    revocations.Revocations(old.store, old.settings, Signer.generate()).keep(LATER)
    told = restore(loa, tmp_path, "--revocations", path)
    assert "WARNING: there is no list" in told
    assert str(path) in told
    with lives(tmp_path / "new") as store:
        assert all(node.revoked_at is None for node in store.roster.nodes())
    loa("revocations", path).refuses(1, "stick")


def test_a_restored_database_says_so_before_it_is_a_station(
    loa: Loa, old: Radio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_back, seen = Store.take_back, []

    def watched(self: Store, path: Path) -> None:
        with lives_at(path) as store:
            seen.append(flags.find(store, flags.RESTORED))
        take_back(self, path)

    monkeypatch.setattr(Store, "take_back", watched)
    restore(loa, tmp_path)
    assert [each.facts["upto"] for each in seen] == ["-"]


def test_a_restore_that_is_cut_before_the_list_leaves_the_alarm_and_the_list_is_applied_later(
    loa: Loa, old: Radio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(revocations, "newest", cut)
        assert restored_with(loa, tmp_path, tmp_path / "stick").code != 0
    shown = loa("alarms")
    assert (shown.code, "restored from a backup" in shown.out) == (1, True)
    first = old.store.roster.nodes()[0].id
    told = loa("revocations", tmp_path / "stick")
    assert (told.code, first in told.out) == (0, True)
    with lives(tmp_path / "new") as store:
        assert store.roster.node(first).revoked_at is not None
        alarm = flags.find(store, flags.RESTORED)
        assert (alarm.facts["count"], alarm.facts["upto"] != "-") == ("5", True)
    again = json.loads(loa("revocations", tmp_path / "stick", "--json").out)
    assert again["taken_away"] == []


def test_a_list_that_is_applied_later_leaves_what_came_after_it(loa: Loa, old: Radio, tmp_path: Path) -> None:
    restore(loa, tmp_path)
    since = LATER + timedelta(hours=2)
    with lives(tmp_path / "new") as store:
        second = store.roster.nodes()[1]
        newest = Signer.generate().public.hex
        act = Act("lan", "replaced key", second.id, "", since)
        store.roster.add_node(replace(second, public_key=newest), act)
        given = replace(right("g-new"), given_at=since)
        store.people.give(made_editor(store), given, Act("lan", "gave a right", "x", "", since))
        token = TokenRow(
            *("t-new", made_editor(store), "t-new", "t-new", Role.VIEWER, "*", since, since + timedelta(days=9))
        )
        store.tokens.add(token, 9, Act("lan", "made a token", "x", "t-new", since))
    assert loa("revocations", tmp_path / "stick").code == 0
    with lives(tmp_path / "new") as store:
        assert store.roster.node(second.id).public_key == newest
        assert store.roster.node(second.id).revoked_at is None
        ends = {each.id: each.until for person in store.people.all() for each in person.grants}
        assert (ends["g-new"], ends["g-old"] is not None) == (None, True)
        assert [each.id for each in store.tokens.all() if each.ended_at] == ["t-lost"]


# --- a list that comes after the restore ---


def begins(store: Store, tmp_path: Path) -> Revocations:
    """The restored station's own list, which has the old one's second place; it begins to run."""
    home = tmp_path / "new"
    settings = Settings(state_dir=home, revocations_copy=str(tmp_path / "stick"))
    return Revocations(store, settings, keys.Keyring(home / "keys").station())


def test_the_first_start_after_a_restore_never_writes_over_a_newer_list(
    loa: Loa, old: Radio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = old.store.roster.nodes()[0].id
    path, aside = tmp_path / "stick", tmp_path / "stick.aside-1"
    held = path.read_bytes()
    restore(loa, tmp_path)
    loa("alarms", "--confirm", "restored")
    with lives(tmp_path / "new") as store:
        kept = begins(store, tmp_path)
        assert kept.keep(LATER + timedelta(hours=2)) == 2
        assert aside.read_bytes() == held
        assert first not in revocations.read(path, store).state.revoked
        assert "newer_revocations" in caplog.text
        assert kept.keep(LATER + timedelta(hours=3)) == 0
        assert begins(store, tmp_path).keep(LATER + timedelta(hours=4)) == 2
    assert not (tmp_path / "stick.aside-2").exists()
    assert json.loads(loa("alarms", "--json").out)[0]["path"] == str(aside)
    assert first in loa("revocations", aside).out
    assert loa("alarms").code == 0


def mounted(path: Path, content: bytes) -> None:
    """What lies at ``path`` is another file from now on."""
    other = path.with_name("mounted")
    other.write_bytes(content)
    other.replace(path)


def test_a_place_that_comes_long_after_the_restore_is_not_written_over(loa: Loa, old: Radio, tmp_path: Path) -> None:
    path, aside = tmp_path / "stick", tmp_path / "stick.aside-1"
    held = path.read_bytes()
    path.unlink()
    restore(loa, tmp_path)
    with lives(tmp_path / "new") as store:
        kept = begins(store, tmp_path)
        assert kept.keep(LATER + timedelta(hours=2)) == 2
        own = path.read_bytes()
        mounted(path, held)
        assert kept.keep(LATER + timedelta(hours=3)) == 1
        assert aside.read_bytes() == held
        mounted(path, own)  # of this station, from when the place was away
        assert kept.keep(LATER + timedelta(hours=4)) == 1
        assert revocations.read(path, store).at == LATER + timedelta(hours=4)
    assert loa("revocations", aside).code == 0
    with lives(tmp_path / "new") as store:
        mounted(path, held)  # all of it is known by now
        assert begins(store, tmp_path).keep(LATER + timedelta(hours=5)) == 2
    assert len(list(tmp_path.glob("stick.aside-*"))) == 1


def test_a_list_with_a_revocation_unknown_here_is_put_aside_whatever_its_clock_said(old: Radio, tmp_path: Path) -> None:
    held = revocations.read(tmp_path / "stick", old.store)
    state = msgspec.structs.replace(held.state, revoked=held.state.revoked | {"cum-9": NOW})
    early = revocations.Noted(NOW - timedelta(days=999), state)
    mounted(tmp_path / "stick", seal.seal(revocations.KIND, codec.write(early), old.signer))
    after = Revocations(old.store, old.settings, old.signer)
    assert after.keep(LATER + timedelta(hours=1)) == 2
    assert revocations.read(tmp_path / "stick.aside-1", old.store) == early


def test_a_list_that_nobody_can_read_is_put_aside_and_not_more_than_some(loa: Loa, old: Radio, tmp_path: Path) -> None:
    restore(loa, tmp_path)
    with lives(tmp_path / "new") as store:
        kept, path = begins(store, tmp_path), tmp_path / "stick"
        for number in range(revocations.MOST_ASIDE + 1):
            path.write_bytes(b"another station's %d" % number)
            kept.keep(LATER + timedelta(hours=2 + number))
        assert path.read_bytes() == b"another station's 9"
        asides = sorted(tmp_path.glob("stick.aside-*"))
        assert [each.read_bytes()[-1:] for each in asides] == [b"%d" % each for each in range(revocations.MOST_ASIDE)]
        assert flags.find(store, flags.NEWER_LIST) is not None


def test_a_station_that_goes_on_puts_nothing_aside(old: Radio, tmp_path: Path) -> None:
    """Also after its key was stolen and changed: then its own list is under a seal that counts no more."""
    ring = keys.Keyring(tmp_path / "old" / "keys")
    change(ring, old.store, LATER, stolen=True)
    after = Revocations(old.store, old.settings, ring.station())
    assert after.keep(LATER + timedelta(hours=1)) == 2
    assert list(tmp_path.rglob("*.aside-*")) == []
    assert flags.find(old.store, flags.NEWER_LIST) is None
    assert revocations.read(tmp_path / "stick", old.store).at == LATER + timedelta(hours=1)


def test_a_station_older_than_its_nodes_says_so_and_takes_the_newer_trust_that_the_broker_keeps(
    loa: Loa, old: Radio, tmp_path: Path
) -> None:
    third = old.store.roster.nodes()[2].id
    gate = old.gate(third, LATER)
    newest = old.broker.retained[topics.TRUST.topic()]
    restore(loa, tmp_path)
    with lives(tmp_path / "new") as store:
        before = held_trust(store).serial
        assert gate.trust.serial > before
        radio = Radio(store, tmp_path / "new", broker=old.broker)
        radio.broker.retained.pop(topics.TRUST.topic())
        radio.station.start(LATER)
        stranger_speaks(radio, gate)
        online(radio, gate, third, LATER)
        radio.station.hear(LATER)
        radio.station.sweep(LATER)
        assert flags.find(store, flags.OLDER).facts["names"] == third
        assert flags.find(store, flags.UNSEEN).facts["names"] == "loa-new"

        forged = newest.replace(b'"sig":"', b'"sig":"AAAA', 1)
        for raw in (forged, newest[:-20], b"{}"):
            radio.broker.publish(Message(topics.TRUST.topic(), raw, retained=True))
            radio.station.hear(LATER)
            assert held_trust(store).serial == before
        radio.broker.publish(Message(topics.TRUST.topic(), newest, retained=True))
        radio.station.hear(LATER)
        assert held_trust(store).serial == gate.trust.serial
        radio.station.sweep(LATER)
        assert flags.find(store, flags.OLDER) is None
        assert flags.find(store, flags.RESTORED) is not None


def stranger_speaks(radio: Radio, gate: Gate) -> None:
    """A node that was entered after the backup."""
    online(radio, gate, "loa-new", LATER)


def test_the_list_of_nodes_tells_alarms_to_whoever_can_do_something(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        app = town.app()
        flags.sound(town.store, flags.RESTORED, {"made": "08:00", "upto": "-", "count": "0"}, NOON)
        flags.sound(town.store, flags.STILL_IN, flags.some_of(["loa-01", "loa-02"]), NOON)
        shown = town.client(app, "quan-tri").get("/cum-loa").text
        assert "loa alarms --confirm restored" in shown
        assert "loa-01, loa-02" in shown
        assert "--confirm restored" not in town.client(app, "van-hoa").get("/cum-loa").text
