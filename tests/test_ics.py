"""Calendar files: what recurring-ical-events says of them, what is refused, and what we write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import assume, example, given
from hypothesis import strategies as st
from makers_schedules import HANOI, clocks, days, zones

from schedules import calendars, ics, moments
from schedules.calendars import Recurrence
from schedules.ics import Content, Entry, IcsError, bounds
from schedules.ics.blocks import MOST_CHARS, MOST_EVENTS

TOP = Path(__file__).parents[1]
OURS = TOP / "tests" / "data" / "ics"
PUBLIC = TOP.parent / "shared" / "data" / "ics"
DAY = timedelta(days=1)
SINCE = datetime(2027, 1, 1, tzinfo=UTC)
YEAR = (SINCE, SINCE + 366 * DAY)
MINUTES = timedelta(minutes=3)
FILES = sorted((*OURS.glob("*.ics"), *PUBLIC.glob("*.ics")))
FILES.remove(OURS / "hong-mot-phan.ics")  # what we refuse in it would keep the library busy for ever
WINDOWS = ((2000, 2031), (1990, 1991), (2018, 2019), (2019, 2020), (2024, 2025), (2027, 2028))


def text_of(name: str) -> str:
    return (OURS / name).read_bytes().decode()


def read(*events: str, window: tuple[datetime, datetime] = YEAR, zone: str = HANOI) -> Content:
    """A calendar of these events, each given by its own lines."""
    inside = [line for event in events for line in ("BEGIN:VEVENT", *event.splitlines(), "END:VEVENT")]
    return ics.read("\r\n".join(["BEGIN:VCALENDAR", *inside, "END:VCALENDAR", ""]), *window, zone)


def starts(event: ics.Event) -> list[datetime]:
    return [each.start for each in event.occurrences]


# --- what the library says -------------------------------------------------------------------------------------


def moment(value: date) -> datetime:
    there = ZoneInfo(HANOI)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=there)
    return (value if value.tzinfo else value.replace(tzinfo=there)).astimezone(UTC)


def as_the_library_says(text: str, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(text), skip_bad_series=True)
    rows = []
    for found in query.between(since, until):
        start, end = moment(found["DTSTART"].dt), moment(found["DTEND"].dt)
        rows.append((start, end - start, str(found.get("SUMMARY", "")).strip(), str(found.get("STATUS", ""))))
    return sorted(rows)


@pytest.mark.parametrize("since", [window[0] for window in WINDOWS])
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_calendar_expands_as_the_library_says(file: Path, since: int) -> None:
    text, until = file.read_bytes().decode(), dict(WINDOWS)[since]
    window = tuple(datetime(year, 1, 1, tzinfo=ZoneInfo(HANOI)) for year in (since, until))
    content = ics.read(text, *window, HANOI)
    ours = [
        (each.start, each.duration, each.summary, "CANCELLED" * each.cancelled)
        for event in content.events
        for each in event.occurrences
    ]
    theirs = as_the_library_says(text, *window)
    assert sorted(ours) == [(*row[:3], row[3] if row[3] == "CANCELLED" else "") for row in theirs]
    unreadable = {"bad_rrule_missing_until_event": ["schedules.ics_bad_event"]}
    assert [fault.key for fault in content.faults] == unreadable.get(file.stem, [])


def test_the_public_calendars_are_looked_at_too() -> None:
    if not PUBLIC.is_dir():
        pytest.skip("the calendars of recurring-ical-events are not beside the project (../shared/data/ics)")
    assert sum(file.parent == PUBLIC for file in FILES) > 40


def test_our_own_calendars_are_here() -> None:
    assert {file.stem for file in FILES} >= {"lich-xa", "mui-gio-rieng"}


# --- what it becomes -------------------------------------------------------------------------------------------


def test_a_commune_s_calendar_is_read_with_all_it_says() -> None:
    content = ics.read(text_of("lich-xa.ics"), *YEAR, HANOI)
    assert content.faults == ()
    slogan, meeting, vaccine, gone, flag, bare = content.events
    assert slogan.recurrence == Recurrence("FREQ=WEEKLY;BYDAY=MO,WE,FR", but=("2027-02-17",))
    assert (slogan.uid, slogan.line, len(slogan.occurrences)) == ("khau-hieu@dong-dang", 5, 155)
    assert meeting.recurrence is None  # one of its days was moved
    moved = meeting.occurrences[1]
    assert (moved.key, moved.start) == ("20270214T120000Z", datetime(2027, 2, 21, 12, tzinfo=UTC))
    assert [f"{each:%d %H:%M}" for each in starts(vaccine)] == ["05 00:30", "06 00:30", "08 00:30"]
    assert [each.cancelled for each in gone.occurrences] == [True]
    assert (flag.occurrences[0].all_day, flag.recurrence) == (True, Recurrence("FREQ=YEARLY"))
    assert starts(bare) == [datetime(2027, 1, 15, 1, tzinfo=UTC)]
    assert bare.summary.endswith("dài được gấp lại theo RFC 5545")


def test_one_bad_event_does_not_lose_the_others() -> None:
    content = ics.read(text_of("hong-mot-phan.ics"), *YEAR, HANOI)
    assert [event.summary for event in content.events] == ["Lành thứ nhất", "Múi giờ lạ", "Lành thứ hai"]
    assert [event.unknown_zone for event in content.events] == ["", "Nowhere/Land", ""]
    assert [(fault.line, fault.key) for fault in content.faults] == [
        (9, "schedules.ics_no_start"),
        (14, "schedules.ics_too_often"),
        (20, "schedules.ics_never"),
        (26, "schedules.ics_bad_event"),
        (37, "schedules.ics_not_closed"),
    ]
    for fault in content.faults:
        assert f"Dòng {fault.line}" in fault.say("vi")
        assert len(fault.say("vi")) < 300


def test_a_zone_of_the_calendar_s_own_is_forgotten_with_it() -> None:
    own = ics.read(text_of("mui-gio-rieng.ics"), *YEAR, HANOI).events[0]
    assert starts(own)[0] == datetime(2027, 1, 4, 23, tzinfo=UTC)
    assert (own.recurrence, own.unknown_zone) == (None, "")
    (other,) = read("UID:a\nDTSTART;TZID=Gio Dong Duong:20270105T060000", zone="UTC").events
    assert (starts(other), other.unknown_zone) == ([datetime(2027, 1, 5, 6, tzinfo=UTC)], "Gio Dong Duong")


def test_a_zone_with_more_rules_than_a_zone_has_is_an_unknown_zone() -> None:
    part = "BEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=YEARLY\n"
    part += "TZOFFSETFROM:+0700\nTZOFFSETTO:+0700\nEND:STANDARD\n"
    event = "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=X:20270105T060000\nEND:VEVENT\n"
    for many, unknown in ((1, ""), (2_000, "X")):
        zone = f"BEGIN:VTIMEZONE\nTZID:X\n{part * many}END:VTIMEZONE\n"
        content = ics.read(f"BEGIN:VCALENDAR\n{zone}{event}END:VCALENDAR\n", *YEAR, HANOI)
        assert [each.unknown_zone for each in content.events] == [unknown]


def test_a_time_or_rule_that_is_none_is_named() -> None:
    wrong = ["DURATION:soon", "RRULE:FREQ=SOMETIMES", "EXDATE:x", "DTEND:morgen", "RRULE:FREQ=DAILY;COUNT=x", "RDATE:x"]
    for line in wrong:
        content = read(f"UID:a\nSUMMARY:Họp\nDTSTART:20270105T060000Z\n{line}")
        assert [fault.key for fault in content.faults] == ["schedules.ics_bad_event"], line
        assert content.faults[0].facts["summary"] == "Họp"


def test_a_line_that_was_passed_over_is_named() -> None:
    content = read("UID:a\nDTSTART:20270105T060000Z\nRRULE FREQ=DAILY\nEXDATE;:x\nX-ODD 1\nRDATE:")
    assert [event.unread for event in content.events] == [("EXDATE", "RRULE")]


# --- hostile ---------------------------------------------------------------------------------------------------

BOMBS = [
    "RRULE:FREQ=SECONDLY",
    "RRULE:FREQ=SECONDLY;COUNT=999999999",
    "RRULE:FREQ=MINUTELY;INTERVAL=1",
    "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))),
    "RRULE:FREQ=YEARLY;BYSETPOS=-1;BYMINUTE=" + ",".join(map(str, range(60))),
    "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "RRULE:FREQ=YEARLY;BYDAY=6MO;BYMONTH=1;BYMONTHDAY=1",
]


@pytest.mark.parametrize("rule", BOMBS)
def test_a_rule_that_would_take_for_ever_is_refused(rule: str) -> None:
    content = read(f"UID:a\nSUMMARY:bom\nDTSTART:19000101T000000Z\n{rule}", "UID:b\nDTSTART:20270105T060000Z")
    assert [event.uid for event in content.events] == ["b"]
    assert content.faults[0].key in {"schedules.ics_too_often", "schedules.ics_never"}
    assert content.faults[0].facts["summary"] == "bom"


def test_comings_that_would_take_for_ever_are_refused() -> None:
    every = ",".join((SINCE + number * timedelta(minutes=20)).strftime("%Y%m%dT%H%M%SZ") for number in range(25_000))
    minutes = ",".join(map(str, range(0, 60, 5)))
    for lines, key in (
        ("DTEND:00270101T000000Z\nRRULE:FREQ=WEEKLY", "ics_lasts"),
        (f"DURATION:P400D\nRDATE:{every[:200]}", "ics_lasts"),
        (f"RDATE:{every}", "ics_too_often"),
        (f"RRULE:FREQ=HOURLY;BYMINUTE={minutes}", "ics_too_often"),
    ):
        content = read(f"UID:a\nDTSTART:20270101T000000Z\n{lines}")
        assert [fault.key for fault in content.faults] == [f"schedules.{key}"]


def test_many_rules_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_STEPS_IN_ALL", 200_000)
    daily = [f"UID:{number}\nDTSTART:19000101T000000Z\nRRULE:FREQ=DAILY" for number in range(60)]
    content = read(*daily, window=(SINCE, SINCE + DAY))
    assert {fault.key for fault in content.faults} == {"schedules.ics_too_much"}
    assert len(content.events) + len(content.faults) == 60
    assert len(content.events) == 4


def test_a_zone_with_a_bomb_is_an_unknown_zone() -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ={}\nTZOFFSETFROM:+0700\n"
    zone += (
        "TZOFFSETTO:+0700\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=X:20270105T060000\nEND:VEVENT"
    )
    for rule in ("SECONDLY", "YEARLY;BYMONTH=2;BYMONTHDAY=30", "YEARLY;BYSECOND=x"):
        text = f"BEGIN:VCALENDAR\n{zone.format(rule)}\nEND:VCALENDAR\n"
        assert [event.unknown_zone for event in ics.read(text, *YEAR, HANOI).events] == ["X"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "ics_no_calendar"),
        ("BEGIN:VEVENT\nEND:VEVENT\n", "ics_no_calendar"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n" * 2, "ics_no_calendar"),
        ("x" * (MOST_CHARS + 1), "ics_too_long"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nEND:VEVENT\n" * (MOST_EVENTS + 1), "ics_too_many_events"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 10_000, "ics_too_deep"),
    ],
)
def test_a_file_that_is_no_calendar_or_too_large_is_refused(text: str, key: str) -> None:
    with pytest.raises(IcsError) as refused:
        ics.read(text, *YEAR, HANOI)
    assert refused.value.key == f"schedules.{key}"
    assert refused.value.line >= 1


ODD = [
    "DTSTART:20270105T060000Z\nDURATION:P99999999999D",
    "DTSTART:00010101T000000Z\nRRULE:FREQ=DAILY",
    "DTSTART:99991231T235959Z\nRRULE:FREQ=DAILY\nDURATION:P9D",
    "DTSTART:20270105T060000Z\nRRULE:FREQ=DAILY;INTERVAL=0;COUNT=3",
    "DTSTART:20270105T060000Z\nRRULE:FREQ=DAILY;COUNT=-1",
    "DTSTART:20270105T060000Z\nRRULE:FREQ=DAILY;UNTIL=never",
    "DTSTART:20270105T060000Z\nDTEND:20260105T060000",
    "DTSTART;VALUE=DATE:20270105\nDTEND:20270105T060000Z\nEXDATE:20270105",
    "DTSTART:20270105T060000Z\nRDATE;VALUE=PERIOD:20270105T060000Z/P1D,x/y",
    "DTSTART:20270105T060000Z\nDTSTART:20270106T060000Z",
    "DTSTART;TZID=../../etc/passwd:20270105T060000",
    "DTSTART;TZID=America:20270105T060000",
    "DTSTART;VALUE=DURATION:PT1H",
    "DTSTART:20270105T060000Z\nRECURRENCE-ID:yesterday\nSEQUENCE:x",
    "DTSTART:20270105T060000Z\nSUMMARY:a\nSUMMARY:b\nDESCRIPTION;ENCODING=BASE64;VALUE=BINARY:!!!",
]


@pytest.mark.parametrize("lines", ODD)
def test_an_odd_event_is_read_or_refused_alone(lines: str) -> None:
    content = read(f"UID:odd\n{lines}", "UID:b\nDTSTART:20270105T060000Z")
    assert "b" in [event.uid for event in content.events]
    assert len(content.events) + len(content.faults) == 2


PIECES = [
    "BEGIN:VEVENT",
    "END:VEVENT",
    "BEGIN:VALARM",
    "END:VALARM",
    "END:VCALENDAR",
    "BEGIN:VTIMEZONE",
    " gấp",
    "\t",
    "",
]
PIECES += ["UID:a", "UID:b", "DTSTART:20270105T060000Z", "DTSTART;VALUE=DATE:20270105", "RRULE:FREQ=DAILY", "EXDATE:x"]
PIECES += [
    "RECURRENCE-ID:20270106T060000Z",
    "RDATE:20270109T060000Z",
    "DTEND:1",
    "BEGIN:",
    "END",
    ":",
    ";=",
    'X;A="b:c":d',
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=25))
@example(["BEGIN:VEVENT", "DTSTART:20270105T060000Z", "END:VTIMEZONE", "END:VEVENT"])
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    try:
        content = ics.read("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]), *YEAR, HANOI)
    except IcsError as refused:
        content = Content((), (refused,))
    assert all(event.line >= 2 for event in content.events)
    assert all(fault.say("vi") for fault in content.faults)


# --- what we write ---------------------------------------------------------------------------------------------


def written(*entries: Entry, window: tuple[datetime, datetime] = YEAR) -> str:
    return ics.write(entries, window, SINCE, "Xã Đồng Đăng")


def test_what_we_write_is_read_back_by_us_and_by_the_library() -> None:
    said = "Dòng một\nDòng hai; dấu, \\ và “ngoặc”: 🔔"
    once = Entry("b1@loa", SINCE + DAY, MINUTES, "Phun thuốc\x00\nkhử khuẩn", said)
    text = written(once, Entry("late@loa", YEAR[1], MINUTES, "sau"), Entry("early@loa", SINCE - DAY, MINUTES, "trước"))
    (event,) = ics.read(text, *YEAR, HANOI).events
    (found,) = event.occurrences
    assert (event.uid, found.start, found.duration) == ("b1@loa", once.start, MINUTES)
    assert (found.summary, found.description) == ("Phun thuốc khử khuẩn", said)
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75  # RFC 5545, 3.1
    assert as_the_library_says(text, *YEAR)[0][0] == once.start


@given(zones, days, clocks, st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=MONTHLY;BYMONTHDAY=31"]))
def test_a_rule_that_is_written_comes_when_the_booking_does(zone: str, day: date, clock: object, rule: str) -> None:
    first = moments.at_local(day, clock, zone)  # type: ignore[arg-type]
    left_out = moments.at_local(day + 7 * DAY, clock, zone)  # type: ignore[arg-type]
    assume(moments.local(left_out, zone).time() == clock)  # the library finds no EXDATE in an hour that the clock skips
    kept = Recurrence(rule, zone, (str(day + 7 * DAY),), first + 300 * DAY)
    window = (first + 5 * DAY, first + 120 * DAY)
    expected = calendars.occurrences(kept, first, *window)
    read_back = ics.read(written(Entry("b1@loa", first, MINUTES, "a", recurrence=kept), window=window), *window, zone)
    found = [start for event in read_back.events for start in starts(event) if window[0] <= start < window[1]]
    skipped = {each for each in expected if moments.local(each, zone).time() != moments.local(first, zone).time()}
    assert set(expected) - skipped <= set(found)
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "RRULE:FREQ=DAILY;COUNT=9", "freq=daily;until=20270120"]
)
def test_a_series_keeps_its_rule_and_begins_with_its_first_coming(rule: str) -> None:
    kept = Recurrence(rule)
    first = moments.read("06/01/2027 05:30", SINCE, HANOI)  # a Wednesday
    text = written(Entry("b1@loa", first, MINUTES, "a", recurrence=kept))
    (event,) = ics.read(text, *YEAR, HANOI).events
    assert text.count("RRULE:") == 1
    assert starts(event) == calendars.occurrences(kept, first, *YEAR)
    assert event.start == starts(event)[0]
    assert event.uid == "b1@loa"


@pytest.mark.parametrize(
    "kept",
    [
        Recurrence("LUNAR:1,15"),
        Recurrence("DATES:20261127,20261201"),
        Recurrence("FREQ=DAILY;COUNT=50", until=SINCE + 20 * DAY),
    ],
    ids=["lunar", "dates", "both"],
)
def test_what_has_no_rule_in_rfc_5545_is_one_event_for_each_coming(kept: Recurrence) -> None:
    window = (SINCE, SINCE + 60 * DAY)
    text = written(Entry("b1@loa", SINCE, MINUTES, "Rằm", recurrence=kept), window=window)
    events = ics.read(text, *window, HANOI).events
    expected = calendars.occurrences(kept, SINCE, *window)
    assert "RRULE" not in text
    assert sorted(start for event in events for start in starts(event)) == expected
    assert [event.uid for event in events] == [f"{start:%Y%m%dT%H%M%SZ}-b1@loa" for start in expected]


def test_a_series_that_does_not_come_in_the_window_is_not_written() -> None:
    past = Recurrence("FREQ=DAILY", until=SINCE - DAY)
    assert "VEVENT" not in written(Entry("b1@loa", SINCE - 30 * DAY, MINUTES, "a", recurrence=past))


def test_the_same_bookings_give_the_same_text() -> None:
    entries = [Entry(f"b{number}@loa", SINCE + number * DAY, MINUTES, "a") for number in range(3)]
    assert written(*entries) == written(*entries)
