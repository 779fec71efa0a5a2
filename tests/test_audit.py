"""The audit log as a chain: whatever is done to it behind the program's back is found, on either database."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from makers_loa import Loa, at_home, in_this_process
from makers_store import NOW

from controller import audit_export, keys, public_log, witness
from controller.settings import Settings
from controller.store import Store, migrations
from controller.store.audit import Checkpoint
from controller.store.chain import BEFORE_ALL, Link, link_of
from controller.store.rows import Act
from wire import seal
from wire.seal import Signer

SIGNER = Signer(b"\7" * 32)
KEYS = {SIGNER.public.id: SIGNER.public}
LINES = 12


def act(number: int) -> Act:
    return Act("lan", "approved", f"a{number}", f"Họp thôn {number}", NOW + timedelta(seconds=number))


@pytest.fixture
def written(store: Store, tmp_path: Path) -> Store:
    """Twelve lines; the first six are vouched for by one checkpoint, all by another."""
    for number in range(1, LINES + 1):
        store.acts.add(act(number))
        if number % 6 == 0:
            assert witness.testify(store, SIGNER, tmp_path, NOW)
    return store


def alter(store: Store, *statements: str) -> None:
    """What somebody does who has the database in his hands."""
    with store.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def faults(store: Store, folder: Path | None = None) -> list[str]:
    kept = witness.kept_aside(folder).envelopes if folder else []
    return [each.key for each in witness.examine_store(store, kept, KEYS).faults]


def test_a_log_that_nobody_touched_is_whole(written: Store, tmp_path: Path) -> None:
    found = witness.examine_store(written, witness.kept_aside(tmp_path).envelopes, KEYS)
    assert (found.lines, found.sealed_upto, found.faults) == (LINES, LINES, [])
    assert [link.number for link in written.acts.links(after=10)] == [11, 12]


def test_an_empty_log_is_whole_and_needs_no_checkpoint(store: Store, tmp_path: Path) -> None:
    assert witness.testify(store, SIGNER, tmp_path, NOW) is None
    assert faults(store, tmp_path) == []


def test_what_has_not_grown_is_not_sealed_again(written: Store, tmp_path: Path) -> None:
    assert witness.testify(written, SIGNER, tmp_path, NOW) is None
    assert [each.number for each in written.acts.checkpoints()] == [6, 12]


@pytest.mark.parametrize(
    ("deed", "found"),
    [
        ("UPDATE acts SET who = 'mai' WHERE number = 4", ["audit.changed"]),
        ("UPDATE acts SET detail = '' WHERE number = 12", ["audit.changed"]),
        ("UPDATE acts SET at = '2020-01-01 00:00:00' WHERE number = 1", ["audit.changed"]),
        ("DELETE FROM acts WHERE number = 5", ["audit.missing"]),
        ("DELETE FROM acts WHERE number <= 3", ["audit.missing"]),
        ("DELETE FROM acts WHERE number > 9", ["audit.cut_off", "audit.cut_off"]),
        ("DELETE FROM acts", ["audit.cut_off", "audit.cut_off"]),
        ("UPDATE acts SET number = number + 100 WHERE number = 3", ["audit.missing", "audit.missing"]),
        ("UPDATE act_head SET number = 40 WHERE id = 1", ["audit.cut_off"]),
        ("INSERT INTO acts (who, what, subject, detail, at) VALUES ('x', 'y', 'z', '', '2026-11-24 00:00:00')",
         ["audit.outside"]),
    ],
)  # fmt: skip
def test_every_deed_is_found(written: Store, deed: str, found: list[str]) -> None:
    alter(written, deed)
    assert sorted(set(faults(written))) == sorted(set(found))


def test_two_lines_that_change_places_are_found(written: Store) -> None:
    alter(
        written,
        "UPDATE acts SET number = 1000 WHERE number = 7",
        "UPDATE acts SET number = 7 WHERE number = 8",
        "UPDATE acts SET number = 8 WHERE number = 1000",
    )
    assert "audit.changed" in faults(written)


def rewrite(store: Store, change: Callable[[Act], Act]) -> None:
    """A whole new chain, true in itself: what somebody does who has read this program."""
    newest = BEFORE_ALL
    for link in list(store.acts.links()):
        told = change(link.act)
        newest = link_of(newest, link.number, told)
        with store.database.engine.begin() as connection:
            forge = sa.text("UPDATE acts SET who = :who, hash = :hash WHERE number = :number")
            connection.execute(forge, {"who": told.who, "hash": newest, "number": link.number})
    alter(store, f"UPDATE act_head SET hash = '{newest}' WHERE id = 1")


def test_a_chain_written_anew_contradicts_its_checkpoints(written: Store) -> None:
    rewrite(written, lambda told: replace(told, who="mai"))
    assert faults(written) == ["audit.rewritten", "audit.rewritten"]


def test_checkpoints_that_are_taken_away_stand_in_the_file_beside_the_store(written: Store, tmp_path: Path) -> None:
    rewrite(written, lambda told: replace(told, who="mai"))
    alter(written, "DELETE FROM checkpoints")
    assert faults(written) == []
    assert faults(written, tmp_path) == ["audit.rewritten", "audit.rewritten"]


def test_a_store_put_back_to_an_earlier_day_is_found(written: Store, tmp_path: Path) -> None:
    (kept,) = (link for link in written.acts.links() if link.number == 6)
    alter(written, "DELETE FROM acts WHERE number > 6", "DELETE FROM checkpoints WHERE number > 6")
    alter(written, f"UPDATE act_head SET number = 6, hash = '{kept.hash}' WHERE id = 1")
    assert faults(written) == []
    assert faults(written, tmp_path) == ["audit.cut_off"]


def cut_short(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """A disk that takes so many bytes of a line, and then nothing until `undo`."""
    real, room = os.write, [after]

    def write(descriptor: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        done = real(descriptor, content[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)


def test_a_disk_that_takes_a_line_piece_by_piece_gets_all_of_it(
    written: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:7]))
    written.acts.add(act(LINES + 1))
    made = witness.testify(written, SIGNER, tmp_path, NOW)
    assert made
    assert (tmp_path / witness.FILE).read_bytes().endswith(b"\n" + made.envelope + b"\n")


@pytest.mark.parametrize("after", [1, 100, 150])
def test_a_checkpoint_that_was_cut_is_no_fault_and_the_next_takes_its_place(
    written: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    written.acts.add(act(LINES + 1))
    with monkeypatch.context() as full:
        cut_short(full, after)
        with pytest.raises(OSError, match="No space"):
            witness.testify(written, SIGNER, tmp_path, NOW)
    kept = witness.kept_aside(tmp_path)
    assert (len(kept.envelopes), [each.key for each in kept.remarks]) == (2, ["audit.unfinished"])
    assert faults(written, tmp_path) == []
    assert witness.testify(written, SIGNER, tmp_path, NOW)
    kept = witness.kept_aside(tmp_path)
    assert (len(kept.envelopes), kept.remarks) == (3, [])
    assert faults(written, tmp_path) == []
    alter(written, "DELETE FROM checkpoints")
    rewrite(written, lambda told: replace(told, who="mai"))
    assert faults(written, tmp_path) == ["audit.rewritten"] * 3


@pytest.mark.parametrize("tail", [b"\0" * 9, b"{", b"x" * 200_000])
def test_what_was_never_finished_is_cut_away_however_long(written: Store, tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / witness.FILE
    whole = path.read_bytes()
    for before in (whole, b""):
        path.write_bytes(before + tail)
        written.acts.add(act(LINES + 1))
        made = witness.testify(written, SIGNER, tmp_path, NOW)
        assert made
        assert path.read_bytes() == before + made.envelope + b"\n"


def test_a_checkpoint_that_lacks_only_its_end_counts_and_stays(written: Store, tmp_path: Path) -> None:
    path = tmp_path / witness.FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    kept = witness.kept_aside(tmp_path)
    assert (len(kept.envelopes), kept.remarks) == (2, [])
    written.acts.add(act(LINES + 1))
    made = witness.testify(written, SIGNER, tmp_path, NOW)
    assert made
    assert path.read_bytes() == whole + made.envelope + b"\n"


def test_half_a_line_that_is_not_the_last_is_a_fault(written: Store, tmp_path: Path) -> None:
    path = tmp_path / witness.FILE
    first, last = path.read_bytes().splitlines()
    path.write_bytes(first[:100] + b"\n" + last + b"\n")
    assert faults(written, tmp_path) == ["audit.no_checkpoint"]


def test_a_checkpoint_of_another_key_vouches_for_nothing(written: Store) -> None:
    (last,) = (each for each in written.acts.checkpoints() if each.number == LINES)
    body = seal.unwrap(last.envelope, 4096).body()
    alter(written, "DELETE FROM checkpoints WHERE number = 12")
    written.acts.witness(Checkpoint(LINES, seal.seal(witness.KIND, body, Signer(b"\1" * 32)), NOW))
    written.acts.witness(Checkpoint(1, b"garbage", NOW))
    written.acts.witness(Checkpoint(2, seal.seal("plan", body, SIGNER), NOW))
    found = witness.examine_store(written, [], KEYS)
    assert found.sealed_upto == 6
    assert sorted(each.key for each in found.faults) == [
        "audit.no_checkpoint",
        "audit.unknown_seal",
        "audit.unknown_seal",
    ]


def test_many_who_write_at_once_make_one_chain(store: Store) -> None:
    def write() -> None:
        for number in range(15):
            store.acts.add(act(number))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found = witness.examine_store(store, [], KEYS)
    assert (found.lines, found.faults) == (60, [])


def test_what_was_written_before_there_was_a_chain_is_chained(database_url: str) -> None:
    store = Store(database_url)
    with store.database.changing_shape() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        old = sa.text("INSERT INTO acts (who, what, subject, detail, at) VALUES ('lan', 'approved', :a, 'x', :at)")
        for number in range(3):
            connection.execute(old, {"a": f"a{number}", "at": "2026-11-24 00:00:00"})
    store.migrate()
    store.acts.add(act(4))
    found = witness.examine_store(store, [], KEYS)
    store.close()
    assert (found.lines, found.faults) == (4, [])


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), min_size=2, max_size=8), st.data())
def test_no_single_change_leaves_the_chain_true(lines: list[tuple[str, str]], data: st.DataObject) -> None:
    links, newest = [], BEFORE_ALL
    for number, (who, detail) in enumerate(lines, 1):
        told = Act(who, "approved", "a", detail, NOW)
        newest = link_of(newest, number, told)
        links.append(Link(number, told, newest))
    assert witness.examine(links, [], {}).faults == []
    place = data.draw(st.integers(0, len(links) - 1))
    other = data.draw(st.text(max_size=40).filter(lambda text: text != links[place].act.detail))
    changed = [*links]
    changed[place] = replace(links[place], act=replace(links[place].act, detail=other))
    assert witness.examine(changed, [], {}).faults
    if place < len(links) - 1:
        assert witness.examine(links[:place] + links[place + 1 :], [], {}).faults


# --- from the shell ------------------------------------------------------------------------------------------------


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    run = in_this_process(capsys)
    assert run("user", "add", "lan").code == 0
    assert run("area", "add", "lang-son", "Tỉnh").code == 0
    assert run("key", "init").code == 0
    return run


def sealed(home: Path) -> str:
    store, ring = Store(f"sqlite:///{home}/loa.db"), keys.Keyring(home / "keys")
    assert witness.testify(store, ring.station(), home, NOW)
    store.close()
    return ring.station().public.hex


def test_the_shell_says_that_the_log_is_whole_or_what_was_done_to_it(loa: Loa, tmp_path: Path) -> None:
    home = tmp_path / "home"
    sealed(home)
    assert loa("audit", "verify").out == "The log is whole: 4 lines, sealed up to line 4.\n"
    listed = loa("audit", "list").out.splitlines()
    assert ["sealed trust" in listed[0], "added area" in listed[1], "opened the house" in listed[-1]] == [True] * 3
    assert [each["what"] for each in json.loads(loa("audit", "list", "--json", "--about", "lang-son").out)] == [
        "added area"
    ]
    store = Store(f"sqlite:///{home}/loa.db")
    alter(store, "UPDATE acts SET who = 'mai' WHERE number = 1")
    store.close()
    told = loa("audit", "verify")
    assert (told.code, told.out) == (
        1,
        "Line 1 was changed.\nThe log is NOT whole: 4 lines were read, true seals reach line 4.\n",
    )
    assert json.loads(loa("audit", "verify", "--json").out)["whole"] is False


def test_the_shell_tells_of_a_checkpoint_that_was_never_finished(loa: Loa, tmp_path: Path) -> None:
    sealed(tmp_path / "home")
    for path in (tmp_path / "home" / witness.FILE, tmp_path / "copy"):
        path.write_bytes((tmp_path / "home" / witness.FILE).read_bytes()[:-50])
    told = loa("audit", "verify", "--checkpoints", tmp_path / "copy")
    assert (told.code, told.out.count("was never finished")) == (0, 2)
    assert "The log is whole: 4 lines, sealed up to line 4." in told.out
    told = json.loads(loa("audit", "verify", "--json").out)
    assert (told["whole"], told["faults"], len(told["remarks"])) == (True, [], 1)


def test_an_export_is_examined_without_the_station(loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = sealed(tmp_path / "home")
    file = tmp_path / "log.jsonl"
    file.write_text(loa("audit", "export").out)
    at_home(monkeypatch, tmp_path / "elsewhere")
    assert loa("audit", "verify", "--file", file, "--key", public).out.startswith(
        "The log is whole: 4 lines, sealed up"
    )
    assert not (tmp_path / "elsewhere").exists()
    file.write_text(file.read_text().replace('"added area"', '"removed area"'))
    assert "Line 3 was changed" in loa("audit", "verify", "--file", file, "--key", public).out
    loa("audit", "verify", "--file", file, "--key", "zz").refuses(1, "64 hex digits")


def test_what_cannot_be_judged_is_called_neither_whole_nor_broken(loa: Loa, tmp_path: Path) -> None:
    public = sealed(tmp_path / "home")
    file, empty = tmp_path / "log.jsonl", tmp_path / "empty.jsonl"
    file.write_text(loa("audit", "export").out)
    loa("audit", "verify", "--file", file).refuses(1, "cannot be judged", "--key", str(file))
    loa("audit", "verify", "--file", file, "--json").refuses(1, "cannot be judged")
    for nothing in ("", "{}\n"):
        empty.write_text(nothing)
        for key in ((), ("--key", public)):
            loa("audit", "verify", "--file", empty, *key).refuses(1, "proves nothing", str(empty))
    only_seals = [line for line in file.read_text().splitlines() if "checkpoint" in line]
    empty.write_text("\n".join(only_seals) + "\n")
    assert "once had line 4" in loa("audit", "verify", "--file", empty, "--key", public).out


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b"[]\n", b'{"number": "one"}\n', b'{"a":' * 5000, b"x" * 2_000_000]
)
def test_what_is_no_export_is_refused_in_a_sentence(loa: Loa, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(content)
    loa("audit", "verify", "--file", file).refuses(1, "line 1", "not a log")
    loa("audit", "verify", "--file", tmp_path / "none").refuses(1, "cannot be read")


def test_a_checkpoint_in_an_export_is_checked(loa: Loa, tmp_path: Path) -> None:
    sealed(tmp_path / "home")
    file = tmp_path / "log.jsonl"
    file.write_text(loa("audit", "export").out)
    exported = audit_export.Export(file)
    links = list(exported.links())
    assert (len(links), len(exported.checkpoints)) == (4, 1)
    assert [each.key for each in witness.examine(links, exported.checkpoints, {}).faults] == ["audit.unknown_seal"]


def test_a_closed_day_of_the_public_log_is_examined_here_and_elsewhere(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_PUBLIC_LOG", "true")
    home, day = tmp_path / "home", tmp_path / "day.json"
    store, signer = Store(f"sqlite:///{home}/loa.db"), keys.Keyring(home / "keys").station()
    assert public_log.close_days(store, signer, Settings(state_dir=home, public_log=True), NOW) == 1
    envelope = store.public_days.closed()[0].envelope
    store.close()
    day.write_bytes(envelope)
    verify = ("audit", "public", "--verify", str(day))
    assert (loa(*verify).code, loa(*verify).out) == (0, "Whole: 1 closed days.\n")
    assert loa(*verify, "--key", signer.public.hex).code == 0
    assert loa("audit", "public", "--json").out.strip() == "[]"
    other = seal.seal(public_log.KIND, b"{}", signer)  # the station's seal over what is no day
    for wrong in (b"{}", envelope[:-5], other, envelope.replace(b'payload":"', b'payload":"AAAA')):
        day.write_bytes(wrong)
        for told in (loa(*verify), loa(*verify, "--key", signer.public.hex)):
            assert told.code != 0
            assert "Traceback" not in told.err
    day.write_bytes(envelope)
    assert loa(*verify, "--key", SIGNER.public.hex).code != 0
