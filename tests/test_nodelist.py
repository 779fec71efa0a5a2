"""The list of nodes out of the database: states by the pure rule, the worst first, narrowed, a page at a time."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from makers_store import NOW, PROVINCE, node

from controller.alarms import signs
from controller.roster import Area, AreaKind
from controller.store import Store
from controller.store.alarm_facts import Here
from controller.store.alarm_rows import AlarmRow, MemberRow
from controller.store.alarm_rows import Verdict as Judged
from controller.store.nodelist import STATES, Narrowed
from wire.health import Health, Vitals
from wire.presence import Presence, State

MINUTE = timedelta(minutes=1)
A, B = "lang-son:a", "lang-son:b"


def heard(store: Store, name: str, at: datetime, state: State = State.ONLINE, health: bool = True) -> None:
    store.health.take_presence([Presence(name, state, "b1", at, "0.1.0")], at)
    if health:
        store.health.take_health([Health(name, at, "b1", "0.1.0", Vitals())], at)


def alarm(store: Store, cause: str, *members: str) -> None:
    row = AlarmRow(f"l-{cause}", cause, A, "bad", NOW, NOW, NOW, len(members), len(members))
    rows = tuple(MemberRow(row.id, name, NOW) for name in members)
    store.alarms.enter(Judged((row,), rows, ()), NOW)


@pytest.fixture
def town(store: Store) -> Store:
    """Ten nodes in each of two communes."""
    store.roster.add_area(Area(PROVINCE, "Lạng Sơn", AreaKind.PROVINCE))
    store.roster.add_area(Area("nhom", "Nhóm", AreaKind.GROUP))
    for commune in (A, B):
        store.roster.add_area(Area(commune, f"Xã {commune[-1].upper()}", AreaKind.COMMUNE))
        for number in range(10):
            groups = ("nhom",) if number == 3 else ()
            held = node(f"{commune[-1]}-{number}", commune, groups)
            store.roster.add_node(replace(held, name=f"Cụm Đồng Én {commune[-1].upper()}{number}"))
    return store


@pytest.mark.parametrize("seed", range(3))
def test_the_states_are_those_of_the_rule_and_the_worst_come_first(town: Store, seed: int) -> None:
    drawn = random.Random(seed)
    for held in town.roster.nodes():
        for _ in range(drawn.randrange(3)):
            at = NOW - drawn.randrange(600) * timedelta(seconds=1)
            heard(town, held.id, at, drawn.choice(list(State)), drawn.random() < 0.7)
    told = {each.node: each for each in town.health.latest()}
    rule = {}
    for held in town.roster.nodes():
        each = told.get(held.id)
        here = Here(held.id, each.online, each.presence_since, each.health_received_at) if each else None
        rule[held.id] = signs.state_of(here, NOW) if here else "never"
    lines = town.nodelist.page(Narrowed(), NOW, 0, 50)
    assert {line.node: line.state for line in lines} == rule
    assert town.nodelist.counts(Narrowed(), NOW) == Counter(rule.values())
    places = [(STATES.index(line.state), line.node) for line in lines]
    assert places == sorted(places)
    assert {spot.id: spot.state for spot in town.nodelist.spots(Narrowed(), NOW)} == rule


def test_who_is_in_an_open_alarm_is_worried_until_it_is_over(town: Store) -> None:
    for number in range(4):
        heard(town, f"a-{number}", NOW)
    heard(town, "a-3", NOW, State.OFFLINE)
    alarm(town, "hot", "a-1", "a-3")
    alarm(town, "full", "a-1")
    states = {line.node: line for line in town.nodelist.page(Narrowed(areas=(A,)), NOW, 0, 50)}
    assert states["a-1"].state == "worried"
    assert sorted(states["a-1"].causes) == ["full", "hot"]
    assert (states["a-3"].state, states["a-3"].causes) == ("offline", ("hot",))
    assert [line.node for line in town.nodelist.page(Narrowed(cause="hot"), NOW, 0, 50)] == ["a-3", "a-1"]
    assert town.nodelist.open_causes([A]) == {"hot": 2, "full": 1}
    assert town.nodelist.open_causes([B]) == {}
    over = AlarmRow("l-hot", "hot", A, "bad", NOW, NOW, NOW, 0, 2, cleared_at=NOW)
    town.alarms.enter(Judged((over,), (), ()), NOW)
    assert town.nodelist.open_causes(["*"]) == {"full": 1}


def test_narrowed_by_area_group_state_and_words_without_accents(town: Store) -> None:
    def asked(**changed: object) -> list[str]:
        return [line.node for line in town.nodelist.page(Narrowed(**changed), NOW, 0, 50)]  # type: ignore[arg-type]

    assert len(asked(area=A)) == 10
    assert asked(area="nhom") == ["a-3", "b-3"]
    assert asked(areas=(B,), area="nhom") == ["b-3"]
    assert asked(areas=()) == []
    assert asked(words="dong en a7") == ["a-7"]
    assert asked(words="Đồng ÉN b-1") == ["b-1"]
    assert asked(words="ong") == []  # words are found from their beginning
    assert asked(words="%") == asked(words="_") == []
    heard(town, "a-0", NOW)
    assert asked(state="online") == ["a-0"]
    assert len(asked(state="never")) == 19
    held = town.roster.node("a-0")
    assert held
    town.roster.add_node(replace(held, maintenance=True))
    assert asked(state="maintenance") == ["a-0"]
    town.roster.add_node(replace(held, revoked_at=NOW))
    assert asked(state="revoked") == ["a-0"]


def test_pages_hold_everybody_once(town: Store) -> None:
    pages = [town.nodelist.page(Narrowed(), NOW, first, 7) for first in (0, 7, 14, 21)]
    names = [line.node for page in pages for line in page]
    assert len(names) == len(set(names)) == 20
    assert pages[3] == []
