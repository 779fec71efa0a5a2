"""The next days on a loudspeaker in a real browser: it fits, it is accessible, it prints."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, chromium, overflow, place, small_targets, violations
from makers_web import a_day
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_days_ahead_are_found_from_the_node_and_fit_and_print(screen: dict[str, int]) -> None:
    with chromium() as chrome, place(chrome) as here:
        a_day(here.town, here.server.app)
        here.town.now += timedelta(minutes=1)
        page = here.visitor("van-hoa", screen)
        page.goto(here.address + "/cum-loa/dong-dang-1")
        page.get_by_role("link", name="Những ngày tới trên cụm loa này").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("7 ngày tới trên cụm loa này")
        expect(page.get_by_text("Chưa gửi tới cụm loa")).to_be_visible()  # no station runs here
        assert [*violations(page), *small_targets(page)] == []
        assert overflow(page) == 0
        page.get_by_role("link", name="14 ngày").click()
        expect(page.locator("section.day")).to_have_count(14)
        expect(page.get_by_role("button", name="In để ký")).to_be_visible()
        expect(page.locator(".signatures")).to_be_hidden()
        page.emulate_media(media="print")
        expect(page.locator(".signatures")).to_be_visible()
        expect(page.locator(".nav")).to_be_hidden()
        assert here.troubles == []


def test_without_scripts_the_page_of_an_area_is_read_and_offers_no_dead_button() -> None:
    with chromium() as chrome, place(chrome) as here:
        page = here.visitor("van-hoa", PHONE, scripts=False)
        page.goto(here.address + "/ke-hoach")
        page.get_by_role("link", name="Những ngày tới trên cụm loa ở đây").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("7 ngày tới trên một cụm loa đặt ở đây")
        expect(page.get_by_role("button", name="In để ký")).to_be_hidden()
