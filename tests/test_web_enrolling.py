"""Adding and replacing a loudspeaker on the page, and the route by which machines come in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import NOON, Town, form_key, settled_town

from controller import keys
from controller.web.admission import TRIES_BY_ADDRESS
from wire import certificates, enrolment, onetime
from wire.enrolment import Wish
from wire.seal import Signer

HAMLET = "lang-son:dong-dang:thon-2"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        keys.establish(keys.Keyring(made.settings.keys_dir), made.store, ("*",), NOON)
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def boss(town: Town, app: Flask) -> FlaskClient:
    return town.client(app, "quan-tri")


def add(client: FlaskClient, **changed: object):  # type: ignore[no-untyped-def]
    fields = {"csrf_token": form_key(client, "/cum-loa-moi"), "name": "Loa chợ", "node": "loa-cho", "home": HAMLET}
    return client.post("/cum-loa-moi", data=fields | changed)


def code_on(page: str) -> onetime.Code:
    found = re.search(r'class="one-time"[^>]*>([A-Z0-9-]+)<', page)
    assert found, page
    return onetime.read(found[1])


def question(code: onetime.Code) -> bytes:
    signer = Signer.generate()
    wish = Wish("0" * 64, signer.public.hex, certificates.request(certificates.new_key(), "x"))
    return enrolment.ask(wish, code.name, enrolment.stretch(code), signer)


def test_a_code_is_shown_once_and_lets_a_node_in(town: Town, app: Flask, boss: FlaskClient) -> None:
    answer = add(boss)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    code = code_on(answer.text)
    assert f"sudo loa node enrol {code.shown()} --station http://localhost" in answer.text
    listed = boss.get("/cum-loa").text
    assert "Đang chờ ghi danh" in listed
    assert code.name in listed
    assert code.secret[:4] not in listed
    stranger = app.test_client()  # no session, no form key
    told = stranger.post("/ghi-danh", data=question(code), content_type="application/json")
    assert (told.status_code, told.mimetype) == (200, "application/json")
    assert town.store.roster.node("loa-cho")
    assert "Đang chờ ghi danh" not in boss.get("/cum-loa").text
    assert stranger.post("/ghi-danh", data=question(code)).get_json() == {"reason": "used", "tries_left": None}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"node": "Loa Chợ"}, "node"),
        ({"node": "dong-dang-1"}, "node"),
        ({"node": "station"}, "node"),
        ({"name": " "}, "name"),
        ({"home": "nowhere"}, "home"),
        ({"home": ""}, "home"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    boss: FlaskClient, changed: dict[str, str], field: str
) -> None:
    answer = add(boss, **changed)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    if "node" not in changed:
        assert 'value="loa-cho"' in answer.text


def test_a_code_is_taken_back(town: Town, boss: FlaskClient) -> None:
    code = code_on(add(boss).text)
    answer = boss.post("/cum-loa-moi/bo", data={"csrf_token": form_key(boss, "/cum-loa"), "code": code.name})
    assert answer.status_code == 303
    assert "Đã hủy mã" in boss.get("/cum-loa").text
    assert town.store.enrolments.waiting(town.now) == []


def test_a_known_node_gets_another_device(town: Town, app: Flask, boss: FlaskClient) -> None:
    answer = boss.post("/cum-loa/dong-dang-1/thay", data={"csrf_token": form_key(boss, "/cum-loa/dong-dang-1")})
    told = app.test_client().post("/ghi-danh", data=question(code_on(answer.text)))
    assert told.status_code == 200
    assert "22/02/2027" in boss.get("/cum-loa/dong-dang-1").text


def test_a_machine_is_heard_so_often_and_at_such_length(town: Town, app: Flask) -> None:
    stranger = app.test_client()
    assert stranger.post("/ghi-danh", data=b"x" * 20_000).get_json()["reason"] == "too_big"
    assert stranger.post("/ghi-danh", data={"csrf_token": "x"}).get_json()["reason"] == "malformed"
    assert stranger.get("/ghi-danh").status_code == 405
    answers = [stranger.post("/ghi-danh", data=b"{}").status_code for _ in range(TRIES_BY_ADDRESS)]
    assert answers[: TRIES_BY_ADDRESS - 2] == [400] * (TRIES_BY_ADDRESS - 2)
    refused = stranger.post("/ghi-danh", data=b"{}")
    assert (refused.status_code, refused.get_json()["reason"]) == (429, "too_many")
    assert refused.headers["Retry-After"]
    town.now += timedelta(minutes=20)
    assert stranger.post("/ghi-danh", data=b"{}").status_code == 400


def test_a_node_is_revoked_by_whoever_says_that_they_are_sure(town: Town, boss: FlaskClient) -> None:
    page = "/cum-loa/dong-dang-1"
    asked = {"csrf_token": form_key(boss, page)}
    assert "Thu hồi ngay" in boss.get(page).text
    unsure = boss.post(f"{page}/thu-hoi", data=asked)
    assert (unsure.status_code, "Hãy đánh dấu vào ô xác nhận" in unsure.text) == (422, True)
    assert town.store.roster.node("dong-dang-1").revoked_at is None
    assert boss.post(f"{page}/thu-hoi", data=asked | {"sure": "1"}).status_code == 303
    assert town.store.roster.node("dong-dang-1").revoked_at == NOON
    assert [(each.what, each.subject) for each in town.store.acts.recent(limit=1)] == [("revoked node", "dong-dang-1")]
    shown = boss.get(page).text
    assert "Thu hồi ngay" not in shown
    assert "Đã thu hồi: không được vào máy chủ MQTT" in shown
    assert boss.post("/cum-loa/khong-co/thu-hoi", data=asked | {"sure": "1"}).status_code == 404


def test_the_way_back_is_open_to_machines_and_bounded(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/gia-han/loa-01", data=b"x").status_code == 503  # this window has no station behind it
    for _ in range(TRIES_BY_ADDRESS):
        last = client.post("/gia-han/loa-01", data=b"x").status_code
    assert last == 429
    assert client.post("/ghi-danh", data=b"x").status_code != 429  # counted apart
