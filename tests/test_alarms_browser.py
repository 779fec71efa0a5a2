"""Alarms and the overview in a real browser: on a phone and on a desktop, live, in both languages, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from browser import CHROMIUM, DESKTOP, LIVE_MS, PHONE, Place, chromium, overflow, place, small_targets, violations
from makers_web import a_day
from playwright.sync_api import Browser, Page, expect

from controller.alarms import Surroundings, Watch
from controller.tallies import Tallies
from wire.presence import State

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]
UP = Surroundings(True)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        town = made.town
        a_day(town, made.server.app)
        watch = Watch(town.store, town.settings)
        watch.look(UP, town.now)
        town.now += timedelta(minutes=4)
        watch.look(UP, town.now)
        town.now += timedelta(minutes=2)
        for number in (1, 3, 4, 5):
            town.wake(f"dong-dang-{number}")
        watch.look(UP, town.now)
        Tallies(town.store, town.settings.zone).add_up(town.now)
        made.watch = watch  # type: ignore[attr-defined]
        yield made


def faults(page: Page) -> list[str]:
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    page.evaluate("window.scrollTo(0, 0)")
    return [*violations(page), *small_targets(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_accessible_and_fits(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("quan-tri", screen)
    alarm = next(each for each in here.town.store.alarms.open() if each.cause == "offline")
    found = {}
    for path in ("/canh-bao", f"/canh-bao/{alarm.id}", "/tong-quan", "/tong-quan?man-hinh=1", "/tieng/en", "/canh-bao"):
        page.goto(here.address + path)
        found[path] = faults(page)
    expect(page.get_by_role("heading", name="Alarms", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Xã Đồng Đăng: 1 node is out of touch")).to_be_visible()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert here.troubles == []


def test_an_operator_takes_one_on_hands_it_over_and_keeps_it_quiet_without_scripts(here: Place) -> None:
    page = here.visitor("quan-tri", PHONE, scripts=False)
    page.goto(here.address + "/canh-bao")
    page.locator("li.alarm", has_text="Xã Đồng Đăng: 1 cụm loa mất liên lạc").get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="Bạn đã nhận xử lý")).to_be_visible()
    page.get_by_role("link", name="Xã Đồng Đăng: 1 cụm loa mất liên lạc").click()
    page.get_by_label("Người xử lý").select_option(label="Nông Văn Thịnh")
    page.get_by_label("Hạn sửa xong").select_option("other")
    page.get_by_role("button", name="Giao việc").click()
    expect(page.get_by_role("alert")).to_contain_text("không phải là ngày")
    page.get_by_label("Người xử lý").select_option(label="Nông Văn Thịnh")
    page.get_by_label("Hạn sửa xong").select_option("1")
    page.get_by_role("button", name="Giao việc").click()
    expect(page.get_by_text("Giao cho Nông Văn Thịnh, hạn")).to_be_visible()
    page.get_by_label("Lý do").fill("Cắt điện theo lịch")
    page.get_by_role("button", name="Cho im lặng").click()
    expect(page.get_by_role("button", name="Thôi im lặng")).to_be_visible()
    page.goto(here.address + "/canh-bao")
    expect(page.get_by_role("heading", name="Đang im lặng")).to_be_visible()
    assert [each for each in here.troubles if "422" not in each] == []  # the form that lacked its day
    here.troubles.clear()


def test_a_new_alarm_is_on_every_screen_within_two_seconds(here: Place) -> None:
    town, watch = here.town, here.watch  # type: ignore[attr-defined]
    listed, overview = here.visitor("quan-tri"), here.visitor("quan-tri")
    listed.goto(here.address + "/canh-bao")
    overview.goto(here.address + "/tong-quan?man-hinh=1")
    for page in (listed, overview):
        expect(page.locator("#live-state[data-how=on]")).to_be_attached()
    for number in range(1, 7):
        town.wake(f"tam-thanh-{number}", State.OFFLINE)
    town.now += timedelta(minutes=4)
    watch.look(UP, town.now)
    town.now += timedelta(minutes=2)
    for number in (1, 3, 4, 5):
        town.wake(f"dong-dang-{number}")
    watch.look(UP, town.now)
    expect(listed.get_by_text("Phường Tam Thanh: 6 cụm loa mất liên lạc").first).to_be_visible(timeout=LIVE_MS)
    expect(overview.get_by_text("Phường Tam Thanh: 6 cụm loa mất liên lạc").first).to_be_visible(timeout=LIVE_MS)
    assert here.troubles == []
