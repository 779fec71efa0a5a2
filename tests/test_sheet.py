"""The form of a programme: what is typed comes back, its buttons do what they say, and nonsense stays harmless."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import rich_programmes
from werkzeug.datastructures import MultiDict

from controller.web import sheet
from controller.web.sheet import Line, Part, Sheet, Span
from schedules import timetable
from schedules.programme import Item, Programme
from schedules.timetable import MOST_ITEMS, MOST_SLOTS, MOST_TERMS

SAMPLES = sorted((Path(__file__).parent.parent / "schedules" / "samples").glob("*.toml"))
TODAY = date(2026, 11, 24)


def sent(typed: Sheet) -> MultiDict[str, str]:
    """The form as a browser sends it."""
    form = MultiDict([("title", typed.title), ("since", typed.since)])
    for n, line in enumerate(typed.lines):
        for name in ("label", "start", "minutes", "since", "until", "but", "holidays", "lunar", "fill", "overrun"):
            form.add(f"slot-{n}-{name}", getattr(line, name))
        form.setlist(f"slot-{n}-days", line.days)
        form.setlist(f"slot-{n}-terms", line.terms)
        if line.instead:
            form.add(f"slot-{n}-instead", "1")
        for at, part in enumerate(line.parts):
            form.add(f"slot-{n}-item-{at}-kind", part.kind)
            form.add(f"slot-{n}-item-{at}-name", part.name)
            form.setlist(f"slot-{n}-item-{at}-classes", part.classes)
    for n, span in enumerate(typed.spans):
        for name in ("name", "since", "until"):
            form.add(f"term-{n}-{name}", getattr(span, name))
    return form


def by_time(programme: Programme) -> Programme:
    """Its slots by time of day, and no name with blanks at its ends: so a form has them."""
    slots = [replace(slot, label=slot.label.strip(), items=tuple(map(trimmed, slot.items))) for slot in programme.slots]
    return replace(programme, slots=tuple(sorted(slots, key=lambda slot: slot.start)))


def trimmed(item: Item) -> Item:
    return replace(item, asset=item.asset.strip(), source=item.source.strip())


@given(rich_programmes)
def test_a_programme_that_goes_through_the_form_is_the_same_programme(programme: Programme) -> None:
    typed = sheet.sheet_of(by_time(programme), TODAY)
    assert sheet.read(sent(typed)) == typed
    assert timetable.read(sheet.text_of(typed, programme.area, programme.zone)) == by_time(programme)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_goes_through_the_form(path: Path) -> None:
    programme = timetable.read(path.read_text("utf-8"))
    typed = sheet.read(sent(sheet.sheet_of(programme, TODAY)))
    assert timetable.read(sheet.text_of(typed, programme.area, programme.zone)) == by_time(programme)


def test_buttons_add_drop_copy_and_move() -> None:
    start = Sheet(lines=(Line("Một", parts=(Part("opening", "A"), Part("music", "B"))), Line("Hai")))
    assert [line.label for line in sheet.acted(start, "slot-add").lines] == ["Một", "Hai", ""]
    assert sheet.acted(start, "slot-add").opened == {2}
    assert [line.label for line in sheet.acted(start, "slot-drop-0").lines] == ["Hai"]
    assert [line.label for line in sheet.acted(start, "slot-copy-0").lines] == ["Một", "Một", "Hai"]
    assert [part.name for part in sheet.acted(start, "item-down-0-0").lines[0].parts] == ["B", "A"]
    assert [part.name for part in sheet.acted(start, "item-up-0-1").lines[0].parts] == ["B", "A"]
    assert [part.name for part in sheet.acted(start, "item-up-0-0").lines[0].parts] == ["A", "B"]
    assert [part.name for part in sheet.acted(start, "item-drop-0-0").lines[0].parts] == ["B"]
    assert [part.name for part in sheet.acted(start, "item-add-1").lines[1].parts] == [""]
    with_term = sheet.acted(start, "term-add")
    assert with_term.spans == (Span(),)
    assert sheet.acted(with_term, "term-drop-0").spans == ()


NO_BUTTONS = ["", "\x00", "a" * 5000, "x", "slot-drop", "slot-drop-9", "slot-drop--1", "item-up-0-9", "item-up-0"]
NO_BUTTONS += [
    "item-drop-9-9",
    "term-drop-7",
    "item-add",
    "slot-drop-999999999999",
    "slot-none-0",
    "0-0",
    "slot-drop-٣",
]


@pytest.mark.parametrize("act", NO_BUTTONS)
def test_a_button_that_there_is_not_changes_nothing(act: str) -> None:
    start = Sheet(lines=(Line("Một", parts=(Part(), Part("music", "B"))),))
    assert sheet.acted(start, act) == start


def test_no_more_is_taken_than_a_programme_has() -> None:
    form = MultiDict([(f"slot-{n}-label", "x" * 9000) for n in range(999)])
    form.update([(f"slot-0-item-{n}-kind", "music") for n in range(99)])
    form.update([(f"term-{n}-name", "t") for n in range(99)])
    typed = sheet.read(form)
    assert (len(typed.lines), len(typed.spans), len(typed.lines[0].parts)) == (MOST_SLOTS, MOST_TERMS, MOST_ITEMS)
    assert len(typed.lines[0].label) == sheet.MOST_CHARS
    full = sheet.acted(sheet.acted(sheet.acted(typed, "slot-add"), "term-add"), "item-add-0")
    assert full == typed
    assert sheet.acted(typed, "slot-copy-0") == typed


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "slot-0-label",
                "slot-0-start",
                "slot-0-item-0-kind",
                "slot-0-item-0-name",
                "slot-0-but",
                "slot-0-lunar",
                "slot-0-days",
                "slot-0-terms",
                "slot-0-minutes",
                "term-0-name",
                "term-0-since",
                "title",
                "since",
            ]
        ),
        st.text(max_size=60),
    )
)
def test_whatever_is_typed_makes_a_text_that_is_read_or_refused_with_a_reason(typed: dict[str, str]) -> None:
    text = sheet.text_of(sheet.read(MultiDict(typed)), "lang-son", "Asia/Ho_Chi_Minh")
    assert tomllib.loads(text)["programme"]["area"] == "lang-son"  # never what is no TOML
    with suppress(timetable.TimetableError):
        timetable.read(text)


CLOCKS = {"5h30": "05:30", "5:5": "05:05", "17h": "17:00", "05:30": "05:30", "5 giờ 30": "05:30", "5.30": "05:30"}
NO_CLOCKS = ("25:00", "", "trưa", "5h99")


@pytest.mark.parametrize(("typed", "meant"), [*CLOCKS.items(), *((each, each) for each in NO_CLOCKS)])
def test_a_time_is_read_as_people_write_it(typed: str, meant: str) -> None:
    assert sheet.clock(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("Bản tin xã", "ban-tin-xa"), ("ban-tin-xa", "ban-tin-xa"), (" Đợt 1 ", "dot-1"), ("…", "…"), ("", "")],
)
def test_a_name_is_spelt_as_programmes_spell_it(typed: str, meant: str) -> None:
    assert sheet.slug(typed) == meant
