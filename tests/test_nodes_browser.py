"""Loudspeakers in a real browser: the list and the page of one, on a phone and an office screen, with keys alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, chromium, overflow, place, small_targets, violations
from makers_node_past import a_year
from makers_web import a_day
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

NODE = "/cum-loa/dong-dang-1"
OPEN_ALL = "document.querySelectorAll('main details').forEach(each => each.open = true)"


def sound(page: Page) -> None:
    """Everything opened, the page is accessible, fits, and can be touched."""
    page.evaluate(OPEN_ALL)
    assert [*violations(page), *small_targets(page)] == []
    assert overflow(page) == 0


def test_the_list_and_the_page_of_a_loudspeaker() -> None:
    with chromium() as chrome, place(chrome) as here:
        a_day(here.town, here.server.app)
        a_year(here.town, "dong-dang-1", 60)
        here.town.now += timedelta(minutes=1)
        phone = here.visitor("quan-tri", PHONE)
        phone.goto(here.address + "/cum-loa")
        sound(phone)
        phone.get_by_label("Tìm theo tên").fill("dong dang 1")
        phone.get_by_role("button", name="Xem", exact=True).click()
        phone.get_by_role("link", name="Cụm loa Đồng Đăng 1").click()
        expect(phone.locator(".sounded .big")).to_contain_text("17:00:00")
        expect(phone.get_by_role("img", name="90 ngày qua")).to_be_visible()
        expect(phone.locator(".plot")).to_have_count(4)
        sound(phone)

        page = here.visitor("quan-tri", DESKTOP)
        page.goto(here.address + NODE)
        page.get_by_role("link", name="90 ngày", exact=True).click()
        expect(page.locator(".ranges [aria-current]")).to_have_text("90 ngày")
        sound(page)
        expect(page.locator("#days-table tbody tr")).to_have_count(90)
        expect(page.locator("#charts-table tbody tr")).to_have_count(90)
        page.goto(here.address + NODE)  # keys alone: a reason and the usual length
        summary = page.locator("#maintenance > summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Ngày (dd/mm/yyyy)")).to_be_hidden()
        page.keyboard.press("Tab")
        page.keyboard.type("Thay ắc quy")
        page.keyboard.press("Enter")
        expect(page.locator("main").get_by_role("status").first).to_contain_text("Đã đặt bảo trì")
        expect(page.locator("#node .in-work")).to_contain_text("Thay ắc quy")
        expect(page.get_by_role("button", name="Phát tiếng thử ngay")).to_have_count(0)
        page.get_by_role("button", name="Kết thúc bảo trì ngay").click()
        expect(page.locator("#node .in-work")).to_have_count(0)
        page.emulate_media(media="print")
        expect(page.locator(".upkeep")).to_be_hidden()
        expect(page.get_by_role("img", name="90 ngày qua")).to_be_visible()
        assert here.troubles == []


def test_without_scripts_and_in_english_a_loudspeaker_is_read_and_looked_after() -> None:
    with chromium() as chrome, place(chrome) as here:
        page = here.visitor("quan-tri", PHONE, scripts=False)
        page.goto(here.address + "/tieng/en")
        page.goto(here.address + NODE)
        expect(page.get_by_text("has not sounded anything yet")).to_be_visible()
        expect(page.get_by_text("Nothing was measured in this range")).to_be_visible()
        page.get_by_text("Change the volume…").click()
        page.get_by_label("From hour").first.select_option("06")
        page.get_by_label("Level", exact=True).first.select_option("-6.0")
        page.get_by_role("button", name="Save the volume").click()
        expect(page.get_by_text("Volume saved")).to_be_visible()
        expect(page.locator("#volumes > p")).to_contain_text("06:00")
        page.get_by_text("Begin maintenance…").click()
        page.get_by_label("Reason").fill("New amplifier")
        page.get_by_label("Ends after").select_option("other")
        page.get_by_role("button", name="Begin maintenance").click()
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("must end in the future")
        summary.get_by_role("link").click()
        expect(page.locator("#hours")).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label("Reason")).to_have_value("New amplifier")
        assert overflow(page) == 0
