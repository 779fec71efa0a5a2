"""`loa calendar`: bookings as a calendar file, and such a file as bookings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_loa import Loa, in_this_process, typed

from controller.store import Store
from controller.store.rows import AnnouncementState, BookingView
from loa import house
from schedules import ics
from schedules.calendars import Recurrence
from wire.plan import BulletinClass

NOW = datetime(2027, 1, 1, 1, 0, tzinfo=UTC)  # 08:00 in Lạng Sơn
WINDOW = (NOW, NOW + timedelta(days=60))
OURS = Path(__file__).parent / "data" / "ics"
IMPORT = ("calendar", "import")
INTO = ("--area", made.COMMUNE)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LOA_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOA_LANG", "en")
    monkeypatch.setattr(house, "now", lambda: NOW)
    opened = Store(f"sqlite:///{tmp_path}/loa.db")
    opened.migrate()
    made.furnish(opened)
    opened.assets.put(made.asset())
    return opened


@pytest.fixture
def loa(store: Store, capsys: pytest.CaptureFixture[str]) -> Loa:
    return in_this_process(capsys)


def calendar(folder: Path, *events: str) -> Path:
    """A file with these events, each given by its own lines."""
    inside = [f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events]
    file = folder / "lich.ics"
    file.write_text("\n".join(["BEGIN:VCALENDAR", *inside, "END:VCALENDAR", ""]), "utf-8")
    return file


def kept(store: Store) -> dict[str, BookingView]:
    return {view.booking.id: view for view in store.bookings.list(10_000)}


# --- in ------------------------------------------------------------------------------------------------------


def test_a_commune_s_calendar_becomes_bookings(loa: Loa, store: Store) -> None:
    told = loa(*IMPORT, OURS / "lich-xa.ics", *INTO, "--all-day-at", "06:00", "--json")
    facts = json.loads(told.out)
    assert (told.code, facts["new"], facts["known"], facts["faults"]) == (0, 5, 0, [])
    views = kept(store)
    assert {view.title for view in views.values()} == {
        "Khẩu hiệu tuần",
        "Họp thôn",
        "Họp thôn (dời ngày vì Tết)",
        "Treo cờ Tổ quốc",
        "Không có UID, giờ không ghi múi giờ, dòng dài được gấp lại theo RFC 5545",
    }
    by_title = {view.title: view.booking for view in views.values()}
    slogan, flag = by_title["Khẩu hiệu tuần"], by_title["Treo cờ Tổ quốc"]
    assert slogan.recurrence == Recurrence("FREQ=WEEKLY;BYDAY=MO,WE,FR", but=("2027-02-17",))
    assert slogan.areas == (made.COMMUNE,)
    assert (flag.recurrence, flag.start) == (Recurrence("FREQ=YEARLY"), datetime(2020, 9, 1, 23, 0, tzinfo=UTC))
    said = store.announcements.get(slogan.announcement)
    assert said
    assert said.text == "Toàn dân đoàn kết xây dựng đời sống văn hóa."
    assert by_title["Họp thôn"].start == datetime(2027, 1, 10, 12, 0, tzinfo=UTC)
    assert by_title["Họp thôn (dời ngày vì Tết)"].start == datetime(2027, 2, 21, 12, 0, tzinfo=UTC)


def test_importing_twice_changes_nothing(loa: Loa, store: Store) -> None:
    line = (*IMPORT, OURS / "lich-xa.ics", *INTO, "--all-day-at", "06:00")
    assert loa(*line).code == 0
    before = kept(store)
    again = loa(*line)
    assert (again.code, again.err) == (0, "")
    assert "0 new bookings, 5 known" in again.out
    assert kept(store) == before
    other = loa(*IMPORT, OURS / "lich-xa.ics", "--area", made.OTHER_COMMUNE, "--all-day-at", "06:00", "--json")
    assert json.loads(other.out)["new"] == 5


def test_what_comes_near_is_added_later(loa: Loa, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    line = (*IMPORT, OURS / "lich-xa.ics", *INTO, "--all-day-at", "06:00", "--json")
    assert json.loads(loa(*line).out)["new"] == 5
    monkeypatch.setattr(house, "now", lambda: NOW + timedelta(days=31))
    facts = json.loads(loa(*line).out)
    assert {each["title"] for each in facts["taken"] if each["new"]} == {"Họp thôn", "Tiêm phòng dại cho chó mèo"}
    assert facts["faults"] == []


def test_one_bad_event_does_not_keep_the_others_out(loa: Loa, store: Store) -> None:
    told = loa(*IMPORT, OURS / "hong-mot-phan.ics", *INTO)
    assert told.code == 1
    assert {view.title for view in kept(store).values()} == {"Lành thứ nhất", "Lành thứ hai"}
    lines = told.err.splitlines()
    assert [line.split(",")[0].split(":")[0] for line in lines] == [f"Line {n}" for n in (9, 14, 20, 26, 32, 37)]
    assert "Nowhere/Land" in told.err
    assert "2 new bookings, 0 known from before; 6 events refused" in told.out


def test_a_dry_run_tells_the_same_and_writes_nothing(loa: Loa, store: Store) -> None:
    told = loa(*IMPORT, OURS / "lich-xa.ics", *INTO, "--dry-run")
    assert told.code == 1
    assert "“Treo cờ Tổ quốc”: an event of a whole day has no time" in told.err
    assert "4 new bookings" in told.out
    assert "Nothing is written" in told.out
    assert kept(store) == {}
    assert store.announcements.list() == []


def test_the_desk_refuses_event_by_event(loa: Loa, store: Store, tmp_path: Path) -> None:
    file = calendar(
        tmp_path,
        "UID:1\nSUMMARY:Đêm\nDTSTART:20270105T160000Z",
        "UID:2\nSUMMARY:Đêm nào cũng vậy\nDTSTART:20270105T160000Z\nRRULE:FREQ=DAILY",
        "UID:3\nDTSTART:20270105T060000Z",
        "UID:4\nSUMMARY:Sáng\nDESCRIPTION:Chào\\nbuổi sáng\nDTSTART:20270105T010000Z",
    )
    told = loa(*IMPORT, file, *INTO, "--class", "priority")
    assert told.code == 1
    (view,) = kept(store).values()
    assert (view.title, view.booking.bulletin_class) == ("Sáng", BulletinClass.PRIORITY)
    first, second, third = told.err.splitlines()
    assert first.startswith("Line 2, “Đêm”: 23:00 05/01/2027 lies in the quiet hours")
    assert "quiet hours" in second
    assert third.startswith("Line 13, “–”: There is no text")


def test_an_event_that_was_moved_does_not_sound_twice(loa: Loa, store: Store, tmp_path: Path) -> None:
    once = "UID:1\nSUMMARY:Họp\nDTSTART:20270105T010000Z"
    assert loa(*IMPORT, calendar(tmp_path, once), *INTO).code == 0
    before = kept(store)
    for changed in (
        "UID:1\nSUMMARY:Họp\nDTSTART:20270105T020000Z",
        f"{once}\nRRULE:FREQ=DAILY",
        f"{once}\nRDATE:20270107T010000Z",
    ):
        told = loa(*IMPORT, calendar(tmp_path, changed), *INTO)
        assert told.code == 1
        assert "Line 2, “Họp”: this event was taken in before with another time" in told.err
    assert kept(store) == before


def test_a_series_that_breaks_up_does_not_sound_twice(loa: Loa, store: Store, tmp_path: Path) -> None:
    series = "UID:1\nSUMMARY:Họp\nDTSTART:20270105T010000Z\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:1\nSUMMARY:Họp\nRECURRENCE-ID:20270106T010000Z\nDTSTART:20270106T020000Z"
    assert loa(*IMPORT, calendar(tmp_path, series), *INTO).code == 0
    assert "with another time" in loa(*IMPORT, calendar(tmp_path, series, moved), *INTO).err
    assert loa(*IMPORT, calendar(tmp_path, series, moved), "--area", made.OTHER_COMMUNE).code == 0
    assert "with another time" in loa(*IMPORT, calendar(tmp_path, series), "--area", made.OTHER_COMMUNE).err
    assert len(kept(store)) == 4


def test_too_many_comings_by_no_rule_are_refused(loa: Loa, store: Store, tmp_path: Path) -> None:
    dates = ",".join(f"202701{day:02}T0{hour}0000Z" for day in range(2, 31) for hour in range(1, 5))
    told = loa(*IMPORT, calendar(tmp_path, f"UID:1\nSUMMARY:Nhiều\nDTSTART:20270102T000000Z\nRDATE:{dates}"), *INTO)
    assert told.code == 1
    assert "more than 100 times in the next 60 days" in told.err
    assert kept(store) == {}


@pytest.mark.parametrize(
    ("content", "more", "code", "why"),
    [
        (b"hello", (), 1, "not a calendar"),
        (b"\xff\xfe", (), 1, "not UTF-8"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR", ("--area", "nowhere"), 1, "no area and no node called nowhere"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR", ("--all-day-at", "25:00"), 2, "25:00"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR", ("--class", "emergency"), 2, "emergency"),
    ],
)
def test_a_line_or_a_file_that_cannot_be_is_one_sentence(
    loa: Loa, tmp_path: Path, content: bytes, more: tuple[str, ...], code: int, why: str
) -> None:
    file = tmp_path / "x.ics"
    file.write_bytes(content)
    loa(*IMPORT, file, *INTO, *more).refuses(code, why)


def test_an_empty_calendar_comes_from_standard_input(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    told = loa(*IMPORT, "-", *INTO)
    assert (told.code, told.err) == (0, "")
    assert "0 new bookings" in told.out


# --- out -----------------------------------------------------------------------------------------------------


def approve(store: Store, number: int, **more: object) -> None:
    announcement = made.announcement(number, state=AnnouncementState.APPROVED)
    store.announcements.create(announcement, made.booking(number, **more))
    store.announcements.set_voiced(announcement.id, announcement.script_hash, made.SHA)


def test_what_an_area_will_sound_is_a_calendar(loa: Loa, store: Store, tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    approve(store, 1, start=NOW + hour)
    approve(store, 2, start=NOW - 90 * hour, recurrence=Recurrence("FREQ=WEEKLY;BYDAY=MO"))
    approve(store, 3, start=NOW + hour, recurrence=Recurrence("LUNAR:1,15"))
    approve(store, 4, start=NOW + hour, areas=(made.PROVINCE,))
    approve(store, 5, start=NOW + hour, areas=(made.OTHER_COMMUNE,))
    approve(store, 6, start=NOW - hour)
    approve(store, 7, start=None)
    store.announcements.create(made.announcement(8), made.booking(8, start=NOW + hour))
    file = tmp_path / "out.ics"
    told = loa("calendar", "export", made.COMMUNE, "-o", file)
    assert (told.code, told.err) == (0, "")
    assert "7 events" in told.out
    events = ics.read(file.read_bytes().decode(), *WINDOW, "Asia/Ho_Chi_Minh").events
    uids = sorted(event.uid.rpartition("-")[2] for event in events)
    assert uids == ["b1@loa", "b2@loa", *["b3@loa"] * 4, "b4@loa"]
    (weekly,) = [event for event in events if event.uid == "b2@loa"]
    assert weekly.recurrence == Recurrence("FREQ=WEEKLY;BYDAY=MO")
    assert weekly.occurrences[0].duration == timedelta(seconds=10)
    assert weekly.occurrences[0].description == "Xin chào bà con."
    loa("calendar", "export", made.COMMUNE, "-o", file).refuses(1, "exists already")
    assert loa("calendar", "export", made.COMMUNE, "--days", "1").out.count("BEGIN:VEVENT") == 2
    assert loa("calendar", "export", "loa-3").out.count("BEGIN:VEVENT") == 2


def test_what_is_exported_can_be_imported_elsewhere(loa: Loa, store: Store, tmp_path: Path) -> None:
    approve(store, 1, start=NOW + timedelta(hours=1))
    approve(store, 2, start=NOW + timedelta(hours=2), recurrence=Recurrence("FREQ=WEEKLY;COUNT=5"))
    file = tmp_path / "out.ics"
    assert loa("calendar", "export", made.COMMUNE, "-o", file).code == 0
    assert loa(*IMPORT, file, "--area", made.OTHER_COMMUNE).code == 0
    there = [view.booking for view in kept(store).values() if view.booking.areas == (made.OTHER_COMMUNE,)]
    assert sorted((each.start, each.recurrence and each.recurrence.rule) for each in there if each.start) == [
        (NOW + timedelta(hours=1), None),
        (NOW + timedelta(hours=2), "FREQ=WEEKLY;COUNT=5"),
    ]


def test_an_export_that_cannot_be_is_one_sentence(loa: Loa, tmp_path: Path) -> None:
    loa("calendar", "export", "nowhere").refuses(1, "no area and no node called nowhere")
    loa("calendar", "export", made.COMMUNE, "--days", "0").refuses(2, "--days")
    loa("calendar", "export", made.COMMUNE, "-o", tmp_path / "no" / "x.ics").refuses(1, "cannot be written")
