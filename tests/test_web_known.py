"""What is worked out once for many readers is never out of date: whoever writes, the next page shows it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from makers_acts import acts_of
from makers_web import Town
from markupsafe import Markup

from controller.rights import Role
from controller.store import Store
from controller.web.drawn import Drawn
from controller.web.known import Known

T = TypeVar("T")
READ = {"quan-tri": ("/",), "chu-tich": ("/", "/duyet", "/lich", "/ke-hoach"), "tam-thanh": ("/",)}
FEW = {"quan-tri": ("/",), "chu-tich": ("/lich",)}  # where each page takes its time


class Forgetful(Known):
    """Knows nothing: all is worked out each time."""

    def of(self, name: Hashable, at: Hashable, work_out: Callable[[], T]) -> T:
        return work_out()

    def peek(self, name: Hashable, at: Hashable) -> None:
        return None


class Blank(Drawn):
    """Keeps no part."""

    def of(self, key: Hashable, draw: Callable[[], Markup]) -> Markup:
        return draw()


@pytest.fixture
def towns(store: Store, database_url: str, tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    """Two processes over one database: one in which people act, one whose pages are read."""
    acting = Town(tmp_path, database_url=database_url, fresh=False)
    acting.settle()
    acting.person("so-van-hoa", Role.APPROVER, "lang-son", "Chu Thị Ngọc")
    reading = Town(tmp_path, database_url=database_url, fresh=False)
    yield acting, reading
    reading.store.close()
    acting.store.close()


def bare(page: str) -> str:
    """Without what differs each time: keys of forms, and the version that it was made from."""
    return re.sub(r'name="csrf_token" value="[^"]*"|data-seen="\d+"', "", page)


def test_whatever_another_process_writes_stands_on_the_next_page(towns: tuple[Town, Town]) -> None:
    acting, reading = towns
    knowing, forgetful = reading.app(), reading.app()
    forgetful.extensions.update(known=Forgetful(), drawn=Blank())
    app = acting.app()
    writers = {who: acting.client(app, who) for who in (*READ, "van-hoa", "so-van-hoa")}
    read = READ if reading.store.database.is_sqlite else FEW
    sessions = {who: acting.session(who) for who in read}
    clients = {who: [signed(each, sessions[who]) for each in (knowing, forgetful)] for who in read}
    pairs = [(who, path, *clients[who]) for who in read for path in read[who]]
    before, changed = {(who, path): bare(one.get(path).text) for who, path, one, _ in pairs}, 0
    most = 0
    for step in acts_of(acting, writers.__getitem__):
        for who, path, one, other in pairs:
            shown = bare(one.get(path).text)
            assert shown == bare(other.get(path).text), (step, who, path)
            most, changed = most + 1, changed + (shown != before[who, path])
            before[who, path] = shown
    assert changed > most / 4


def signed(app: Flask, token: str):  # type: ignore[no-untyped-def]
    client = app.test_client()
    client.set_cookie("loa_phien", token)
    return client


def test_it_is_worked_out_once_until_a_number_has_grown() -> None:
    known, worked = Known(), []

    def work_out() -> int:
        worked.append(1)
        return len(worked)

    assert [known.of("sum", (1, 1), work_out) for _ in range(3)] == [1, 1, 1]
    assert known.peek("sum", (1, 1)) == (1,)
    assert known.peek("sum", (1, 2)) is None
    assert known.of("sum", (1, 2), work_out) == 2
    assert known.of("another", (1, 2), work_out) == 3


def test_who_asks_for_the_same_waits_for_the_first_and_for_another_does_not() -> None:
    known, began, go_on, worked = Known(), threading.Event(), threading.Event(), []

    def slowly() -> str:
        began.set()
        assert go_on.wait(20)
        worked.append(1)
        return "slow"

    found: list[str] = []
    askers = [threading.Thread(target=lambda: found.append(known.of("a", 1, slowly))) for _ in range(5)]
    for each in askers:
        each.start()
    assert began.wait(20)
    assert known.of("b", 1, lambda: "quick") == "quick"
    go_on.set()
    for each in askers:
        each.join(20)
    assert (found, len(worked)) == (["slow"] * 5, 1)


def test_what_failed_is_tried_again_and_what_was_known_stands_meanwhile_for_its_own_number() -> None:
    known = Known()
    assert known.of("a", 1, lambda: "old") == "old"
    with pytest.raises(ZeroDivisionError):
        known.of("a", 2, lambda: 1 / 0)
    assert known.peek("a", 1) == ("old",)
    assert known.of("a", 2, lambda: "new") == "new"


def test_no_more_is_kept_than_was_said() -> None:
    known, drawn = Known(most_kept=3), Drawn(most_kept=3)
    for number in range(10):
        known.of(number, 0, lambda number=number: number)  # type: ignore[misc]
        drawn.of(number, lambda number=number: Markup(number))  # type: ignore[misc]
    assert [number for number in range(10) if known.peek(number, 0)] == [7, 8, 9]
    assert len(drawn) == 3
    assert drawn.of(9, lambda: Markup("drawn again")) == "9"
    assert drawn.of(0, lambda: Markup("drawn again")) == "drawn again"
