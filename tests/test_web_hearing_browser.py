"""A person who checks a text before it airs: sees each rewrite, teaches a reading, hears one sentence, the lexicon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, until, violations
from playwright.sync_api import Browser, Page, expect

from controller.studio.remade import Busy
from controller.studio.sampling import Sampler

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
COMMUNE = "lang-son:dong-dang"
TEXT = "Mời bà con họp lúc 7h30 với XYZQ. Xin khoong vắng!"
# what the buttons to hear say, one state after the other: a short sentence is over before a busy machine looks again
NOTING = """window.noted = []; new MutationObserver((seen) => {
  for (const { target } of seen) window.noted.push(`${target.getAttribute("aria-label")}: ${target.dataset.state}`);
}).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-state"] })"""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        yield made


def composing(here: Place, screen: dict[str, int] = DESKTOP, text: str = TEXT, scripts: bool = True) -> Page:
    """The compose page with a text whose spoken form is shown."""
    page = here.visitor("van-hoa", screen, scripts)
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung bản tin").fill(text)
    page.get_by_role("button", name="Xem cách đọc và nghe thử").click()
    expect(page.locator(".spoken")).to_be_visible()
    return page


def until_played(page: Page, name: str, times: int = 1) -> None:
    """Until what is called so has begun to sound so often, since `NOTING`."""
    until(page, f"window.noted.filter((each) => each === {name!r} + ': playing').length >= {times}")


def voice(here: Place, page: Page) -> None:
    """What the station does."""
    here.town.voice(page.locator("input[name=draft]").input_value())


def clean(page: Page) -> list[str]:
    """What is wrong with the page as it stands."""
    until(page, "document.getAnimations().every(each => each.effect.getTiming().iterations === Infinity)")
    return [*violations(page), *small_targets(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]


@SCREENS
def test_a_rewrite_tells_what_it_was_and_a_reading_is_taught_in_place(here: Place, screen: dict[str, int]) -> None:
    page = composing(here, screen)
    tip, panel = page.locator("#tip"), page.locator("#teach")
    page.locator(".read", has_text="bảy giờ ba mươi").hover()
    expect(tip).to_have_text("7h30 → bảy giờ ba mươi phút (giờ phút)")
    page.locator(".read.doubt a", has_text="ích i dét quy").focus()
    expect(tip).to_contain_text("XYZQ → ích i dét quy")
    expect(panel).to_be_hidden()
    assert clean(page) == []
    page.locator(".tree label.tick", has_text="Thôn 2 Đồng Đăng").click()
    page.locator(".read.doubt a", has_text="ích i dét quy").click()
    expect(page.get_by_role("textbox", name="Đọc là")).to_be_focused()
    expect(panel).to_contain_text("Lưu vào từ điển đọc của: Xã Đồng Đăng")
    assert clean(page) == []
    page.keyboard.type("ban dự án")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_be_focused()
    expect(page.locator("#note")).to_have_text("Đã lưu: “XYZQ” đọc là “ban dự án”.")
    expect(page.locator(".spoken")).to_contain_text("với ban dự án.")
    expect(page.locator(".read.doubt")).to_have_count(1)
    expect(page.get_by_label("Thôn 2 Đồng Đăng")).to_be_checked()
    expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
    assert here.town.store.lexicon.readings(COMMUNE) == {"XYZQ": "ban dự án"}
    assert clean(page) == []
    assert here.troubles == []


def test_what_cannot_be_taught_is_said_and_may_be_typed_again(here: Place) -> None:
    page = composing(here, PHONE)
    page.locator("button[name=cho][value=XYZQ]").click()
    page.get_by_role("textbox", name="Đọc là").fill("…")
    page.get_by_role("button", name="Lưu và nghe lại").click()
    expect(page.locator("#reading-wrong")).to_contain_text("Hãy ghi cách đọc bằng chữ")
    expect(page.get_by_role("textbox", name="Đọc là")).to_be_focused()
    assert clean(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#teach")).to_be_hidden()
    page.locator("#changes summary").click()
    page.locator("button[name=cho][value='7h30']").click()
    expect(page.get_by_role("textbox", name="Đọc là")).to_have_value("bảy giờ ba mươi phút")
    expect(page.locator("#reading-wrong")).to_have_count(0)
    page.get_by_role("textbox", name="Đọc là").fill("bảy rưỡi")
    page.get_by_role("button", name="Lưu và nghe lại").click()
    expect(page.locator(".spoken")).to_contain_text("họp lúc bảy rưỡi với")
    here.troubles[:] = [each for each in here.troubles if "status of 422" not in each]  # chromium says so
    assert here.troubles == []


def test_a_slip_is_mended_in_the_text_that_is_being_written(here: Place) -> None:
    page = composing(here)
    page.locator(".read.doubt a", has_text="khoong").click()
    page.get_by_role("button", name="Sửa trong bài thành không").click()
    expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT.replace("khoong", "không"))
    expect(page.locator(".spoken")).to_contain_text("Xin không vắng!")
    expect(page.locator(".read.doubt")).to_have_count(1)
    assert here.troubles == []


@SCREENS
def test_of_two_tabs_with_one_draft_the_later_one_is_shown_both_texts(here: Place, screen: dict[str, int]) -> None:
    first = composing(here, screen, "Họp thôn.")
    first.goto(f"{here.address}/soan/{first.locator('input[name=draft]').input_value()}")
    second = first.context.new_page()
    second.goto(first.url)
    hear = "Xem cách đọc và nghe thử"
    for text in ("Họp thôn. Viết thêm.", "Họp thôn. Viết thêm nhiều."):  # a page goes on from what it saved itself
        second.get_by_label("Nội dung bản tin").fill(text)
        second.get_by_role("button", name=hear).click()
        expect(second.locator(".spoken")).to_contain_text(text.split()[-1])
        expect(second.locator("#other *")).to_have_count(0)
    first.get_by_label("Nội dung bản tin").fill("Họp thôn. Câu của tôi.")
    first.get_by_role("button", name=hear).click()
    expect(first.get_by_label("Nội dung đang được giữ")).to_have_value("Họp thôn. Viết thêm nhiều.")
    expect(first.get_by_label("Nội dung bản tin")).to_have_value("Họp thôn. Câu của tôi.")
    assert clean(first) == []
    [held] = here.town.store.announcements.list()
    assert held.text == "Họp thôn. Viết thêm nhiều."
    first.get_by_role("button", name=hear).click()  # having seen both
    expect(first.locator(".spoken")).to_contain_text("tôi")
    [held] = here.town.store.announcements.list()
    assert held.text == "Họp thôn. Câu của tôi."
    second.get_by_label("Nội dung bản tin").fill("Họp thôn. Bỏ đi.")
    second.get_by_role("button", name=hear).click()
    second.get_by_role("link", name="viết tiếp bản đang giữ").click()
    expect(second.get_by_label("Nội dung bản tin")).to_have_value("Họp thôn. Câu của tôi.")


def test_the_voice_that_arrives_takes_nothing_from_under_the_hands(here: Place) -> None:
    page = composing(here)
    page.locator(".read.doubt a", has_text="ích i dét quy").click()
    page.get_by_role("textbox", name="Đọc là").fill("ban dự")
    voice(here, page)
    expect(page.locator("#hear audio")).to_be_visible()
    expect(page.get_by_role("textbox", name="Đọc là")).to_be_focused()
    expect(page.get_by_role("textbox", name="Đọc là")).to_have_value("ban dự")
    assert here.troubles == []


def test_each_sentence_is_heard_by_itself_and_one_at_a_time(here: Place) -> None:
    page = composing(here, PHONE)
    first, second = page.get_by_label("Nghe câu 1"), page.get_by_label("Nghe câu 2")
    page.evaluate(NOTING)
    first.click()
    until_played(page, "Nghe câu 1")
    second.click()
    until_played(page, "Nghe câu 2")
    expect(first).to_have_attribute("data-state", "")
    noted = page.evaluate("window.noted")
    assert "Nghe câu 1: " in noted[: noted.index("Nghe câu 2: playing")], noted
    second.click()
    expect(second).to_have_attribute("data-state", "")
    first.click()
    until_played(page, "Nghe câu 1", 2)
    expect(first).to_have_attribute("data-state", "")  # it has ended
    assert clean(page) == []
    assert here.troubles == []


def test_a_sentence_that_cannot_be_heard_says_why(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sampler: Sampler, words: str, voice: str = "") -> Path:
        raise Busy("studio.busy")

    monkeypatch.setattr(Sampler, "sample", refuse)
    page = composing(here)
    page.get_by_label("Nghe câu 1").click()
    expect(page.locator("#sample-wrong")).to_have_text("Đang tạo giọng đọc cho người khác. Hãy thử lại sau ít giây.")
    expect(page.get_by_label("Nghe câu 1")).to_have_attribute("data-state", "")
    assert violations(page) == []


@SCREENS
def test_the_outline_shows_the_sound_and_leads_to_a_place_in_it(here: Place, screen: dict[str, int]) -> None:
    page = composing(here, screen)
    page.locator(".tree label.tick", has_text="Xã Đồng Đăng").click()
    voice(here, page)
    expect(page.locator("#air")).to_have_text("6 cụm loa × 1 giây = 6 giây phát.")
    page.locator("#sound").scroll_into_view_if_needed()
    wave = page.locator("sound-wave").get_by_role("slider")
    expect(wave).to_be_visible()
    expect(wave).to_have_attribute("aria-valuetext", "0:00 / 0:01")
    inked = """() => { const all = document.querySelector('sound-wave').canvas; const ink = new Set(all.getContext('2d')
        .getImageData(0, 0, all.width, all.height).data); return ink.size; }"""
    assert page.evaluate(inked) > 4  # more than one colour is on it
    until(page, "document.querySelector('#hear audio').readyState >= 1")
    box = wave.bounding_box()
    assert box
    wave.click(position={"x": box["width"] / 2, "y": 20})
    until(page, "Math.abs(document.querySelector('#hear audio').currentTime - 0.5) < 0.1")
    wave.focus()
    page.keyboard.press("End")
    until(page, "document.querySelector('#hear audio').currentTime > 0.9")
    expect(wave).to_have_attribute("aria-valuenow", "1")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    until(page, "document.querySelector('#hear audio').currentTime > 0.2")
    assert clean(page) == []
    page.locator(".tree label.tick", has_text="Xã Đồng Đăng").click()
    expect(page.locator("#air")).to_have_text("Chọn địa bàn để biết tốn bao nhiêu phút phát.")
    assert here.troubles == []


def test_without_an_outline_the_plain_player_stays(here: Place) -> None:
    page = here.visitor("van-hoa")
    page.route("**/song-am/*", lambda route: route.fulfill(status=404))
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung bản tin").fill(TEXT)
    page.get_by_role("button", name="Xem cách đọc và nghe thử").click()
    expect(page.locator(".spoken")).to_be_visible()
    voice(here, page)
    expect(page.locator("#hear audio")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)


@SCREENS
def test_the_lexicon_is_kept_on_its_page(here: Place, screen: dict[str, int]) -> None:
    here.town.desk.teach("lang-son", "Kỳ Cùng", "Kì Cùng", here.town.boss, here.town.now)
    page = here.visitor("van-hoa", screen)
    page.goto(here.address + "/soan")
    page.locator("details.more > summary").click()
    page.locator(".more-box").get_by_role("link", name="Từ điển đọc").click()
    page.get_by_label("Chữ viết").fill("Nà Pàn")
    page.get_by_role("textbox", name="Đọc là").fill("Nà Pan")
    page.get_by_role("button", name="Lưu cách đọc").click()
    expect(page.locator("main").get_by_role("status").first).to_contain_text("Đã lưu")
    row = page.locator("tr", has_text="Nà Pàn")
    expect(row).to_contain_text("Xã Đồng Đăng")
    expect(row).to_contain_text("Hoàng Thị Mai")
    assert clean(page) == []
    page.evaluate(NOTING)
    row.get_by_label("Nghe cách đọc của Nà Pàn").click()
    until_played(page, "Nghe cách đọc của Nà Pàn")
    row.get_by_role("link", name="Đổi").click()
    expect(page.get_by_role("textbox", name="Đọc là")).to_have_value("Nà Pan")
    page.get_by_role("textbox", name="Đọc là").fill("...")
    page.get_by_role("button", name="Lưu cách đọc").click()
    expect(page.locator("#reading-wrong")).to_contain_text("Hãy ghi cách đọc bằng chữ")
    assert clean(page) == []
    page.get_by_label("Tìm").fill("na pan")
    page.get_by_role("button", name="Xem").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    row.locator("summary").click()
    assert clean(page) == []
    page.get_by_role("button", name="Bỏ cách đọc này").click()
    expect(page.locator("main").get_by_role("status").first).to_contain_text("Đã bỏ cách đọc riêng của “Nà Pàn”.")
    assert here.town.store.lexicon.readings(COMMUNE) == {"Kỳ Cùng": "Kì Cùng"}
    here.troubles[:] = [each for each in here.troubles if "status of 422" not in each]
    assert here.troubles == []


def test_without_scripts_a_reading_is_seen_taught_and_heard(here: Place) -> None:
    page = composing(here, PHONE, scripts=False)
    page.locator(".tree label.tick", has_text="Thôn 2 Đồng Đăng").click()
    page.locator("button[name=cho][value=XYZQ]").click()
    field = page.get_by_role("textbox", name="Đọc là")
    expect(field).to_have_value("ích i dét quy")
    field.fill("ban dự án")
    page.get_by_role("button", name="Lưu và nghe lại").click()
    expect(page.locator(".spoken")).to_contain_text("với ban dự án.")
    expect(page.get_by_label("Thôn 2 Đồng Đăng")).to_be_checked()
    voice(here, page)
    page.get_by_role("button", name="Xem đã xong chưa").click()
    expect(page.locator("#hear audio")).to_be_visible()
    expect(page.locator("#air")).to_have_text("1 cụm loa × 1 giây = 1 giây phát.")
    with page.context.expect_page() as opened:
        page.get_by_label("Nghe câu 1").click()
    opened.value.wait_for_load_state()
    assert "/cau/0?v=" in opened.value.url
    assert overflow(page) == 0
