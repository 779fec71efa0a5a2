"""The page of areas in a real browser, without scripts: a file is looked at and brought in, an area moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import makers_units
import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, violations
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]


@pytest.fixture
def here() -> Iterator[Place]:
    with chromium() as browser, place(browser) as made:
        yield made


def sound(page: Page) -> None:
    assert (overflow(page), small_targets(page)) == (0, [])


def test_units_come_in_and_an_area_moves_without_scripts(here: Place, tmp_path: Path) -> None:
    page = here.visitor("quan-tri", PHONE, scripts=False)
    page.goto(f"{here.address}/dia-ban")
    page.locator("#import-units > summary").click()
    page.set_input_files("#file", makers_units.wheel(tmp_path))
    page.fill("#province", "20")
    page.check("[name=former]")
    page.locator("form[action$=xem-tep] button").click()
    page.locator("form[action$=nhap] button").click()
    page.locator("#move-area").wait_for()
    assert "GSO=06187" in page.content()
    page.locator("#move-area > summary").click()
    page.select_option("#area", "lang-son:dong-dang:thon-1")
    page.select_option("#to", "lang-son:ky-lua")
    page.locator("form[action$=chuyen] button").click()
    page.locator("form[action$=chuyen] button.main").click()
    assert here.town.store.roster.area("lang-son:ky-lua:thon-1")
    for language in ("vi", "en"):
        for screen in (PHONE, DESKTOP):
            seen = here.visitor("quan-tri", screen)
            seen.goto(f"{here.address}/tieng/{language}")
            seen.goto(f"{here.address}/dia-ban")
            for each in seen.locator("details.card > summary").all():
                each.click()
            seen.evaluate("scrollTo(0, 0)")  # nothing lies half beneath the bar
            sound(seen)
            assert violations(seen) == []
            seen.set_input_files("#file", makers_units.wheel(tmp_path))
            seen.fill("#province", "20")
            seen.locator("form[action$=xem-tep] button").click()
            seen.wait_for_selector("form[action$=nhap]")
            sound(seen)
            assert violations(seen) == []
            seen.goto(f"{here.address}/dia-ban")
            seen.locator("#move-area > summary").click()
            seen.select_option("#area", "lang-son:dong-dang:thon-2")
            seen.select_option("#how", "into")
            seen.select_option("#to", "lang-son:tam-thanh:thon-3")
            seen.locator("form[action$=chuyen] button").click()
            seen.wait_for_selector("[name=do]", state="attached")
            sound(seen)
            assert violations(seen) == []
            seen.context.close()
    assert here.troubles == []
