"""What requests may be: bodies, sizes, methods, headers; pages, ETags, languages, limits; the way of recordings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from makers_api import COMMUNE, PREFIX, Program, lend, problem
from makers_web import Town, a_day, opus, settled_town

from controller.desk import Wish
from controller.rights import Role
from controller.web import limits
from wire.receipt import Step


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def asks(town: Town, app: Flask) -> Program:
    return Program(app, lend(town, town.approver, Role.APPROVER))


def raw(asks: Program, body: bytes, kind: str = "application/json", path: str = "/announcements"):  # type: ignore[no-untyped-def]
    """A body as it is."""
    headers = {"Authorization": f"Bearer {asks.secret}", "Content-Type": kind}
    return asks.app.test_client(use_cookies=False).post(PREFIX + path, data=body, headers=headers)


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b"{", "application/json", (400, "http_400")),
        (b"", "application/json", (400, "http_400")),
        (b"\xff\xfe", "application/json", (400, "http_400")),
        (b'{"text": NaN}', "application/json", (400, "http_400")),
        (b"[" * 100_000, "application/json", (400, "http_400")),
        (b'{"text": ' * 100_000, "application/json", (400, "http_400")),
        (b"[]", "application/json", (422, "invalid")),
        (json.dumps('{"text": "a"}').encode(), "application/json", (422, "invalid")),
        (b'{"text": "a", "x": 1}', "application/json", (422, "invalid")),
        (b'{"text": "\\u0000"}', "application/json", (422, "invalid")),
        (b'{"text": "\\ud800"}', "application/json", (422, "invalid")),
        (b'{"text": "a", "times": true}', "application/json", (422, "invalid")),
        (b'{"text": "a", "times": 1e999}', "application/json", (422, "invalid")),
        (b'{"text": "a", "times": ' + b"9" * 5000 + b"}", "application/json", (400, "http_400")),
        (b'{"text": "a", "recording": "../../etc/passwd"}', "application/json", (422, "invalid")),
        (b'{"text": "a", "placing": {"areas": [], "start": null}}', "application/json", (422, "invalid")),
        (
            b'{"text": "a", "placing": {"areas": ["x"], "start": "2026-11-24 10:00"}}',
            "application/json",
            (422, "invalid"),
        ),
        (b"text=a", "application/x-www-form-urlencoded", (415, "http_415")),
        (b"{}", "text/plain", (415, "http_415")),
        (b'{"text": "' + b"a" * (1 << 20) + b'"}', "application/json", (413, "http_413")),
    ],
)
def test_a_body_that_cannot_be_is_refused_by_name_and_writes_nothing(
    town: Town, asks: Program, body: bytes, kind: str, told: tuple[int, str]
) -> None:
    before = town.store.acts.head()
    assert problem(raw(asks, body, kind)) == told
    assert town.store.acts.head() == before


@pytest.mark.parametrize(
    ("start", "code", "says"),
    [
        ("0001-01-01T00:00:00+14:00", "desk.past_time", "A moment before the year 2001 is past."),
        ("1999-12-31T23:59:59Z", "desk.past_time", "A moment before the year 2001 is past."),
        ("9999-12-31T23:59:60-23:59", "desk.too_far", "A moment after the year 2199 is more than 366 days ahead."),
        ("2030-01-01T00:00:00Z", "desk.too_far", "07:00 01/01/2030 is more than 366 days ahead."),
    ],
)
def test_a_moment_beyond_all_calendars_is_past_or_too_far(asks: Program, start: str, code: str, says: str) -> None:
    answer = asks.post("/announcements", {"text": "Họp.", "placing": {"areas": [COMMUNE], "start": start}})
    assert problem(answer) == (409, code)
    assert answer.json["detail"].startswith(says)


def test_addresses_and_methods_that_are_none_are_told_as_problems(asks: Program) -> None:
    assert problem(asks.get("/nothing")) == (404, "http_404")
    answer = asks.ask("DELETE", "/areas")
    assert problem(answer) == (405, "http_405")
    assert "GET" in answer.headers["Allow"]
    assert problem(asks.get("/areas/lang-son:tam-thanh")) == (404, "http_404")
    assert problem(asks.get("/areas?limit=0")) == (422, "invalid")
    assert problem(asks.get("/areas?limit=%EF%BC%91")) == (422, "invalid")
    assert problem(asks.get("/announcements?q=%00")) == (400, "http_400")
    for cursor in ("AAAA", "eyJ9", "WzFd", "LTE", "IlxcdTAwMDAi", "x" * 600):
        for path in ("/announcements", "/as-run", "/lexicon"):
            assert problem(asks.get(f"{path}?cursor={cursor}"))[0] in (404,), (path, cursor)


def test_what_is_said_is_said_in_the_language_that_was_asked_for(asks: Program) -> None:
    answers = {tongue: asks.get("/nothing", Accept_Language=tongue).json["title"] for tongue in ("vi", "en", "fr", "")}
    assert answers == {"vi": "Không tìm thấy", "en": "Not found", "fr": "Không tìm thấy", "": "Không tìm thấy"}


def test_what_was_read_is_not_sent_twice(town: Town, asks: Program) -> None:
    first = asks.get("/areas")
    assert first.headers["Cache-Control"] == "private, no-cache"
    second = asks.get("/areas", If_None_Match=first.headers["ETag"])
    assert (second.status_code, second.data) == (304, b"")
    town.store.roster.add_area(type(town.store.roster.areas()[0])(f"{COMMUNE}:thon-9", "Thôn 9", "hamlet"))  # type: ignore[arg-type]
    assert asks.get("/areas", If_None_Match=first.headers["ETag"]).status_code == 200


def pages(asks: Program, path: str) -> list[list[str]]:
    """The names of what is on each page, as the links lead."""
    found = []
    while path:
        answer = asks.get(path)
        assert answer.status_code == 200, answer.text
        found.append([json.dumps(each, sort_keys=True) for each in answer.json["items"]])
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix(f"<{PREFIX}") if link else ""
    return found


def test_a_page_holds_as_many_as_were_asked_for(town: Town, asks: Program) -> None:
    for number in range(202):
        town.desk.announce(Wish(f"Bản {number}.", draft=True), town.approver, town.now)
    for limit, sizes in ((200, [200, 2]), (100, [100, 100, 2]), (201, None)):
        if sizes is None:
            assert problem(asks.get(f"/announcements?limit={limit}")) == (422, "invalid")
        else:
            assert [len(each) for each in pages(asks, f"/announcements?limit={limit}")] == sizes


def test_pages_go_on_where_they_ended_and_leave_nothing_out(town: Town, app: Flask, asks: Program) -> None:
    booking = a_day(town, app)
    for number in range(1, 7):
        town.now += timedelta(seconds=number % 2)
        town.report(f"{booking}:2", f"dong-dang-{number}", Step.SOUNDED)
        town.report(f"{booking}:3", f"dong-dang-{number}", Step.MISSED, "no_audio")
    for path in ("/as-run", "/areas", "/nodes", "/announcements", "/bookings"):
        whole = pages(asks, f"{path}?limit=90")
        assert len(whole) == 1
        some = pages(asks, f"{path}?limit=2")
        assert [len(page) for page in some[:-1]] == [2] * (len(some) - 1)
        assert [each for page in some for each in page] == whole[0], path
    assert len(pages(asks, "/as-run?limit=90")[0]) == 6 + 5 + 12


def test_the_as_run_log_is_asked_by_booking_loudspeaker_end_and_time(town: Town, app: Flask, asks: Program) -> None:
    booking = a_day(town, app)
    ends = {each["node"]: each["outcome"] for each in asks.get(f"/as-run?job={booking}").json["items"]}
    assert ends["dong-dang-1"] == "sounded"
    assert ends["dong-dang-3"] == "missed"
    assert {each["outcome"] for each in asks.get("/as-run?outcome=missed").json["items"]} == {"missed"}
    assert {each["node"] for each in asks.get("/as-run?node=dong-dang-2").json["items"]} == {"dong-dang-2"}
    assert asks.get("/as-run?since=2026-11-24T12:00:00Z").json["items"] == []
    assert len(asks.get("/as-run?until=2026-11-24T09:30:00Z").json["items"]) == 6
    assert asks.get("/as-run?area=lang-son:dong-dang:thon-2").json["items"][0]["node"] == "dong-dang-2"
    detail = asks.get(f"/bookings/{booking}").json["progress"]
    assert detail == {"expected": 6, "sounded": 2, "ended_otherwise": 3, "waiting": 1}


def test_a_program_that_asks_too_much_waits(
    monkeypatch: pytest.MonkeyPatch, town: Town, app: Flask, asks: Program
) -> None:
    monkeypatch.setattr(limits, "ANYTHING", limits.Limit(5, 1000))
    statuses = [asks.get("/me").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    answer = asks.get("/me")
    assert problem(answer) == (429, "http_429")
    assert int(answer.headers["Retry-After"]) > 0
    other = Program(app, lend(town, town.approver, Role.VIEWER, name="khac"))
    assert other.get("/me").status_code == 200


def test_a_programme_is_changed_only_as_it_was_read(asks: Program) -> None:
    path, text = f"/areas/{COMMUNE}/programme", '[programme]\narea = "lang-son:dong-dang"\ntitle = "Khung mới"\n'
    before = asks.get(path)
    assert before.json["current"] is None
    assert problem(asks.ask("PUT", path, {"text": text})) == (428, "if_match_missing")
    assert problem(asks.ask("PUT", path, {"text": text}, If_Match='"x"')) == (412, "api_changed")
    assert problem(asks.ask("PUT", path, {"text": "x = "}, If_Match=before.headers["ETag"]))[0] == 409
    done = asks.ask("PUT", path, {"text": text}, If_Match=before.headers["ETag"])
    assert (done.status_code, done.json["current"]["title"]) == (200, "Khung mới")
    assert problem(asks.ask("PUT", path, {"text": text}, If_Match=before.headers["ETag"])) == (412, "api_changed")
    assert asks.get(path, If_None_Match=done.headers["ETag"]).status_code == 304


def test_a_text_is_read_aloud_with_the_words_of_its_place(asks: Program) -> None:
    assert asks.ask("PUT", "/lexicon", {"area": COMMUNE, "written": "Bó Mu", "spoken": "Bó Mù"}).status_code == 200
    told = asks.post("/spoken", {"text": "Họp lúc 7h30 tại Bó Mu.", "area": COMMUNE}).json
    assert told["spoken"] == "Họp lúc bảy giờ ba mươi phút tại Bó Mù."
    assert [(each["written"], told["source"][each["start"] : each["end"]]) for each in told["rewrites"]] == [
        ("7h30", "7h30"),
        ("Bó Mu", "Bó Mu"),
    ]


def test_a_recording_comes_in_pieces_and_is_heard_again(town: Town, asks: Program) -> None:
    sound = opus(3.0)
    begun = asks.post("/uploads", {"size_bytes": len(sound)}, Idempotency_Key="u")
    upload = begun.json["id"]
    assert problem(asks.post("/recordings", {"upload": upload, "file_name": "a.ogg"}))[0] == 422
    headers = {"Authorization": f"Bearer {asks.secret}", "Content-Type": "application/octet-stream"}
    client = asks.app.test_client(use_cookies=False)
    for offset in (0, 5000, 5000):
        piece = sound[offset : offset + 5000] if offset == 0 else sound[5000:]
        told = client.put(f"{PREFIX}/uploads/{upload}?offset={offset}", data=piece, headers=headers)
        assert told.status_code == 200
    assert told.json["received_bytes"] == len(sound)
    kept = asks.post("/recordings", {"upload": upload, "file_name": "../../loa.ogg", "language": "tyz"})
    assert (kept.status_code, kept.json["language"], kept.json["file_name"]) == (201, "tyz", "loa")
    made = asks.post("/announcements", {"title": "Tiếng Tày", "recording": kept.json["sha256"]}).json
    assert made["language"] == "tyz"
    assert problem(asks.get(f"/announcements/{made['id']}/audio")) == (409, "desk.not_voiced")
    asset = town.voice(made["id"])
    heard = asks.get(f"/announcements/{made['id']}/audio", Range="bytes=0-9")
    assert (heard.status_code, len(heard.data)) == (206, 10)
    whole = asks.get(f"/announcements/{made['id']}/audio")
    assert hashlib.sha256(whole.data).hexdigest() == asset
    assert problem(asks.post("/uploads", {"size_bytes": 1 << 40})) == (409, "upload_too_large")
    assert problem(asks.get("/uploads/..%2Fx"))[0] == 404


def test_the_audit_log_is_read_page_by_page_and_whole(town: Town, app: Flask) -> None:
    asks = Program(app, lend(town, town.boss, Role.ADMINISTRATOR, "*"))
    page = asks.get("/audit?limit=2").json
    assert [each["number"] for each in page["items"]] == [1, 2]
    assert page["head"] == town.store.acts.head()[0]
    assert asks.get(f"/audit?after={page['head']}").json["items"] == []
    whole = asks.get("/audit/export")
    lines = [json.loads(line) for line in whole.text.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, page["head"] + 1))
