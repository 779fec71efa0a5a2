"""Timetables: a programme as a text, exact both ways, and errors a person can act on."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import programmes, rich_programmes

from schedules import calendars, moments, timetable
from schedules.programme import Item, Kind, Programme, upcoming
from schedules.timetable import TimetableError
from wire.names import area_id

SAMPLES = sorted((Path(__file__).parent.parent / "schedules" / "samples").glob("*.toml"))
GOOD = """[programme]
area = "lang-son:dong-dang"
title = "Đài xã"

[[slot]]
label = "Sáng"
days = ["mon", "tue"]
start = "05:00"
minutes = 30

[[slot]]
label = "Chiều"
days = ["mon"]
start = "17:00"
minutes = 30
"""


def refusal(text: str) -> TimetableError:
    with pytest.raises(TimetableError) as refused:
        timetable.read(text)
    vietnamese, english = refused.value.say("vi"), refused.value.say("en")
    assert vietnamese != english == str(refused.value)
    assert str(refused.value.line) in vietnamese
    return refused.value


@given(programmes | rich_programmes)
def test_a_programme_survives_being_written_and_its_text_being_read(programme: Programme) -> None:
    text = timetable.write(programme)
    assert timetable.read(text) == programme
    assert timetable.write(timetable.read(text)) == text
    assert timetable.read("\ufeff" + text.replace("\n", "\r\n")) == programme


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_a_timetable_of_lang_son_written_as_we_write_it(path: Path) -> None:
    text = path.read_text("utf-8")
    programme = timetable.read(text)
    assert timetable.write(programme) == "".join(line for line in text.splitlines(True) if line[0] != "#")
    assert area_id(programme.area) == f"lang-son:{path.stem}"
    week = upcoming(programme, datetime(2026, 11, 22, 17, tzinfo=UTC), 200, calendars.facts_of)[:40]
    clocks = {moments.local(each.start, programme.zone).time() for each in week}
    assert time(17) in clocks
    assert all(time(5) <= clock < time(21) for clock in clocks)


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 3


def test_a_text_that_a_person_wrote_otherwise_means_the_same() -> None:
    compact = 'slot = [{start="05:00", minutes=30, days=["tue","mon"], label="Sáng"}]\n'
    compact += 'programme.title = "Đài xã"\nprogramme.area = "lang-son:dong-dang"\n'
    first = timetable.read(GOOD).slots[0]
    assert timetable.read(compact).slots == (first,)
    assert (first.weekdays, first.start, first.length) == ((0, 1), time(5), timedelta(minutes=30))
    assert timetable.read(compact).zone == moments.DEFAULT_ZONE


INTO = 'start = "17:00"\n'
HEAD = 'title = "Đài xã"\n'
NEWS = '{ kind = "announcements" }'
TERM = '\n[[term]]\nname = "hk1"\nfrom = 2026-09-05\nuntil = 2027-01-15\n'
BAD_SLUG, BAD_CHOICE = "schedules.bad_slug", "schedules.bad_choice"
WRONG = [
    ('start = "05:00"', 'start = "5h"', 8, "slot[1].start", "schedules.bad_clock"),
    ('start = "05:00"', "start = 05:00:00", 8, "slot[1].start", "schedules.not_text"),
    ('start = "05:00"', "start = 05:00", 8, "", "schedules.not_toml"),
    ('start = "17:00"', 'start = "05:29"', 14, "slot[2].start", "schedules.overlap"),
    ('start = "17:00"', 'strat = "17:00"', 14, "slot[2].strat", "schedules.unknown_key_near"),
    ('start = "17:00"', 'zzz = "17:00"', 14, "slot[2].zzz", "schedules.unknown_key"),
    ('start = "17:00"\n', "", 11, "slot[2]", "schedules.missing_key"),
    ('days = ["mon"]', 'days = ["mom"]', 13, "slot[2].days", "schedules.bad_day"),
    ('days = ["mon"]', 'days = ["mon", "mon"]', 13, "slot[2].days", "schedules.day_twice"),
    ('days = ["mon"]', "days = []", 13, "slot[2].days", "schedules.no_days"),
    ('days = ["mon"]', 'days = "mon"', 13, "slot[2].days", "schedules.no_days"),
    ('days = ["mon"]', 'days = [\n  "mon",\n  ["tue"],\n]', 13, "slot[2].days", "schedules.bad_day"),
    ("minutes = 30\n\n", "minutes = 0\n\n", 9, "slot[1].minutes", "schedules.bad_minutes"),
    ("minutes = 30\n\n", "minutes = 1441\n\n", 9, "slot[1].minutes", "schedules.bad_minutes"),
    ("minutes = 30\n\n", "minutes = true\n\n", 9, "slot[1].minutes", "schedules.bad_minutes"),
    ("minutes = 30\n\n", "minutes = 30.5\n\n", 9, "slot[1].minutes", "schedules.bad_minutes"),
    ('label = "Chiều"', 'label = """\n[[slot]]\n"""', 12, "slot[2].label", "schedules.bad_label"),
    ('label = "Chiều"', 'label = " "', 12, "slot[2].label", "schedules.bad_label"),
    ('label = "Chiều"', "label = 5", 12, "slot[2].label", "schedules.not_text"),
    ('title = "Đài xã"', 'title = "Đài xã"\nzone = "Asia/Lang_Son"', 4, "programme.zone", "schedules.bad_zone"),
    ('title = "Đài xã"\n', "", 1, "programme", "schedules.missing_key"),
    ('"lang-son:dong-dang"', '"Lạng Sơn"', 2, "programme.area", "schedules.bad_area"),
    ("[programme]", "[program]", 1, "program", "schedules.unknown_key_near"),
    ("[[slot]]", "[[slots]]", 5, "slots", "schedules.unknown_key_near"),
    (INTO, INTO + "from = 2026-13-01\n", 15, "", "schedules.not_toml"),
    (INTO, INTO + "from = 5\n", 15, "slot[2].from", "schedules.bad_date"),
    (INTO, INTO + "from = 2026-09-05T05:00:00\n", 15, "slot[2].from", "schedules.bad_date"),
    (INTO, INTO + 'from = "32/01/2026"\n', 15, "slot[2].from", "schedules.bad_date"),
    (INTO, INTO + "from = 2026-12-01\nuntil = 2026-11-30\n", 16, "slot[2].until", "schedules.bad_span"),
    (INTO, INTO + "except = []\n", 15, "slot[2].except", "schedules.not_list"),
    (INTO, INTO + "except = 2026-12-01\n", 15, "slot[2].except", "schedules.not_list"),
    (INTO, INTO + "except = [2026-12-01, 2026-12-01]\n", 15, "slot[2].except", "schedules.day_twice"),
    (INTO, INTO + 'holidays = "none"\n', 15, "slot[2].holidays", "schedules.bad_choice"),
    (INTO, INTO + 'lunar = ["31"]\n', 15, "slot[2].lunar", "schedules.bad_lunar_day"),
    (INTO, INTO + 'lunar = ["rằm"]\n', 15, "slot[2].lunar", "schedules.bad_lunar_day"),
    (INTO, INTO + 'lunar = ["15", "lunar:15"]\n', 15, "slot[2].lunar", "schedules.day_twice"),
    (INTO, INTO + 'terms = ["hk1"]\n', 15, "slot[2].terms", "schedules.unknown_term"),
    (INTO, INTO + "instead = true\n", 15, "slot[2].instead", "schedules.instead_always"),
    (INTO, INTO + "instead = 1\n", 15, "slot[2].instead", "schedules.not_boolean"),
    (INTO, INTO + 'fill = "muzak"\n', 15, "slot[2].fill", "schedules.bad_choice"),
    (INTO, INTO + 'fill = "music"\n', 15, "slot[2].fill", "schedules.fill_without"),
    (INTO, INTO + 'overrun = "stop"\n', 15, "slot[2].overrun", "schedules.bad_choice"),
    (INTO, INTO + 'item = "music"\n', 15, "slot[2].item", "schedules.not_slots"),
    (INTO, INTO + 'item = { kind = "music" }\n', 15, "slot[2].item", "schedules.missing_key"),
    (INTO, INTO + 'item = { kind = "relay", asset = "x" }\n', 15, "slot[2].item.asset", "schedules.unknown_key"),
    (INTO, INTO + 'item = { kind = "relais" }\n', 15, "slot[2].item.kind", "schedules.bad_choice"),
    (INTO, INTO + 'item = [{ kind = "announcements", series = "Bản tin" }]\n', 15, "slot[2].item[1].series", BAD_SLUG),
    (INTO, INTO + f"item = [{NEWS}, {NEWS}]\n", 15, "slot[2].item[2].kind", "schedules.item_twice"),
    (
        INTO,
        INTO + 'item = { kind = "announcements", classes = ["emergency"] }\n',
        15,
        "slot[2].item.classes",
        BAD_CHOICE,
    ),
    (HEAD, f'{HEAD}[[term]]\nname = "hk1"\n', 4, "term[1]", "schedules.missing_key"),
    (HEAD, HEAD + TERM + TERM, 11, "term[2].name", "schedules.term_twice"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "field", "reason"), WRONG)
def test_an_error_names_line_field_and_reason(right: str, wrong: str, line: int, field: str, reason: str) -> None:
    error = refusal(GOOD.replace(right, wrong))
    assert (error.line, error.field, error.reason) == (line, field, reason)


def test_a_comment_or_an_empty_line_above_does_not_move_the_line_of_an_error() -> None:
    text = GOOD.replace('start = "17:00"', '\n# giờ phát\n\nstart = "5 giờ chiều"')
    assert refusal(text).line == 17


def test_a_wrong_key_is_answered_with_the_nearest_right_one() -> None:
    sentence = refusal(GOOD.replace("minutes = 30\n\n", "minute = 30\n\n")).say("vi")
    assert "“minute”" in sentence
    assert "“minutes”" in sentence
    assert "slot[1].minute" in sentence
    assert "“mon”" not in sentence


def test_an_overlap_names_both_slots_and_their_times() -> None:
    sentence = refusal(GOOD.replace('start = "17:00"', 'start = "05:29"')).say("vi")
    assert all(fact in sentence for fact in ("Sáng", "05:00", "Chiều", "05:29"))


def test_the_same_slot_twice_overlaps_itself() -> None:
    assert refusal(GOOD + GOOD[GOOD.rindex("[[slot]]") :]).field == "slot[3].start"


SHAPES = ["", "[programme]", "programme = 5", "slot = 5", "[programme", "slot = [5]", "a." * 3000 + "b = 1"]
SHAPES += ["x = " + "[" * 5000, "\n" * 10_000, "x" * 100_000, 'x = """' + "\n" * 2_900 + '"""', "[[slot]]\n" * 2_000]


@pytest.mark.parametrize("text", SHAPES, ids=range(len(SHAPES)))
def test_a_text_of_another_shape_is_refused(text: str) -> None:
    assert refusal(text).line >= 1


@given(st.text(string.printable + "ăạ", max_size=60), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_any_damage_is_a_programme_or_a_refusal_with_a_line_of_the_text(text: str, at: int, less: int) -> None:
    damaged = GOOD[:at] + text + GOOD[at + less :]
    try:
        programme, line = timetable.read(damaged), 1
    except TimetableError as refused:
        programme, line = timetable.read(GOOD), refused.line
    assert 1 <= line <= damaged.count("\n") + damaged.count("\r") + 1
    assert timetable.read(timetable.write(programme)) == programme


LUNAR = """
[[slot]]
label = "Rằm"
lunar = ["15"]
start = "05:10"
minutes = 30
"""


def test_a_slot_over_the_standing_one_says_that_it_comes_instead() -> None:
    error = refusal(GOOD + LUNAR)
    assert (error.field, error.reason) == ("slot[3].start", "schedules.overlap_sometimes")
    assert "instead = true" in error.say("vi")
    programme = timetable.read(GOOD + LUNAR + "instead = true\n")
    assert programme.slots[2].weekdays == tuple(range(7))
    assert programme.slots[2].instead


def test_dates_are_read_as_people_here_write_them() -> None:
    text = GOOD + 'from = "05/09/2026"\nuntil = 2027-01-15\nexcept = ["2026-11-20", 2026-09-02]\n'
    days = timetable.read(text).slots[1].days
    assert (days.since, days.until) == (date(2026, 9, 5), date(2027, 1, 15))
    assert days.but == (date(2026, 9, 2), date(2026, 11, 20))


def test_a_single_item_may_stand_in_braces() -> None:
    item = timetable.read(GOOD + 'item = { kind = "relay", source = "VOV1" }\n').slots[1].items
    assert item == (Item(Kind.RELAY, source="VOV1"),)


def test_a_relay_of_a_source_that_is_not_known_is_answered_with_the_nearest_and_its_line() -> None:
    text = GOOD + '[[slot.item]]\nkind = "opening"\nasset = "x"\n\n[[slot.item]]\nkind = "relay"\nsource = "VOV1"\n'
    assert timetable.read(text, ["VOV1"]) == timetable.read(text, ["vov1"]) == timetable.read(text)
    with pytest.raises(TimetableError) as said:
        timetable.read(text, ["tinh", "vov2"])
    assert (said.value.reason, said.value.field) == ("schedules.unknown_source", "slot[2].item[2].source")
    assert said.value.line == len(text.splitlines())
    assert "“vov2”" not in str(said.value)
    assert "did you mean vov2?" in str(said.value)
