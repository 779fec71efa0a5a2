"""A programme as a text: TOML in, programme out, and back. Text only: reading files is the caller's.

- Round trip: what `write` wrote, `read` reads as the same programme, and writes as the same text.
- A wrong text is answered with its line, its field and the reason, and with the nearest right key.
- Nothing is guessed: an unknown key, a slot over another one, a weekday named twice are errors.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from schedules import moments, toml_paper
from schedules.days import ALL_DAYS, Days, Holidays, Term, lunar_name
from schedules.programme import Fill, Item, Kind, Overrun, Programme, Slot, overlaps
from schedules.toml_paper import PaperError, Where, Wrong, quoted
from wire.names import SLUG
from wire.plan import BulletinClass

MOST_SLOTS = 200
MOST_TERMS = 50
MOST_ITEMS = 20
MOST_LISTED = 400
MOST_LABEL_CHARS = 120
MOST_MINUTES = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TOP_KEYS = ("programme", "term", "slot")
_HEAD_KEYS = ("area", "title", "zone")
_TERM_KEYS = ("name", "from", "until")
_DAY_KEYS = ("from", "until", "except", "holidays", "lunar", "terms")
_SLOT_KEYS = ("label", "days", "start", "minutes", *_DAY_KEYS, "instead", "fill", "overrun", "item")
_AUDIO = (Kind.MUSIC, Kind.ANTHEM, Kind.OPENING, Kind.CLOSING)
_ITEM_KEYS = {Kind.ANNOUNCEMENTS: ("series", "classes"), Kind.RELAY: ("source",)} | dict.fromkeys(_AUDIO, ("asset",))
_DUCKING = (*_AUDIO, Kind.RELAY)  # what an announcement does it says itself
_CLASSES = tuple(each.value for each in BulletinClass if each is not BulletinClass.EMERGENCY)

T = TypeVar("T")


class TimetableError(PaperError):
    """A text that is not a timetable. ``line`` counts from 1; ``field`` is such as ``slot[2].start``, or empty."""


def read(text: str, sources: Collection[str] = ()) -> Programme:
    """The programme that ``text`` describes. It relays only ``sources``, where any are known. Raises TimetableError."""
    return toml_paper.read(text, lambda document: _relaying(_programme(document), sources), TimetableError)


def write(programme: Programme) -> str:
    """``programme`` as a text that `read` takes back."""
    lines = ["[programme]"]
    lines += [f"{key} = {quoted(getattr(programme, key))}" for key in _HEAD_KEYS]
    for term in programme.terms:
        lines += ["", "[[term]]", f"name = {quoted(term.name)}", f"from = {term.since}", f"until = {term.until}"]
    for slot in programme.slots:
        lines += ["", "[[slot]]", *_written(slot)]
        for item in slot.items:
            lines += ["", "[[slot.item]]", f"kind = {quoted(item.kind)}"]
            lines += [f"{key} = {quoted(value)}" for key, value in _texts(item) if value]
            lines += [f"classes = {_listed(item.classes)}"] * bool(item.classes)
            lines += ["duck = true"] * item.duck
    return "\n".join(lines) + "\n"


def _written(slot: Slot) -> list[str]:
    found = [
        f"label = {quoted(slot.label)}",
        f"days = {_listed(DAYS[weekday] for weekday in slot.weekdays)}",
        f"start = {quoted(f'{slot.start:%H:%M}')}",
        f"minutes = {slot.length // timedelta(minutes=1)}",
    ]
    days = slot.days
    found += [f"from = {days.since}"] * bool(days.since) + [f"until = {days.until}"] * bool(days.until)
    found += [f"except = [{', '.join(map(str, days.but))}]"] * bool(days.but)
    found += [f"holidays = {quoted(days.holidays)}"] * (days.holidays is not Holidays.AS_USUAL)
    found += [f"lunar = {_listed(days.lunar)}"] * bool(days.lunar)
    found += [f"terms = {_listed(term.name for term in days.terms)}"] * bool(days.terms)
    found += ["instead = true"] * slot.instead
    found += [f"fill = {quoted(slot.fill)}"] * (slot.fill is not Fill.NOTHING)
    return found + [f"overrun = {quoted(slot.overrun)}"] * (slot.overrun is not Overrun.CUT)


def _texts(item: Item) -> tuple[tuple[str, str], ...]:
    return ("series", item.series), ("source", item.source), ("asset", item.asset)


def _listed(texts: Any) -> str:
    return f"[{', '.join(quoted(text) for text in texts)}]"


def _programme(document: Mapping[str, Any]) -> Programme:
    toml_paper.keys(document, (), _TOP_KEYS, required=("programme",))
    head = toml_paper.table(document["programme"], ("programme",))
    toml_paper.keys(head, ("programme",), _HEAD_KEYS, required=("area", "title"))
    terms = _terms(_tables(document.get("term", []), ("term",), MOST_TERMS))
    slots = _tables(document.get("slot", []), ("slot",), MOST_SLOTS)
    programme = Programme(
        area=toml_paper.area(head["area"], ("programme", "area")),
        title=toml_paper.line(head["title"], ("programme", "title"), MOST_LABEL_CHARS),
        zone=toml_paper.zone(head.get("zone", moments.DEFAULT_ZONE), ("programme", "zone")),
        slots=tuple(_slot(slot, ("slot", index), terms) for index, slot in enumerate(slots)),
        terms=tuple(terms.values()),
    )
    for one, other in overlaps(programme):
        # the same words in both places: find each by what it is, not by what it equals
        place = max(index for index, slot in enumerate(programme.slots) if slot in (one, other))
        earlier, later = f"{one.start:%H:%M}", f"{other.start:%H:%M}"
        facts = {"label": one.label, "start": earlier, "other": other.label, "other_start": later}
        standing = one.days == ALL_DAYS or other.days == ALL_DAYS
        sometimes = standing and one.days != other.days and not one.instead
        reason = "schedules.overlap_sometimes" if sometimes else "schedules.overlap"
        raise Wrong(("slot", place, "start"), reason, **facts)
    return programme


def _relaying(programme: Programme, sources: Collection[str]) -> Programme:
    """``programme``, if every source that it relays is known. Raises Wrong."""
    folded = {each.casefold(): each for each in sources}
    for place, slot in enumerate(programme.slots if sources else ()):
        for index, item in enumerate(slot.items):
            if item.kind is Kind.RELAY and item.source.casefold() not in folded:
                near = difflib.get_close_matches(item.source.casefold(), folded, n=1)
                shown = folded[near[0]] if near else ", ".join(sources)
                where = ("slot", place, "item", index, "source")
                raise Wrong(where, "schedules.unknown_source", name=item.source[:40], near=shown)
    return programme


def _tables(value: object, where: Where, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Wrong(where, "schedules.not_slots", name=str(where[-1]), most=most)
    return value


def _terms(tables: list[Any]) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    for index, value in enumerate(tables):
        where = ("term", index)
        table = toml_paper.table(value, where)
        toml_paper.keys(table, where, _TERM_KEYS, required=_TERM_KEYS)
        name = _slug(table["name"], (*where, "name"))
        if name in terms:
            raise Wrong((*where, "name"), "schedules.term_twice", name=name)
        since, until = _span(table, where)
        assert since
        assert until
        terms[name] = Term(name, since, until)
    return terms


def _slot(value: object, where: Where, terms: Mapping[str, Term]) -> Slot:
    slot = toml_paper.table(value, where)
    rare = "lunar" in slot or slot.get("holidays") == Holidays.ONLY
    required = ("label", "start", "minutes") if rare else ("label", "days", "start", "minutes")
    toml_paper.keys(slot, where, _SLOT_KEYS, required)
    minutes = slot["minutes"]
    if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
        raise Wrong((*where, "minutes"), "schedules.bad_minutes", most=MOST_MINUTES)
    read = Slot(
        label=toml_paper.line(slot["label"], (*where, "label"), MOST_LABEL_CHARS),
        weekdays=_weekdays(slot.get("days", list(DAYS)), (*where, "days")),
        start=toml_paper.clock(slot["start"], (*where, "start")),
        length=timedelta(minutes=minutes),
        days=_days(slot, where, terms),
        instead=_instead(slot, where),
        items=_items(slot, where),
        fill=Fill(toml_paper.choice(slot.get("fill", Fill.NOTHING), (*where, "fill"), tuple(Fill))),
        overrun=Overrun(toml_paper.choice(slot.get("overrun", Overrun.CUT), (*where, "overrun"), tuple(Overrun))),
    )
    needed = {Fill.MUSIC: Kind.MUSIC, Fill.REPEAT: Kind.ANNOUNCEMENTS}.get(read.fill)
    if needed and needed not in [item.kind for item in read.items]:
        raise Wrong((*where, "fill"), "schedules.fill_without", fill=read.fill, kind=needed)
    return read


def _days(slot: Mapping[str, Any], where: Where, terms: Mapping[str, Term]) -> Days:
    since, until = _span(slot, where)
    holidays = toml_paper.choice(slot.get("holidays", Holidays.AS_USUAL), (*where, "holidays"), tuple(Holidays))
    found = Days(
        since=since,
        until=until,
        but=tuple(sorted(_each(slot, where, "except", toml_paper.day))),
        holidays=Holidays(holidays),
        lunar=_each(slot, where, "lunar", _lunar),
        terms=_each(slot, where, "terms", lambda value, there: _term(value, there, terms)),
    )
    return ALL_DAYS if found == ALL_DAYS else found


def _each(table: Mapping[str, Any], where: Where, key: str, read: Callable[[object, Where], T]) -> tuple[T, ...]:
    """Every value of a list, once; a list that is not there is empty, one that is there is not."""
    values, there = table.get(key), (*where, key)
    if values is None:
        return ()
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_LISTED:
        raise Wrong(there, "schedules.not_list", most=MOST_LISTED)
    found = tuple(read(value, there) for value in values)
    if len(set(found)) < len(found):
        raise Wrong(there, "schedules.day_twice")
    return found


def _span(table: Mapping[str, Any], where: Where) -> tuple[date | None, date | None]:
    ends = [toml_paper.day(table[key], (*where, key)) if key in table else None for key in ("from", "until")]
    since, until = ends
    if since and until and since > until:
        raise Wrong((*where, "until"), "schedules.bad_span", since=since.isoformat(), until=until.isoformat())
    return since, until


def _lunar(value: object, where: Where) -> str:
    written = str(value) if type(value) is int else toml_paper.text(value, where)
    try:
        return lunar_name(written)
    except ValueError:
        raise Wrong(where, "schedules.bad_lunar_day", text=written[:40]) from None


def _term(value: object, where: Where, terms: Mapping[str, Term]) -> Term:
    name = toml_paper.text(value, where)
    if name not in terms:
        near = difflib.get_close_matches(name.lower(), terms, n=1)
        raise Wrong(where, "schedules.unknown_term", name=name[:40], near=near[0] if near else ", ".join(terms) or "-")
    return terms[name]


def _boolean(table: Mapping[str, Any], where: Where, key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise Wrong((*where, key), "schedules.not_boolean")
    return value


def _instead(slot: Mapping[str, Any], where: Where) -> bool:
    instead = _boolean(slot, where, "instead")
    if instead and not any(key in slot for key in _DAY_KEYS):
        raise Wrong((*where, "instead"), "schedules.instead_always", known=", ".join(_DAY_KEYS))
    return instead


def _items(slot: Mapping[str, Any], where: Where) -> tuple[Item, ...]:
    """The items, written as [[slot.item]] tables or, a single one, as ``item = { … }``."""
    there, value = (*where, "item"), slot.get("item", [])
    if isinstance(value, dict):
        return (_item(value, there),)
    items = tuple(_item(each, (*there, index)) for index, each in enumerate(_tables(value, there, MOST_ITEMS)))
    for kind in (Kind.ANNOUNCEMENTS, Kind.RELAY):
        places = [index for index, item in enumerate(items) if item.kind is kind]
        if len(places) > 1:
            raise Wrong((*there, places[1], "kind"), "schedules.item_twice", kind=kind)
    return items


def _item(value: object, where: Where) -> Item:
    table = toml_paper.table(value, where)
    if "kind" not in table:
        raise Wrong(where, "schedules.missing_key", missing="kind")
    kind = Kind(toml_paper.choice(table["kind"], (*where, "kind"), tuple(Kind)))
    own = _ITEM_KEYS[kind]
    known = ("kind", *own, "duck") if kind in _DUCKING else ("kind", *own)
    toml_paper.keys(table, where, known, required=() if kind is Kind.ANNOUNCEMENTS else own)
    classes = _each(table, where, "classes", lambda each, there: toml_paper.choice(each, there, _CLASSES))
    return Item(
        kind=kind,
        asset=_named(table, where, "asset"),
        series=_slug(table["series"], (*where, "series")) if "series" in table else "",
        classes=tuple(BulletinClass(each) for each in classes),
        source=_named(table, where, "source"),
        duck=_boolean(table, where, "duck"),
    )


def _named(table: Mapping[str, Any], where: Where, key: str) -> str:
    return toml_paper.line(table[key], (*where, key), 200) if key in table else ""


def _slug(value: object, where: Where) -> str:
    written = toml_paper.text(value, where)
    if not re.fullmatch(SLUG, written):
        raise Wrong(where, "schedules.bad_slug", text=written[:40])
    return written


def _weekdays(value: object, where: Where) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise Wrong(where, "schedules.no_days", known=", ".join(DAYS))
    for day in value:
        if day not in DAYS:
            near = difflib.get_close_matches(str(day).lower(), DAYS, n=1)
            raise Wrong(where, "schedules.bad_day", text=str(day)[:40], near=near[0] if near else ", ".join(DAYS))
    if len(set(value)) < len(value):
        raise Wrong(where, "schedules.day_twice")
    return tuple(sorted(DAYS.index(day) for day in value))
