"""A person changes the programme in a real browser, on a phone and on a desktop, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import CHROMIUM, DESKTOP, PHONE, Place, chromium, overflow, place, small_targets, violations
from makers_programme_pages import COMMUNE, EDIT, PAGE, POLICY, TEXT, applied
from playwright.sync_api import Browser, Page, expect

from schedules import timetable

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        applied(made.town)
        yield made


def faults(page: Page) -> list[str]:
    """What is wrong with how the page looks and works; from its top, where nothing is covered by the menu."""
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    page.evaluate("window.scrollTo(0, 0)")
    return [*violations(page), *small_targets(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]


@SCREENS
def test_every_page_of_a_programme_is_accessible_and_fits(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("quan-tri", screen)
    found = {}
    for path in (PAGE, EDIT, TEXT, POLICY, "/khung-chuong-trinh/lang-son:tam-thanh", "/ke-hoach"):
        page.goto(here.address + path)
        found[path] = faults(page)
    page.goto(here.address + TEXT)
    page.get_by_label("Văn bản", exact=True).fill('[programme]\narea = "' + COMMUNE + '"\ntitle = "Khác"\n')
    page.get_by_role("button", name="Kiểm tra và xem trước").click()
    expect(page.get_by_role("heading", name="Thay đổi trong 14 ngày tới")).to_be_visible()
    found["preview"] = faults(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert here.troubles == []


@SCREENS
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_leader_changes_a_slot_sees_what_changes_and_applies_it(
    here: Place, screen: dict[str, int], scripts: bool
) -> None:
    page = here.visitor("chu-tich", screen, scripts)
    page.goto(here.address + "/ke-hoach")
    page.get_by_role("link", name="Khung chương trình").click()
    page.get_by_role("link", name="Sửa khung chương trình").click()
    slot = page.locator("details.slot-edit", has_text="Bản tin của xã").first
    slot.locator("summary").first.click()
    slot.get_by_label("Bắt đầu").fill("5h31")
    slot.get_by_label("Số phút").fill("14")
    slot.get_by_role("button", name="Thêm mục").click()
    slot = page.locator("details.slot-edit[open]")
    expect(slot).to_have_count(1)  # it stays open, and the page stays there
    slot.get_by_label("Loại").last.select_option("closing")
    slot.get_by_label("Tên", exact=True).last.fill("Lời chào")
    page.get_by_role("button", name="Kiểm tra và xem trước").first.click()
    expect(page.get_by_text("Đổi (6)")).to_be_visible()
    page.get_by_role("button", name="Áp dụng từ 24/11/2026").click()
    expect(page.get_by_text("Đã áp dụng khung chương trình từ 24/11/2026.")).to_be_visible()
    row = here.town.store.programmes.in_force(COMMUNE, here.town.now)
    assert row
    changed = [each for each in timetable.read(row.body).slots if f"{each.start:%H:%M}" == "05:31"]
    assert [item.asset for item in changed[0].items] == ["", "Lời chào"]
    assert here.troubles == []


def test_what_is_wrong_opens_its_slot_and_leads_to_its_field(here: Place) -> None:
    page = here.visitor("chu-tich", PHONE)
    page.goto(here.address + EDIT)
    page.locator("details.slot-edit").nth(3).locator("summary").first.click()
    page.locator("#slot-3-start").fill("trưa")
    page.get_by_role("button", name="Kiểm tra và xem trước").first.click()
    page.locator("#summary a").first.click()
    expect(page.locator("#slot-3-start")).to_be_visible()
    expect(page.locator("#slot-3-start")).to_have_value("trưa")
    assert faults(page) == []
