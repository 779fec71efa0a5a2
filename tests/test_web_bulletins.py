"""The archive of announcements: found by words without accents, by place, kind and day; and used again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import HAMLET, Town, form_key, settled_town

from controller.desk import Wish
from controller.web import bulletins

TAMTHANH = "lang-son:tam-thanh"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def approver(town: Town, app: Flask) -> FlaskClient:
    client = town.client(app, "chu-tich")
    town.booked(client, key="1" * 32, title="Lịch tiêm phòng sởi")
    town.booked(client, key="2" * 32, title="Thu gom rác thải", text="Mời bà con ra đường dọn rác.", hour="18")
    town.booked(client, key="3" * 32, title="Họp thôn", text="Mời họp.", areas=[HAMLET], bulletin_class="priority")
    return client


def titles(client: FlaskClient, **asked: object) -> list[str]:
    page = client.get("/ban-tin", query_string={name.replace("_", "-"): value for name, value in asked.items()})
    assert page.status_code == 200, page.text
    found = re.findall(r"<h2>(?:<a [^>]*>)?([^<]+)", page.text.split('id="main"')[1])
    return [each.strip() for each in found]


def test_all_of_them_the_newest_first(approver: FlaskClient) -> None:
    assert titles(approver) == ["Họp thôn", "Thu gom rác thải", "Lịch tiêm phòng sởi"]


def test_words_are_found_without_accents(approver: FlaskClient) -> None:
    assert titles(approver, tim="TIEM PHONG") == ["Lịch tiêm phòng sởi"]
    assert titles(approver, tim="don rac") == ["Thu gom rác thải"]
    assert titles(approver, tim="không có đâu") == []


def test_place_kind_state_and_day_narrow_it(approver: FlaskClient) -> None:
    assert titles(approver, dia_ban=HAMLET) == ["Họp thôn"]
    assert titles(approver, loai="priority") == ["Họp thôn"]
    assert titles(approver, trang_thai="withdrawn") == []
    assert titles(approver, tu_ngay="24/11/2026", den_ngay="24/11/2026", tim="hop") == ["Họp thôn"]
    assert titles(approver, tu_ngay="25/11/2026") == []


@pytest.mark.parametrize("day", ["32/11/2026", "hôm qua", "0/0/0", "<b>"])
def test_a_day_that_is_none_is_said_beside_its_field_and_nothing_typed_is_lost(approver: FlaskClient, day: str) -> None:
    answer = approver.get("/ban-tin", query_string={"tu-ngay": day, "tim": "sởi"})
    assert answer.status_code == 422
    assert "không phải là một ngày" in answer.text
    assert 'value="sởi"' in answer.text
    assert "<b>”" not in answer.text


def test_another_commune_is_not_found_and_may_not_be_asked_for(town: Town, app: Flask, approver: FlaskClient) -> None:
    stranger = town.client(app, "tam-thanh")
    assert titles(stranger) == []
    assert "Chưa có bản tin nào" in stranger.get("/ban-tin").text
    assert stranger.get("/ban-tin", query_string={"dia-ban": HAMLET}).status_code == 404
    assert titles(town.client(app, "quan-tri"), tim="soi") == ["Lịch tiêm phòng sởi"]


def test_a_draft_is_shown_to_its_author_alone(town: Town, app: Flask, approver: FlaskClient) -> None:
    town.desk.announce(Wish("Đang viết dở.", title="Nháp", draft=True), town.editor, town.now)
    assert titles(approver, tim="nhap") == []
    assert titles(town.client(app, "quan-tri"), tim="nhap") == []
    editor = town.client(app, "van-hoa")
    assert titles(editor, tim="nhap", trang_thai="draft") == ["Nháp"]
    assert "/soan/" in editor.get("/ban-tin", query_string={"tim": "nhap"}).text


def test_pages_follow_one_another_and_keep_what_was_asked(
    town: Town, approver: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulletins, "PAGE", 2)
    first = approver.get("/ban-tin", query_string={"tim": ""})
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = approver.get(older[1].replace("&amp;", "&"))
    assert "Lịch tiêm phòng sởi" in second.text
    assert "Thu gom" not in second.text
    assert 'rel="next"' not in second.text


@pytest.mark.parametrize("below", ["-1", "x", "9" * 40, str(1 << 62), ""])
def test_a_page_that_is_none_is_the_first(approver: FlaskClient, below: str) -> None:
    assert len(titles(approver, truoc=below)) == 3


def test_used_again_it_is_a_new_draft_with_the_same_words_and_places(
    town: Town, app: Flask, approver: FlaskClient
) -> None:
    [held] = [each for each in town.store.announcements.list() if each.title == "Thu gom rác thải"]
    editor = town.client(app, "van-hoa")
    answer = editor.post(f"/ban-tin/{held.id}/dung-lai", data={"csrf_token": form_key(editor)})
    assert answer.status_code == 303
    page = editor.get(answer.location).text
    assert "Mời bà con ra đường dọn rác." in page
    assert re.search(r'value="lang-son:dong-dang"[^>]*checked', page)
    [draft] = [each for each in town.store.announcements.list() if each.author == town.editor.id]
    assert (draft.title, draft.text) == (held.title, held.text)
    assert town.store.announcements.get(held.id) == held


def test_a_form_that_comes_twice_makes_one_draft(town: Town, app: Flask, approver: FlaskClient) -> None:
    [held] = [each for each in town.store.announcements.list() if each.title == "Thu gom rác thải"]
    editor = town.client(app, "van-hoa")
    path = f"/ban-tin/{held.id}/dung-lai"
    form = re.search(rf'action="{path}".*?name="key" value="([0-9a-f]{{32}})"', editor.get("/ban-tin").text)
    assert form
    data = {"csrf_token": form_key(editor), "key": form[1]}
    there = {editor.post(path, data=data).location for _ in range(3)}
    assert len(there) == 1
    other = approver.post(path, data=data | {"csrf_token": form_key(approver)}).location  # another's key is another
    more = editor.post(path, data=data | {"key": "f" * 32}).location  # as a page opened anew
    assert len(there | {other, more}) == 3
    mine = [each.id for each in town.store.announcements.list() if each.author == town.editor.id]
    assert len(mine) == 2
    for draft in mine:
        editor.post(f"/soan/{draft}/bo", data=data)
    assert editor.post(path, data=data).status_code == 303
    assert len([each for each in town.store.announcements.list() if each.state.value == "draft"]) == 2


def test_what_one_may_not_see_one_may_not_use(town: Town, app: Flask, approver: FlaskClient) -> None:
    stranger = town.client(app, "tam-thanh")
    for held in town.store.announcements.list():
        answer = stranger.post(f"/ban-tin/{held.id}/dung-lai", data={"csrf_token": form_key(stranger)})
        assert answer.status_code == 404
    draft = town.desk.announce(Wish("Đang viết dở.", draft=True), town.editor, town.now).announcement_id
    answer = approver.post(f"/ban-tin/{draft}/dung-lai", data={"csrf_token": form_key(approver)})
    assert answer.status_code == 404
    assert len(town.store.announcements.list()) == 4
