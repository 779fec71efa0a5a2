"""Every table that names an area goes along when it moves: the schema is walked, and a row of each is moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from makers_programmes import row as programme_row
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE, Bell, furnish, user

from controller.desk import Desk
from controller.desk.districting import Relocation
from controller.rights import Role
from controller.store import Store, naming
from controller.store.columns import Moment
from controller.store.tables import metadata, policies, programmes
from schedules import rulebook_text
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy

BOSS = user("quan", Role.ADMINISTRATOR)
MOVED = f"{OTHER_COMMUNE}:thon-1"
# what a column of that name holds, in whatever table: never an area
NO_AREA = frozenset(
    """acknowledged_by address admitted_by after_cut alarm announcement answer answered_by applied_by approver asset
    assignee author before booking boot_id bulletin_class by cause certificate challenge code created_by day decided_by
    device digest file_name former full_name given_by grade hash headers heir holder hours id idempotency_key identifier
    job key kind lane language late level locked made_by maintenance_by maintenance_reason mark media_type name node
    notes one other_address other_boot_id part password_hash pem public_key purpose quiet reason recipe recording
    recurrence references role sender sender_name serial set_by sha256 since slot slot_note spoken spoken_rewrites state
    step stream taken_by taught_by text title token token_hash until user version voice voice_error voice_state volumes
    what who words written kept_by""".split()  # noqa: SIM905 – a page of words
)
WHY_NOT = {
    "written.subject": "the name of a table",
    "acts.detail": "the audit log says what an area was called then; it is chained by hashes",
    "acts.subject": "the same",
    "alarm_history.detail": "history",
    "alarm_members.facts": "numbers, titles, jobs and reasons",
    "alarms.under": "an alarm's id",
    "alerts.outside": "names as people read them, as they were when the alert came",
    "alerts.unknown": "areas of the sender's that are none of ours",
    "api_answers.body": "what was answered to a request, for a day",
    "arrivals.first": "nodes",
    "bookings.cosigned": "sealed by two people; moves wait for it",
    "enrolments.kept": "a secret",
    "health.body": "as the node told it",
    "outcomes.body": "sealed by the node",
    "plans.area": "issued: the station empties plans that nobody wants any more, under the number that they have",
    "policies.body": "with its area (`naming.WHOLE`)",
    "programmes.body": "the same",
    "receipts.body": "sealed by the node",
    "refusals.detail": "what was refused, as it came",
    "refusals.place": "a topic, or a node",
    "serials.subject": "issued: a plan's numbers never start again",
    "settings_known.shown": "a file's settings, as they were when the station started",
    "findable.places": "written anew by `finding.place`",
}


def test_every_column_that_may_hold_an_area_moves_or_it_is_said_why_not() -> None:
    named = {str(each) for each in naming.NAMING}
    columns = [each for table in metadata.sorted_tables for each in table.columns]
    unnamed = {each for each in columns if isinstance(each.type, sa.Text | sa.JSON) and str(each) not in named}
    said = {str(each) for each in unnamed if each.name not in NO_AREA}
    assert said == set(WHY_NOT)
    assert {each.name for each in columns} >= NO_AREA  # none stands here that is nowhere


@pytest.fixture
def desk(store: Store) -> Desk:
    furnish(store)
    return Desk(store, "Asia/Ho_Chi_Minh", Bell())


class Filler:
    """Enters rows of any table, with all that they must hang on."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection, self._made = connection, 0

    def enter(self, table: sa.Table, **given: object) -> dict[str, object]:
        """A row: ``given``, and something in whatever else must be there."""
        empty = [each for each in table.columns if each.name not in given and not each.nullable]
        values = {each.name: self._parent(each) if each.foreign_keys else self.something(each) for each in empty}
        given |= {"volumes": []} if table.name == "nodes" else {}
        self._connection.execute(sa.insert(table).values(values | given))
        return values | given

    def something(self, column: sa.Column[Any]) -> object:
        """A value of a column."""
        if isinstance(column.type, Moment):
            return NOW
        if isinstance(column.type, sa.Text):
            self._made += 1
            return f"{column.name}-{self._made}"
        return next((made for kind, made in SOMETHING.items() if isinstance(column.type, kind)), 1)

    def _parent(self, column: sa.Column[Any]) -> object:
        """The key of a new row that a column points to; areas are there."""
        (key,) = column.foreign_keys
        if key.column.table.name == "areas":
            return COMMUNE
        return self.enter(key.column.table, **{key.column.name: self.something(key.column)})[key.column.name]


SOMETHING = {sa.JSON: [], sa.LargeBinary: b"x", sa.Boolean: False}


def holds(column: sa.Column[Any], area: str) -> dict[str, object]:
    """What a row of its table has that names an area there."""
    if isinstance(column.type, sa.JSON):
        return {column.name: [area, "elsewhere"]}
    if column.table is programmes:
        return {"area": area, "since": "2026-01-01", "body": programme_row().body.replace(COMMUNE, area)}
    if column.table is policies:
        body = rulebook_text.write(Policy(area, date(2026, 1, 1), Rulebook()))
        return {"area": area, "since": "2026-01-01", "body": body}
    return {column.name: area}


def rows_of(connection: sa.Connection, column: sa.Column[Any], area: str) -> list[Mapping[str, Any]]:
    """The rows whose column names that area."""
    found = connection.execute(sa.select(column.table)).mappings()
    return [row for row in found if area == row[column.name] or area in tuple(_several(row[column.name]))]


def _several(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else ()


MOVES = [each for each in naming.NAMING if each.table.name != "areas"]


def test_a_row_of_every_table_moves_with_its_area(store: Store, desk: Desk) -> None:
    with store.database.writing() as connection:
        fill = Filler(connection)
        for column in MOVES:
            fill.enter(column.table, **holds(column, HAMLET))  # type: ignore[arg-type]
    with store.database.reading() as connection:
        before = {str(each): len(rows_of(connection, each, HAMLET)) for each in MOVES}
    assert min(before.values()) > 0
    wanted = Relocation(HAMLET, OTHER_COMMUNE)
    seen, done = desk.foresee_move(wanted, BOSS, NOW), desk.move_area(wanted, BOSS, NOW)
    assert seen == done
    told = {naming.shown_as(each.table.name) for each in MOVES} | {"areas"}
    assert (done.changed.keys(), done.dropped) == (told, {})
    with store.database.reading() as connection:
        assert {str(each): len(rows_of(connection, each, MOVED)) for each in MOVES} == before
        assert [str(each) for each in MOVES if rows_of(connection, each, HAMLET)] == []
        for column in naming.WHOLE:
            (row,) = rows_of(connection, column, MOVED)
            assert MOVED in row["body"]
            assert HAMLET not in row["body"]


def test_where_both_have_a_row_the_targets_stands_or_both_are_added_up(store: Store, desk: Desk) -> None:
    keyed = [each for each in (*naming.KEYED, *naming.SUMMED) if each.column.table.name != "node_groups"]
    with store.database.writing() as connection:
        fill = Filler(connection)
        for each in keyed:
            made = fill.enter(each.column.table, **{each.column.name: COMMUNE})  # type: ignore[arg-type]
            theirs = made | {each.column.name: OTHER_COMMUNE}
            sums = (*each.sums, *each.longest) if isinstance(each, naming.Summed) else ()
            connection.execute(sa.insert(each.column.table).values(theirs | dict.fromkeys(sums, 3)))  # type: ignore[arg-type]
        for column in naming.WHOLE:
            for area in (COMMUNE, OTHER_COMMUNE):
                fill.enter(column.table, **holds(column, area))  # type: ignore[arg-type]
    done = desk.move_area(Relocation(COMMUNE, OTHER_COMMUNE, merge=True), BOSS, NOW)
    dropped = [naming.shown_as(each.column.table.name) for each in keyed if not isinstance(each, naming.Summed)]
    assert done.dropped == dict(Counter([*dropped, "programmes", "policies"]))
    with store.database.reading() as connection:
        for each in keyed:
            assert rows_of(connection, each.column, COMMUNE) == []
            (row,) = rows_of(connection, each.column, OTHER_COMMUNE)
            if isinstance(each, naming.Summed):
                assert {row[name] for name in each.sums} == {4}
                assert {row[name] for name in each.longest} <= {3}
        for column in naming.WHOLE:
            (row,) = rows_of(connection, column, OTHER_COMMUNE)
            assert OTHER_COMMUNE in row["body"]
