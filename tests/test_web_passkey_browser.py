"""Passkeys end to end: a real browser with a virtual authenticator (CDP), against the real app on a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, violations
from makers_web import PASSWORD
from playwright.sync_api import Browser, CDPSession, Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def here(browser: Browser) -> Iterator[Place]:
    """A town at ``http://localhost``: an address of digits can have no passkeys."""
    with place(browser) as made:
        made.host = "localhost"
        yield made
        assert made.troubles == []


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A fingerprint reader in the browser, that always knows its person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def registered(here: Place, who: str) -> tuple[Page, CDPSession, str]:
    """A page whose person has made a passkey on the account page."""
    page = here.visitor(who, PHONE)
    session, device = authenticator(page)
    page.goto(f"{here.address}/tai-khoan")
    page.get_by_role("button", name="Thêm khóa đăng nhập").click()
    page.get_by_label("Tên khóa").fill("Điện thoại của Mai")
    page.get_by_role("button", name="Tạo khóa trên máy này").click()
    expect(page.get_by_role("heading", name="Mã dự phòng")).to_be_visible()
    assert len(re.findall(r"\b\w{4}-\w{4}-\w{4}\b", page.locator(".recovery").inner_text())) == 10
    page.get_by_role("link", name="Tôi đã cất các mã").click()
    expect(page.get_by_text("Điện thoại của Mai", exact=True)).to_be_visible()
    return page, session, device


def test_a_passkey_is_made_and_signs_in_without_a_password(here: Place) -> None:
    page, _, _ = registered(here, "van-hoa")
    leaves(page)
    page.get_by_role("button", name="Đăng nhập bằng vân tay, khuôn mặt hoặc khóa").click()
    page.wait_for_url(f"{here.address}/")
    page.goto(f"{here.address}/tai-khoan")
    expect(page.get_by_text("Chưa dùng", exact=True)).to_have_count(0)


def leaves(page: Page) -> None:
    page.locator(".account summary").click()
    page.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.wait_for_url("**/dang-nhap*")  # what is kept on the machine is wiped first
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()


def test_a_passkey_is_the_second_step_and_steps_up_for_an_emergency(here: Place) -> None:
    page, _, _ = registered(here, "chu-tich")
    leaves(page)
    page.get_by_label("Tên đăng nhập").fill("chu-tich")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    expect(page.get_by_role("heading", name="Bước thứ hai")).to_be_visible()
    assert (violations(page), overflow(page), small_targets(page)) == ([], 0, [])
    page.get_by_role("button", name="Dùng vân tay, khuôn mặt hoặc khóa").click()
    page.wait_for_url(f"{here.address}/")
    here.town.now += timedelta(minutes=11)
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung").fill("Lũ quét, sơ tán ngay.")
    page.get_by_label("Xã Đồng Đăng").check()
    page.get_by_text("Khẩn cấp", exact=True).click()
    page.locator("#confirm").fill("Xã Đồng Đăng")
    assert (violations(page), overflow(page), small_targets(page)) == ([], 0, [])
    page.get_by_role("button", name="Dùng vân tay, khuôn mặt hoặc khóa").click()  # and it is sent: one tap in all
    page.wait_for_url("**/lich-phat/**")
    (made,) = here.town.store.announcements.list()
    assert (made.bulletin_class, made.state) == ("emergency", "approved")


def test_a_passkey_whose_counter_went_back_is_refused_and_noted(here: Place) -> None:
    page, session, device = registered(here, "van-hoa")
    leaves(page)
    (key,) = here.town.store.factors.passkeys(here.town.editor.id)
    assert here.town.store.factors.use_passkey(key, 1000, here.town.now)
    page.get_by_role("button", name="Đăng nhập bằng vân tay, khuôn mặt hoặc khóa").click()
    expect(page.get_by_text("Khóa này không dùng được ở đây").first).to_be_visible()
    assert "refused a passkey gone back" in [act.what for act in here.town.store.acts.recent(2)]
    here.troubles.clear()  # the browser logs the 422
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Đăng nhập bằng vân tay, khuôn mặt hoặc khóa").click()
    expect(page.get_by_text("Chưa dùng được khóa trên máy này")).to_be_visible()


def test_a_passkey_made_for_another_address_is_not_offered_and_the_page_says_why(here: Place) -> None:
    page = here.visitor("van-hoa")
    here.host = "127.0.0.1"
    page = here.visitor("van-hoa")
    page.goto(f"{here.address}/tai-khoan")
    expect(page.get_by_text("trình duyệt đòi hỏi HTTPS và một tên miền")).to_be_visible()
    expect(page.get_by_role("button", name="Thêm khóa đăng nhập")).to_have_count(0)


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_of_factors_is_clear_on_each_screen(here: Place, screen: dict[str, int], tmp_path: Path) -> None:
    page = here.visitor("quan-tri", screen)

    def looks_right(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        assert (violations(page), overflow(page), small_targets(page)) == ([], 0, []), name

    page.goto(f"{here.address}/dang-nhap")
    page.goto(f"{here.address}/tai-khoan")
    looks_right("account-empty")
    page.get_by_role("button", name="Thêm khóa đăng nhập").click()
    looks_right("passkey-new")
    page.goto(f"{here.address}/tai-khoan")
    page.get_by_role("button", name="Thiết lập mã").click()
    looks_right("code-app")
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.get_by_label("Mã 6 số mà ứng dụng đang hiện").fill(pyotp.TOTP(secret).at(here.town.now))
    page.get_by_role("button", name="Xác nhận").click()
    looks_right("recovery")
    page.get_by_role("link", name="Tôi đã cất các mã").click()
    looks_right("account")
    here.town.now += timedelta(minutes=11)
    page.goto(f"{here.address}/cum-loa-moi")
    page.locator("#name").fill("Cụm loa chợ")
    page.locator("#node").fill("cho-1")
    page.locator("#home").select_option("lang-son:dong-dang:thon-1")
    page.get_by_role("button", name="Cấp mã").click()
    looks_right("proof")
    page.get_by_label("Mã 6 số trong ứng dụng xác minh").fill(pyotp.TOTP(secret).at(here.town.now))
    page.get_by_role("button", name="Xác minh và làm tiếp").click()
    expect(page.get_by_text("sudo loa node enrol")).to_be_visible()
    leaves(page)
    looks_right("sign-in")
    here.troubles.clear()  # the browser logs the 422 of the page that asks
