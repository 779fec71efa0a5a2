"""The spoken form on the compose page without scripts: what is seen, what is taught, what is refused, what is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import Town, composed, form_key, settled_town

from controller.store.rows import Announcement, VoiceState

COMMUNE = "lang-son:dong-dang"
TEXT = "Mời bà con thôn Nà Pàn họp lúc 7h30 với XYZQ, khoong muộn."


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


def post(client: FlaskClient, path: str, text: str = TEXT, **more: object):  # type: ignore[no-untyped-def]
    """The compose form sent to ``path``, with what the panel adds."""
    return client.post(path, data=composed(client, text=text, title="Tên đã gõ", **more))


def draft_of(town: Town) -> Announcement:
    [draft] = town.store.announcements.list()
    return draft


def words(page: str) -> str:
    """The page's spoken form as text."""
    found = re.search(r'<div class="spoken".*?</ol>', page, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]+>", "", found[0]))


def test_what_is_seen_is_what_will_air_the_commune_s_own_readings_included(town: Town, client: FlaskClient) -> None:
    town.desk.teach(COMMUNE, "Nà Pàn", "Nà Pan", town.editor, town.now)
    page = post(client, "/nghe-thu").text
    assert "thôn Nà Pan họp lúc bảy giờ ba mươi phút với ích i dét quy" in words(page)
    assert "Nà Pàn → Nà Pan (cách đọc riêng của địa bàn)" in page
    stranger = town.client(client.application, "tam-thanh")
    assert "thôn Nà Pàn họp" in words(post(stranger, "/nghe-thu").text)


def test_each_rewrite_is_marked_with_what_was_written_and_why(client: FlaskClient) -> None:
    page = post(client, "/nghe-thu").text
    assert re.search(r'<mark class="read" title="7h30 → bảy giờ ba mươi phút \(giờ phút\)"><a href="#doc-\d+"', page)
    assert re.search(r'<mark class="read doubt"[^>]*><a [^>]*>ích i dét quy</a></mark>', page)
    assert re.search(r'<mark class="read doubt"[^>]*><a [^>]*>khoong</a></mark>', page)
    for href in re.findall(r'href="#(doc-\d+)"', page):
        assert f'id="{href}"' in page


def test_a_reading_is_taught_in_one_form_and_the_text_is_voiced_anew(town: Town, client: FlaskClient) -> None:
    post(client, "/nghe-thu")
    draft = draft_of(town)
    town.voice(draft.id)
    opened = post(client, "/nghe-thu", draft=draft.id, cho="XYZQ").text
    assert 'name="written" id="teach-written" value="XYZQ"' in opened
    assert 'value="ích i dét quy"' in opened
    assert "Lưu vào từ điển đọc của: Xã Đồng Đăng" in opened
    taught = post(client, "/nghe-thu/day", draft=draft.id, written="XYZQ", reading="ban dự án")
    assert taught.status_code == 200
    assert "với ban dự án" in words(taught.text)
    assert "Đã lưu: “XYZQ” đọc là “ban dự án”." in taught.text
    assert 'value="Tên đã gõ"' in taught.text
    assert 'id="teach" hidden disabled' in taught.text
    [kept] = town.store.lexicon.of(COMMUNE)
    assert (kept.written, kept.spoken, kept.taught_by) == ("XYZQ", "ban dự án", town.editor.id)
    assert draft_of(town).voice_state is VoiceState.WAITING
    assert "data-wait" in taught.text


def test_a_reading_is_kept_for_the_area_that_its_teacher_answers_for(town: Town, app: Flask) -> None:
    boss = town.client(app, "quan-tri")
    page = post(boss, "/nghe-thu", cho="XYZQ").text
    assert "Lưu vào từ điển đọc của: Tất cả địa bàn" in page
    post(boss, "/nghe-thu/day", written="XYZQ", reading="ban dự án")
    assert [each.written for each in town.store.lexicon.of("*")] == ["XYZQ"]


@pytest.mark.parametrize(
    ("written", "reading", "sentence"),
    [("XYZQ", " ", "Hãy ghi cách đọc bằng chữ"), ("XYZQ", "đ" * 81, "Hãy ghi cách đọc"), ("7", "bảy", "Từ cần dạy")],
)
def test_what_cannot_be_taught_is_refused_beside_its_field(
    town: Town, client: FlaskClient, written: str, reading: str, sentence: str
) -> None:
    answer = post(client, "/nghe-thu/day", written=written, reading=reading)
    assert answer.status_code == 422
    assert re.search(rf'<p class="wrong" id="reading-wrong" role="alert">[^<]*{sentence}', answer.text)
    assert f'value="{reading}"' in answer.text
    assert TEXT in answer.text
    assert town.store.lexicon.of(COMMUNE) == []


def test_figures_cannot_be_taught_and_the_panel_says_what_to_do(client: FlaskClient) -> None:
    page = post(client, "/nghe-thu", "Có 5% và 12/11.", cho="5%").text
    assert re.search(r'<p class="quiet" id="teach-cannot">[^<]*viết lại trong bài', page)
    assert '<div id="teach-can" hidden>' in page


def test_a_sentence_in_another_language_is_pointed_out_and_not_taught(client: FlaskClient) -> None:
    sentence = "The meeting will start in the village hall"
    page = post(client, "/nghe-thu", f"Mời bà con. {sentence}.", cho=sentence).text
    assert "không phải tiếng Việt" in page
    assert "không phải một từ" in page
    assert '<div id="teach-can" hidden>' in page
    assert 'name="cho"' not in page


def test_a_slip_of_the_keyboard_is_mended_in_the_text(town: Town, client: FlaskClient) -> None:
    opened = post(client, "/nghe-thu", cho="khoong").text
    assert '<bdi id="teach-suggestion">không</bdi>' in opened
    more = {"written": "khoong", "draft": draft_of(town).id}
    mended = post(client, "/nghe-thu/sua", text=f"{TEXT} Xin khoong vắng, khoongx.", **more)
    assert "không muộn. Xin không vắng, khoongx." in mended.text
    assert draft_of(town).text.endswith("không muộn. Xin không vắng, khoongx.")
    same = post(client, "/nghe-thu/sua", written="XYZQ", draft=draft_of(town).id)
    assert (same.status_code, TEXT in same.text) == (200, True)


def test_an_open_panel_stays_open_with_what_was_typed_in_it(client: FlaskClient) -> None:
    page = post(client, "/nghe-thu", written="XYZQ", reading="đang gõ dở").text
    assert 'id="teach">' in page
    assert 'value="đang gõ dở"' in page
    assert 'id="teach" hidden disabled' in post(client, "/nghe-thu", written="không có trong bài", reading="x").text


def test_teaching_needs_a_text_and_a_right(town: Town, client: FlaskClient) -> None:
    for path in ("/nghe-thu/day", "/nghe-thu/sua"):
        assert post(client, path, text=" ", written="XYZQ", reading="x").status_code == 422
        assert post(client, path, text="a" * 20_001, written="XYZQ", reading="x").status_code == 422
    assert town.store.lexicon.around("*") == []


def test_an_approver_and_its_author_see_what_is_doubtful_after_it_was_sent(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    booking = town.booked(editor, text=TEXT)
    for page in (editor.get(f"/lich-phat/{booking}").text, approver.get("/duyet").text):
        assert "Chỗ chưa chắc cách đọc" in page
        assert "XYZQ" in page
        assert "ích i dét quy" in page
    assert '<mark class="read"' in approver.get("/duyet").text


def test_what_was_voiced_is_shown_as_it_was_voiced(town: Town, app: Flask) -> None:
    editor, approver = town.client(app, "van-hoa"), town.client(app, "chu-tich")
    announcement = town.announcement_of(town.booked(editor, text="Họp ở Nà Pàn lúc 8h."))
    held = town.store.announcements.get(announcement)
    assert held
    rewrite = {"start": 16, "end": 18, "written": "8h", "spoken": "tám giờ", "why": "clock"}
    town.store.announcements.set_spoken(announcement, held.script_hash, "Họp ở Nà Pàn lúc tám giờ.", (rewrite,))
    town.voice(announcement)
    town.desk.teach(COMMUNE, "Nà Pàn", "Nà Pan", town.editor, town.now)
    assert words(approver.get("/duyet").text).strip() == "Họp ở Nà Pàn lúc tám giờ."


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> <img src=x onerror=alert(1)> UBND \"7h30\" '8h' &amp; XYZQ",
        "\u202eUBND\u202c \u2067họp 7h30\u2069 \u200f",
        "XYZQ. " * 3_333,
        "1 " * 10_000,
        "<b>7h30</b> " * 1_600,
        "moi ba con den hop <i>7h30</i>. " * 600,
    ],
    ids=["script", "right to left", "unknown", "figures", "markup", "accentless"],
)
def test_hostile_text_is_shown_as_text(client: FlaskClient, text: str) -> None:
    answer = post(client, "/nghe-thu", text)
    assert answer.status_code == 200
    assert not re.search(r"<script(?![^>]+src=)|<img|<b>7h30|<i>7h30|\son[a-z]+=\"", answer.text)
    assert len(answer.text) < 3_000_000


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "' OR 1=1 --", "\u202eabc", "x" * 50_000, "{{7*7}}", "a\r\nb: c"]
)
def test_hostile_panels_are_refused_or_kept_as_words(town: Town, client: FlaskClient, hostile: str) -> None:
    for path in ("/nghe-thu", "/nghe-thu/day", "/nghe-thu/sua"):
        for field in ("cho", "written", "reading"):
            fields = {"written": "XYZQ", "reading": "đọc"} | {field: hostile}
            answer = post(client, path, **fields)
            assert answer.status_code in (200, 422), (path, field)
            assert "<script>x" not in answer.text
    assert client.get("/tu-dien").status_code == 200


def test_somebody_else_s_draft_is_neither_taught_from_nor_mended(town: Town, app: Flask) -> None:
    mine, other = town.client(app, "van-hoa"), town.client(app, "tam-thanh")
    post(mine, "/nghe-thu")
    draft = draft_of(town)
    post(other, "/nghe-thu/sua", written="khoong", draft=draft.id)
    post(other, "/nghe-thu/day", written="Nà Pàn", reading="Nà Pan", draft=draft.id)
    assert town.store.announcements.get(draft.id) == draft
    assert town.store.lexicon.of(COMMUNE) == []
    assert len(town.store.announcements.list()) == 3
    assert form_key(other)
