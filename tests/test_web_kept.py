"""Nothing written is lost when a right or a session ends meanwhile; the form's key lives as long as the session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import NOON, PASSWORD, Town, form_key, settled_town

from controller.desk import Giving
from controller.desk.proving import SESSION
from controller.rights import Role
from controller.web.doors import COOKIE, COOKIE_SECONDS

WORDS = "Bà con chú ý:\nngày mai <b>cắt điện</b> từ 7 giờ."


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def test_a_right_that_ends_while_somebody_writes_loses_nothing(town: Town) -> None:
    client, (held,) = town.client(town.app(), "van-hoa"), town.editor.grants
    form = {"csrf_token": form_key(client), "text": WORDS, "title": "Cắt điện", "passphrase": "một câu bí mật dài"}
    town.desk.take("van-hoa", held.id, town.boss, town.now)
    answer = client.post("/soan", data=form)
    assert answer.status_code == 403
    assert "ngày mai &lt;b&gt;cắt điện&lt;/b&gt; từ 7 giờ." in answer.text
    assert "quyền đã hết" in answer.text
    assert "bí mật" not in answer.text
    assert 'action="/soan"' in answer.text
    assert client.post("/soan", data={**form, "text": "ngắn"}).text.count("textarea") == 0  # a button is not a text
    town.desk.give("van-hoa", Giving(Role.EDITOR, held.area), town.boss, town.now)
    assert client.post("/soan", data=form).status_code in (200, 303, 422)  # the way on


def test_who_is_signed_out_while_writing_loses_nothing_and_no_stranger_puts_words_on_a_page(town: Town) -> None:
    client = town.client(town.app(), "van-hoa")
    form = {"csrf_token": form_key(client), "text": WORDS}
    town.store.people.end_sessions(town.editor.id)
    answer = client.post("/soan", data=form)
    assert answer.status_code == 401
    assert "cắt điện" in answer.text
    assert "Đăng nhập" in answer.text
    forged = client.post("/soan", data={**form, "csrf_token": "x"})
    assert forged.status_code == 400
    assert "cắt điện" not in forged.text


def test_what_was_written_is_not_lost_when_the_session_runs_out_by_itself(town: Town) -> None:
    client = town.app().test_client()
    data = {"csrf_token": form_key(client, "/dang-nhap"), "name": "van-hoa", "password": PASSWORD}
    assert client.post("/dang-nhap", data=data).status_code == 302
    form = {"csrf_token": form_key(client, "/soan"), "text": WORDS}
    town.now = NOON + SESSION + timedelta(minutes=1)
    held = client.get_cookie(COOKIE)
    assert held is not None
    assert held.max_age is not None
    assert timedelta(seconds=held.max_age) > 2 * SESSION  # a browser still says that somebody was here
    for lost in (False, True):
        if lost:
            client.delete_cookie(COOKIE)
        answer = client.post("/soan", data=form)
        assert answer.status_code == 401
        assert "ngày mai &lt;b&gt;cắt điện&lt;/b&gt; từ 7 giờ." in answer.text
        assert 'href="/dang-nhap?tiep=/soan"' in answer.text
    assert town.store.announcements.list(None, None, None) == []


def test_who_signs_in_again_comes_back_to_the_form(town: Town) -> None:
    client = town.app().test_client()
    key = form_key(client, "/dang-nhap")
    for path, page in {"/soan": "/soan", "/soan/a1/bo": "/soan/a1", "/duyet/a1/dong-y": "/duyet"}.items():
        answer = client.post(path, data={"csrf_token": key, "text": "ngắn"})
        assert (answer.status_code, answer.location) == (302, f"/dang-nhap?tiep={page}")


def test_the_form_s_key_lives_at_least_as_long_as_the_session(town: Town) -> None:
    client = town.app().test_client()
    data = {"csrf_token": form_key(client, "/dang-nhap"), "name": "van-hoa", "password": PASSWORD}
    assert client.post("/dang-nhap", data=data).status_code == 302
    key = form_key(client)
    kept = client.get_cookie("loa_bieu_mau")
    session = client.get_cookie(COOKIE)
    assert kept
    assert session
    assert kept.expires is not None
    assert session.max_age == COOKIE_SECONDS
    assert kept.expires.timestamp() >= session.expires.timestamp() if session.expires else True
    town.now = NOON + timedelta(hours=11)
    assert client.post("/soan", data={"csrf_token": key, "text": WORDS}).status_code != 400
