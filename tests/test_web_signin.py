"""Coming in while others guess: guessing is slow by name and by address, and nobody who belongs here is kept out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from makers_web import NOON, PASSWORD, Town, form_key, settled_town

from controller.desk import DeskError, Entry
from controller.web.guesses import TRIES_BY_ADDRESS, TRIES_BY_NAME, TRIES_BY_PERSON, Turnstile, guesses, place
from controller.web.server import serve
from controller.web.throttle import FORGOTTEN_AFTER, Throttle

EDITOR, APPROVER = "van-hoa", "chu-tich"
OFFICE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with settled_town(tmp_path) as made:

        def quick(name: str, password: str, now, device: str):  # type: ignore[no-untyped-def]
            user = made.store.people.by_name(name)
            if user is None or password != PASSWORD:  # Argon2 takes its time, and hundreds of tries are made here
                raise DeskError("desk.wrong_password")
            return Entry(user, made.session(name))

        monkeypatch.setattr(made.desk, "sign_in", quick)
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


class Visitor:
    """A browser at an address, on the sign-in page."""

    def __init__(self, app: Flask, address: str = OFFICE) -> None:
        self.address = address
        self.client: FlaskClient = app.test_client()

    def tries(self, name: str, password: str = "sai", address: str | None = None) -> int:
        """Send the form; the HTTP status that it got."""
        where = {"REMOTE_ADDR": address or self.address}
        typed = {"csrf_token": form_key(self.client, "/dang-nhap"), "name": name, "password": password}
        status = self.client.post("/dang-nhap", data=typed, environ_base=where).status_code
        self.client.delete_cookie("loa_phien")
        return status


def used_up(app: Flask, patience: dict[str, int]) -> None:
    """Tries until none is left."""
    with app.test_request_context():
        throttle = guesses().throttle
        while not throttle.take(patience, app.extensions["window"].now()):
            pass


def test_guessing_a_password_is_stopped_and_the_right_one_waits_too(town: Town, app: Flask) -> None:
    visitor = Visitor(app)
    assert [visitor.tries(EDITOR) for _ in range(TRIES_BY_PERSON + 1)] == [422] * TRIES_BY_PERSON + [429]
    assert visitor.tries(EDITOR, PASSWORD) == 429
    assert visitor.tries(EDITOR.upper(), PASSWORD) == 429, "capitals make it another name"
    assert visitor.tries(APPROVER, PASSWORD) == 302, "a colleague at the same address was kept out"
    town.now += FORGOTTEN_AFTER / TRIES_BY_PERSON
    assert visitor.tries(EDITOR, PASSWORD) == 302


def test_the_page_says_how_long_to_wait(app: Flask) -> None:
    visitor = Visitor(app)
    for _ in range(TRIES_BY_PERSON):
        visitor.tries(EDITOR)
    typed = {"csrf_token": form_key(visitor.client, "/dang-nhap"), "name": EDITOR, "password": "sai"}
    page = visitor.client.post("/dang-nhap", data=typed, environ_base={"REMOTE_ADDR": OFFICE}).text
    assert "Hãy chờ 3 phút" in page
    assert 'value="van-hoa"' in page
    assert "sai" not in page.split("<main")[1].split("Đã thử sai")[0]


def test_a_name_guessed_from_everywhere_is_slowed_down(app: Flask) -> None:
    visitor = Visitor(app)
    codes = [visitor.tries(EDITOR, address=f"198.51.100.{number}") for number in range(TRIES_BY_NAME + 5)]
    assert codes == [422] * TRIES_BY_NAME + [429] * 5


def test_an_address_that_tries_every_name_is_slowed_down(app: Flask) -> None:
    visitor = Visitor(app)
    codes = [visitor.tries(f"ten-{number}") for number in range(TRIES_BY_ADDRESS + 5)]
    assert codes == [422] * TRIES_BY_ADDRESS + [429] * 5
    assert visitor.tries("ten-0", address=ELSEWHERE) == 422


def test_whoever_was_let_in_before_comes_in_through_any_flood(app: Flask) -> None:
    known = Visitor(app)
    assert known.tries(EDITOR, PASSWORD) == 302
    used_up(app, {f"name {EDITOR}": TRIES_BY_NAME})
    used_up(app, {f"address {OFFICE}": TRIES_BY_ADDRESS})
    assert Visitor(app).tries(EDITOR, PASSWORD) == 429
    assert known.tries(EDITOR, PASSWORD) == 302
    assert known.tries(APPROVER, PASSWORD) == 429, "a browser is known as those it was let in as, as nobody else"


def test_a_known_browser_cannot_guess_without_end(app: Flask) -> None:
    known = Visitor(app)
    known.tries(EDITOR, PASSWORD)
    assert [known.tries(EDITOR) for _ in range(TRIES_BY_PERSON + 1)] == [422] * TRIES_BY_PERSON + [429]


@pytest.mark.parametrize("cookie", ["forged", "WyJhIixbInZhbi1ob2EiXV0.AAAA", "x" * 3900, "."])
def test_a_browser_does_not_make_itself_known(app: Flask, cookie: str) -> None:
    visitor = Visitor(app)
    visitor.client.set_cookie("loa_quen", cookie, path="/dang-nhap")
    used_up(app, {f"name {EDITOR}": TRIES_BY_NAME})
    assert visitor.tries(EDITOR, PASSWORD) == 429


def test_an_office_behind_one_address_comes_in_every_morning(app: Flask) -> None:
    for _ in range(TRIES_BY_ADDRESS + TRIES_BY_PERSON):
        assert Visitor(app).tries(EDITOR, PASSWORD) == 302


def test_names_that_nobody_has_are_answered_like_others(app: Flask) -> None:
    visitor = Visitor(app)
    for name in ("khong-ai", "x" * 65, "x" * 100_000, "' OR 1=1 --", "🔊"):
        assert visitor.tries(name) == 422
    assert Visitor(app, ELSEWHERE).tries(EDITOR) == 422


def test_a_flood_of_keys_neither_fills_the_memory_nor_frees_a_guesser() -> None:
    throttle = Throttle(most_keys=1000)
    for _ in range(6):
        assert not throttle.take({"mai": 6, "name mai": 30}, NOON)
    for number in range(20_000):
        throttle.take({f"person {number}": 6, f"address {number}": 40}, NOON)
        assert len(throttle) <= 1001
    assert throttle.take({"mai": 6}, NOON) == FORGOTTEN_AFTER / 6


def test_what_is_clean_again_is_not_kept() -> None:
    throttle = Throttle(most_keys=100)
    for number in range(100):
        throttle.take({f"{number}": 1}, NOON)
    throttle.take({"later": 1}, NOON + FORGOTTEN_AFTER)
    assert len(throttle) == 1


def test_a_refused_try_is_not_counted_anywhere() -> None:
    throttle = Throttle()
    for _ in range(3):
        assert not throttle.take({"mai": 3}, NOON)
    for _ in range(9):
        assert throttle.take({"mai": 3, "an": 1}, NOON) == FORGOTTEN_AFTER / 3
    assert not throttle.take({"an": 1}, NOON)
    assert not throttle.take({"mai": 3}, NOON + FORGOTTEN_AFTER / 3)


def test_a_right_try_gives_itself_back() -> None:
    throttle = Throttle()
    for _ in range(100):
        assert not throttle.take({"office": 2}, NOON)
        throttle.give_back({"office": 2}, NOON)
    throttle.take({"mai": 1}, NOON)
    throttle.forget(["mai", "nobody"])
    assert not throttle.take({"mai": 1}, NOON)


@given(st.lists(st.integers(0, 600), min_size=1, max_size=80), st.integers(1, 40))
def test_no_quarter_of_an_hour_sees_more_than_twice_the_tries(waits: list[int], most: int) -> None:
    throttle, now, allowed = Throttle(), NOON, []
    for wait in waits:
        now += timedelta(seconds=wait)
        if not throttle.take({"key": most}, now):
            allowed.append(now)
    for begin in allowed:
        assert sum(begin <= each < begin + FORGOTTEN_AFTER for each in allowed) <= 2 * most


def test_the_clock_of_a_throttle_may_be_set_back() -> None:
    throttle = Throttle()
    throttle.take({"mai": 1}, NOON)
    assert throttle.take({"mai": 1}, NOON - timedelta(days=1)) > timedelta(0)
    assert not throttle.take({"mai": 1}, NOON + FORGOTTEN_AFTER)


def test_a_house_with_its_own_ipv6_network_is_one_address() -> None:
    assert place("2001:db8:1:2:3:4:5:6") == place("2001:db8:1:2::1") != place("2001:db8:1:3::1")
    assert place("203.0.113.7") == "203.0.113.7"
    assert len(place("x" * 5000)) <= 64


def test_few_hash_at_once_few_wait_and_the_rest_are_told_so() -> None:
    turnstile, inside, most, gate = Turnstile(2, 3), [], [], threading.Event()

    def enter() -> bool:
        with turnstile() as mine:
            if mine:
                inside.append(1)
                most.append(len(inside))
                assert gate.wait(60)
                inside.pop()
            return mine

    with ThreadPoolExecutor(20) as pool:
        ends = as_completed([pool.submit(enter) for _ in range(20)], timeout=60)
        assert [next(ends).result() for _ in range(15)] == [False] * 15
        gate.set()
        assert [end.result() for end in ends] == [True] * 5
    assert max(most) == 2


def test_a_crowd_at_the_door_is_told_to_come_back(app: Flask) -> None:
    turnstile = app.extensions["guesses"].turn = Turnstile(1, 0)
    visitor = Visitor(app)
    with turnstile():
        assert visitor.tries(EDITOR, PASSWORD) == 503
    assert visitor.tries(EDITOR, PASSWORD) == 302


def test_a_proxy_on_this_machine_is_believed_and_nobody_else_s_word(town: Town, app: Flask) -> None:
    seen: list[tuple[str | None, bool]] = []

    @app.before_request
    def note() -> None:
        seen.append((request.remote_addr, request.is_secure))

    server = serve(app, "127.0.0.1", 0)
    try:
        for said in ({}, {"X-Forwarded-For": f"10.0.0.1, {OFFICE}", "X-Forwarded-Proto": "https"}):
            asked = HTTPConnection("127.0.0.1", server.port, timeout=60)
            asked.request("GET", "/dang-nhap", headers=said)
            assert asked.getresponse().status == 200
            asked.close()
    finally:
        server.stop()
    assert seen == [("127.0.0.1", False), (OFFICE, True)]
