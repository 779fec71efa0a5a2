"""Step-up on the pages: what is critical asks again who somebody is, wherever it is done, and loses nothing typed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import NOON, PASSWORD, TEXT, Town, composed, form_key, settled_town
from werkzeug.test import TestResponse

from controller.desk import SecondFactor
from controller.store.rows import AnnouncementState
from controller.web.guesses import TRIES_BY_PERSON

APPROVER, BOSS, EDITOR = "chu-tich", "quan-tri", "van-hoa"
LATER = timedelta(minutes=11)
EMERGENCY = {"bulletin_class": "emergency", "confirm": "Xã Đồng Đăng", "when": "now", "title": 'Lũ quét "gấp" <b>'}

# what a POST changes is critical, or it is here: whoever adds a route says which
CRITICAL = {
    "/soan": (APPROVER, {}),  # with EMERGENCY
    "/duyet/<announcement>/dong-y": (APPROVER, {"seen": "1"}),
    "/cum-loa-moi": (BOSS, {"node": "cho-1", "name": "Loa chợ", "home": "lang-son:dong-dang:thon-1"}),
    "/cum-loa/<name>/thay": (BOSS, {}),
    "/cum-loa/<name>/thu-hoi": (BOSS, {"sure": "1"}),
    "/nguoi-dung": (BOSS, {"name": "moi", "full_name": "Mới", "role": "editor", "area": "lang-son:dong-dang"}),
    "/nguoi-dung/<user>/quyen": (BOSS, {"role": "viewer", "area": "lang-son:tam-thanh"}),
    "/nguoi-dung/<user>/quyen/<grant>/rut": (BOSS, {}),
    "/nguoi-dung/<user>/lien-ket": (BOSS, {}),
    "/nguoi-dung/<user>/quen-xac-minh": (BOSS, {}),
    "/nguoi-dung/<user>/nghi": (BOSS, {}),
    "/nguoi-dung/<user>/tro-lai": (BOSS, {}),
    "/dia-ban/chuyen": (
        BOSS,
        {"area": "lang-son:dong-dang:thon-1", "to": "lang-son:tam-thanh:thon-2", "how": "under", "do": "1"},
    ),
    "/tai-khoan/khoa-api": (EDITOR, {"role": "editor", "area": "lang-son:dong-dang", "name": "m", "to": "24/12/2026"}),
    "/tai-khoan/ma": (EDITOR, {}),
    "/tai-khoan/ma/xac-nhan": (EDITOR, {"code": "000000"}),
    "/tai-khoan/ma/bo": (EDITOR, {}),
    "/tai-khoan/khoa": (EDITOR, {}),
    "/tai-khoan/khoa/xong": (EDITOR, {"made_token": "x", "made_passkey": "{}", "name": "y"}),
    "/tai-khoan/khoa/bo": (EDITOR, {"khoa": "x"}),
    "/tai-khoan/ma-du-phong": (EDITOR, {}),
}
ORDINARY = {
    *("/dang-nhap", "/dang-nhap/buoc-hai", "/dang-nhap/khoa", "/dang-xuat", "/chao/<token>", "/khoa/hoi", "/ghi-danh"),
    "/cum-loa/vi-tri",
    "/gia-han/<node>",  # a node, by its key
    *("/tai-khoan/thoat", "/tai-khoan/mat-khau"),  # the first takes rights away, the second asks for the password
    *("/nghe-thu", "/nghe-thu/<announcement>/lai", "/nghe-thu/day", "/nghe-thu/sua", "/xem-truoc"),
    "/ban-tin/<announcement>/dung-lai",
    *("/ban-tin/<announcement>/khong-dang", "/phan-anh/<unheard>/tra-loi", "/thong-bao/<area>/khong-nghe"),
    *("/soan/<announcement>/sua", "/soan/<announcement>/bo", "/duyet/<announcement>/tra-lai"),
    "/duyet/<announcement>/hoan-tac",
    *(
        "/lich-phat/<booking>/rut",
        "/lich-phat/<booking>/dung",
        "/lich-phat/<booking>/bo-ngay",
        "/cum-loa-moi/bo",
    ),  # to stop must be quick
    *("/ban-ghi", "/ban-ghi/tep", "/ban-ghi/tep/<name>", "/ban-ghi/tep/<name>/xong", "/tu-dien", "/tu-dien/bo"),
    "/tin-cap",
    "/thiet-lap/may/nghe",
    *("/dia-ban", "/dia-ban/xem-tep", "/dia-ban/nhap"),
    *("/hop-tin/thu-tu", "/hop-tin/<announcement>/<area>/xep", "/hop-tin/<announcement>/<area>/khong"),
    *(
        "/canh-bao/<alarm>/nhan",
        "/canh-bao/<alarm>/giao",
        "/canh-bao/<alarm>/im-lang",
        "/canh-bao/<alarm>/thoi-im-lang",
    ),
    "/tong-quan/dai-khac",
    *("/cum-loa/<name>/am-luong", "/cum-loa/<name>/bao-tri", "/cum-loa/<name>/het-bao-tri", "/cum-loa/<name>/phat-thu"),
    "/khung-chuong-trinh/<area>/sua",
    "/khung-chuong-trinh/<area>/van-ban",
    "/khung-chuong-trinh/<area>/quy-che",
    "/tai-khoan/khoa-api/thu-hoi",  # takes a right away
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def stale(town: Town, app: Flask, who: str) -> FlaskClient:
    """A browser whose person signed in eleven minutes ago."""
    client = town.client(app, who)
    town.now += LATER
    return client


def folded(answer: TestResponse) -> dict[str, list[str]]:
    """The form that a page which asks holds: what was sent, without the proof."""
    assert answer.status_code == 422, answer.text
    assert "Xin xác minh" in answer.text
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text):
        fields.setdefault(html.unescape(name), []).append(html.unescape(value))
    return fields


def with_codes(town: Town, who: str) -> pyotp.TOTP:
    """Codes for somebody, set up in a session of their own that is over."""
    token = town.session(who)
    person = town.desk.signed_in(token, town.now)
    assert person
    codes = pyotp.TOTP(town.desk.begin_code(person, "Đài", town.now).secret)
    town.desk.confirm_code(person, codes.at(town.now), town.now)
    town.now += timedelta(seconds=30)
    return codes


def path_of(town: Town, app: Flask, rule: str) -> str:
    """The route with something real in its place."""
    if "<announcement>" not in rule:
        grant = town.editor.grants[0].id
        return rule.replace("<name>", "dong-dang-1").replace("<user>", town.editor.id).replace("<grant>", grant)
    answer = town.client(app, EDITOR)
    sent = answer.post("/soan", data=composed(answer, **EMERGENCY, key="7" * 32))
    assert sent.status_code == 303
    return rule.replace("<announcement>", town.store.announcements.list()[0].id)


def test_every_route_that_changes_something_is_judged(app: Flask) -> None:
    changing = {
        rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()) and rule.endpoint[:4] != "api."
    }
    assert changing == CRITICAL.keys() | ORDINARY
    assert not CRITICAL.keys() & ORDINARY


@pytest.mark.parametrize("rule", CRITICAL)
def test_what_is_critical_asks_again_and_changes_nothing_before(town: Town, app: Flask, rule: str) -> None:
    who, data = CRITICAL[rule]
    path = path_of(town, app, rule)
    client = stale(town, app, who)
    sent = composed(client, **EMERGENCY) if rule == "/soan" else data | {"csrf_token": form_key(client, "/tai-khoan")}
    if rule == "/tai-khoan/ma/xac-nhan":  # what was begun while the proof was fresh
        person = town.desk.signed_in(town.session(who), town.now)
        assert person
        town.desk.begin_code(person, "Đài", town.now)
    before, lines = town.store.acts.head(), town.store.announcements.list()
    fields = folded(client.post(path, data=sent))
    assert town.store.acts.head() == before
    assert town.store.announcements.list() == lines
    assert town.store.enrolments.waiting(town.now) == []
    wanted = {name: value if isinstance(value, list) else [value] for name, value in sent.items()}
    kept = {name: fields.get(name) for name in wanted if name != "csrf_token"}
    assert kept == {name: wanted[name] for name in kept}
    fields["csrf_token"] = fields["csrf_token"][:1]
    answer = client.post(path, data=fields | {"proof": PASSWORD})
    assert "Xin xác minh" not in answer.text
    assert "proved who they are" in [act.what for act in town.store.acts.recent()]


def test_an_emergency_brings_its_proof_along_and_needs_no_second_page(town: Town, app: Flask) -> None:
    codes = with_codes(town, APPROVER)
    client = stale(town, app, APPROVER)
    page = client.get("/soan").text
    assert 'autocomplete="one-time-code"' in page
    answer = client.post("/soan", data=composed(client, **EMERGENCY, proof=codes.at(town.now)))
    assert answer.status_code == 303
    (made,) = town.store.announcements.list()
    assert (made.state, made.title) == (AnnouncementState.APPROVED, EMERGENCY["title"])
    assert 'name="proof"' not in client.get("/soan").text  # for ten minutes nothing more is asked
    again = client.post("/soan", data=composed(client, **EMERGENCY, key="8" * 32))
    assert again.status_code == 303


def test_a_wrong_proof_loses_nothing_and_a_password_is_none_beside_a_second_factor(town: Town, app: Flask) -> None:
    codes = with_codes(town, APPROVER)
    client = stale(town, app, APPROVER)
    for wrong in ("000000", PASSWORD):
        fields = folded(client.post("/soan", data=composed(client, **EMERGENCY, proof=wrong)))
        assert fields["text"] == [TEXT]
        assert PASSWORD not in str(fields)
    assert town.store.announcements.list() == []
    fields["csrf_token"] = fields["csrf_token"][:1]
    assert client.post("/soan", data=fields | {"proof": codes.at(town.now)}).status_code == 303
    (booking,) = town.store.bookings.of(town.store.announcements.list()[0].id)
    assert booking.areas == ("lang-son:dong-dang",)


def test_a_proof_is_used_only_where_it_is_wanted(town: Town, app: Flask) -> None:
    codes = with_codes(town, APPROVER)
    client = stale(town, app, APPROVER)
    for path in ("/xem-truoc", "/nghe-thu"):  # what scripts send while the form is filled in
        for proof in ("sai", codes.at(town.now), *["000000"] * TRIES_BY_PERSON):
            answer = client.post(path, data=composed(client, **EMERGENCY, proof=proof))
            assert answer.status_code == 200
            assert "Xin xác minh" not in answer.text
    sent = composed(client, **EMERGENCY, proof=codes.at(town.now))
    assert client.post("/soan", data=sent).status_code == 303


def test_what_the_desk_refuses_after_the_proof_is_said_as_ever(town: Town, app: Flask) -> None:
    client = stale(town, app, BOSS)
    data = {"csrf_token": form_key(client, "/tai-khoan"), "proof": PASSWORD, "node": "dong-dang-1", "name": "x"}
    for path in ("/cum-loa-moi", "/cum-loa/khong-co/thay"):
        answer = client.post(path, data=data | {"home": "lang-son:dong-dang:thon-1"})
        assert answer.status_code in (404, 422)
        assert "Xin xác minh" not in answer.text


def test_an_ordinary_announcement_and_its_approval_ask_for_nothing(town: Town, app: Flask) -> None:
    waiting = town.booked(town.client(app, EDITOR))
    client = stale(town, app, APPROVER)
    assert client.post("/soan", data=composed(client, choice="keep", key="9" * 32)).status_code == 303
    path = f"/duyet/{town.announcement_of(waiting)}/dong-y"
    assert client.post(path, data={"csrf_token": form_key(client), "seen": "1"}).status_code == 303


def test_an_approval_has_the_fields_of_the_proof_beside_it(town: Town, app: Flask) -> None:
    path = path_of(town, app, "/duyet/<announcement>/dong-y")
    client = stale(town, app, APPROVER)
    page = client.get("/duyet").text
    assert re.search(r'id="proof-a\w+" name="proof" type="password"', page)
    answer = client.post(path, data={"csrf_token": form_key(client, "/duyet"), "seen": "1", "proof": PASSWORD})
    assert answer.status_code == 303
    assert town.store.announcements.list()[0].state is AnnouncementState.APPROVED


@pytest.mark.parametrize("brought", [{}, {"proof": "sai"}])
def test_a_second_person_s_passphrase_stands_in_no_page_and_is_asked_for_again(
    town: Town, app: Flask, brought: dict[str, str]
) -> None:
    path, words = path_of(town, app, "/duyet/<announcement>/dong-y"), "con đường nhỏ bên suối"
    client = stale(town, app, APPROVER)
    sent = {"csrf_token": form_key(client, "/duyet"), "seen": "1", "passphrase": words, **brought}
    answer = client.post(path, data=sent)
    assert "passphrase" not in folded(answer)
    assert words not in html.unescape(answer.text)
    assert re.search(r'name="passphrase" type="password"[^>]*required', answer.text)
    assert "value" not in re.findall(r'<input[^>]*name="passphrase"[^>]*>', answer.text)[0]


def test_to_take_back_an_emergency_nothing_is_asked(town: Town, app: Flask) -> None:
    client = town.client(app, APPROVER)
    booking = town.booked(client, **EMERGENCY)
    town.now += LATER
    answer = client.post(f"/lich-phat/{booking}/rut", data={"csrf_token": form_key(client)})
    assert answer.status_code == 303
    row = town.store.bookings.get(booking)
    assert row is not None
    assert row.state == "withdrawn"


def test_proofs_are_not_guessed_from_a_session_left_open(town: Town, app: Flask) -> None:
    for who in (APPROVER, EDITOR):
        if who == APPROVER:
            with_codes(town, who)
        client = stale(town, app, who)
        key = form_key(client, "/tai-khoan")
        tries = [
            client.post("/tai-khoan/ma/bo", data={"csrf_token": key, "proof": f"{number:06}"}).status_code
            for number in range(TRIES_BY_PERSON + 2)
        ]
        assert tries == [422] * TRIES_BY_PERSON + [429] * 2
        assert "chờ" in client.post("/tai-khoan/ma/bo", data={"csrf_token": key, "proof": PASSWORD}).text


def test_the_form_s_key_comes_before_the_proof(town: Town, app: Flask) -> None:
    client = stale(town, app, EDITOR)
    assert client.post("/tai-khoan/ma", data={"proof": PASSWORD}).status_code == 400
    assert "proved who they are" not in [act.what for act in town.store.acts.recent()]


def test_a_session_from_before_is_never_fresh(town: Town, app: Flask) -> None:
    client = town.client(app, EDITOR)
    with town.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET proven_at = NULL")
    folded(client.post("/tai-khoan/ma", data={"csrf_token": form_key(client, "/tai-khoan")}))


def test_without_the_factor_that_the_station_demands_the_form_waits(tmp_path: Path) -> None:
    with settled_town(tmp_path, policy=SecondFactor.CRITICAL) as town:
        app = town.app()
        client = town.client(app, APPROVER)
        assert "cần xác minh hai bước" in client.get("/soan").text
        fields = folded(client.post("/soan", data=composed(client, **EMERGENCY)))
        assert town.store.announcements.list() == []
        person = town.desk.signed_in(client.get_cookie("loa_phien").value, NOON)  # type: ignore[union-attr]
        assert person
        codes = pyotp.TOTP(town.desk.begin_code(person, "Đài", town.now).secret)
        town.desk.confirm_code(person, codes.at(town.now), town.now)  # in another tab
        fields["csrf_token"] = fields["csrf_token"][:1]
        assert client.post("/soan", data=fields).status_code == 303


def test_hostile_fields_are_folded_away_as_text(town: Town, app: Flask) -> None:
    client = stale(town, app, EDITOR)
    evil = '"><script>alert(1)</script><input name="csrf_token" value="x'
    data = {"csrf_token": form_key(client, "/tai-khoan"), evil: evil, "proof": "sai"}
    answer = client.post(f"/tai-khoan/ma?x={evil}", data=data)
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert folded(answer)[evil] == [evil]
