"""The map in a real browser: points on one canvas, by shape and colour; the list is its other reading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, until, violations
from makers_web import a_day
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

FILE = b"""id,latitude,longitude
lang-son:dong-dang,21.9463,106.6965
lang-son:tam-thanh,21.8560,106.7480
dong-dang-2,21.9300,106.7200
"""
COLOURS = """() => {
  const sheet = document.querySelector("#map canvas");
  const dots = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data;
  const found = {};
  for (let at = 0; at < dots.length; at += 4) {
    if (dots[at + 3] < 255) continue;
    const name = dots.slice(at, at + 3).join();
    found[name] = (found[name] || 0) + 1;
  }
  return found;
}"""
GREEN, RED = "27,110,60", "163,38,42"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with chromium() as started, place(started) as made:
        a_day(made.town, made.server.app)
        made.town.desk.locate_all(FILE, made.town.boss, made.town.now)
        yield made


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_map_is_drawn_read_without_a_mouse_and_fits(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("quan-tri", screen)
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{here.address}/cum-loa")
    page.get_by_role("link", name="Bản đồ").click()
    until(page, "document.getElementById('map').dataset.drawn !== undefined")
    drawn = page.evaluate(COLOURS)
    assert drawn.get(GREEN, 0) > 50
    assert drawn.get(RED, 0) > 30  # the one that is offline is no smaller than it must be
    assert [*violations(page), *small_targets(page)] == []
    assert overflow(page) <= 0
    before = page.evaluate(COLOURS)
    page.locator("#map").focus()
    page.keyboard.press("+")
    until(page, f"JSON.stringify(({COLOURS})()) !== {str(before)!r}")
    expect(page.get_by_role("row", name="Xã Đồng Đăng")).to_be_visible()
    page.get_by_role("row", name="Xã Đồng Đăng").get_by_role("link").click()
    expect(page).to_have_url(f"{here.address}/cum-loa?dia-ban=lang-son:dong-dang")
    assert [each for each in here.troubles if "readback" not in each] == []  # that the test reads the sheet


def test_a_point_says_its_name_and_leads_to_its_page(here: Place) -> None:
    page = here.visitor("quan-tri")
    page.goto(f"{here.address}/cum-loa/ban-do?trang-thai=offline")
    until(page, "document.getElementById('map').dataset.drawn !== undefined")
    box = page.locator("#map").bounding_box()
    assert box
    spot = page.evaluate(
        f"""() => {{
          const sheet = document.querySelector("#map canvas"), at = sheet.getBoundingClientRect();
          const dots = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data;
          for (let each = 0; each < dots.length; each += 4) if (dots.slice(each, each + 3).join() === "{RED}") {{
            const dot = each / 4, scale = sheet.width / at.width;
            return [at.left + (dot % sheet.width) / scale + 2, at.top + Math.floor(dot / sheet.width) / scale + 2];
          }}
        }}"""
    )
    page.mouse.click(*spot)
    expect(page.locator(".leaflet-popup")).to_contain_text("Cụm loa Đồng Đăng 2")
    page.get_by_role("link", name="Mở trang cụm loa").click()
    expect(page).to_have_url(f"{here.address}/cum-loa/dong-dang-2")
    assert [each for each in here.troubles if "readback" not in each] == []  # that the test reads the sheet
