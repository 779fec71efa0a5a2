"""One's own account: where one is signed in, signing out there, a new password; and somebody who leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import PASSWORD, Town, form_key, settled_town

from controller.desk import DeskError
from controller.web.devices import named
from controller.web.doors import COOKIE

EDITOR, ADMINISTRATOR = "van-hoa", "quan-tri"
NEW = "một câu hoàn toàn mới"
PHONE = "Mozilla/5.0 (Linux; Android 13; SM-A125F) AppleWebKit/537.36 Chrome/128.0 Mobile Safari/537.36"
OFFICE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/128.0 Safari/537.36 Edg/128"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


def comes_in(app: Flask, agent: str, name: str = EDITOR) -> FlaskClient:
    """A browser that signs in by the form."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    typed = {"csrf_token": form_key(client, "/dang-nhap"), "name": name, "password": PASSWORD}
    assert client.post("/dang-nhap", data=typed).status_code == 302
    return client


def is_in(client: FlaskClient) -> bool:
    return client.get("/tai-khoan").status_code == 200


def post(client: FlaskClient, path: str, **data: str) -> int:
    return client.post(path, data={"csrf_token": form_key(client, "/tai-khoan"), **data}).status_code


def places(client: FlaskClient) -> list[str]:
    return re.findall(r'<td class="strong">([^<]+)</td>', client.get("/tai-khoan").text)


def test_one_sees_where_one_is_signed_in_and_signs_out_there(app: Flask) -> None:
    phone, office = comes_in(app, PHONE), comes_in(app, OFFICE)
    assert sorted(places(office)) == ["Chrome · Android", "Edge · Windows"]
    (name,) = re.findall(r'name="noi" value="([0-9a-f]+)"', office.get("/tai-khoan").text)
    held = phone.get_cookie(COOKIE)
    assert held is not None
    assert name not in held.value
    assert post(office, "/tai-khoan/thoat", noi=name) == 303
    assert "Đã đăng xuất nơi đó" in office.get("/tai-khoan").text
    assert (is_in(phone), is_in(office)) == (False, True)
    assert post(office, "/tai-khoan/thoat", noi=name) == 303
    assert "đã đăng xuất từ trước" in office.get("/tai-khoan").text


def test_all_other_places_are_left_at_once(app: Flask) -> None:
    browsers = [comes_in(app, PHONE) for _ in range(3)]
    assert post(browsers[1], "/tai-khoan/thoat") == 303
    assert [is_in(each) for each in browsers] == [False, True, False]


def test_nobody_signs_out_somebody_else(app: Flask, town: Town) -> None:
    editor, other = comes_in(app, PHONE), town.client(app, ADMINISTRATOR)
    (place,) = town.desk.sessions(town.editor, "", town.now)
    assert post(other, "/tai-khoan/thoat", noi=place.name) == 303
    assert is_in(editor)


def test_a_new_password_signs_out_every_other_place(app: Flask, town: Town) -> None:
    phone, office = comes_in(app, PHONE), comes_in(app, OFFICE)
    assert post(office, "/tai-khoan/mat-khau", old="sai bét", new=NEW, again=NEW) == 422
    assert post(office, "/tai-khoan/mat-khau", old=PASSWORD, new=NEW, again=NEW + "!") == 422
    assert post(office, "/tai-khoan/mat-khau", old=PASSWORD, new="ngắn", again="ngắn") == 422
    assert is_in(phone)
    assert post(office, "/tai-khoan/mat-khau", old=PASSWORD, new=NEW, again=NEW) == 302
    assert (is_in(phone), is_in(office)) == (False, True)
    with pytest.raises(DeskError):
        town.desk.sign_in(EDITOR, PASSWORD, town.now)
    assert town.desk.sign_in(EDITOR, NEW, town.now)


def test_the_old_password_is_not_guessed_from_within(app: Flask) -> None:
    client = comes_in(app, PHONE)
    answers = [post(client, "/tai-khoan/mat-khau", old=f"sai {n}", new=NEW, again=NEW) for n in range(8)]
    assert answers[0] == 422
    assert answers[-1] == 429


def test_when_a_session_was_used_is_noted_now_and_then(town: Town) -> None:
    entry = town.desk.sign_in(EDITOR, PASSWORD, town.now, "Chrome")
    for minutes, seen in ((5, 0), (11, 11), (15, 11), (22, 22)):
        assert town.desk.signed_in(entry.token, town.now + timedelta(minutes=minutes))
        (place,) = town.desk.sessions(entry.user, entry.token, town.now)
        assert place.session.seen_at == town.now + timedelta(minutes=seen)
        assert place.here


def test_somebody_who_leaves_comes_in_nowhere_and_back_only_by_a_new_link(app: Flask, town: Town) -> None:
    phone, admin = comes_in(app, PHONE), town.store.people.by_name(ADMINISTRATOR)
    assert admin
    link = town.desk.invite(town.editor.id, admin, town.now)
    town.desk.dismiss(EDITOR, admin, town.now)
    assert not is_in(phone)
    for come in (
        lambda: town.desk.accept(link, NEW, town.now),
        lambda: town.desk.sign_in(EDITOR, PASSWORD, town.now),
    ):
        with pytest.raises(DeskError):
            come()
    town.desk.readmit(EDITOR, admin, town.now)
    with pytest.raises(DeskError):
        town.desk.sign_in(EDITOR, PASSWORD, town.now)
    assert town.desk.accept(town.desk.invite(town.editor.id, admin, town.now), NEW, town.now)


def test_the_last_administrator_of_everything_cannot_leave(town: Town) -> None:
    admin = town.store.people.by_name(ADMINISTRATOR)
    assert admin
    with pytest.raises(DeskError, match="last administrator"):
        town.desk.dismiss(ADMINISTRATOR, admin, town.now)
    for name, who in ((EDITOR, town.editor), ("nobody", admin), ("x" * 5000, admin)):
        with pytest.raises(DeskError):
            town.desk.dismiss(name, who, town.now)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Chrome · Android"),
        (OFFICE, "Edge · Windows"),
        ("curl/8.5", "curl/8.5"),
        ("", ""),
        ("<script>alert(1)</script>", "scriptalert1/script"),
        ("x" * 100_000, "x" * 40),
    ],
)
def test_a_device_is_called_as_a_person_would(agent: str, name: str) -> None:
    assert named(agent) == name
