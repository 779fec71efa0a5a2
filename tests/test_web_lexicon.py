"""The lexicon on the page without scripts: found, taught, changed, forgotten, heard; and whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import HAMLET, Town, form_key, settled_town

COMMUNE = "lang-son:dong-dang"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def client(town: Town, app: Flask) -> FlaskClient:
    return town.client(app, "van-hoa")


def typed(client: FlaskClient, **changed: str) -> dict[str, str]:
    return {
        "csrf_token": form_key(client, "/tu-dien"),
        "written": "Nà Pàn",
        "reading": "Nà Pan",
        "area": COMMUNE,
    } | changed


def rows(page: str) -> list[str]:
    """The words that are listed."""
    return re.findall(r'<td class="strong"><bdi>([^<]*)</bdi>', page)


def test_a_word_is_added_shown_changed_and_forgotten(town: Town, client: FlaskClient) -> None:
    assert "Chưa có từ nào" in client.get("/tu-dien").text
    assert client.post("/tu-dien", data=typed(client)).status_code == 303
    page = client.get("/tu-dien").text
    assert rows(page) == ["Nà Pàn"]
    for shown in ("Đã lưu: “Nà Pàn” đọc là “Nà Pan”.", "Xã Đồng Đăng", "Hoàng Thị Mai", "12:00", "Hôm nay 24/11"):
        assert shown in page, shown
    assert "Đã lưu" not in client.get("/tu-dien").text
    change = client.get("/tu-dien", query_string={"sua": "Nà Pàn", "dia-ban-sua": COMMUNE}).text
    assert 'name="reading"' in change
    assert 'value="Nà Pan"' in change
    client.post("/tu-dien", data=typed(client, reading="Na Pan"))
    assert town.store.lexicon.readings(COMMUNE) == {"Nà Pàn": "Na Pan"}
    gone = {"csrf_token": form_key(client, "/tu-dien"), "area": COMMUNE, "written": "Nà Pàn"}
    assert client.post("/tu-dien/bo", data=gone).status_code == 303
    assert "Đã bỏ cách đọc riêng của “Nà Pàn”." in client.get("/tu-dien").text
    assert town.store.lexicon.readings(COMMUNE) == {}


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"written": "12"}, "written", "Từ cần dạy"),
        ({"written": ""}, "written", "Từ cần dạy"),
        ({"reading": "..."}, "reading", "Hãy ghi cách đọc"),
        ({"area": "lang-son:tam-thanh"}, "area", "không phụ trách"),
        ({"area": "*"}, "area", "không phụ trách"),
        ({"area": "mat-trang"}, "area", "Không có địa bàn"),
        ({"area": ""}, "area", "Không có địa bàn"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    town: Town, client: FlaskClient, changed: dict[str, str], field: str, sentence: str
) -> None:
    fields = typed(client, **changed)
    answer = client.post("/tu-dien", data=fields)
    assert answer.status_code == 422
    assert re.search(rf'<p class="wrong" id="{field}-wrong">[^<]*{sentence}', answer.text)
    assert f'<a href="#{field}">' in answer.text
    assert f'value="{fields["reading"]}"' in answer.text
    assert town.store.lexicon.around("*") == []


def test_a_person_sees_what_counts_for_their_place_and_changes_only_their_own(town: Town, app: Flask) -> None:
    for area, written in (("*", "BHYT"), ("lang-son", "Kỳ Cùng"), (COMMUNE, "Nà Pàn"), (HAMLET, "Slình")):
        town.desk.teach(area, written, "cách đọc", town.boss, town.now)
    town.desk.teach("lang-son:tam-thanh", "Tam Thanh", "cách đọc", town.boss, town.now)
    page = town.client(app, "van-hoa").get("/tu-dien").text
    assert rows(page) == ["BHYT", "Kỳ Cùng", "Nà Pàn", "Slình"]
    assert page.count("Của cấp trên") == 2
    assert page.count('name="written" value=') == 2
    assert rows(town.client(app, "quan-tri").get("/tu-dien").text) == [
        "BHYT",
        "Kỳ Cùng",
        "Nà Pàn",
        "Slình",
        "Tam Thanh",
    ]
    assert "Tất cả địa bàn</option>" in town.client(app, "quan-tri").get("/tu-dien").text


def test_the_list_is_searched_without_accents_and_by_area(town: Town, client: FlaskClient) -> None:
    town.desk.teach(COMMUNE, "Nà Pàn", "Nà Pan", town.editor, town.now)
    town.desk.teach(HAMLET, "Slình", "đường Sình", town.editor, town.now)
    assert rows(client.get("/tu-dien?tim=na+pan").text) == ["Nà Pàn"]
    assert rows(client.get("/tu-dien?tim=DUONG").text) == ["Slình"]
    assert rows(client.get(f"/tu-dien?dia-ban={HAMLET}").text) == ["Slình"]
    assert "Không có từ nào khớp" in client.get("/tu-dien?tim=xyz").text


def test_a_long_list_shows_its_beginning_and_says_so(
    town: Town, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.web.lexicon.MOST_SHOWN", 2)
    for written in ("Pàn", "Liếp", "Kham"):
        town.desk.teach(COMMUNE, written, "cách đọc", town.editor, town.now)
    page = client.get("/tu-dien").text
    assert rows(page) == ["Kham", "Liếp"]
    assert "Đang hiện 2 trên 3 từ" in page


def test_a_word_that_was_taught_is_heard_and_no_other(town: Town, app: Flask, client: FlaskClient) -> None:
    town.desk.teach(COMMUNE, "Nà Pàn", "Nà Pan", town.editor, town.now)
    town.desk.teach("lang-son:tam-thanh", "Pàn", "Pan", town.boss, town.now)
    heard = client.get("/tu-dien/nghe", query_string={"dia-ban": COMMUNE, "tu": "Nà Pàn"}, buffered=True)
    assert (heard.status_code, heard.mimetype) == (200, "audio/ogg")
    assert heard.data.startswith(b"OggS")
    for area, word in (("lang-son:tam-thanh", "Pàn"), (COMMUNE, "bất kỳ câu nào"), ("", "")):
        assert client.get("/tu-dien/nghe", query_string={"dia-ban": area, "tu": word}).status_code == 404


@pytest.mark.parametrize("hostile", ["<script>x</script>y", "x' OR 1=1 --x", "\u202eabc", "x" * 50_000, "a%_%b", "😀"])
def test_hostile_words_are_words(town: Town, client: FlaskClient, hostile: str) -> None:
    for field in ("written", "reading", "area"):
        assert client.post("/tu-dien", data=typed(client, **{field: hostile})).status_code in (303, 422)
        gone = typed(client, **{field: hostile})
        assert client.post("/tu-dien/bo", data=gone).status_code in (303, 422)
    for query in ({"tim": hostile}, {"dia-ban": hostile}, {"sua": hostile, "dia-ban-sua": hostile}):
        page = client.get("/tu-dien", query_string=query)
        assert page.status_code == 200
        assert "<script>x" not in page.text
