"""The keyboard alone where it is asked who one is, what one wants instead, and what one says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from browser import CHROMIUM, Place, chromium, place
from browser_keys import focused, follow, pick, press, press_to, turn_to, type_in
from makers_web import PASSWORD
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
LATER = timedelta(seconds=30)  # a code is good once
SEND = "Gửi và đưa vào kế hoạch phát"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with chromium(*MICROPHONE) as chrome, place(chrome) as made:
        yield made


def come_in(here: Place, page: Page, who: str) -> None:
    """The first step of signing in."""
    page.goto(here.address + "/dang-nhap")
    type_in(page, "Tên đăng nhập", who)
    type_in(page, "Mật khẩu", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def set_codes_up(here: Place, page: Page) -> pyotp.TOTP:
    """Codes on a phone; a wrong one first, which leads back to the field."""
    page.goto(here.address + "/tai-khoan")
    follow(page, "Thiết lập mã")
    codes = pyotp.TOTP(page.locator("#secret").inner_text().replace(" ", ""))
    type_in(page, "Mã 6 số mà ứng dụng đang hiện", "000000")
    follow(page, "Xác nhận")
    expect(page.locator("#summary")).to_be_focused()
    press(page, page.locator("#summary a").inner_text())
    assert focused(page) == "Mã 6 số mà ứng dụng đang hiện"
    page.keyboard.type(codes.at(here.town.now))
    follow(page, "Xác nhận")
    expect(page.locator(".recovery li")).to_have_count(10)
    follow(page, "Tôi đã cất các mã")
    here.town.now += LATER
    return codes


def come_in_by_code(here: Place, page: Page, codes: pyotp.TOTP) -> None:
    press(page, "Tài khoản: ")
    follow(page, "Đăng xuất")
    come_in(here, page, "quan-tri")
    expect(page.get_by_role("heading", name="Bước thứ hai")).to_be_visible()
    type_in(page, "Mã 6 số trong ứng dụng xác minh", codes.at(here.town.now))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()
    here.town.now += LATER


def prove_again(here: Place, page: Page, codes: pyotp.TOTP) -> None:
    """What is critical asks once more when the proof is old; what was typed is kept, and done at once after it."""
    page.goto(here.address + "/nguoi-dung")
    here.town.now += timedelta(minutes=11)
    type_in(page, "Họ và tên", "Lý Thị Dung")
    type_in(page, "Tên đăng nhập", "dung.ly")
    turn_to(page, "Người soạn", "Người xem")
    pick(page, "Địa bàn", "Xã Đồng Đăng")
    follow(page, "Thêm và lấy liên kết")
    expect(page.get_by_role("heading", name="Xin xác minh")).to_be_visible()
    assert here.town.store.people.by_name("dung.ly") is None
    type_in(page, "Mã 6 số trong ứng dụng xác minh", codes.at(here.town.now))
    follow(page, "Xác minh và làm tiếp")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lý Thị Dung")
    assert here.town.store.people.by_name("dung.ly") is not None


def test_a_second_factor_is_set_up_used_and_asked_for_again_by_keyboard(here: Place) -> None:
    page = here.visitor()
    come_in(here, page, "quan-tri")
    codes = set_codes_up(here, page)
    come_in_by_code(here, page, codes)
    prove_again(here, page, codes)
    assert [each for each in here.troubles if "422" not in each and "403" not in each] == []
    here.troubles.clear()


def test_an_offer_is_taken_where_two_would_sound_at_once_by_keyboard(here: Place) -> None:
    approver = here.town.client(here.server.app, "chu-tich")
    here.town.booked(approver, key="5" * 32, day="2026-11-26", title="Tiêm phòng")
    page = here.visitor("chu-tich")
    page.goto(here.address + "/soan")
    type_in(page, "Nội dung bản tin", "Họp thôn tối nay.")
    press_to(page, "Xã Đồng Đăng")
    if not page.locator("input[value='lang-son:dong-dang']").is_checked():
        page.keyboard.press("Space")
    turn_to(page, "Phát ngay", "Hẹn giờ")
    turn_to(page, "Hôm nay", "Thứ Năm")
    follow(page, SEND)
    expect(page.locator("#deciding")).to_be_focused()
    follow(page, page.locator("#deciding button").first.inner_text())
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert "17:00" not in page.locator("dl.facts").first.inner_text()


def test_a_voice_is_recorded_heard_and_sent_by_keyboard(here: Place) -> None:
    page = here.visitor("van-hoa")
    page.goto(here.address + "/ban-ghi")
    press(page, "Bắt đầu thu")
    expect(page.locator("#recorder")).to_have_attribute("data-state", "on")
    assert focused(page).startswith("Dừng thu") or "Dừng thu" in focused(page)
    expect(page.locator("#length")).to_have_text("0:02", timeout=20_000)
    page.keyboard.press("Enter")
    expect(page.locator("#recorded")).to_be_visible()
    press_to(page, "Nghe lại bản vừa thu")
    type_in(page, "Tên bản tin", "Lời chủ tịch xã")
    pick(page, "Ngôn ngữ", "Tiếng Nùng")
    press(page, "Dùng bản ghi này")
    expect(page.locator(".recorded")).to_contain_text("Tiếng Nùng", timeout=30_000)
    draft = here.town.store.announcements.get(page.locator("input[name=draft]").input_value())
    assert draft is not None
    assert here.town.store.recordings.get(str(draft.recording)) is not None
