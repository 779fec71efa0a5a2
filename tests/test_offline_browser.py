"""What somebody typed outlives a dead network, a reload and a killed browser; it is sent once, and seen by nobody else.

The network is the browser's own switch; the browser is killed with its whole family.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from browser import CHROMIUM, PHONE, Place, until, violations
from makers_web import TEXT, settled_town
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as TargetClosed

from controller.web.server import serve

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

SECONDS = 60_000
PLAIN = "radio.test"  # a name that is no secure origin: no worker there


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@contextmanager
def computer(driver: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """A browser with a profile that stays, as on the office's one computer."""
    context = driver.chromium.launch_persistent_context(
        folder,
        executable_path=CHROMIUM,
        args=["--no-sandbox", f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"],
        viewport=PHONE,
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
    )
    context.set_default_timeout(SECONDS)
    try:
        yield context
    finally:
        with suppress(TargetClosed):  # it was killed
            context.close()


@pytest.fixture
def here() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder, settled_town(Path(folder)) as town:
        made = Place(town, serve(town.app(), "127.0.0.1", 0), None)  # type: ignore[arg-type]
        try:
            yield made
        finally:
            made.server.stop()


def signed_in(context: BrowserContext, here: Place, who: str = "chu-tich") -> Page:
    """A tab of ``who``, on the compose page."""
    context.add_cookies([{"name": "loa_phien", "value": here.town.session(who), "url": here.address}])
    page = context.new_page()
    page.goto(here.address + "/soan")
    return page


def write(page: Page, text: str = TEXT) -> None:
    """Type, choose a place and an hour."""
    page.get_by_label("Nội dung bản tin").fill(text)
    page.locator(".tree label.tick", has_text="Thôn 2 Đồng Đăng").first.click()
    page.get_by_text("Hẹn giờ").click()
    page.locator("label", has_text="Hôm nay").click()
    page.get_by_label("Giờ", exact=True).select_option("18")  # 17 stands there unasked


def press_send(page: Page) -> None:
    page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát").click()


def bookings(here: Place) -> int:
    """How many were really made."""
    return len(here.town.store.announcements.list())


KEPT = """async () => (await Promise.all((await indexedDB.databases()).map((each) => new Promise((done) => {
  const asked = indexedDB.open(each.name);
  asked.onsuccess = () => {
    const all = asked.result.transaction(["drafts", "waiting"]);
    const found = ["drafts", "waiting"].map((name) => all.objectStore(name).getAll());
    all.oncomplete = () => {
      asked.result.close();
      done(found.flatMap((one) => one.result.map((it) => JSON.stringify(it))));
    };
  };
})))).flat()"""


def kept(page: Page) -> list[str]:
    """Everything that the browser keeps of drafts and of what waits, whoever it is of."""
    return list(page.evaluate(KEPT))


def until_kept(page: Page, words: str) -> None:
    for _ in range(1200):
        if any(words in each for each in kept(page)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never kept: {words}")


def until_gone(page: Page, words: str = "") -> None:
    """Nothing with ``words`` is kept any more: what has arrived is forgotten by the page that says so."""
    for _ in range(1200):
        if not any(words in each for each in kept(page)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still kept: {words}")


def test_without_a_network_it_waits_says_so_and_is_sent_once_when_the_network_is_back(
    driver: Playwright, here: Place, tmp_path: Path
) -> None:
    with computer(driver, tmp_path / "profile") as context:
        page = signed_in(context, here)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        write(page)
        context.set_offline(True)
        press_send(page)
        expect(page.locator("#away")).to_contain_text("đang chờ trên máy này")
        expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
        expect(page.locator("#send-button")).to_be_disabled()
        assert violations(page) == []
        assert bookings(here) == 0

        page.reload()  # the worker's page, not the browser's
        expect(page.get_by_role("heading", name="Chưa nối được với đài")).to_be_visible()
        names = page.evaluate(
            """async () => (await Promise.all((await caches.keys()).map(async (each) =>
              (await (await caches.open(each)).keys()).map((one) => new URL(one.url).pathname)))).flat()"""
        )
        assert "/ngoai-tuyen" in names
        assert [name for name in names if name != "/ngoai-tuyen" and not name.startswith("/static/")] == []

        context.set_offline(False)  # the page goes on by itself, and what waited goes out
        expect(page.locator("#away")).to_contain_text("đã được gửi")
        page.get_by_role("link", name="đã được gửi").click()
        expect(page.get_by_text("Đã gửi.")).to_be_visible()
        assert bookings(here) == 1
        until_gone(page)
        page.goto(here.address + "/soan")
        expect(page.get_by_label("Nội dung bản tin")).to_have_value("")


def test_a_killed_browser_a_reload_and_a_station_without_trust_lose_nothing(
    driver: Playwright, here: Place, tmp_path: Path
) -> None:
    here.host = PLAIN
    profile = tmp_path / "profile"
    with computer(driver, profile) as context:
        page = signed_in(context, here)
        assert page.evaluate("isSecureContext") is False
        write(page)
        until_kept(page, '"hour","18"')
        page.reload()
        expect(page.locator("#restored")).to_be_visible()
        expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
        mine = [
            each for each in psutil.process_iter(["cmdline"]) if str(profile) in " ".join(each.info["cmdline"] or ())
        ]
        assert mine
        for each in mine:
            with suppress(psutil.NoSuchProcess):  # ended with the one before
                each.kill()
        psutil.wait_procs(mine, timeout=10)
    with computer(driver, profile) as context:
        page = signed_in(context, here)
        expect(page.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
        expect(page.locator("#chosen")).to_have_text("Thôn 2 Đồng Đăng")
        twin = context.new_page()  # the same draft in two tabs is one announcement
        twin.goto(here.address + "/soan")
        expect(twin.get_by_label("Nội dung bản tin")).to_have_value(TEXT)
        context.set_offline(True)
        for tab in (page, twin):
            press_send(tab)
            expect(tab.locator("#away")).to_contain_text("đang chờ trên máy này")
        context.set_offline(False)
        for tab in (page, twin):
            until(tab, "!document.getElementById('away').textContent.includes('đang chờ')")
        assert bookings(here) == 1


def test_a_double_tap_sends_once_and_the_draft_is_gone(driver: Playwright, here: Place, tmp_path: Path) -> None:
    with computer(driver, tmp_path / "profile") as context:
        page = signed_in(context, here)
        write(page)
        until_kept(page, TEXT[:20])
        page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát").dblclick()
        expect(page.get_by_text("Đã gửi.")).to_be_visible()
        assert bookings(here) == 1
        until_gone(page)


def test_a_session_that_ended_costs_nothing_and_somebody_else_sees_nothing(
    driver: Playwright, here: Place, tmp_path: Path
) -> None:
    with computer(driver, tmp_path / "profile") as context:
        page = signed_in(context, here)
        write(page)
        context.clear_cookies(name="loa_phien")
        press_send(page)
        expect(page.locator("#away")).to_contain_text("phiên làm việc đã hết")
        assert bookings(here) == 0

        other = signed_in(context, here, "van-hoa")  # before he is back
        expect(other.get_by_label("Nội dung bản tin")).to_have_value("")
        expect(other.locator("#away")).to_be_hidden()
        assert TEXT[:30] not in other.content()
        other.get_by_label("Nội dung bản tin").fill("Việc riêng của tôi.")
        until_kept(other, "Việc riêng")
        assert bookings(here) == 0

        second = context.new_page()  # the same words, open once more
        second.goto(other.url)
        expect(second.get_by_label("Nội dung bản tin")).to_have_value("Việc riêng của tôi.")
        other.locator("details.account summary").click()
        other.get_by_role("button", name="Đăng xuất").click()
        expect(other.get_by_label("Tên đăng nhập")).to_be_visible()
        until_gone(other, "Việc riêng")
        second.evaluate("void location.assign('/dang-nhap')")  # and leaving it keeps nothing either
        expect(second.get_by_label("Tên đăng nhập")).to_be_visible()
        until_gone(second, "Việc riêng")

        back = signed_in(context, here)
        expect(back.locator("#away")).to_contain_text("đã được gửi")
        assert bookings(here) == 1


def test_an_emergency_never_waits_for_a_network(driver: Playwright, here: Place, tmp_path: Path) -> None:
    with computer(driver, tmp_path / "profile") as context:
        page = signed_in(context, here)
        write(page)
        page.get_by_text("Khẩn cấp", exact=True).click()
        context.set_offline(True)
        page.get_by_role("button", name="Phát khẩn cấp").click()
        expect(page.locator("#offline")).to_contain_text("CHƯA được gửi")
        context.set_offline(False)
        page.wait_for_timeout(300)
        assert not any('"emergency"' in each and '"session"' in each for each in kept(page))
        assert bookings(here) == 0
