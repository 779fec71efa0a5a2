"""Booking in a real browser: a taken time is told while it is chosen and before it is sent; what comes again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, violations
from makers_web import TEXT
from playwright.sync_api import Browser, Page, expect

from schedules.calendars import Recurrence

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
SEND = "Gửi và đưa vào kế hoạch phát"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        yield made


def faults(page: Page) -> list[str]:
    page.evaluate("scrollTo(0, 0)")  # what the bar of pages covers at the moment is no small target
    return [*violations(page), *small_targets(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]


def taken(here: Place, **changed: object) -> None:
    """Five in the afternoon has another announcement already."""
    client = here.town.client(here.server.app, "chu-tich")
    here.town.booked(client, key="a" * 32, title="Bản tin sáng", text=TEXT * 13, **changed)


def at_five(page: Page) -> None:
    """A text, the commune, today at five."""
    page.get_by_label("Nội dung bản tin").fill(TEXT)
    if not page.get_by_label("Xã Đồng Đăng").is_checked():
        page.get_by_label("Xã Đồng Đăng").check()
    page.get_by_text("Hẹn giờ").click()
    page.get_by_label("Giờ", exact=True).select_option("17")


@SCREENS
def test_a_taken_time_is_told_as_soon_as_it_is_chosen_and_an_offer_changes_the_form(
    here: Place, screen: dict[str, int]
) -> None:
    taken(here)
    page = here.visitor("chu-tich", screen)
    page.goto(here.address + "/soan")
    at_five(page)
    expect(page.locator("#foresight")).to_contain_text("6 cụm loa phát “Bản tin sáng” (1 phút 53 giây)")
    expect(page.locator("#foresight")).to_contain_text("Hôm nay: đã đặt 2 phút; bản tin này thêm khoảng 9 giây.")
    assert faults(page) == []
    page.get_by_role("button", name="Phát ngay sau đó, lúc 17:02").click()
    expect(page.locator("#foresight")).to_contain_text("Không trùng với bản tin hay chương trình nào.")
    expect(page.locator("#minute")).to_have_value("02")
    expect(page.get_by_label("Hôm nay")).to_be_checked()
    expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert here.troubles == []


@SCREENS
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_sending_into_a_taken_time_asks_first_and_a_double_tap_sends_once(
    here: Place, screen: dict[str, int], scripts: bool
) -> None:
    taken(here)
    page = here.visitor("chu-tich", screen, scripts)
    page.goto(here.address + "/soan")
    at_five(page)
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_role("heading", name="Chưa gửi: trùng giờ phát")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 1
    if scripts:  # axe is a script
        assert faults(page) == []
    page.get_by_role("button", name="Giữ giờ đã chọn, phát lần lượt").dblclick()
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 2
    assert here.troubles == []


@SCREENS
def test_what_comes_again_is_booked_seen_ahead_and_one_day_left_out(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("chu-tich", screen)
    page.goto(here.address + "/soan")
    at_five(page)
    page.get_by_text("Lặp lại").click()
    assert not page.get_by_label("Vào ngày", exact=True).is_visible()
    for day in ("T2", "T5"):
        page.get_by_text(day, exact=True).click()
    page.get_by_label("Đến hết ngày").fill("31/12/2026")
    page.get_by_label("Trừ các ngày").fill("30/11/2026")
    page.get_by_label("Trừ các ngày").blur()
    expect(page.locator(".comings li")).to_have_text(
        [re.compile(each) for each in ("26/11", "03/12", "07/12", "10/12", "14/12")]
    )
    assert faults(page) == []
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_text("Thứ Hai, Thứ Năm hằng tuần, lúc 17:00, đến hết ngày 31/12/2026")).to_be_visible()
    page.locator(".coming-days summary").nth(1).click()
    assert faults(page) == []
    page.get_by_role("button", name="Bỏ ngày 03/12/2026").click()
    expect(page.get_by_text("Đã bỏ ngày 03/12/2026.")).to_be_visible()
    [view] = here.town.store.bookings.list()
    recurrence = view.booking.recurrence
    assert recurrence is not None
    assert recurrence.but == ("2026-11-30", "2026-12-03")
    assert here.troubles == []


@SCREENS
def test_without_scripts_the_next_moments_are_one_button_away(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("chu-tich", screen, scripts=False)
    page.goto(here.address + "/soan")
    at_five(page)
    page.get_by_text("Lặp lại").click()
    page.get_by_text("Ngày âm lịch", exact=True).click()
    page.get_by_text("Rằm", exact=True).click()
    page.get_by_role("button", name="Xem giờ phát và trùng giờ").click()
    expect(page.locator(".comings li").first).to_have_text("17:00 · Thứ Tư 23/12/2026")
    page.get_by_role("button", name=SEND).click()
    expect(page.get_by_text("Rằm hằng tháng, lúc 17:00")).to_be_visible()
    [view] = here.town.store.bookings.list()
    assert view.booking.recurrence == Recurrence("LUNAR:15")


def test_enter_in_a_field_never_takes_an_offer_nor_throws_a_draft_away(here: Place) -> None:
    taken(here)
    page = here.visitor("chu-tich")
    page.goto(here.address + "/soan")
    at_five(page)
    page.get_by_role("button", name=SEND).click()
    expect(page.locator("#deciding")).to_be_visible()
    page.get_by_label("Tên bản tin").press("Enter")
    expect(page.locator(".spoken")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 1
    page.goto(here.address + "/soan")
    expect(page.locator(".drafts")).to_be_visible()
    expect(page.locator("#restored")).to_be_visible()  # what was not sent came back
    page.get_by_label("Nội dung bản tin").fill("")
    page.get_by_label("Tên bản tin").press("Enter")
    expect(page.locator("#text-wrong")).to_be_visible()
    page.goto(here.address + "/soan")
    expect(page.locator(".drafts")).to_be_visible()
