"""Everything that an official and an operator do, done by the keyboard alone, and where the keyboard is meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser import CHROMIUM, LIVE_MS, Place, chromium, place, until
from browser_keys import focused, follow, pick, press, press_to, turn_to, type_in
from makers_programme_pages import applied
from makers_web import NOON, PASSWORD, a_day, opus
from playwright.sync_api import Page, expect

from controller.alarms import Surroundings, Watch
from controller.desk import Wish
from wire.plan import Level
from wire.receipt import Step

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]
UP = Surroundings(True)
PLACES = b"id,latitude,longitude\nlang-son:dong-dang,21.94,106.69\ndong-dang-1,21.95,106.69\ndong-dang-2,21.93,106.72\n"
SEND = "Gửi và đưa vào kế hoạch phát"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with chromium() as chrome, place(chrome) as made:
        town = made.town
        applied(town)
        a_day(town, made.server.app)
        town.desk.locate_all(PLACES, town.boss, town.now)
        above = Wish(
            "Che chắn chuồng trại.", ("lang-son",), town.now + timedelta(days=1), "Chống rét", level=Level.PROVINCE
        )
        town.desk.announce(above, town.boss, town.now)
        watch = Watch(town.store, town.settings)
        for minutes in (0, 4, 2):
            town.now += timedelta(minutes=minutes)
            for number in (1, 3, 4, 5) if minutes == 2 else ():
                town.wake(f"dong-dang-{number}")
            watch.look(UP, town.now)
        yield made


def told(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("status").filter(has_text=words).first).to_be_visible()


def write_and_send(here: Place, page: Page) -> None:
    """Text, reading, places, a day of one's own, the sentence of what it meets, and out."""
    page.goto(here.address + "/soan")
    type_in(page, "Nội dung bản tin", "Mời bà con họp thôn lúc 7h30.")
    press(page, "Xem cách đọc và nghe thử")
    expect(page.locator(".spoken")).to_contain_text("bảy giờ ba mươi")
    assert focused(page)  # where it was, or at what was read
    here.town.voice(page.locator("input[name=draft]").input_value())
    expect(page.locator("#hear audio")).to_be_visible()
    press(page, "Nghe câu 1")
    type_in(page, "Tìm địa bàn", "thon 2 dong")
    press(page, "Thôn 2 Đồng Đăng", "Space")
    turn_to(page, "Phát ngay", "Hẹn giờ")
    turn_to(page, "Ngày mai", "Ngày khác")  # five o'clock is over
    type_in(page, "Ngày (dd/mm/yyyy)", "20/12/2026")
    pick(page, "Giờ", "09")
    pick(page, "Phút", "30")
    turn_to(page, "Thông thường", "Ưu tiên")
    expect(page.locator("#foresight")).to_contain_text("20/12")
    follow(page, SEND)
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    expect(page.get_by_text("09:30 · Chủ nhật 20/12").first).to_be_visible()


def change_and_take_back(here: Place, page: Page) -> None:
    """From the calendar to a bulletin: opened to be changed, sent again, taken back; Escape shuts what was opened."""
    page.goto(here.address + "/lich?tuan=2026-12-14")
    follow(page, "Mời bà con họp thôn")
    press(page, "Rút lại")
    press_to(page, "Rút khỏi kế hoạch")
    page.keyboard.press("Escape")
    assert focused(page) == "Rút lại"
    press_to(page, "Sửa nội dung", key="Shift+Tab")
    page.keyboard.press("Enter")
    follow(page, "Mở để sửa")
    type_in(page, "Tên bản tin", "Họp thôn 2")
    follow(page, SEND)
    expect(page.get_by_role("heading", name="Họp thôn 2")).to_be_visible()
    press(page, "Rút lại")
    follow(page, "Rút khỏi kế hoạch")
    expect(page.get_by_text("Họp thôn 2")).to_have_count(0)


def repeat_and_leave_a_day_out(here: Place, page: Page) -> None:
    page.goto(here.address + "/soan")
    type_in(page, "Nội dung bản tin", "Thể dục buổi sáng.")
    press(page, "Xã Đồng Đăng", "Space")
    turn_to(page, "Phát ngay", "Lặp lại")
    turn_to(page, "Hằng ngày" if page.get_by_label("Hằng ngày").is_checked() else "Hằng tuần", "Hằng ngày")
    follow(page, SEND)
    page.wait_for_load_state()
    if page.locator("#deciding").count():
        follow(page, "Giữ giờ đã chọn")
    expect(page.get_by_text("Đã gửi.")).to_be_visible()
    press_to(page, "Bỏ ngày này")
    page.keyboard.press("Enter")
    follow(page, "Bỏ ngày ")
    told(page, "Đã bỏ ngày")


def record(here: Place, page: Page, folder: Path) -> None:
    """A recording from a file, chosen by keyboard."""
    sound = folder / "ban-ghi.ogg"
    sound.write_bytes(opus(2.0, 440))
    page.on("filechooser", lambda chooser: chooser.set_files(sound))
    page.goto(here.address + "/ban-ghi")
    press_to(page, "Bắt đầu thu")
    press_to(page, "Tệp ghi âm")
    page.keyboard.press("Space")
    until(page, "document.getElementById('file').files.length === 1")
    type_in(page, "Tên bản tin", "Tiếng Tày")
    press(page, "Dùng bản ghi này")
    expect(page.get_by_text("Tiếng Tày").first).to_be_visible(timeout=LIVE_MS)


def judge(here: Place, page: Page) -> None:
    """Approve one and return one; what others send meanwhile takes nothing from under the hands."""
    editor = here.town.client(here.server.app, "van-hoa")
    here.town.booked(editor, key="6" * 32, day="2026-12-01", title="Tết trồng cây")
    page.goto(here.address + "/duyet")
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    press_to(page, "Đồng ý phát: Tết trồng cây")
    here.town.booked(editor, key="7" * 32, day="2026-12-02", title="Sau cùng")
    expect(page.get_by_role("heading", name="Sau cùng")).to_be_visible(timeout=LIVE_MS)
    assert focused(page) == "Đồng ý phát: Tết trồng cây"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tết trồng cây")).to_have_count(0)
    press(page, "Trả lại: Sau cùng")
    page.keyboard.press("Escape")
    assert focused(page) == "Trả lại: Sau cùng"
    page.keyboard.press("Enter")
    type_in(page, "Lý do trả lại", "Sai ngày")
    follow(page, "Trả lại cho người soạn")
    expect(page.get_by_role("heading", name="Sau cùng")).to_have_count(0)


def place_what_came(here: Place, page: Page) -> None:
    page.goto(here.address + "/hop-tin")
    pick(page, "Giờ", "18")
    follow(page, "Xếp lịch phát: Chống rét")
    page.wait_for_load_state()
    told(page, re.compile("."))


def find_and_use_again(here: Place, page: Page) -> None:
    page.goto(here.address + "/ban-tin")
    type_in(page, "Tìm (không cần dấu)", "rac thai")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    follow(page, "Dùng lại: Thu gom rác thải")
    expect(page.get_by_label("Nội dung bản tin")).to_have_value("Thu gom rác.")


def teach(here: Place, page: Page) -> None:
    page.goto(here.address + "/tu-dien")
    type_in(page, "Chữ viết", "Bó Mu")
    type_in(page, "Đọc là", "bó mù")
    follow(page, "Lưu cách đọc")
    follow(page, "Đổi: Bó Mu")
    type_in(page, "Đọc là", "bo mù")
    follow(page, "Lưu cách đọc")
    expect(page.locator("table")).to_contain_text("bo mù")
    press(page, "Bỏ: Bó Mu")
    follow(page, "Bỏ cách đọc này")
    expect(page.locator("main")).to_contain_text("Chưa có từ nào")


def stop(here: Place, page: Page) -> None:
    """Stop is two deliberate keys; a report that comes between them does not take the second away."""
    client = here.town.client(here.server.app, "chu-tich")
    name = here.town.booked(client, title="Thể dục", hour="19", minute="30", key="b" * 32)
    here.town.voice(here.town.announcement_of(name))
    here.town.now = NOON.replace(hour=12, minute=30, microsecond=500_000)
    page.goto(here.address)
    expect(page.locator("#live-state")).to_have_text("Đang cập nhật trực tiếp")
    press(page, "Dừng phát: Thể dục")
    press_to(page, "Dừng “Thể dục”")
    here.town.report(name, "dong-dang-1", Step.STARTED)
    expect(page.get_by_text("đã nghe từ 1/6 cụm loa")).to_be_visible(timeout=LIVE_MS)
    assert focused(page) == "Dừng “Thể dục”"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã dừng “Thể dục”")).to_be_visible()


def programme(here: Place, page: Page) -> None:
    page.goto(here.address + "/khung-chuong-trinh/lang-son:dong-dang/sua")
    press(page, "05:30 Bản tin của xã")
    type_in(page, "Bắt đầu", "5h31")
    type_in(page, "Số phút", "14")
    follow(page, "Kiểm tra và xem trước")
    expect(page.get_by_role("heading", name="Thay đổi trong 14 ngày tới")).to_be_visible()
    follow(page, "Áp dụng từ")
    told(page, "Đã áp dụng khung chương trình")


def test_an_official_does_a_day_by_keyboard(here: Place, tmp_path: Path) -> None:
    page = here.visitor()
    page.goto(here.address + "/dang-nhap")
    type_in(page, "Tên đăng nhập", "chu-tich")
    type_in(page, "Mật khẩu", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Trang chính")).to_be_visible()
    for act in (write_and_send, change_and_take_back, repeat_and_leave_a_day_out, judge, place_what_came):
        act(here, page)
    record(here, page, tmp_path)
    for act in (find_and_use_again, teach, programme, stop):
        act(here, page)
    press(page, "Tài khoản: ")
    follow(page, "Đăng xuất")
    expect(page.get_by_label("Mật khẩu")).to_be_visible()
    assert here.troubles == []


def alarms(here: Place, page: Page) -> None:
    page.goto(here.address + "/canh-bao")
    follow(page, "Xã Đồng Đăng: 1 cụm loa mất liên lạc")
    follow(page, "Nhận xử lý")
    told(page, "Bạn đã nhận xử lý")
    pick(page, "Người xử lý", "Nông Văn Thịnh")
    pick(page, "Hạn sửa xong", "trong 1 ngày")
    follow(page, "Giao việc")
    told(page, "Đã giao việc")
    type_in(page, "Lý do", "Cắt điện")
    follow(page, "Cho im lặng")
    told(page, "Đã cho im lặng")
    follow(page, "Thôi im lặng")
    told(page, "lên tiếng trở lại")


def loudspeaker(here: Place, page: Page) -> None:
    page.goto(here.address + "/cum-loa")
    type_in(page, "Tìm theo tên", "dong dang 1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    follow(page, "Cụm loa Đồng Đăng 1")
    follow(page, "Phát tiếng thử ngay")
    told(page, "Đã gửi tiếng thử")
    press(page, "Đổi âm lượng")
    pick(page, "Từ giờ", "06")
    follow(page, "Lưu âm lượng")
    told(page, "Đã lưu âm lượng")
    press(page, "Đặt bảo trì")
    type_in(page, "Lý do", "Thay ắc quy")
    follow(page, "Bắt đầu bảo trì")
    told(page, "Đã đặt bảo trì")
    follow(page, "Kết thúc bảo trì ngay")
    told(page, "Đã kết thúc bảo trì")


def points(here: Place, page: Page) -> None:
    """The map: Enter opens the point nearest to the middle, then the next; Escape leads back."""
    page.goto(here.address + "/cum-loa/ban-do")
    until(page, "document.getElementById('map').dataset.drawn !== undefined")
    press_to(page, "Bản đồ cụm loa.")
    names = set()
    for _ in range(2):
        page.keyboard.press("Enter")
        assert focused(page) == "Mở trang cụm loa"
        names.add(page.locator(".leaflet-popup p.strong").last.inner_text())
        page.keyboard.press("Escape")
        assert focused(page).startswith("Bản đồ cụm loa.")
    assert len(names) == 2
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/cum-loa/dong-dang-"))


def report(here: Place, page: Page) -> None:
    page.goto(here.address + "/bao-cao")
    type_in(page, "Từ ngày", "01/11/2026")
    pick(page, "Địa bàn", "Xã Đồng Đăng")
    follow(page, "Xem báo cáo")
    expect(page).to_have_url(re.compile("dia-ban=lang-son%3Adong-dang"))
    press_to(page, "Tải bảng Excel")


def people(here: Place, page: Page) -> None:
    page.goto(here.address + "/nguoi-dung")
    type_in(page, "Họ và tên", "Lý Thị Dung")
    type_in(page, "Tên đăng nhập", "dung.ly")
    turn_to(page, "Người soạn", "Người duyệt")
    pick(page, "Địa bàn", "Xã Đồng Đăng")
    follow(page, "Thêm và lấy liên kết")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lý Thị Dung")


def tokens(here: Place, page: Page) -> None:
    page.goto(here.address + "/tai-khoan/khoa-api")
    type_in(page, "Tên chương trình", "bao-cao")
    press(page, "Người", "Space")
    pick(page, "Địa bàn", "Xã Đồng Đăng")
    type_in(page, "Hết hạn", "31/12/2026")
    follow(page, "Cấp khóa")
    expect(page.get_by_role("heading", level=1)).to_contain_text("bao-cao")


def log(here: Place, page: Page) -> None:
    page.goto(here.address + "/nhat-ky")
    pick(page, "Xem loại nào", "Ra vào")
    follow(page, "Xem")
    expect(page).to_have_url(re.compile("loc=vao-ra"))


def test_an_operator_does_a_night_by_keyboard(here: Place) -> None:
    page = here.visitor("quan-tri")
    for act in (alarms, loudspeaker, points, report, people, tokens, log):
        act(here, page)
    assert [each for each in here.troubles if "readback" not in each] == []
