"""The station's parts, its settings and the raw records in a real browser: both sizes, both languages, no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, until, violations
from makers_web import a_day
from playwright.sync_api import Browser, Page, expect

from controller.alarms import Surroundings, Watch

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        a_day(made.town, made.server.app)
        watch = Watch(made.town.store, made.town.settings)
        for _ in range(2):
            watch.look(Surroundings(True), made.town.now)
            made.town.now += timedelta(minutes=4)
        yield made


def faults(page: Page) -> list[str]:
    """What is wrong with a page whose every record is opened."""
    page.evaluate("[...document.querySelectorAll('main details')].slice(0, 4).forEach(each => each.open = true)")
    return [*violations(page), *small_targets(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]


@pytest.mark.parametrize(("screen", "language"), [(PHONE, "vi"), (DESKTOP, "en")], ids=["phone", "desktop"])
def test_every_page_is_accessible_and_fits(here: Place, screen: dict[str, int], language: str) -> None:
    page = here.visitor("quan-tri", screen)
    alarm = here.town.store.alarms.open()[0]
    page.goto(f"{here.address}/tieng/{language}")
    found = {}
    for path in ("/thiet-lap/may", "/thiet-lap", f"/canh-bao/{alarm.id}", "/nhat-ky", "/nhat-ky/2"):
        page.goto(here.address + path)
        found[path] = faults(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert here.troubles == []


def test_a_voice_is_heard_and_a_record_opened_without_scripts(here: Place) -> None:
    page = here.visitor("quan-tri", PHONE, scripts=False)
    page.goto(here.address + "/thiet-lap/may")
    page.get_by_role("button", name="Nghe thử").click()
    sound = page.locator("audio")
    expect(sound).to_have_attribute("src", "/thiet-lap/may/nghe/espeak")
    page.goto(here.address + "/nhat-ky")
    page.get_by_role("link", name="Bản ghi đầy đủ").first.click()
    expect(page.get_by_text("Khớp với dòng trước trong chuỗi.")).to_be_visible()
    with_scripts = here.visitor("quan-tri")
    with_scripts.goto(here.address + "/thiet-lap/may?giong=espeak")
    until(with_scripts, "document.querySelector('audio').duration > 0.5")  # a browser can play it
    assert here.troubles == []
