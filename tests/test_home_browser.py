"""The home page, the calendar and the bar in a real browser: both sizes, both languages, keyboard alone, no scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from browser import CHROMIUM, DESKTOP, LIVE_MS, PHONE, Place, chromium, overflow, place, small_targets, violations
from makers_web import NOON, PASSWORD, a_day
from playwright.sync_api import Locator, Page, expect

from wire.receipt import Step

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]
MOST_TAPS = 6


def good(page: Page) -> None:
    assert violations(page) == []
    assert small_targets(page) == []
    assert overflow(page) == 0


def sounding(here: Place, title: str, key: str) -> str:
    """Something that began half a second ago."""
    client = here.town.client(here.server.app, "chu-tich")
    start = here.town.now + timedelta(minutes=5)
    hour = f"{(start + timedelta(hours=7)):%H}"
    name = here.town.booked(client, title=title, hour=hour, minute=f"{start:%M}", key=key)
    here.town.voice(here.town.announcement_of(name))
    here.town.now = start.replace(second=0, microsecond=0) + timedelta(milliseconds=500)
    return name


def from_sign_in_to_sent(here: Place) -> int:
    """How many taps it takes, on a phone."""
    page, taps = here.visitor(None, PHONE), 0

    def tap(what: Locator) -> None:
        nonlocal taps
        what.click()
        taps += 1

    page.goto(here.address)
    page.get_by_label("Tên đăng nhập").fill("chu-tich")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    tap(page.get_by_role("button", name="Đăng nhập"))
    tap(page.get_by_role("main").get_by_role("link", name="Soạn bản tin").first)
    page.get_by_label("Nội dung bản tin").fill("Mời bà con họp thôn lúc bảy giờ tối nay.")
    tap(page.locator("label.tick", has_text="Xã Đồng Đăng"))
    tap(page.locator("#send-button"))
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 1
    good(page)
    return taps


def stopped_live(here: Place) -> None:
    """What nodes tell stands there by itself; Stop is two deliberate taps, and may be made good."""
    name = sounding(here, "Thể dục buổi trưa", "b" * 32)
    page = here.visitor("chu-tich", PHONE)
    page.goto(here.address)
    expect(page.get_by_text("theo kế hoạch, chưa cụm loa nào báo")).to_be_visible()
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    here.town.report(name, "dong-dang-1", Step.STARTED)
    expect(page.get_by_text("đã nghe từ 1/6 cụm loa")).to_be_visible(timeout=LIVE_MS)
    page.locator(".stop summary").click()
    good(page)
    here.town.report(name, "dong-dang-2", Step.STARTED)
    expect(page.get_by_text("đã nghe từ 2/6 cụm loa")).to_be_visible(timeout=LIVE_MS)
    page.get_by_role("button", name="Dừng “Thể dục buổi trưa”").click()  # still open, whatever was told meanwhile
    expect(page.get_by_text("Đã dừng “Thể dục buổi trưa”")).to_be_visible()
    expect(page.get_by_text("không có bản tin nào đang phát")).to_be_visible()
    good(page)
    page.get_by_role("button", name="Bấm nhầm? Soạn lại bản tin này").click()
    expect(page.get_by_label("Nội dung bản tin")).not_to_have_value("")


def by_keyboard(here: Place) -> None:
    """ "More" opens, leads on and closes without a mouse, on both sizes."""
    for screen in (PHONE, DESKTOP):
        page = here.visitor("quan-tri", screen)
        page.goto(here.address)
        summary = page.locator("details.more > summary")
        summary.focus()
        page.keyboard.press("Enter")
        good(page)
        page.keyboard.press("Escape")
        expect(page.locator(".more-box")).to_be_hidden()
        expect(summary).to_be_focused()
        page.keyboard.press("Enter")
        while page.evaluate("document.activeElement.textContent.trim()") != "Từ điển đọc":
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement !== document.body")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Từ điển")
        marked = page.locator(".nav [aria-current=page]")
        expect(marked).to_have_text("Từ điển đọc")
        assert page.locator(".nav-row > ul > li:visible a").count() + 1 == (5 if screen is PHONE else 10)


def seen_and_printed(here: Place) -> None:
    for screen in (PHONE, DESKTOP):
        page = here.visitor("chu-tich", screen)
        for path in ("/", "/lich", "/lich?tuan=2026-12-14"):
            page.goto(here.address + path)
            good(page)
        page.goto(here.address + "/lich")
        expect(page.locator(".week-table")).to_be_visible(visible=screen is DESKTOP)
        expect(page.locator(".week-list")).to_be_visible(visible=screen is PHONE)
        page.goto(here.address + "/tieng/en")
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        good(page)
    page.goto(here.address + "/lich")
    expect(page.locator(".signing")).to_be_hidden()
    page.emulate_media(media="print")
    for words in ("WEEKLY BROADCAST PLAN", "Prepared by", "Approved by", "Truyền thanh Đồng Đăng"):
        expect(page.get_by_text(words, exact=True).locator("visible=true")).to_have_count(1)
    expect(page.locator(".nav")).to_be_hidden()
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    width, height = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)[0]
    assert (round(float(width)), round(float(height))) == (842, 595)


def without_scripts(here: Place) -> None:
    name = sounding(here, "Thông báo khẩn", "d" * 32)
    page = here.visitor("chu-tich", PHONE, scripts=False)
    page.goto(here.address)
    page.locator("details.more > summary").click()
    page.locator(".more-box").get_by_role("link", name="Cụm loa").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(here.address)
    page.locator(".stop summary").click()
    page.get_by_role("button", name="Dừng “Thông báo khẩn”").click()
    expect(page.get_by_text("Đã dừng")).to_be_visible()
    assert [view.booking.state.value for view in here.town.store.bookings.list() if view.booking.id == name] == [
        "withdrawn"
    ]
    page.goto(here.address + "/lich")
    expect(page.get_by_role("button", name="In lịch tuần để ký")).to_be_hidden()


def test_from_sign_in_through_a_day_at_home() -> None:
    with chromium() as chrome, place(chrome) as here:
        assert from_sign_in_to_sent(here) <= MOST_TAPS
        here.town.now = NOON
        stopped_live(here)
        a_day(here.town, here.server.app)
        by_keyboard(here)
        seen_and_printed(here)
        without_scripts(here)
        assert here.troubles == []
