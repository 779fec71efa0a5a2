"""A station out of an old backup: what was revoked since does not silently come back, and it sees that it is older."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import makers_store as made
import pyrage
import pytest
from makers_loa import Loa, at_home, in_this_process
from makers_station import Radio, furnished, online
from makers_web import NOON, settled_town

from controller import flags, keys, revocations, vault
from controller.rights import Grant, Role
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act
from controller.store.tokens import TokenRow
from controller.trustbook import held_trust
from edge_node.gate import Gate
from loa import house
from wire import topics
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


@pytest.mark.parametrize("spoil", ["cut", "stranger", "altered", "gone"])
def test_a_list_that_is_not_the_stations_own_takes_nothing_away(
    loa: Loa, old: Radio, tmp_path: Path, spoil: str
) -> None:
    path = tmp_path / "stick"
    held = path.read_bytes()
    if spoil == "stranger":
        revocations.Revocations(old.store, old.settings, Signer.generate()).keep(LATER)
    elif spoil == "gone":
        path.unlink()
        loa(
            *("restore", tmp_path / "backup.tar", "--passphrase-file", tmp_path / "passphrase", "--revocations", path)
        ).refuses(1, "stick")
        return
    else:
        path.write_bytes(held[:-9] if spoil == "cut" else held.replace(b"A", b"B", 40))
    told = restore(loa, tmp_path, "--revocations", path)
    assert "WARNING: there is no list" in told
    assert str(path) in told
    with lives(tmp_path / "new") as store:
        assert all(node.revoked_at is None for node in store.roster.nodes())


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
