"""A request sent again does one thing: the same key, the same answer; on both databases, two at once, after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from makers_api import COMMUNE, Program, lend, problem
from makers_web import NOON, Town

from controller.rights import Role
from controller.roster import Area, AreaKind
from controller.store import Store, answered
from controller.store.answered import ABANDONED_AFTER, KEPT, Answer, Asked, Claim

SENT = {"text": "Họp thôn tối nay.", "placing": {"areas": [COMMUNE], "start": "2026-11-25T10:00:00Z"}}


@pytest.fixture
def town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    """A settled town on either database."""
    made = Town(tmp_path, database_url=database_url)
    made.settle()
    yield made
    made.store.close()


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def count(town: Town) -> tuple[int, int]:
    return len(town.store.announcements.list(100)), len(town.store.bookings.list(100))


def test_many_at_once_with_one_key_make_one_thing(town: Town, app: Flask) -> None:
    asks, together = Program(app, lend(town, town.editor, Role.EDITOR)), Barrier(6)

    def send(_: int) -> tuple[int, str]:
        together.wait()
        answer = asks.post("/announcements", SENT, Idempotency_Key="k-1")
        assert answer.json
        return answer.status_code, answer.json.get("id", answer.json.get("code"))

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(send, range(6)))
    made = {each for status, each in told if status == 201}
    assert len(made) == 1
    assert {status for status, _ in told} <= {201, 409}
    assert {each for status, each in told if status == 409} <= {"request_in_progress"}
    assert count(town) == (1, 1)
    again = asks.post("/announcements", SENT, Idempotency_Key="k-1")
    assert (again.status_code, again.json["id"]) == (201, made.pop())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"].endswith(again.json["id"])
    assert problem(asks.post("/announcements", SENT | {"title": "Khác"}, Idempotency_Key="k-1")) == (
        422,
        "api_key_used",
    )
    assert count(town) == (1, 1)


def test_a_key_belongs_to_its_token_and_what_was_refused_may_be_tried_again(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.editor, Role.EDITOR))
    other = Program(app, lend(town, town.editor, Role.EDITOR, name="khac"))
    hamlet = f"{COMMUNE}:thon-9"
    sent = {**SENT, "placing": {"areas": [hamlet], "start": "2026-11-24T10:00:00Z"}}
    assert problem(asks.post("/announcements", sent, Idempotency_Key="k-2")) == (404, "desk.unknown_area")
    town.store.roster.add_area(Area(hamlet, "Thôn 9", AreaKind.HAMLET))
    first = asks.post("/announcements", sent, Idempotency_Key="k-2")
    second = other.post("/announcements", sent, Idempotency_Key="k-2")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] != second.json["id"]


def test_answers_are_kept_for_a_day_and_a_claim_of_the_dead_is_taken_over(store: Store) -> None:
    asked, answer = Asked("t1", "k", "d", NOON), Answer(201, "Location: /x", "{}")
    book = store.answered
    assert book.claim(asked) is Claim.MINE
    assert book.claim(asked) is Claim.BUSY
    later = Asked("t1", "k", "d", NOON + ABANDONED_AFTER)
    assert book.claim(later) is Claim.MINE
    book.keep(later, answer)
    assert book.claim(later) == answer
    assert book.claim(Asked("t1", "k", "other", later.asked_at)) is Claim.OTHER
    assert book.claim(Asked("t2", "k", "other", later.asked_at)) is Claim.MINE
    assert book.claim(Asked("t1", "k", "other", later.asked_at + KEPT)) is Claim.MINE
    book.forget(Asked("t1", "k", "other", NOON))
    assert book.claim(Asked("t1", "k", "d", later.asked_at + KEPT)) is Claim.MINE


def test_a_token_that_never_stops_asking_fills_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered, "MOST_OF_TOKEN", 200)
    for number in range(250):
        asked = Asked("t1", f"k{number}", "d", NOON + timedelta(seconds=number))
        assert store.answered.claim(asked) is Claim.MINE
        store.answered.keep(asked, Answer(200, "", "{}"))
    assert store.answered.claim(Asked("t1", "k0", "d", NOON + timedelta(seconds=300))) is Claim.MINE  # gone
    assert isinstance(store.answered.claim(Asked("t1", "k249", "d", NOON + timedelta(seconds=300))), Answer)
