"""A person at the window: a real browser, the real app, a real store. The station's part is done by hand."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from browser import (
    CHROMIUM,
    DESKTOP,
    LIVE_MS,
    PHONE,
    Place,
    chromium,
    overflow,
    place,
    small_targets,
    until,
    violations,
)
from browser_looks import misfits, twice
from makers_web import FIRST_TOKEN, NOON, PASSWORD, TEXT, a_day
from playwright.sync_api import Browser, Locator, Page, Route, expect

from wire.presence import State

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def here(chrome: Browser) -> Iterator[Place]:
    with place(chrome) as made:
        yield made


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until ``wanted`` has the focus, as somebody without a mouse does; the focus is always to be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"Tab never reaches {wanted}")


def choose(page: Page, name: str) -> None:
    """Tick an area by its name."""
    page.locator(".tree label.tick", has_text=name).first.click()


def test_from_the_link_to_the_log_without_reloading(chrome: Browser) -> None:
    with place(chrome, settled=False) as here:
        town = here.town
        town.settle_areas()
        page = here.visitor()
        page.goto(f"{here.address}/chao/{FIRST_TOKEN}")
        page.get_by_label("Tên đăng nhập").fill("quan-tri")
        page.get_by_label("Mật khẩu mới").fill(PASSWORD)
        page.get_by_label("Gõ lại mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đặt mật khẩu và vào").click()

        page.get_by_role("main").get_by_role("link", name="Soạn bản tin").first.click()
        page.get_by_label("Nội dung bản tin").fill(TEXT)
        page.get_by_role("button", name="Xem cách đọc và nghe thử").click()
        expect(page.locator(".spoken")).to_contain_text("Ủy ban nhân dân xã")
        expect(page.get_by_text("Đang tạo giọng đọc…")).to_be_visible()
        town.voice(page.locator("input[name=draft]").input_value())
        sound = page.locator("#hear audio")
        expect(sound).to_be_visible()
        until(page, "document.querySelector('#hear audio').readyState >= 1")
        sound.evaluate("each => each.play()")
        until(page, "document.querySelector('#hear audio').currentTime > 0.2")

        page.get_by_label("Tìm địa bàn").fill("thon 2 dong")
        expect(page.locator(".tree li:visible")).to_have_count(3)  # the hamlet, and what it lies in
        choose(page, "Thôn 2 Đồng Đăng")
        expect(page.locator("#chosen")).to_have_text("Thôn 2 Đồng Đăng")
        page.get_by_text("Hẹn giờ").click()
        page.locator("label", has_text="Hôm nay").click()
        page.get_by_label("Giờ", exact=True).select_option("17")
        page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát").click()
        expect(page.get_by_text("Đã gửi.")).to_be_visible()
        expect(page.get_by_text("Đã lên lịch")).to_be_visible()
        booking = page.url.split("/")[-1].split("?")[0]

        page.get_by_role("link", name="Kế hoạch phát").first.click()
        expect(page.locator(".item")).to_contain_text("Thôn 2 Đồng Đăng")
        page.locator("nav summary").first.click()
        page.get_by_role("link", name="Nhật ký phát").click()
        expect(page.get_by_text("Chưa có lần phát nào")).to_be_visible()
        expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
        page.evaluate("window.stayed = true")
        town.now = NOON + timedelta(hours=5, seconds=2)
        town.report(booking, "dong-dang-2")
        expect(page.get_by_text("Đã phát ở 1 trên 1 cụm loa")).to_be_visible(timeout=LIVE_MS)
        assert page.evaluate("window.stayed") is True
        assert here.troubles == []


@SCREENS
def test_every_page_is_accessible_fits_and_asks_nobody_else(here: Place, screen: dict[str, int]) -> None:
    booking = a_day(here.town, here.server.app)
    page = here.visitor("quan-tri", screen)
    page.emulate_media(reduced_motion="reduce")
    found = {}
    paths = [
        "/",
        "/soan",
        "/lich",
        "/duyet",
        "/ke-hoach",
        "/cum-loa",
        "/cum-loa-moi",
        "/cum-loa/dong-dang-1",
        "/cum-loa/dong-dang-5",
        "/nhat-ky-phat",
    ]
    paths += [
        "/hop-tin",
        "/ban-tin",
        "/tu-dien",
        "/phan-anh",
        "/canh-bao",
        "/tong-quan",
        "/bao-cao",
        "/nguoi-dung",
        "/khoa",
    ]
    paths += ["/ban-ghi", "/tin-cap", "/tai-khoan", "/tai-khoan/khoa-api", "/cum-loa/dong-dang-1/nhung-ngay-toi"]
    paths += ["/nhat-ky", f"/lich-phat/{booking}", f"/nhat-ky-phat?lich-phat={booking}"]
    for path in paths:
        page.goto(here.address + path)
        found[path] = [
            *violations(page),
            *small_targets(page),
            *misfits(page),
            *(twice(page) if screen is DESKTOP else []),
            *([f"wider by {overflow(page)}"] if overflow(page) else []),
        ]
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert here.troubles == []


@pytest.mark.parametrize("tongue", ["vi", "en"])
def test_a_title_without_a_place_to_break_widens_no_page_of_a_phone(here: Place, tongue: str) -> None:
    editor, approver = (here.town.client(here.town.app(), name) for name in ("van-hoa", "chu-tich"))
    for number, title in enumerate(("Thôngbáokhẩn" * 10, "https://langson.gov.vn/" + "thong-bao-" * 10)):
        more = {"title": title, "text": title * 2, "hour": f"{10 + number}"}
        waiting = here.town.booked(editor, key=f"{number}" * 32, day="2026-11-26", **more)
        here.town.booked(approver, key=f"{number + 2}" * 32, day="2026-11-25", **more)
    page = here.visitor("chu-tich", PHONE)
    page.goto(f"{here.address}/tieng/{tongue}")
    paths = ["/", "/duyet", "/lich", "/ke-hoach", "/ban-tin", "/cum-loa", f"/lich-phat/{waiting}"]
    found = {}
    for path in [*paths, "/cum-loa/dong-dang-1/nhung-ngay-toi"]:
        page.goto(here.address + path)
        beyond = page.eval_on_selector_all(
            "main :is(h1, h2, h3, h4, .item-body, .sums li) > :not(.unseen)",
            "all => all.filter((each) => { const box = each.closest('section, ol, ul, main').getBoundingClientRect();"
            " return each.getBoundingClientRect().right > box.right + 5; }).map((each) => each.outerHTML.slice(0, 80))",
        )
        found[path] = [*beyond, *misfits(page), *([f"wider by {overflow(page)}"] if overflow(page) else [])]
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@SCREENS
def test_the_doors_are_accessible_and_fit(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor(None, screen)
    link = here.town.desk.invite(here.town.editor.id, here.town.boss, here.town.now)
    for path in ("/dang-nhap", f"/chao/{link}", "/tieng/en"):
        page.goto(here.address + path)
        assert [*violations(page), *small_targets(page)] == []
        assert overflow(page) == 0
    assert here.troubles == []


@SCREENS
def test_everything_opened_at_once_still_fits_and_is_accessible(here: Place, screen: dict[str, int]) -> None:
    a_day(here.town, here.server.app)
    page = here.visitor("quan-tri", screen)
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung bản tin").fill("QĐ số 15/2026, XYZQ " * 40)
    page.get_by_role("button", name="Xem cách đọc và nghe thử").click()
    expect(page.locator(".spoken")).to_be_visible()
    here.town.voice(page.locator("input[name=draft]").input_value())
    expect(page.locator("#hear audio")).to_be_visible()
    page.get_by_text("Hẹn giờ").click()
    page.get_by_text("Ngày khác").click()
    page.get_by_text("Khẩn cấp", exact=True).click()
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")  # a menu covers
    until(page, "document.getAnimations().every(each => each.effect.getTiming().iterations === Infinity)")
    page.evaluate("scrollTo(0, 0)")  # what is half under the bar is no small target
    assert violations(page) == []
    assert overflow(page) == 0
    for path in ("/duyet", "/ke-hoach", "/ban-tin"):
        page.goto(here.address + path)
        page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
        assert violations(page) == []
        assert overflow(page) == 0
    assert here.troubles == []


def test_an_emergency_looks_like_one_and_is_not_sent_by_a_tap(here: Place) -> None:
    page = here.visitor("chu-tich", PHONE)
    page.goto(here.address + "/soan")
    ordinary = page.locator("header.top").evaluate("each => getComputedStyle(each).backgroundColor")
    expect(page.get_by_label("Gõ tên một địa bàn")).to_be_hidden()
    page.get_by_label("Nội dung bản tin").fill("Lũ quét, rời khỏi vùng trũng ngay.")
    choose(page, "Xã Đồng Đăng")
    page.get_by_text("Khẩn cấp", exact=True).click()
    assert page.locator("header.top").evaluate("each => getComputedStyle(each).backgroundColor") != ordinary
    expect(page.get_by_text("không phải diễn tập")).to_be_visible()
    button = page.get_by_role("button", name="Phát khẩn cấp")
    button.click()
    summary = page.locator("#summary")
    expect(summary).to_be_focused()
    assert here.town.store.bookings.list() == []
    summary.get_by_role("link").click()
    expect(page.get_by_label("Nội dung bản tin")).to_have_value("Lũ quét, rời khỏi vùng trũng ngay.")
    page.get_by_label("Gõ tên một địa bàn").fill("xã đồng đăng")
    button.click()
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 1
    here.troubles[:] = [each for each in here.troubles if "status of 422" not in each]  # chromium says so
    assert here.troubles == []


def test_two_taps_send_once(here: Place) -> None:
    page = here.visitor("chu-tich")
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung bản tin").fill(TEXT)
    choose(page, "Xã Đồng Đăng")
    page.locator("#send-button").dblclick()
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    assert len(here.town.store.bookings.list()) == 1
    assert len(here.town.store.announcements.list()) == 1


def test_an_approver_sees_new_work_arrive_while_writing_a_reason(here: Place) -> None:
    editor = here.town.client(here.server.app, "van-hoa")
    here.town.booked(editor, title="Bản tin một")
    page = here.visitor("chu-tich")
    page.goto(here.address + "/duyet")
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    page.locator(".verdict summary").click()
    page.get_by_label("Lý do trả lại").fill("Sai ngày")
    here.town.booked(editor, key="5" * 32, title="Bản tin hai")
    expect(page.locator("#approval-count .count")).to_contain_text("2", timeout=LIVE_MS)
    expect(page.get_by_label("Lý do trả lại")).to_have_value("Sai ngày")
    page.get_by_role("button", name="Trả lại cho người soạn").click()
    expect(page.get_by_role("heading", name="Bản tin hai")).to_be_visible()
    expect(page.get_by_role("heading", name="Bản tin một")).to_have_count(0)
    assert here.troubles == []


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_an_emergency_is_said_before_the_page_s_turn_has_come(here: Place, screen: dict[str, int]) -> None:
    page = here.visitor("chu-tich", screen)
    page.goto(here.address + "/ke-hoach")
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    held: list[Route] = []
    is_its_turn = threading.Event()

    def passed(route: Route) -> None:
        if is_its_turn.is_set() or "x-live" not in route.request.headers:
            route.continue_()
        else:
            held.append(route)

    page.route("**/*", passed)
    warner = here.town.client(here.server.app, "chu-tich")
    here.town.booked(warner, bulletin_class="emergency", confirm="Xã Đồng Đăng", when="now", title="Lũ quét")
    said = page.get_by_role("status").filter(has_text="Vừa có thay đổi ở một bản tin khẩn cấp")
    expect(said).to_be_visible(timeout=LIVE_MS)
    assert (violations(page), overflow(page)) == ([], 0)
    expect(page.get_by_text("Lũ quét").first).to_have_count(0)
    is_its_turn.set()
    for each in held:
        each.continue_()
    expect(page.get_by_text("Lũ quét").first).to_be_visible(timeout=LIVE_MS)
    expect(page.locator("#live-urgent")).to_be_empty()
    assert here.troubles == []


def test_without_a_stream_the_page_looks_now_and_then(here: Place) -> None:
    page = here.visitor("chu-tich", looks=True)
    page.route("**/su-kien*", lambda route: route.fulfill(status=503))
    page.clock.install()
    page.goto(here.address + "/cum-loa")
    expect(page.locator("#live-state")).to_have_text("Cập nhật mỗi 15 giây")
    here.town.wake("dong-dang-1")
    page.clock.fast_forward(16_000)
    expect(page.get_by_text("Trực tuyến").last).to_be_visible()
    expect(page.locator("tr", has_text="Đồng Đăng 1").get_by_text("Trực tuyến")).to_be_visible()


def test_everything_reads_and_sends_without_scripts(here: Place) -> None:
    page = here.visitor("chu-tich", PHONE, scripts=False)
    page.goto(here.address + "/soan")
    page.get_by_label("Nội dung bản tin").fill(TEXT)
    choose(page, "Thôn 3 Đồng Đăng")
    page.get_by_role("button", name="Xem cách đọc và nghe thử").click()
    expect(page.locator(".spoken")).to_contain_text("Ủy ban nhân dân xã")
    here.town.voice(page.locator("input[name=draft]").input_value())
    page.get_by_role("button", name="Xem đã xong chưa").click()
    expect(page.locator("#hear audio")).to_be_visible()
    page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát").click()
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    [view] = here.town.store.bookings.list()
    assert view.booking.areas == ("lang-son:dong-dang:thon-3",)
    page.get_by_role("link", name="Kế hoạch phát").first.click()
    page.locator(".item-act summary").click()
    page.get_by_role("button", name="Rút khỏi kế hoạch").click()
    expect(page.get_by_text("Chưa có bản tin nào")).to_be_visible()


def test_the_keyboard_alone_signs_in_and_sends_at_a_time(here: Place) -> None:
    page = here.visitor()
    page.goto(here.address + "/dang-nhap")
    tab_to(page, page.get_by_label("Tên đăng nhập"))
    page.keyboard.type("chu-tich")
    tab_to(page, page.get_by_label("Mật khẩu"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Tới nội dung chính")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Soạn bản tin").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Soạn bản tin")).to_be_visible()
    tab_to(page, page.get_by_label("Nội dung bản tin"))
    page.keyboard.type("Mời bà con họp thôn.")
    tab_to(page, page.get_by_role("button", name="Xem cách đọc và nghe thử"))
    page.keyboard.press("Enter")
    expect(page.locator(".spoken")).to_contain_text("Mời bà con họp thôn.")
    tab_to(page, page.get_by_label("Thôn 2 Đồng Đăng"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("radio", name="Phát ngay"))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_role("radio", name="Hôm nay"))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_label("Giờ", exact=True))
    page.keyboard.type("09")
    tab_to(page, page.get_by_label("Phút", exact=True))
    page.keyboard.type("30")
    tab_to(page, page.get_by_role("radio", name=re.compile("^Thông thường")))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    [view] = here.town.store.bookings.list()
    assert view.booking.areas == ("lang-son:dong-dang:thon-2",)
    assert view.booking.start == NOON.replace(day=25, hour=2, minute=30)  # 09:30 tomorrow, in Việt Nam
    assert view.booking.bulletin_class == "priority"
    assert here.troubles == []


def test_nodes_come_and_go_on_the_page_without_reloading(here: Place) -> None:
    page = here.visitor("van-hoa")
    page.goto(here.address + "/cum-loa")
    row = page.locator("tr", has_text="Đồng Đăng 1")
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    expect(row.get_by_text("Chưa kết nối")).to_be_visible()
    page.evaluate("window.stayed = true")
    for number, (state, word) in enumerate([(State.ONLINE, "Trực tuyến"), (State.OFFLINE, "Mất kết nối")], 1):
        here.town.now += timedelta(seconds=1)
        here.town.wake("dong-dang-1", state, cpu_celsius=40.0 + number)
        expect(row.get_by_text(word)).to_be_visible(timeout=LIVE_MS)
        expect(row.get_by_text(f"4{number} °C")).to_be_visible(timeout=LIVE_MS)
    assert page.evaluate("window.stayed") is True
    assert here.troubles == []


def test_a_day_and_time_of_one_s_own_are_sent_from_a_phone(here: Place) -> None:
    page = here.visitor("chu-tich", PHONE)
    page.goto(here.address + "/soan")
    expect(page.get_by_label("Ngày (dd/mm/yyyy)")).to_be_hidden()
    page.get_by_label("Nội dung bản tin").fill(TEXT)
    choose(page, "Xã Đồng Đăng")
    page.get_by_text("Hẹn giờ").click()
    page.get_by_text("Ngày khác").click()
    page.get_by_label("Ngày (dd/mm/yyyy)").fill("20/12/2026")
    page.get_by_label("Giờ", exact=True).select_option("05")
    page.get_by_role("button", name="Gửi và đưa vào kế hoạch phát").click()
    expect(page.get_by_text("05:00 · Chủ nhật 20/12")).to_be_visible()
    assert here.troubles == []


def test_a_wrong_password_is_said_and_the_name_is_kept(here: Place) -> None:
    page = here.visitor(None, PHONE)
    page.goto(here.address + "/ke-hoach")
    page.get_by_label("Tên đăng nhập").fill("van-hoa")
    page.get_by_label("Mật khẩu").fill("sai")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Tên đăng nhập")).to_have_value("van-hoa")
    assert violations(page) == []
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Kế hoạch phát những ngày tới")).to_be_visible()
    page.locator(".account summary").click()
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
