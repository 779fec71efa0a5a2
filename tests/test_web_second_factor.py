"""Signing in with a second factor: in order, out of order, guessed, replayed, and with any bytes in any field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_passkeys import SoftKey
from makers_web import PASSWORD, Town, form_key, settled_town
from werkzeug.test import TestResponse

from controller.desk import SecondFactor
from controller.web.guesses import TRIES_BY_NAME, TRIES_BY_PERSON

APPROVER = "chu-tich"
HALF_MINUTE = timedelta(seconds=30)
SITE = "http://localhost"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def post(client: FlaskClient, path: str, page: str = "/tai-khoan", **data: str) -> TestResponse:
    return client.post(path, data={"csrf_token": form_key(client, page), **data})


def with_codes(town: Town, app: Flask, who: str = APPROVER) -> tuple[FlaskClient, pyotp.TOTP, list[str]]:
    """A browser in which codes were set up by the pages, the app, and the recovery codes."""
    client = town.client(app, who)
    page = post(client, "/tai-khoan/ma")
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)
    assert secret
    codes = pyotp.TOTP(secret[1].replace(" ", ""))
    answer = post(client, "/tai-khoan/ma/xac-nhan", code=codes.at(town.now))
    town.now += HALF_MINUTE
    return client, codes, re.findall(r"<li>(\w{4}-\w{4}-\w{4})</li>", answer.text)


def with_passkey(town: Town, app: Flask, who: str = APPROVER) -> tuple[FlaskClient, SoftKey]:
    """A browser in which a passkey was made by the pages."""
    client, made = town.client(app, who), SoftKey()
    page = post(client, "/tai-khoan/khoa").text
    found = re.search(r'data-token="([^"]+)" data-options="([^"]+)"', page)
    assert found
    options = found[2].replace("&#34;", '"')
    answer = made.makes(options, SITE)
    told = post(client, "/tai-khoan/khoa/xong", name="Máy bàn", made_token=found[1], made_passkey=answer)
    assert "Mã dự phòng" in told.text
    return client, made


def asked(client: FlaskClient, purpose: str, page: str = "/dang-nhap") -> dict[str, str]:
    answer = post(client, "/khoa/hoi", page, viec=purpose)
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert isinstance(told, dict)
    return told


def halfway(app: Flask, name: str = APPROVER) -> FlaskClient:
    """A browser whose person has typed the right password."""
    client = app.test_client()
    answer = post(client, "/dang-nhap", "/dang-nhap", name=name, password=PASSWORD, tiep="/ke-hoach")
    assert (answer.status_code, answer.location) == (303, "/dang-nhap/buoc-hai?tiep=/ke-hoach")
    return client


def second(client: FlaskClient, code: str, **more: str) -> TestResponse:
    return post(client, "/dang-nhap/buoc-hai", "/dang-nhap/buoc-hai", code=code, tiep="/ke-hoach", **more)


def test_a_right_password_is_half_the_way(town: Town, app: Flask) -> None:
    _, codes, recovery = with_codes(town, app)
    client = halfway(app)
    assert client.get("/").location.startswith("/dang-nhap")
    assert client.get("/tai-khoan").status_code == 302
    assert second(client, "000000").status_code == 422
    answer = second(client, codes.at(town.now))
    assert (answer.status_code, answer.location) == (302, "/ke-hoach")
    assert client.get("/").status_code == 200
    another = halfway(app)
    wrong, replayed = second(another, "000000"), second(another, codes.at(town.now))
    assert replayed.status_code == 422
    alike = [re.search(r'href="#code">([^<]+)<', each.text)[1] for each in (wrong, replayed)]  # type: ignore[index]
    assert alike[0] == alike[1]
    assert second(another, recovery[0]).status_code == 302
    assert second(halfway(app), recovery[0]).status_code == 422


def test_the_half_way_ends_after_five_minutes_and_leads_nowhere_else(town: Town, app: Flask) -> None:
    _, codes, _ = with_codes(town, app)
    client = halfway(app)
    town.now += timedelta(minutes=6)
    assert client.get("/dang-nhap/buoc-hai").status_code == 303
    assert "Đã quá 5 phút" in client.get("/dang-nhap").text
    answer = post(client, "/dang-nhap/buoc-hai", "/dang-nhap", code=codes.at(town.now))
    assert answer.location.startswith("/dang-nhap")
    client = halfway(app)
    typed = {"code": codes.at(town.now), "tiep": "//evil.test"}
    answer = post(client, "/dang-nhap/buoc-hai", "/dang-nhap/buoc-hai", **typed)
    assert answer.location == "/"


def test_codes_are_not_guessed_and_a_right_password_forgives_none(town: Town, app: Flask) -> None:
    with_codes(town, app)
    answers = []
    for _ in range(TRIES_BY_PERSON + 2):
        answers.append(second(halfway(app), "000000").status_code)  # each time from the beginning
    assert answers == [422] * TRIES_BY_PERSON + [429] * 2
    everywhere, client = [], halfway(app)
    for number in range(TRIES_BY_NAME):
        client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
        everywhere.append(second(client, "000000").status_code)
    assert everywhere[-1] == 429
    town.now += timedelta(minutes=16)
    assert second(halfway(app), "000000").status_code == 422


def test_an_invitation_sets_a_password_and_stands_for_no_second_factor(town: Town, app: Flask) -> None:
    _, codes, _ = with_codes(town, app)
    token = town.desk.invite(town.approver.id, town.boss, town.now)
    client = app.test_client()
    key = form_key(client, f"/chao/{token}")
    new = "một câu hoàn toàn mới"
    answer = client.post(f"/chao/{token}", data={"csrf_token": key, "password": new, "again": new})
    assert answer.location.startswith("/dang-nhap/buoc-hai")
    assert client.get("/").status_code == 302
    assert second(client, codes.at(town.now)).status_code == 302


def test_a_passkey_signs_in_alone_and_as_the_second_step(town: Town, app: Flask) -> None:
    _, key = with_passkey(town, app)
    client = app.test_client()
    told = asked(client, "enter")
    sent = {"proof_token": told["token"], "proof_passkey": key.proves(told["options"], SITE), "tiep": "/ke-hoach"}
    answer = post(client, "/dang-nhap/khoa", "/dang-nhap", **sent)
    assert (answer.status_code, answer.location) == (302, "/ke-hoach")
    again = app.test_client()
    assert post(again, "/dang-nhap/khoa", "/dang-nhap", **sent).status_code == 422  # heard, and sent again
    client = halfway(app)
    told = asked(client, "second", "/dang-nhap/buoc-hai")
    sent = {"proof_token": told["token"], "proof_passkey": key.proves(told["options"], SITE)}
    assert second(client, "", **sent).status_code == 302


def test_nothing_is_asked_of_strangers_of_other_addresses_or_too_often(town: Town, app: Flask) -> None:
    client = app.test_client()
    for purpose, status in (("second", 401), ("step_up", 401), ("register", 404), ("", 404), ("\u0301", 404)):
        assert post(client, "/khoa/hoi", "/dang-nhap", viec=purpose).status_code == status
    assert client.post("/khoa/hoi", data={"viec": "enter"}).status_code == 400  # without the form's key
    by_number = {"base_url": "http://192.0.2.1:8080"}
    key = re.search(r'csrf_token" value="([^"]+)"', client.get("/dang-nhap", **by_number).text)
    assert key
    data = {"csrf_token": key[1], "viec": "enter"}
    assert client.post("/khoa/hoi", data=data, **by_number).status_code == 404
    assert client.post("/dang-nhap/khoa", data=data | {"proof_passkey": "{}"}, **by_number).status_code == 422
    answers = {post(client, "/khoa/hoi", "/dang-nhap", viec="enter").status_code for _ in range(130)}
    assert answers == {200, 429}


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "\u0660\u0661\u0662\u0663\u0664\u0665",
        "１２３４５６",
        "x" * 100_000,
        "\u202e\u0301\U0001f4e2",
        "' OR 1=1 --",
        "{}",
        "[" * 9000,
        "<script>",
    ],
)
def test_any_bytes_in_any_field_are_a_no_and_no_more(town: Town, app: Flask, hostile: str) -> None:
    account, _, _ = with_codes(town, app)
    client = halfway(app)
    assert second(client, hostile).status_code == 422
    assert second(client, "", proof_passkey=hostile or "{", proof_token=hostile).status_code == 422
    stranger = app.test_client()
    sent = {"proof_passkey": hostile, "proof_token": hostile, "tiep": hostile}
    assert post(stranger, "/dang-nhap/khoa", "/dang-nhap", **sent).status_code == 422
    assert (
        post(account, "/tai-khoan/khoa/xong", name=hostile, made_passkey=hostile, made_token=hostile).status_code == 422
    )
    assert post(account, "/tai-khoan/khoa/bo", khoa=hostile).status_code == 303
    assert post(account, "/tai-khoan/ma/xac-nhan", code=hostile).status_code == 303  # they are set up already
    town.now += timedelta(minutes=11)
    answer = post(account, "/tai-khoan/ma/bo", proof=hostile, anything=hostile)
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert town.store.factors.held(town.approver.id).code


def test_a_nul_is_refused_before_a_view_sees_it(town: Town, app: Flask) -> None:
    client = town.client(app, APPROVER)
    for field in ("proof", "proof_passkey", "proof_token", "code", "name"):
        assert post(client, "/tai-khoan/ma", **{field: "a\0b"}).status_code == 400


def test_whoever_must_have_a_second_factor_sets_one_up_first(tmp_path: Path) -> None:
    with settled_town(tmp_path, policy=SecondFactor.EVERYBODY) as town:
        app = town.app()
        client = town.client(app, APPROVER)
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and not rule.arguments and rule.endpoint != "static":
                answer = client.get(rule.rule)
                shut = rule.endpoint.split(".")[0] not in (
                    "account",
                    "api",  # asks for a token (test_api_rights)
                    "signin",
                    "second",
                    "language",
                    "alive",
                    "public",
                    "notices",
                    "away",  # what a browser without a network shows
                    "static",
                    "assets",
                    "plain",
                )
                assert not shut or answer.location == "/tai-khoan", rule.rule
        assert "Đài yêu cầu mọi người" in client.get("/tai-khoan").text
        assert post(client, "/soan", day="x").location == "/tai-khoan"
        codes = with_codes(town, app)
        assert codes[0].get("/").status_code == 200


def test_the_account_page_lists_what_there_is_and_takes_it_away(town: Town, app: Flask) -> None:
    client, key = with_passkey(town, app)
    page = client.get("/tai-khoan").text
    assert "Máy bàn" in page
    assert "Còn 10 mã" in page
    (held,) = town.store.factors.passkeys(town.approver.id)
    other = town.client(app, "van-hoa")
    post(other, "/tai-khoan/khoa/bo", khoa=held.id)
    assert town.store.factors.passkeys(town.approver.id) == [held]
    assert post(client, "/tai-khoan/ma-du-phong").text.count("<li>") >= 10
    assert post(client, "/tai-khoan/khoa/bo", khoa=held.id).status_code == 303
    assert "Còn 10 mã" not in client.get("/tai-khoan").text
    assert json.loads(key.proves('{"rpId": "localhost", "challenge": ""}'))["id"] == held.id


def test_a_new_password_is_no_fresh_proof_for_whoever_has_a_second_factor(town: Town, app: Flask) -> None:
    client, _, _ = with_codes(town, app)
    town.now += timedelta(minutes=11)
    new = "một câu hoàn toàn mới"
    assert post(client, "/tai-khoan/mat-khau", old=PASSWORD, new=new, again=new).status_code == 302
    assert post(client, "/tai-khoan/ma/bo").status_code == 422
    assert town.store.factors.held(town.approver.id).code
