"""Recordings through the window: a file in one form, in pieces over a weak link, and out of a real microphone."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, overflow, place, small_targets, violations
from flask.testing import FlaskClient
from makers_sound_files import convert, generate, speech
from makers_web import Town, composed, form_key, settled_town
from playwright.sync_api import Browser, expect, sync_playwright

from controller.web.uploads import MOST_OPEN, MOST_PIECE_BYTES, Uploads


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def editor(town: Town) -> FlaskClient:
    return town.client(town.app(), "van-hoa")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a phone records."""
    return convert(tmp_path_factory.mktemp("sound") / "a.m4a", "-c:a", "aac").read_bytes()


def upload(client: FlaskClient, content: bytes, name: str = "Họp thôn.m4a", **fields: str):  # type: ignore[no-untyped-def]
    key = form_key(client, "/ban-ghi")
    return client.post("/ban-ghi", data={"csrf_token": key, "file": (io.BytesIO(content), name), **fields})


# --- one form ------------------------------------------------------------------------------------------------


def test_a_recording_becomes_a_draft_that_is_placed_and_sent(town: Town, editor: FlaskClient, spoken: bytes) -> None:
    answer = upload(editor, spoken, language="tyz", title="Họp thôn bằng tiếng Tày")
    assert answer.status_code == 303
    draft = answer.location.split("/")[-1]
    shown = editor.get(answer.location).text
    assert "Tiếng Tày" in shown
    assert "Họp thôn bằng tiếng Tày" in shown
    sent = editor.post("/soan", data=composed(editor, text="", draft=draft, times="2", drill="1"))
    assert sent.status_code == 303, sent.text
    assert "Diễn tập" in editor.get(sent.location).text
    assert "Diễn tập" in town.client(town.app(), "chu-tich").get("/duyet").text
    held = town.store.announcements.get(draft)
    assert held is not None
    assert (held.language, held.times, held.drill, held.text) == ("tyz", 2, True, "")
    assert held.title == "Họp thôn bằng tiếng Tày"
    assert held.recording is not None
    assert (town.folder / "recordings" / held.recording).is_file()


def test_a_text_still_needs_words(editor: FlaskClient) -> None:
    assert editor.post("/soan", data=composed(editor, text="")).status_code == 422


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "a.wav", "Tệp ghi âm rỗng"),
        (b"<html>not sound</html>" * 50, "a.mp3", "Không đọc được âm thanh"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "a.wav", ""),
    ],
)
def test_what_is_no_recording_is_refused_beside_its_field(
    town: Town, editor: FlaskClient, content: bytes, name: str, sentence: str
) -> None:
    answer = upload(editor, content, name, title="Giữ lại")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Giữ lại" in answer.text, "nothing typed is lost"
    assert town.store.announcements.list() == []


def test_a_form_without_a_file_asks_for_one(editor: FlaskClient) -> None:
    assert "Hãy thu âm hoặc chọn một tệp" in upload(editor, b"", "").text


def test_somebody_else_s_draft_is_not_opened(town: Town, editor: FlaskClient, spoken: bytes) -> None:
    where = upload(editor, spoken).location
    assert town.client(town.app(), "tam-thanh").get(where).status_code == 404
    assert town.client(town.app()).get("/ban-ghi").status_code == 302


def test_only_here_may_the_browser_ask_for_the_microphone(editor: FlaskClient) -> None:
    assert "microphone=(self)" in editor.get("/ban-ghi").headers["Permissions-Policy"]
    assert "microphone=()" in editor.get("/").headers["Permissions-Policy"]


# --- in pieces -----------------------------------------------------------------------------------------------


def begin(client: FlaskClient, size: object) -> tuple[str, dict[str, str]]:
    headers = {"X-CSRFToken": form_key(client, "/ban-ghi")}
    answer = client.post("/ban-ghi/tep", data={"size": str(size)}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json["pieces"], headers


def test_a_file_in_pieces_goes_on_where_it_was_cut(town: Town, editor: FlaskClient, tmp_path: Path) -> None:
    whole = generate(tmp_path / "long.wav", "anoisesrc=d=20:a=0.2:r=48000,tremolo=f=4").read_bytes()
    where, headers = begin(editor, len(whole))
    step = MOST_PIECE_BYTES // 2
    for at in range(0, len(whole), step):
        piece = whole[at : at + step]
        if at == step:  # its answer is lost, and it comes again; then one that is not in turn
            editor.post(f"{where}?tu={at}", data=piece, headers=headers)
            assert editor.post(f"{where}?tu={at}", data=piece, headers=headers).json["size"] == at + len(piece)
            assert editor.post(f"{where}?tu=7", data=b"x", headers=headers).json["size"] == at + len(piece)
            continue
        assert editor.post(f"{where}?tu={at}", data=piece, headers=headers).json["size"] == at + len(piece)
    assert editor.get(where).json["size"] == len(whole)
    done = editor.post(f"{where}/xong", data={"name": "a.wav", "title": "Gió", "language": "vi"}, headers=headers)
    assert done.json["page"].startswith("/soan/")
    (held,) = town.store.announcements.list()
    assert held.title == "Gió"
    assert list((town.folder / "uploads").iterdir()) == []


def test_a_refused_file_says_why_and_stays_to_be_looked_at_no_longer_than_a_day(
    town: Town, editor: FlaskClient, tmp_path: Path
) -> None:
    silence = generate(tmp_path / "silence.wav", "anullsrc=d=3").read_bytes()
    where, headers = begin(editor, len(silence))
    editor.post(f"{where}?tu=0", data=silence, headers=headers)
    refused = editor.post(f"{where}/xong", data={"name": "a.wav"}, headers=headers)
    assert refused.status_code == 422
    assert "không có tiếng" in refused.json["wrong"]
    later = datetime.now(UTC) + timedelta(days=400)  # files have the real time
    Uploads(town.folder / "uploads", 10_000_000).begin("somebody", 10, later)
    assert [path.name.split(".")[0] for path in (town.folder / "uploads").iterdir()] == ["somebody"]


def test_uploads_are_bounded(town: Town, editor: FlaskClient) -> None:
    headers = {"X-CSRFToken": form_key(editor, "/ban-ghi")}
    for size in ("", "-1", "0", "x", "9" * 40, "²"):
        assert editor.post("/ban-ghi/tep", data={"size": size}, headers=headers).status_code == 422
    too_large = editor.post("/ban-ghi/tep", data={"size": "99999999"}, headers=headers)
    assert "tối đa" in too_large.json["wrong"]
    names: list[str] = []
    for second in range(MOST_OPEN + 2):
        before = set((town.folder / "uploads").glob("*"))
        names.append(begin(editor, 100)[0])
        moment = town.now.timestamp() + second  # some file systems tell no two of them apart
        (made,) = set((town.folder / "uploads").iterdir()) - before
        os.utime(made, (moment, moment))
    assert editor.get(names[0]).status_code == 404, "the oldest of many unfinished ones is let go"
    assert editor.get(names[-1]).json == {"size": 0}
    large = editor.post(f"{names[-1]}?tu=0", data=b"x" * (MOST_PIECE_BYTES * 3), headers=headers)
    assert large.status_code == 413
    assert editor.post(f"{names[-1]}?tu=nan", data=b"x", headers=headers).json["size"] == 0
    assert len(list((town.folder / "uploads").iterdir())) == MOST_OPEN


def test_an_upload_belongs_to_who_began_it(town: Town, editor: FlaskClient) -> None:
    where, _ = begin(editor, 100)
    stranger = town.client(town.app(), "tam-thanh")
    headers = {"X-CSRFToken": form_key(stranger, "/ban-ghi")}
    assert stranger.get(where).status_code == 404
    assert stranger.post(f"{where}?tu=0", data=b"x", headers=headers).status_code == 404
    assert stranger.post(f"{where}/xong", headers=headers).status_code == 422
    for name in ("..%2f..%2floa.db", "0" * 32, "a" * 5000):
        assert stranger.get(f"/ban-ghi/tep/{name}").status_code in {404, 414}
    nobody = town.client(town.app())
    assert nobody.post(f"{where}?tu=0", data=b"x", headers={"X-Live": "1"}).status_code in {400, 401}
    assert editor.post(f"{where}?tu=0", data=b"x").status_code == 400, "no form key"


def test_a_full_disk_is_said_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from makers_web import NOON

    from controller.web.language import WebError

    monkeypatch.setattr("controller.web.uploads.SPARE_BYTES", 1 << 60)
    with pytest.raises(WebError) as refused:
        Uploads(tmp_path / "uploads", 1000).begin("lan", 10, NOON)
    assert refused.value.key == "web.upload_no_room"
    (tmp_path / "file").write_text("")
    with pytest.raises(WebError) as failed:
        Uploads(tmp_path / "file" / "uploads", 1000).begin("lan", 10, NOON)
    assert failed.value.key == "web.upload_failed"


# --- a browser with a microphone -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("apt-get install chromium")
    pretended = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *pretended])
        yield browser
        browser.close()


@pytest.fixture
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        yield made


@pytest.mark.browser
def test_somebody_speaks_into_the_microphone_and_it_is_sent(here: Place) -> None:
    page = here.visitor("van-hoa", PHONE)
    page.goto(here.address + "/soan")
    page.get_by_role("link", name="Phát bản ghi âm").click()
    page.get_by_role("button", name="Bắt đầu thu").click()
    expect(page.locator("#length")).to_have_text(re.compile("^0:0[3-9]$"), timeout=60_000)
    page.get_by_role("button", name="Dừng thu").click()
    expect(page.locator("#recorded")).to_be_visible()
    seconds = int(page.locator("#length").inner_text().partition(":")[2])
    page.get_by_label("Tên bản tin").fill("Lời chủ tịch xã")
    page.get_by_label("Ngôn ngữ").select_option("nut")
    page.get_by_role("button", name="Dùng bản ghi này").click()
    expect(page.locator(".recorded")).to_contain_text("Tiếng Nùng", timeout=60_000)
    draft = page.locator("input[name=draft]").input_value()
    held = here.town.store.announcements.get(draft)
    assert held is not None
    row = here.town.store.recordings.get(str(held.recording))
    assert row is not None
    assert (seconds - 1) * 1000 < row.duration_ms < (seconds + 3) * 1000
    here.town.voice(draft)
    expect(page.locator("#hear audio")).to_be_attached(timeout=60_000)
    page.get_by_text("Phát ngay").click()
    page.locator(".tree label.tick", has_text="Thôn 2 Đồng Đăng").first.click()
    page.get_by_role("button", name="Gửi để duyệt").click()
    expect(page.get_by_text("Đã gửi để duyệt")).to_be_visible()
    assert here.troubles == []


@pytest.mark.browser
def test_a_chosen_file_that_is_refused_says_why_and_the_link_may_break(here: Place, tmp_path: Path) -> None:
    page = here.visitor("van-hoa")
    page.goto(here.address + "/ban-ghi")
    page.get_by_role("button", name="Dùng bản ghi này").click()
    expect(page.locator("#upload-wrong")).to_have_text("Hãy thu âm hoặc chọn một tệp ghi âm.")
    page.locator("#file").set_input_files(generate(tmp_path / "silence.wav", "anullsrc=d=3"))
    page.get_by_role("button", name="Dùng bản ghi này").click()
    expect(page.locator("#upload-wrong")).to_contain_text("không có tiếng")
    cut = {"left": 1}

    def weak(route) -> None:  # type: ignore[no-untyped-def]
        if cut["left"] and "tu=" in route.request.url:
            cut["left"] -= 1
            route.abort()
        else:
            route.continue_()

    page.route("**/ban-ghi/tep/**", weak)
    page.locator("#file").set_input_files(speech())
    page.get_by_role("button", name="Dùng bản ghi này").click()
    expect(page.locator(".recorded")).to_be_visible(timeout=60_000)
    assert cut["left"] == 0


@pytest.mark.browser
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_of_recordings_is_accessible_and_fits(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("van-hoa", screen)
    page.goto(here.address + "/ban-ghi")
    assert [*violations(page), *small_targets(page)] == []
    assert overflow(page) == 0
