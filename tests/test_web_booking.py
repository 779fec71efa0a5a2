"""Booking on the page without scripts: a taken time is told before anything is saved, and what comes again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import makers_programmes as slots
import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import HAMLET, NOON, TEXT, Town, composed, form_key, send, settled_town
from werkzeug.test import TestResponse

from controller.desk import Desk, Wish
from controller.store.rows import BookingRow
from controller.web.rule_words import in_words
from schedules.calendars import Recurrence
from schedules.moments import read
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire.config import Limits, QuietHours

ZONE = "Asia/Ho_Chi_Minh"
THOUSANDS = " ".join(f"{1 + n % 28}/{1 + n // 28 % 12}/{2027 + n // 336}" for n in range(3000))
TAKEN = "Chưa gửi: trùng giờ phát"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def client(town: Town, app: Flask) -> FlaskClient:
    return town.client(app, "chu-tich")


def at(clock: str) -> Any:
    return read(clock, NOON, ZONE)


def sent(town: Town, answer: TestResponse) -> BookingRow:
    """The booking that a sending led to."""
    assert answer.status_code == 303, answer.text
    row = town.store.bookings.get(answer.location.split("/")[-1].split("?")[0])
    assert row is not None
    return row


def taken(town: Town, client: FlaskClient, **changed: object) -> TestResponse:
    """Five in the afternoon is taken by another, and asked for again: what the page answers."""
    town.booked(client, key="a" * 32, title="Bản tin sáng", text=TEXT * 13)
    return send(client, **{"key": "b" * 32} | changed)


def choices(answer: TestResponse) -> dict[str, str]:
    """What the buttons of the page offer, by their words."""
    return {words: value for value, words in re.findall(r'name="choice" value="([^"]+)"[^>]*>([^<]+)<', answer.text)}


def test_a_taken_time_is_told_in_a_sentence_and_nothing_is_saved(town: Town, client: FlaskClient) -> None:
    answer = taken(town, client)
    assert answer.status_code == 200
    assert TAKEN in answer.text
    assert "Lúc 17:00 ngày 24/11, 6 cụm loa phát “Bản tin sáng” (1 phút 53 giây)" in answer.text
    assert list(choices(answer)) == [
        "Phát ngay sau đó, lúc 17:02",
        "Chuyển sang 16:55",
        "Giữ giờ đã chọn, phát lần lượt",
        "Thôi không gửi, giữ làm bản nháp",
    ]
    assert "Hôm nay: đã đặt 2 phút; bản tin này thêm khoảng 9 giây." in answer.text
    assert TEXT in answer.text
    assert len(town.store.bookings.list()) == 1


@pytest.mark.parametrize(("words", "clock"), [("Phát ngay sau đó, lúc 17:02", "17:02"), ("Chuyển sang 16:55", "16:55")])
def test_an_offer_is_sent_with_its_own_time(town: Town, client: FlaskClient, words: str, clock: str) -> None:
    choice = choices(taken(town, client))[words]
    assert sent(town, send(client, key="b" * 32, choice=choice)).start == at(f"24/11/2026 {clock}")


def test_who_keeps_the_time_keeps_it(town: Town, client: FlaskClient) -> None:
    taken(town, client)
    assert sent(town, send(client, key="b" * 32, choice="keep")).start == at("24/11/2026 17:00")


def test_who_leaves_it_finds_it_among_the_drafts(town: Town, client: FlaskClient) -> None:
    taken(town, client, title="Họp thôn")
    answer = send(client, key="b" * 32, title="Họp thôn", choice="leave")
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "Chưa gửi. Nội dung được giữ trong Bản nháp." in page
    assert "Họp thôn" in page
    assert len(town.store.bookings.list()) == 1


def test_a_double_tap_on_a_choice_sends_once_and_is_not_in_its_own_way(town: Town, client: FlaskClient) -> None:
    choice = choices(taken(town, client))["Chuyển sang 16:55"]
    first = send(client, key="b" * 32, choice=choice)
    assert [send(client, key="b" * 32, choice=each).location for each in (choice, "keep", "")] == [first.location] * 3
    assert len(town.store.bookings.list()) == 2


def test_sending_again_without_a_choice_asks_again(town: Town, client: FlaskClient) -> None:
    for choice in ("", "at once", "but 2026-11-24", "at 2026-11-24T10:01+0000"):
        assert TAKEN in taken(town, client, choice=choice).text
    assert len(town.store.bookings.list()) == 1


def test_only_the_places_that_are_free_are_offered(town: Town, client: FlaskClient) -> None:
    town.booked(client, key="a" * 32, title="Của thôn 2", areas=[HAMLET], text=TEXT * 13)
    answer = send(client, key="b" * 32)
    words = next(each for each in choices(answer) if each.startswith("Chỉ phát ở nơi"))
    assert "Thôn 1 Đồng Đăng, Thôn 3 Đồng Đăng" in words
    row = sent(town, send(client, key="b" * 32, choice=choices(answer)[words]))
    assert row.areas == tuple(f"lang-son:dong-dang:thon-{number}" for number in (1, 3, 4, 5, 6))


def test_an_emergency_is_never_held_up(town: Town, client: FlaskClient) -> None:
    answer = taken(town, client, bulletin_class="emergency", confirm="Xã Đồng Đăng")
    assert sent(town, answer).start == at("24/11/2026 17:00")


def test_what_the_form_would_meet_is_shown_before_it_is_sent(town: Town, client: FlaskClient) -> None:
    town.booked(client, key="a" * 32, title="Bản tin sáng")
    fields = composed(client, key="b" * 32)
    page = client.post("/xem-truoc", data=fields)
    assert "Trùng giờ phát" in page.text
    assert list(choices(page)) == ["Phát ngay sau đó, lúc 17:01", "Chuyển sang 16:55"]
    moved = client.post("/xem-truoc", data=fields | {"choice": choices(page)["Chuyển sang 16:55"]})
    assert "Không trùng với bản tin hay chương trình nào." in moved.text
    assert "<option selected>55</option>" in moved.text
    part = client.post("/xem-truoc", data=fields, headers={"X-Live": "1"}).text
    assert part.strip().startswith("<section")
    assert "<html" not in part
    assert len(town.store.bookings.list()) == 1


def test_an_emergency_is_told_what_it_cuts(town: Town, client: FlaskClient) -> None:
    town.booked(client, key="a" * 32, title="Bản tin sáng", text=TEXT * 13)
    fields = composed(client, bulletin_class="emergency", minute="01", confirm="")
    page = client.post("/xem-truoc", data=fields).text
    assert "bản tin khẩn cấp này sẽ cắt ngang “Bản tin sáng” trên 6 cụm loa" in page
    assert 'name="choice"' not in page


def test_what_cannot_be_is_said_while_looking_ahead(client: FlaskClient) -> None:
    for changed, words in (
        ({"hour": "22"}, "giờ yên tĩnh"),
        ({"day": "other", "date": "32/13/2026"}, "Hãy chọn ngày và giờ phát"),
        ({"areas": ["lang-son:tam-thanh"]}, "không phụ trách"),
    ):
        answer = client.post("/xem-truoc", data=composed(client, **changed))
        assert words in answer.text
        part = client.post("/xem-truoc", data=composed(client, **changed), headers={"X-Live": "1"})
        assert words in part.text


def test_the_budget_names_what_the_policy_allows(town: Town, client: FlaskClient) -> None:
    rules = Rulebook(Limits(day_minutes=(45,) * 7))
    town.desk.set_policy(Policy("lang-son:dong-dang", date(2026, 1, 1), rules), town.boss, NOON)
    town.booked(client, key="a" * 32, text=TEXT * 13)
    page = client.post("/xem-truoc", data=composed(client, hour="18")).text
    assert "Hôm nay: đã đặt 2 trong 45 phút; bản tin này thêm khoảng 9 giây." in page


# --- again and again, and in a slot ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "rule", "start"),
    [
        ({"repeat": "daily"}, "FREQ=DAILY", "24/11/2026 17:00"),
        ({"repeat": "weekly", "weekdays": ["MO"], "weeks": "2"}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "24/11/2026 17:00"),
        ({"repeat": "monthly", "month_day": "-1"}, "FREQ=MONTHLY;BYMONTHDAY=-1", "24/11/2026 17:00"),
        ({"repeat": "lunar", "lunar": ["1", "15"], "lunar_other": "15/7"}, "LUNAR:1,15,15/7", "24/11/2026 17:00"),
        ({"repeat": "dates", "dates": "27/11/2026, 25/11/2026"}, "DATES:20261125,20261127", "25/11/2026 17:00"),
        ({"repeat": "rule", "rule": "FREQ=MONTHLY;BYDAY=1MO"}, "FREQ=MONTHLY;BYDAY=1MO", "24/11/2026 17:00"),
    ],
)  # fmt: skip
def test_what_comes_again_is_booked_on_the_page(
    town: Town, client: FlaskClient, fields: dict[str, Any], rule: str, start: str
) -> None:
    more = {"when": "repeat", "until": "31/12/2026", "but": "01/12/2026"}
    row = sent(town, send(client, **more, **fields))
    assert row.start == at(start)
    assert row.recurrence == Recurrence(rule, ZONE, ("2026-12-01",), at("31/12/2026 23:59:59"))


def test_the_next_five_moments_are_shown_before_it_is_sent(client: FlaskClient) -> None:
    page = client.post("/xem-truoc", data=composed(client, when="repeat", repeat="weekly", weekdays=["MO", "TH"])).text
    found = re.findall(r"<li>(17:00 · [^<]+)</li>", page)
    assert found == [
        "17:00 · Thứ Năm 26/11/2026",
        "17:00 · Thứ Hai 30/11/2026",
        "17:00 · Thứ Năm 03/12/2026",
        "17:00 · Thứ Hai 07/12/2026",
        "17:00 · Thứ Năm 10/12/2026",
    ]


def test_days_that_are_taken_may_be_left_out(town: Town, client: FlaskClient) -> None:
    town.booked(client, key="a" * 32, day="2026-11-26", text=TEXT * 13)
    fields: dict[str, Any] = {"key": "b" * 32, "when": "repeat", "repeat": "daily"}
    answer = send(client, **fields)
    assert TAKEN in answer.text
    choice = choices(answer)["Bỏ các ngày trùng: 26/11"]
    row = sent(town, send(client, **fields, choice=choice))
    assert row.recurrence == Recurrence("FREQ=DAILY", ZONE, ("2026-11-26",))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"repeat": "weekly"}, "weekdays", "ít nhất một thứ"),
        ({"repeat": "weekly", "weekdays": ["MO", "<b>"]}, "weekdays", "ít nhất một thứ"),
        ({"repeat": "weekly", "weekdays": ["MO"], "weeks": "-1"}, "weeks", "từ 1 đến 8"),
        ({"repeat": "monthly", "month_day": "32"}, "month_day", "từ 1 đến 31"),
        ({"repeat": "lunar"}, "lunar", "ngày âm lịch"),
        ({"repeat": "lunar", "lunar_other": "31/13"}, "lunar", "không phải là ngày âm lịch"),
        ({"repeat": "dates", "dates": "31/11/2026"}, "dates", "“31/11/2026” không phải là ngày"),
        ({"repeat": "dates", "dates": "01/01/2020"}, "repeat", "không phát lần nào"),
        ({"repeat": "rule", "rule": "FREQ=SECONDLY"}, "repeat", "quá dày"),
        ({"repeat": "rule", "rule": "DROP TABLE"}, "rule", "Không đọc được quy tắc"),
        ({"repeat": "daily", "until": "01/01/2020"}, "until", "đứng trước"),
        ({"repeat": "daily", "until": "mai"}, "until", "31/12/2026"),
        ({"repeat": "daily", "but": "một ngày nào đó"}, "but", "“một” không phải là ngày"),
        ({"repeat": "daily", "but": THOUSANDS}, "but", "tối đa 400"),
        ({"repeat": "daily", "hour": "22"}, "when", "giờ yên tĩnh"),
        ({"repeat": "daily", "hour": "25"}, "when", "Hãy chọn ngày và giờ"),
        ({"repeat": "daily", "bulletin_class": "emergency", "confirm": "Xã Đồng Đăng"}, "class", "không thể đặt lặp"),
    ],
)  # fmt: skip
def test_a_hostile_repetition_is_answered_beside_its_field_and_nothing_is_lost(
    town: Town, client: FlaskClient, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = send(client, when="repeat", **fields)
    assert answer.status_code == 422
    assert re.search(f'<p class="wrong" id="{field}-wrong">[^<]*{re.escape(words)}', answer.text)
    assert TEXT in answer.text
    for name in ("dates", "rule", "until", "but", "lunar_other"):
        assert str(fields.get(name, "")) in answer.text
    assert town.store.bookings.list() == []


def test_an_unknown_way_to_repeat_is_a_weekly_one_and_a_huge_form_is_read(town: Town, client: FlaskClient) -> None:
    answer = send(client, when="repeat", repeat="hourly", weekdays=["MO"] * 300)
    recurrence = sent(town, answer).recurrence
    assert recurrence is not None
    assert recurrence.rule == "FREQ=WEEKLY;BYDAY=MO"


def test_an_announcement_asks_for_a_slot_where_there_is_a_programme(town: Town, client: FlaskClient) -> None:
    assert "Trong khung chương trình" not in client.get("/soan").text
    town.desk.apply_programme(slots.TEXT, None, town.approver, NOON)
    assert "Bản tin chiều, 17:00 (ban-tin-xa)" in client.get("/soan").text
    page = client.post("/xem-truoc", data=composed(client, when="slot", slot="ban-tin-xa")).text
    assert "Sẽ phát: 17:00 · Thứ Ba 24/11/2026." in page
    row = sent(town, send(client, when="slot", slot="ban-tin-xa"))
    assert (row.slot, row.start) == ("ban-tin-xa", None)


@pytest.mark.parametrize("name", ["", "khong-co", "x" * 300, "<script>"])
def test_an_unknown_slot_is_refused_beside_the_field(town: Town, client: FlaskClient, name: str) -> None:
    town.desk.apply_programme(slots.TEXT, None, town.approver, NOON)
    answer = send(client, when="slot", slot=name)
    assert answer.status_code == 422
    assert 'id="slot-wrong"' in answer.text
    assert "<script>" not in answer.text.replace('<script type="module"', "")


def test_a_slot_without_a_programme_is_refused(client: FlaskClient) -> None:
    answer = send(client, when="slot", slot="ban-tin-xa")
    assert (answer.status_code, "chưa có chung một khung chương trình" in answer.text) == (422, True)


def test_what_came_again_and_is_taken_back_keeps_its_days_in_the_form(
    town: Town, app: Flask, client: FlaskClient
) -> None:
    fields: dict[str, Any] = {"when": "repeat", "repeat": "weekly", "weekdays": ["MO", "FR"], "areas": [HAMLET]}
    row = sent(town, send(client, **fields, until="31/12/2026", but="30/11/2026", minute="35"))
    answer = client.post(f"/soan/{row.announcement}/sua", data={"csrf_token": form_key(client)}, follow_redirects=True)
    page = answer.text
    assert 'name="when" value="repeat" checked' in page
    assert re.findall(r'name="weekdays" value="(\w\w)" checked', page) == ["MO", "FR"]
    assert 'value="31/12/2026"' in page
    assert "30/11/2026</textarea>" in page.replace("\n", "")
    assert re.findall(r'name="areas" value="([^"]+)" checked', page) == [HAMLET]
    assert "<option selected>35</option>" in page
    stranger = town.client(app, "tam-thanh")
    assert stranger.get(answer.request.path, query_string={"tu": row.id}).status_code == 404


def test_what_was_to_come_once_keeps_its_time_in_the_form(town: Town, client: FlaskClient) -> None:
    row = sent(town, send(client, day="2026-11-26", minute="35"))
    page = client.post(
        f"/soan/{row.announcement}/sua", data={"csrf_token": form_key(client)}, follow_redirects=True
    ).text
    assert 'name="when" value="at" checked' in page
    assert 'name="day" value="2026-11-26" checked' in page
    assert "<option selected>35</option>" in page


def test_a_day_beyond_the_chips_stands_in_the_field_for_another_day(town: Town, client: FlaskClient) -> None:
    row = sent(town, send(client, day="other", date="24/12/2026"))
    page = client.post(
        f"/soan/{row.announcement}/sua", data={"csrf_token": form_key(client)}, follow_redirects=True
    ).text
    assert 'name="day" value="other" checked' in page
    assert 'maxlength="10" value="24/12/2026"' in page


def test_what_was_returned_opens_with_its_days(town: Town, app: Flask, client: FlaskClient) -> None:
    editor = town.client(app, "van-hoa")
    row = sent(town, send(editor, when="repeat", repeat="lunar", lunar=["15"], areas=[HAMLET]))
    town.desk.return_(row.announcement, "Sửa lại", town.approver, NOON + timedelta(minutes=1))
    page = editor.get(f"/soan/{row.announcement}").text
    assert 'name="repeat" value="lunar" checked' in page
    assert 'name="lunar" value="15" checked' in page


def test_over_midnight_a_repetition_stands_where_the_night_is_not_quiet(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        desk = Desk(town.store, ZONE, lambda: None, QuietHours("00:00", "00:00"))
        start = at("24/11/2026 23:59")
        wish = Wish(TEXT * 13, ("lang-son:dong-dang",), start, recurrence=Recurrence("FREQ=DAILY", ZONE))
        desk.announce(wish, town.approver, NOON)
        met = desk.foresee(Wish(TEXT, ("lang-son:dong-dang",), at("25/11/2026 00:00")), town.approver, NOON)
        assert [each.other.airing.start for each in met.conflicts] == [start]


# --- the booking, and its days --------------------------------------------------------------------------------------


def weekly(town: Town, client: FlaskClient, **changed: object) -> BookingRow:
    """Mondays and Thursdays at five, until the end of the year."""
    fields = {"when": "repeat", "repeat": "weekly", "weekdays": ["MO", "TH"], "until": "31/12/2026", "choice": "keep"}
    return sent(town, send(client, **fields | changed))


def test_the_page_of_a_booking_says_its_rule_in_words_and_its_next_moments(town: Town, client: FlaskClient) -> None:
    row = weekly(town, client, but="30/11/2026")
    page = client.get(f"/lich-phat/{row.id}").text
    assert "Thứ Hai, Thứ Năm hằng tuần, lúc 17:00, đến hết ngày 31/12/2026, trừ 30/11/2026" in page
    assert re.findall(r'name="ngay" value="([^"]+)"', page)[:3] == ["26/11/2026", "03/12/2026", "07/12/2026"]
    client.get("/tieng/en")
    assert (
        "Monday, Thursday, weekly, at 17:00, until 31/12/2026, but not on 30/11/2026"
        in client.get(f"/lich-phat/{row.id}").text
    )


def test_one_day_is_left_out_and_the_others_stay(town: Town, client: FlaskClient) -> None:
    row = weekly(town, client)
    town.voice(row.announcement)
    fields = {"csrf_token": form_key(client), "ngay": "26/11/2026", "biet": "0"}
    answer = client.post(f"/lich-phat/{row.id}/bo-ngay", data=fields, follow_redirects=True)
    assert "Đã bỏ ngày 26/11/2026." in answer.text
    assert "Đang lặp lại" in answer.text
    assert 'value="26/11/2026"' not in answer.text
    kept = town.store.bookings.get(row.id)
    assert kept is not None
    assert kept.recurrence is not None
    assert kept.recurrence.but == ("2026-11-26",)
    assert "Bỏ một ngày phát" in town.client(client.application, "quan-tri").get("/nhat-ky").text
    again = client.post(f"/lich-phat/{row.id}/bo-ngay", data=fields | {"ngay": "30/11/2026"})
    assert (again.status_code, "Người khác vừa sửa" in again.text) == (422, True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ngay": "32/13/2026", "biet": "0"}, 400),
        ({"ngay": "26/11/2026", "biet": "-1"}, 400),
        ({"ngay": "26/11/2026", "biet": "9" * 5000}, 400),
        ({"ngay": "26/11/2026"}, 400),
        ({"biet": "0"}, 400),
        ({"ngay": "25/11/2026", "biet": "0"}, 422),
        ({"ngay": "01/01/0001", "biet": "0"}, 422),
    ],
)
def test_a_day_that_is_none_is_answered_and_changes_nothing(
    town: Town, client: FlaskClient, fields: dict[str, str], code: int
) -> None:
    row = weekly(town, client)
    assert (
        client.post(f"/lich-phat/{row.id}/bo-ngay", data={"csrf_token": form_key(client)} | fields).status_code == code
    )
    assert town.store.bookings.get(row.id) == row


def test_a_day_is_left_out_by_nobody_else(town: Town, app: Flask, client: FlaskClient) -> None:
    row = weekly(town, client)
    for who, code in (("van-hoa", 422), ("tam-thanh", 404)):
        other = town.client(app, who)
        fields = {"csrf_token": form_key(other), "ngay": "26/11/2026", "biet": "0"}
        assert other.post(f"/lich-phat/{row.id}/bo-ngay", data=fields).status_code == code
    assert "Bỏ ngày này" not in town.client(app, "van-hoa").get(f"/lich-phat/{row.id}").text
    assert town.store.bookings.get(row.id) == row


def test_who_approves_sees_what_is_met_at_that_moment(town: Town, app: Flask, client: FlaskClient) -> None:
    editor = town.client(app, "van-hoa")
    row = weekly(town, editor, key="c" * 32)
    assert "Trùng giờ phát" not in client.get("/duyet").text
    town.booked(client, key="a" * 32, day="2026-11-26", title="Bản tin sáng", text=TEXT * 13)
    page = client.get("/duyet").text
    assert "Lúc 17:00 ngày 26/11, 6 cụm loa phát “Bản tin sáng” (1 phút 53 giây)" in page
    assert "Thứ Hai, Thứ Năm hằng tuần, lúc 17:00" in page
    assert "Ngày 26/11/2026: đã đặt 2 phút; bản tin này thêm khoảng 9 giây." in page
    approved = client.post(f"/duyet/{row.announcement}/dong-y", data={"csrf_token": form_key(client), "seen": "1"})
    assert approved.status_code == 303
    assert "Trùng giờ phát" in client.get(f"/lich-phat/{row.id}").text


def test_what_every_coming_did_is_on_the_page_of_its_booking(town: Town, client: FlaskClient) -> None:
    row = weekly(town, client)
    town.now = NOON + timedelta(days=2, hours=6)
    town.report(f"{row.id}:20261126t100000", "dong-dang-1", planned_start=at("26/11/2026 17:00"))
    page = town.client(client.application, "chu-tich").get(f"/lich-phat/{row.id}").text
    assert "Cụm loa Đồng Đăng 1" in page
    assert "Thứ Hai, Thứ Năm hằng tuần" in page


@pytest.mark.parametrize(
    ("recurrence", "words"),
    [
        (Recurrence("FREQ=DAILY"), "Hằng ngày, lúc 17:00"),
        (Recurrence("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"), "Hằng ngày, lúc 17:00"),
        (Recurrence("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"), "Chủ nhật, 2 tuần một lần, lúc 17:00"),
        (Recurrence("FREQ=MONTHLY;BYMONTHDAY=5"), "Ngày 5 hằng tháng, lúc 17:00"),
        (Recurrence("FREQ=MONTHLY;BYMONTHDAY=-1"), "Ngày cuối hằng tháng, lúc 17:00"),
        (Recurrence("LUNAR:1,2"), "Mùng một âm lịch hằng tháng, ngày 2 âm lịch hằng tháng, lúc 17:00"),
        (Recurrence("LUNAR:15,30"), "Rằm hằng tháng, ngày cuối tháng âm lịch, lúc 17:00"),
        (Recurrence("LUNAR:15/7,TET-1,TET+2,TET"),
         "Mùng một Tết, ngày 15/7 âm lịch hằng năm, 1 ngày trước mùng một Tết, 2 ngày sau mùng một Tết, lúc 17:00"),
        (Recurrence("DATES:20261125,20261201"), "Các ngày 25/11/2026, 01/12/2026, lúc 17:00"),
        (Recurrence("FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=2"), "Theo quy tắc FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=2"),
        (Recurrence("FREQ=DAILY", but=tuple(f"2026-12-0{day}" for day in range(1, 9))),
         f"Hằng ngày, lúc 17:00, trừ {', '.join(f'0{day}/12/2026' for day in range(1, 7))} và 2 ngày khác"),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words(recurrence: Recurrence, words: str) -> None:
    assert in_words(recurrence, at("24/11/2026 17:00"), "vi") == words
    assert in_words(recurrence, at("24/11/2026 17:00"), "en")


@pytest.mark.parametrize(("typed", "kept"), [("duck", "duck"), ("drop", "drop"), ("nonsense", "resume")])
def test_what_becomes_of_it_when_an_emergency_cuts_in_is_chosen(
    town: Town, client: FlaskClient, typed: str, kept: str
) -> None:
    row = sent(town, send(client, after_cut=typed))
    assert row.after_cut.value == kept
    assert 'name="after_cut"' in client.get("/soan").text
    town.voice(town.announcement_of(row.id))
    (planned,) = [each for each in town.store.bookings.to_plan(NOON) if each.id == row.id]
    assert (planned.after_cut.value, planned.duck) == ("resume" if kept == "duck" else kept, kept == "duck")
