"""Opening, migrating, refusing what is not ours, running full, and dying in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from makers_store import NOW, furnish, health, node

from controller.store import Store, StoreError, migrations, tables
from controller.store.rows import Act
from wire.plan import Lane
from words import LANGUAGES


def refusal(store: Store) -> StoreError:
    with pytest.raises(StoreError) as refused:
        store.roster.nodes()
    return refused.value


def test_migrating_twice_changes_nothing(store: Store) -> None:
    furnish(store)
    store.migrate()
    assert len(store.roster.nodes()) == 3


def test_the_migrations_make_exactly_the_tables_of_the_program(store: Store) -> None:
    with store.database.engine.connect() as connection:
        made = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(made, tables.metadata) == []


def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
    """Not the index of the words, which is made for each kind of database in its own way (`finding`)."""
    return not (name or "").startswith(("findable_text", "findable_words"))


def test_the_program_names_every_revision() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == migrations.REVISIONS


def test_a_database_that_was_never_migrated_is_refused(database_url: str) -> None:
    store = Store(database_url)
    assert refusal(store).key == "store.unmigrated"
    store.migrate()
    assert store.roster.nodes() == []
    store.close()


def test_a_database_from_the_future_is_refused_in_a_clear_sentence(store: Store, database_url: str) -> None:
    with store.database.changing_shape() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0099'"))
    newer = Store(database_url)
    refused = refusal(newer)
    assert refused.key == "store.future"
    assert "0099" in refused.say("en")
    assert "0099" in refused.say("vi")
    with pytest.raises(StoreError, match="newer program"):
        newer.migrate()
    newer.close()


@pytest.mark.parametrize("url", ["", "mysql://localhost/x", "not a url", "sqlite"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Store(url)
    assert refused.value.key == "store.bad_url"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is a letter to my aunt, not a database" * 100)
    store = Store(f"sqlite:///{tmp_path}/store.db")
    assert refusal(store).key == "store.not_a_database"
    store.close()


def test_a_database_that_is_not_there_is_named_unreachable(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/store.db", "postgresql://loa@127.0.0.1:1/none"):
        store = Store(url)
        assert refusal(store).key == "store.unreachable"
        store.close()


def test_every_sentence_of_the_store_can_be_said(store: Store) -> None:
    error = StoreError("store.full", detail="x")
    assert all(error.say(language) for language in LANGUAGES)


def test_a_full_disk_is_said_and_nothing_committed_is_lost(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    store.migrate()
    furnish(store)
    store.close()

    def limit(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0] + 8}")
        cursor.close()

    sa.event.listen(store.database.engine, "connect", limit)
    stored = 0

    def fill() -> None:
        nonlocal stored
        for stored in range(10_000):
            store.acts.add(Act("lan", "wrote", str(stored), "x" * 2000, NOW))

    with pytest.raises(StoreError) as refused:
        fill()
    assert refused.value.key == "store.full"
    assert len(store.acts.recent(10_000)) == stored > 0
    assert len(store.roster.nodes()) == 3
    store.close()


def write_for_ever(url: str, told: str) -> None:
    """In a process of its own: plan after plan; each serial is told only when its transaction has ended."""
    store = Store(url)
    with open(told, "a") as log:
        for number in range(1_000_000):
            issued = store.plans.issue("lang-son", Lane.PLAN, str(number), lambda serial: b"%d" % serial * 500, NOW)
            assert issued is not None
            log.write(f"{issued.serial}\n")
            log.flush()


def test_a_killed_writer_loses_nothing_it_was_told_was_stored(
    store: Store, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    told = tmp_path / "told"
    program = f"from test_store_opening import write_for_ever; write_for_ever({database_url!r}, {str(told)!r})"
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    writer = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": paths})
    try:
        while not told.exists() or told.read_text().count("\n") < 20:
            assert writer.poll() is None
            time.sleep(0.01)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    if database_url.startswith("postgresql"):  # the server may still be at what it was asked last
        request.getfixturevalue("postgres").wait_until_idle(database_url)
    last = int(told.read_text().split()[-1])
    held = store.plans.of("lang-son", Lane.PLAN)
    assert held is not None
    assert held.serial in {last, last + 1}
    assert held.envelope == b"%d" % held.serial * 500
    issued = store.plans.issue("lang-son", Lane.PLAN, "new", lambda serial: b"x", NOW)
    assert issued is not None
    assert issued.serial == held.serial + 1


def take_serials(url: str, name: str, answers: multiprocessing.Queue[list[int]]) -> None:
    """In a process of its own: forty serials of one area, between other writing."""
    store = Store(url)
    taken = []
    for number in range(40):
        issued = store.plans.issue("lang-son", Lane.PLAN, f"{name}-{number}", lambda serial: b"x", NOW)
        taken.append(issued.serial if issued else 0)
        store.health.take_health([health(name, NOW.replace(microsecond=number))], NOW)
        store.refusals.count("malformed", "topics", name, NOW)
    answers.put(taken)
    store.close()


def test_two_processes_write_at_once_and_no_serial_is_given_twice(store: Store, database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[list[int]] = spawn.Queue()
    writers = [spawn.Process(target=take_serials, args=(database_url, name, answers)) for name in ("loa-1", "loa-2")]
    for writer in writers:
        writer.start()
    taken = [serial for _ in writers for serial in answers.get(timeout=120)]
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert sorted(taken) == list(range(min(taken), min(taken) + 80))
    assert store.refusals.all()[0].count == 80


def test_a_wish_by_another_process_is_noticed(store: Store, database_url: str) -> None:
    other = Store(database_url)
    before = store.changed()
    assert store.changed() == before
    furnish(other)
    after = store.changed()
    assert after != before
    other.roster.add_node(node("loa-9"))
    assert store.changed() != after
    other.close()


def test_a_fact_is_not_a_wish(store: Store) -> None:
    before = store.changed()
    store.health.take_health([health()], NOW)
    store.refusals.count("malformed", "topics", "x", NOW)
    assert store.changed() == before


def test_a_database_has_one_station_at_a_time(store: Store, database_url: str) -> None:
    release = store.claim_station()
    other = Store(database_url)
    with pytest.raises(StoreError) as refused:
        other.claim_station()
    assert refused.value.key == "store.taken"
    assert len(other.people.all()) == 0, "everything else works"
    release()
    again = other.claim_station()
    again()
    other.close()


def test_a_station_that_was_killed_leaves_its_place(store: Store, database_url: str) -> None:
    program = (
        f"import os, signal; from controller.store import Store; held = Store({database_url!r}).claim_station(); "
        "print('held', flush=True); signal.pause()"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError):
            store.claim_station()
    finally:
        holder.kill()
        holder.communicate()
    deadline = time.monotonic() + 60
    while True:
        try:
            store.claim_station()()
            return
        except StoreError:  # the server notices a moment later
            assert time.monotonic() < deadline
            time.sleep(0.1)
