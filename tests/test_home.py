"""The home page and the calendar without a browser: what is on the air, who may stop it, what comes, the week."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from makers_web import HAMLET, NOON, Town, form_key, settled_town

from controller.readiness import Missing, Readiness
from controller.roster import Node
from controller.store.held import HeldBack
from controller.store.rows import AnnouncementState, BookingState, VoiceState
from controller.web import airings, weekly
from controller.web.journey import legs
from controller.web.on_air import OnAir
from controller.web.reading import Progress
from schedules.booking import Booking
from schedules.calendars import facts_of
from wire import codec, seal
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Plan
from wire.receipt import Step
from wire.seal import Signer

ZONE = "Asia/Ho_Chi_Minh"
AT_FIVE = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


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


def booking(name: str, *starts: datetime, length: timedelta = 5 * MINUTE, **changed: object) -> Booking:
    sound = Asset("0" * 64, 1, int(length.total_seconds() * 1000), "audio/ogg", url="")
    facts: dict[str, object] = {"id": name, "title": name, "areas": ("a",), "starts": starts, "asset": sound}
    return Booking(**facts | changed)  # type: ignore[arg-type]


# --- what sounds, what comes ---------------------------------------------------------------------------------


def test_it_is_on_from_its_start_until_its_length_has_passed() -> None:
    (one,) = airings.lately([booking("a", AT_FIVE)], AT_FIVE)
    assert one.span.is_planned(AT_FIVE)
    assert one.span.is_planned(AT_FIVE + 5 * MINUTE - timedelta(seconds=1))
    assert not one.span.is_planned(AT_FIVE + 5 * MINUTE)
    assert airings.lately([booking("a", AT_FIVE)], AT_FIVE - timedelta(seconds=1)) == []
    assert airings.lately([booking("a", AT_FIVE)], AT_FIVE + timedelta(hours=4)) == []
    late = AT_FIVE + timedelta(hours=1)
    assert airings.lately([booking("a", AT_FIVE)], late) == [], "it can sound no more, and nobody is asked about it"


def test_words_without_audio_are_taken_to_sound_a_minute() -> None:
    (one,) = airings.lately([booking("a", AT_FIVE, asset=None)], AT_FIVE)
    assert one.until == AT_FIVE + MINUTE


def test_the_most_important_comes_first_and_each_coming_has_its_own_name() -> None:
    plain = booking("plain", AT_FIVE - MINUTE)
    siren = booking("siren", AT_FIVE, bulletin_class=BulletinClass.EMERGENCY)
    daily = booking("daily", AT_FIVE - timedelta(days=1), AT_FIVE - 2 * MINUTE, repeats=True)
    found = airings.lately([plain, daily, siren], AT_FIVE)
    assert [each.job for each in found] == ["siren", "daily:20261124t095800", "plain"]


def test_the_next_three_are_the_nearest_of_all_and_none_that_is_held_back() -> None:
    hourly = booking("hourly", *(AT_FIVE + timedelta(hours=n) for n in range(5)), repeats=True)
    other = booking("other", AT_FIVE + 90 * MINUTE)
    found = airings.next_ones([hourly, other], AT_FIVE)
    assert [each.start - AT_FIVE for each in found] == [timedelta(hours=1), 90 * MINUTE, timedelta(hours=2)]
    without = airings.next_ones([hourly, other], AT_FIVE, left_out=lambda each: each.start == AT_FIVE + 60 * MINUTE)
    assert [each.start - AT_FIVE for each in without] == [90 * MINUTE, timedelta(hours=2), timedelta(hours=3)]


# --- weeks and bands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("", "2026-11-23"),
        ("2026-11-29", "2026-11-23"),
        ("2026-11-30", "2026-11-30"),
        ("2099-01-01", "2026-11-23"),
        ("0001-01-01", "2026-11-23"),
        ("9999-12-31", "2026-11-23"),
        ("<script>", "2026-11-23"),
    ],
)
def test_a_week_begins_on_its_monday_whatever_is_asked(asked: str, first: str) -> None:
    assert weekly.monday(asked, date(2026, 11, 24)) == date.fromisoformat(first)


def entry(job: str, start: datetime, **changed: object) -> weekly.Entry:
    facts: dict[str, object] = {"booking": job, "title": job, "length": MINUTE}
    return weekly.Entry(job=job, start=start, bulletin_class=BulletinClass.ORDINARY, **facts | changed)  # type: ignore[arg-type]


def test_bands_come_from_what_is_there_and_each_job_stands_once() -> None:
    first = date(2026, 11, 23)
    five = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # 05:00 of the 25th there
    made = weekly.laid(
        [entry("evening", AT_FIVE), entry("morning", five), entry("evening", AT_FIVE, stage="voicing")],
        first,
        ZONE,
        facts_of,
    )
    assert made.bands == ("morning", "evening")
    assert [len(day.bands["morning"]) for day in made.days] == [0, 0, 1, 0, 0, 0, 0]
    assert [each.stage for each in made.days[1].bands["evening"]] == [""]
    assert weekly.laid([], first, ZONE, facts_of).bands == ()
    assert made.until == date(2026, 11, 29)


# --- the way of a broadcast ----------------------------------------------------------------------------------


def test_the_legs_tell_what_is_done_and_what_is_being_done(town: Town, client: FlaskClient) -> None:
    name = town.booked(client)
    view = town.store.bookings.view(name)
    assert view is not None
    nodes = [Node(f"n-{n}", "N", "a", "", NOON) for n in range(3)]

    def told(*rest: object, **changed: object) -> list[tuple[str, str, int, int]]:
        made = legs(replace(view, **changed), *rest)  # type: ignore[arg-type]
        return [(each.name, each.state, each.count, each.of) for each in made]

    assert [state for _, state, _, _ in told(None, None)] == ["done", "doing", "ahead", "ahead"]
    submitted = told(None, None, announcement_state=AnnouncementState.SUBMITTED)
    assert [state for _, state, _, _ in submitted] == ["doing", "ahead", "ahead", "ahead"]
    assert told(None, None, voice_state=VoiceState.FAILED)[1][1] == "failed"
    ready = Readiness(3, (Missing(nodes[0], "coming"),), 1)
    assert told(ready, None, voice_state=VoiceState.DONE)[2] == ("fetched", "doing", 2, 3)
    assert told(None, Progress(3, 1, 0), voice_state=VoiceState.DONE)[3] == ("sounded", "doing", 1, 3)
    assert told(None, Progress(3, 2, 1), voice_state=VoiceState.DONE)[3] == ("sounded", "done", 2, 3)
    assert told(None, Progress(3, 0, 3), voice_state=VoiceState.DONE)[3] == ("sounded", "failed", 0, 3)


# --- the page ------------------------------------------------------------------------------------------------


def sounding(town: Town, client: FlaskClient, **changed: object) -> str:
    """A booking that has begun a second ago."""
    name = town.booked(client, hour="12", minute="05", **changed)
    town.voice(town.announcement_of(name))
    town.now = NOON + 5 * MINUTE + timedelta(milliseconds=500)
    return name


def test_the_plan_is_believed_until_a_loudspeaker_tells_and_said_so(town: Town, client: FlaskClient) -> None:
    name = sounding(town, client, title="Họp thôn")
    page = client.get("/").text
    assert "theo kế hoạch, chưa cụm loa nào báo" in page
    for number in (1, 2):
        town.report(name, f"dong-dang-{number}", Step.STARTED)
    assert "đã nghe từ 2/6 cụm loa" in client.get("/").text
    for number in range(1, 7):
        town.report(name, f"dong-dang-{number}")
    assert "không có bản tin nào đang phát" in client.get("/").text


def test_who_told_a_beginning_and_then_nothing_is_not_believed_for_ever(town: Town, client: FlaskClient) -> None:
    name = sounding(town, client)
    town.report(name, "dong-dang-1", Step.STARTED)
    town.now += 10 * MINUTE
    assert "đã nghe từ 1/6" in client.get("/").text
    town.now += timedelta(hours=1)
    assert "không có bản tin nào đang phát" in client.get("/").text


def test_stop_takes_it_back_and_offers_to_write_it_again(town: Town, app: Flask, client: FlaskClient) -> None:
    name = sounding(town, client, title="Họp thôn")
    page = client.get("/").text
    assert "Dừng “Họp thôn”" in page
    assert "khỏi 6 cụm loa" in page
    assert "Dừng “Họp thôn”" not in town.client(app, "van-hoa").get("/").text  # not hers, and she approves nothing
    answer = client.post(f"/lich-phat/{name}/dung", data={"csrf_token": form_key(client)})
    page = client.get(answer.location).text
    assert "Đã dừng “Họp thôn”" in page
    assert f"/ban-tin/{town.announcement_of(name)}/dung-lai" in page
    row = town.store.bookings.get(name)
    assert row is not None
    assert row.state is BookingState.WITHDRAWN
    assert "không có bản tin nào đang phát" in page
    again = client.post(f"/lich-phat/{name}/dung", data={"csrf_token": form_key(client)}, follow_redirects=True)
    assert "Đã dừng" not in again.text
    assert "“Họp thôn” đã được dừng hoặc rút từ trước" in again.text
    stranger = town.client(app, "tam-thanh")
    assert stranger.post(f"/lich-phat/{name}/dung", data={"csrf_token": form_key(stranger)}).status_code == 404


def test_of_what_comes_again_only_today_is_stopped_once(town: Town, client: FlaskClient) -> None:
    name = sounding(town, client, when="repeat", repeat="daily")
    key = form_key(client)
    assert "những ngày sau vẫn phát" in client.get("/").text
    for told in ("Đã dừng “", "đã được dừng hoặc rút từ trước"):
        answer = client.post(f"/lich-phat/{name}/dung", data={"csrf_token": key})
        assert told in client.get(answer.location).text
    row = town.store.bookings.get(name)
    assert row is not None
    assert row.recurrence is not None
    assert (row.state, row.recurrence.but) == (BookingState.WANTED, ("2026-11-24",))
    assert "không có bản tin nào đang phát" in client.get("/").text


def test_what_comes_is_told_with_what_it_waits_for(town: Town, app: Flask, client: FlaskClient) -> None:
    soon = town.booked(client, key="1" * 32, title="Đã có giọng", hour="14", minute="10")
    town.voice(town.announcement_of(soon))
    town.booked(client, key="2" * 32, title="Chưa có giọng", hour="15")
    editor = town.client(app, "van-hoa")
    town.booked(editor, key="3" * 32, title="Chờ người duyệt", hour="16", areas=[HAMLET])
    page = client.get("/").text
    assert "bắt đầu sau 2 giờ 10 phút" in page
    assert "Đã có ở 0 trên 6 cụm loa" in page
    assert page.index("Đã có giọng") < page.index("Chưa có giọng") < page.index("Chờ người duyệt")
    assert "bản tin chờ bạn duyệt" in page
    assert "bản tin chờ bạn duyệt" not in editor.get("/").text
    assert "Đã có giọng" not in town.client(app, "tam-thanh").get("/").text
    row = town.store.bookings.get(soon)
    assert row is not None
    held = HeldBack(soon, "lang-son:dong-dang", soon, "Đã có giọng", row.start or NOON, "day_minutes", town.now)
    town.store.held.write([held], [])
    assert "Đã có giọng" not in client.get("/").text


def test_what_came_back_stands_before_its_author(town: Town, app: Flask, client: FlaskClient) -> None:
    editor = town.client(app, "van-hoa")
    name = town.announcement_of(town.booked(editor, title="Sai ngày", areas=[HAMLET]))
    fields = {"csrf_token": form_key(client), "reason": "Ngày 27 chứ không phải 28."}
    assert client.post(f"/duyet/{name}/tra-lai", data=fields).status_code == 303
    page = editor.get("/").text
    assert "Bị trả lại: Sai ngày" in page
    assert "Ngày 27 chứ không phải 28." in page
    assert "Sai ngày" not in client.get("/").text


def test_misses_are_counted_by_broadcast_and_reason_for_a_day(town: Town, client: FlaskClient) -> None:
    name = sounding(town, client, title="Họp thôn")
    for number in (1, 2, 3):
        town.report(name, f"dong-dang-{number}", Step.MISSED, "no_audio")
    page = client.get("/").text
    assert "3 cụm loa · chưa tải được âm thanh" in page
    town.now += timedelta(hours=25)
    assert "chưa tải được âm thanh" not in client.get("/").text


def test_the_calendar_shows_past_planned_waiting_and_held_in_the_week(town: Town, client: FlaskClient) -> None:
    names = [
        town.booked(client, key=f"{n:032}", title=title, day="2026-11-25", hour=hour)
        for n, (title, hour) in enumerate((("Sáng", "06"), ("Chiều", "17"), ("Bị giữ", "18")))
    ]
    for name in (names[0], names[2]):
        town.voice(town.announcement_of(name))
    late = town.store.bookings.get(names[2])
    assert late is not None
    assert late.start is not None
    row = HeldBack(names[2], "lang-son:dong-dang", names[2], "Bị giữ", late.start, "day_minutes", town.now)
    town.store.held.write([row], [])
    page = client.get("/lich").text
    assert page.count(f'href="/lich-phat/{names[0]}"') == 2  # once in the table, once in the list
    assert "Đang tạo giọng đọc" in page
    assert "bị giữ lại: quá số phút trong ngày" in page
    assert "Trưa" not in page
    assert "Sáng" not in client.get("/lich?tuan=2026-12-07").text.partition("<main")[2]
    assert "chưa có gì được hẹn phát" in client.get("/lich?tuan=2026-12-07").text
    town.now += timedelta(days=2)
    client = town.client(client.application, "chu-tich")
    page = client.get("/lich").text
    assert page.count('<li class="is-ordinary past"><time') == 3
    assert "bị giữ lại" in page


def test_the_calendar_of_a_foreign_or_unknown_place_is_not_found(town: Town, client: FlaskClient) -> None:
    for place in ("lang-son:tam-thanh", "nowhere", "*"):
        assert client.get(f"/lich?dia-ban={place}").status_code == 404, place


def test_of_what_only_places_within_sound_a_week_shows_some_and_counts_the_others() -> None:
    def entry(number: int, below: bool) -> weekly.Entry:
        at = NOON + timedelta(minutes=number)
        return weekly.Entry(f"b{number}", f"b{number}", "x", at, timedelta(0), BulletinClass.ORDINARY, is_below=below)

    entries = [entry(number, number % 2 == 1) for number in range(4 * weekly.MOST_BELOW)]
    week = weekly.laid(reversed(entries), weekly.monday("", NOON.date()), "Asia/Ho_Chi_Minh", facts_of)
    day = next(each for each in week.days if each.day == NOON.date())
    shown, more = day.bands["noon"], day.more["noon"]
    assert [each for each in entries if not each.is_below] == [each for each in shown if not each.is_below]
    assert [each for each in shown if each.is_below] == [each for each in entries if each.is_below][: weekly.MOST_BELOW]
    assert more == weekly.MOST_BELOW
    assert list(shown) == sorted(shown, key=lambda each: each.start)


# --- one rule for every page -----------------------------------------------------------------------------------


def issued(town: Town, name: str) -> None:
    """The booking stands in its commune's plan, as loudspeakers hold it."""
    (made,) = [each for each in town.store.bookings.to_plan(town.now) if each.id == name]
    start = made.starts[0]
    about = made.id, made.title, made.bulletin_class, made.level, start, made.deadline(start), made.late
    job = Job(*about, AfterCut.RESUME, made.asset)

    def make(serial: int) -> bytes:
        plan = Plan("lang-son:dong-dang", Lane.PLAN, serial, town.now, town.now + timedelta(days=15), (job,))
        return seal.seal("plan", codec.write(plan), Signer(b"s" * 32))

    assert town.store.plans.issue("lang-son:dong-dang", Lane.PLAN, name, make, town.now)


@pytest.mark.parametrize(
    ("told", "later", "on"),
    [
        ((), timedelta(0), True),  # by the plan
        ((), MINUTE, False),
        (((1, Step.STARTED),), MINUTE, True),  # it began late, or sounds for longer
        (((1, Step.STARTED), (2, Step.MISSED), (3, Step.MISSED)), MINUTE, True),  # others never began
        (((1, Step.STARTED), (1, Step.SOUNDED)), MINUTE, False),
        (((1, Step.STARTED),), timedelta(hours=2, minutes=50), False),  # its power went
        (tuple((number, Step.SOUNDED) for number in range(1, 7)), timedelta(0), False),
        (tuple((number, Step.SOUNDED) for number in range(1, 6)), timedelta(0), True),
    ],
)
def test_home_and_overview_mean_the_same_by_sounding_now(
    town: Town, client: FlaskClient, told: tuple[tuple[int, Step], ...], later: timedelta, on: bool
) -> None:
    name = sounding(town, client, title="Họp thôn")
    issued(town, name)
    for number, step in told:
        town.report(name, f"dong-dang-{number}", step)
    town.now += later
    assert [each.job for each in OnAir().look(town.store, town.now, lambda _: True)] == [name] * on
    assert ("không có bản tin nào đang phát" in client.get("/").text) is not on


def test_what_rules_hold_back_everywhere_does_not_sound(town: Town, client: FlaskClient) -> None:
    name = sounding(town, client, title="Họp thôn")
    row = town.store.bookings.get(name)
    assert row
    assert row.start
    assert "Dừng “Họp thôn”" in client.get("/").text
    held = HeldBack(name, "lang-son:dong-dang", name, "Họp thôn", row.start, "day_minutes", town.now)
    town.store.held.write([held], [])
    assert "không có bản tin nào đang phát" in client.get("/").text
