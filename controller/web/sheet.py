"""The form of a programme: what was typed, the acts of its buttons, and the text that it makes. Pure but for the form.

- Nothing typed is lost: a sheet holds texts as they were typed, and is shown again as it is, with what is wrong.
- It judges nothing: `text_of` writes what was typed as a timetable, and the timetable's own reader says what is wrong.
- Bounded: as many slots, items and spans as a timetable has, each field cut to a length that no honest one has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from controller.store.finding import plain
from schedules.days import Holidays
from schedules.programme import Item, Kind, Programme, Slot
from schedules.timetable import DAYS, MOST_ITEMS, MOST_SLOTS, MOST_TERMS
from schedules.toml_paper import quoted
from wire.names import SLUG

MOST_CHARS = 200
MOST_LIST_CHARS = 6000
_KEY = re.compile(r"slot-(\d{1,3})-(?:label|item-(\d{1,2})-kind)|term-(\d{1,2})-name")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])\s*[:hg.]\s*([0-5]?[0-9])?", re.IGNORECASE)
_UNTYPED = re.compile(r"[\x00-\x1f\x7f]")

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """An item as typed; ``name`` is the series, the source or the audio that its kind asks for."""

    kind: str = Kind.ANNOUNCEMENTS.value
    name: str = ""
    classes: tuple[str, ...] = ()
    duck: bool = False


@dataclass(frozen=True)
class Line:
    """A slot as typed."""

    label: str = ""
    days: tuple[str, ...] = DAYS
    start: str = ""
    minutes: str = "15"
    since: str = ""
    until: str = ""
    but: str = ""
    holidays: str = "as-usual"
    lunar: str = ""
    terms: tuple[str, ...] = ()
    instead: bool = False
    fill: str = "nothing"
    overrun: str = "cut"
    parts: tuple[Part, ...] = ()

    @property
    def is_conditional(self) -> bool:
        """Whether any condition beyond the weekdays was typed."""
        return (
            bool(self.since or self.until or self.but or self.lunar or self.terms or self.instead)
            or self.holidays != "as-usual"
        )


@dataclass(frozen=True)
class Span:
    """A term as typed."""

    name: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True)
class Sheet:
    """The whole form. ``opened``: the slots that are shown open."""

    title: str = ""
    since: str = ""
    lines: tuple[Line, ...] = ()
    spans: tuple[Span, ...] = ()
    opened: frozenset[int] = field(default=frozenset(), compare=False)


def sheet_of(programme: Programme, since: date) -> Sheet:
    """The form as it is first shown: its slots by time of day."""
    spans = tuple(Span(term.name, _day(term.since), _day(term.until)) for term in programme.terms)
    slots = sorted(programme.slots, key=lambda slot: slot.start)
    return Sheet(programme.title, _day(since), tuple(map(_line, slots)), spans)


def read(form: MultiDict[str, str]) -> Sheet:
    """The form that was sent; fields beyond the most that a timetable has are not looked at."""
    slots: set[int] = set()
    items: dict[int, set[int]] = {}
    terms: set[int] = set()
    for key in form:
        if found := _KEY.fullmatch(key):
            if found[3]:
                terms.add(int(found[3]))
            elif found[2]:
                items.setdefault(int(found[1]), set()).add(int(found[2]))
            else:
                slots.add(int(found[1]))
    return Sheet(
        title=_text(form, "title"),
        since=_text(form, "since"),
        lines=tuple(_sent(form, number, sorted(items.get(number, ()))) for number in sorted(slots)[:MOST_SLOTS]),
        spans=tuple(
            Span(*(_text(form, f"term-{number}-{name}") for name in ("name", "since", "until")))
            for number in sorted(terms)[:MOST_TERMS]
        ),
    )


def acted(sheet: Sheet, act: str) -> Sheet:
    """The sheet after a button: ``slot-add``, ``slot-drop-2``, ``item-up-2-1`` and so on; counted from 0."""
    verb, *numbers = re.findall(r"[a-z]+-[a-z]+|\d{1,3}", act[:40]) or [""]
    at = [int(number) for number in numbers]
    if verb == "slot-add" and len(sheet.lines) < MOST_SLOTS:
        return replace(sheet, lines=(*sheet.lines, Line()), opened=frozenset({len(sheet.lines)}))
    if verb == "term-add" and len(sheet.spans) < MOST_TERMS:
        return replace(sheet, spans=(*sheet.spans, Span()))
    if verb == "term-drop" and len(at) == 1:
        return replace(sheet, spans=_without(sheet.spans, at[0]))
    if not at or at[0] >= len(sheet.lines):
        return sheet
    line = sheet.lines[at[0]]
    if verb == "slot-drop":
        return replace(sheet, lines=_without(sheet.lines, at[0]))
    if verb == "slot-copy" and len(sheet.lines) < MOST_SLOTS:
        lines = (*sheet.lines[: at[0] + 1], line, *sheet.lines[at[0] + 1 :])
        return replace(sheet, lines=lines, opened=frozenset({at[0] + 1}))
    parts = _with_part(line.parts, verb, at[1:])
    lines = (*sheet.lines[: at[0]], replace(line, parts=parts), *sheet.lines[at[0] + 1 :])
    return replace(sheet, lines=lines, opened=frozenset({at[0]}))


def text_of(sheet: Sheet, area: str, zone: str, only: int | None = None) -> str:
    """The timetable that was typed; with ``only``, of that slot alone."""
    found = ["[programme]", f"area = {quoted(area)}", f"title = {quoted(sheet.title)}", f"zone = {quoted(zone)}"]
    for span in sheet.spans:
        found += ["", "[[term]]", f"name = {quoted(slug(span.name))}"]
        found += [f"{key} = {quoted(value)}" for key, value in (("from", span.since), ("until", span.until))]
    for number, line in enumerate(sheet.lines):
        if only in (None, number):
            found += ["", "[[slot]]", *_written(line)]
            for part in line.parts:
                found += ["", "[[slot.item]]", *_part(part)]
    return "\n".join(found) + "\n"


def slug(written: str) -> str:
    """A name as programmes spell it: ``Bản tin xã`` is ``ban-tin-xa``; one that is spelt so already stays."""
    made = re.sub(r"[^a-z0-9]+", "-", plain(written)).strip("-")[:64].strip("-")
    return written if re.fullmatch(SLUG, written) or not made else made


def clock(written: str) -> str:
    """``5h30``, ``5:30`` and ``5 giờ 30`` as ``05:30``; what is none stays as it was typed."""
    found = _CLOCK.fullmatch(re.sub(r"\s*giờ\s*", "h", written.strip()))
    return f"{int(found[1]):02}:{int(found[2] or 0):02}" if found else written


def _written(line: Line) -> list[str]:
    minutes = line.minutes if re.fullmatch(r"[1-9][0-9]{0,4}", line.minutes) else quoted(line.minutes)
    found = [f"label = {quoted(line.label)}", f"days = {_listed(line.days)}"]
    found += [f"start = {quoted(clock(line.start))}", f"minutes = {minutes}"]
    found += [f"from = {quoted(line.since)}"] * bool(line.since) + [f"until = {quoted(line.until)}"] * bool(line.until)
    for key, written in (("except", line.but), ("lunar", line.lunar)):
        values = [each for each in re.split(r"[,;\s]+", written) if each]
        found += [f"{key} = {_listed(values)}"] * bool(values)
    found += [f"holidays = {quoted(line.holidays)}"] * (line.holidays != Holidays.AS_USUAL)
    found += ["instead = true"] * line.instead
    found += [f"terms = {_listed(line.terms)}"] * bool(line.terms)
    return [*found, f"fill = {quoted(line.fill)}", f"overrun = {quoted(line.overrun)}"]


def _part(part: Part) -> list[str]:
    found = [f"kind = {quoted(part.kind)}"]
    if part.kind != Kind.ANNOUNCEMENTS:
        found += [f"{'source' if part.kind == Kind.RELAY else 'asset'} = {quoted(part.name)}"]
        return found + ["duck = true"] * part.duck
    found += [f"series = {quoted(slug(part.name))}"] * bool(part.name)
    return found + [f"classes = {_listed(part.classes)}"] * bool(part.classes)


def _with_part(parts: tuple[Part, ...], verb: str, at: list[int]) -> tuple[Part, ...]:
    if verb == "item-add" and len(parts) < MOST_ITEMS:
        return (*parts, Part())
    if not at or at[0] >= len(parts):
        return parts
    if verb == "item-drop":
        return _without(parts, at[0])
    to = at[0] + {"item-up": -1, "item-down": 1}.get(verb, 0)
    moved = list(_without(parts, at[0]))
    moved.insert(min(max(to, 0), len(moved)), parts[at[0]])
    return tuple(moved)


def _without(values: tuple[T, ...], at: int) -> tuple[T, ...]:
    return (*values[:at], *values[at + 1 :])


def _line(slot: Slot) -> Line:
    days = slot.days
    return Line(
        label=slot.label,
        days=tuple(DAYS[day] for day in slot.weekdays),
        start=f"{slot.start:%H:%M}",
        minutes=str(slot.length // timedelta(minutes=1)),
        since=_day(days.since),
        until=_day(days.until),
        but=", ".join(map(_day, days.but)),
        holidays=days.holidays.value,
        lunar=", ".join(days.lunar),
        terms=tuple(term.name for term in days.terms),
        instead=slot.instead,
        fill=slot.fill.value,
        overrun=slot.overrun.value,
        parts=tuple(map(_item, slot.items)),
    )


def _item(item: Item) -> Part:
    name, classes = item.series or item.source or item.asset, tuple(each.value for each in item.classes)
    return Part(item.kind.value, name, classes, item.duck)


def _sent(form: MultiDict[str, str], number: int, items: Sequence[int]) -> Line:
    def field_(name: str, most: int = MOST_CHARS) -> str:
        return _text(form, f"slot-{number}-{name}", most)

    def listed(name: str) -> tuple[str, ...]:
        typed = (_line_of(each) for each in form.getlist(f"slot-{number}-{name}"))
        return tuple(dict.fromkeys(typed))[:MOST_TERMS]

    parts = [
        Part(
            field_(f"item-{at}-kind"),
            field_(f"item-{at}-name"),
            listed(f"item-{at}-classes")[:9],
            field_(f"item-{at}-duck") == "1",
        )
        for at in items[:MOST_ITEMS]
    ]
    names = ("label", "start", "minutes", "since", "until", "holidays", "fill", "overrun")
    texts: dict[str, Any] = {name: field_(name) for name in names}
    texts |= {name: field_(name, MOST_LIST_CHARS) for name in ("but", "lunar")}
    days = tuple(each for each in listed("days") if each in DAYS)
    return Line(
        **texts, days=days, terms=listed("terms"), instead=form.get(f"slot-{number}-instead") == "1", parts=tuple(parts)
    )


def _text(form: MultiDict[str, str], name: str, most: int = MOST_CHARS) -> str:
    return _line_of(form.get(name, ""), most)


def _line_of(typed: str, most: int = MOST_CHARS) -> str:
    """One line of text: breaks and other signs that nobody types become blanks."""
    return _UNTYPED.sub(" ", typed[:most]).strip()


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(quoted(text) for text in texts)}]"


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
