"""A programme in words: when a slot comes, on which days, what sounds in it, what fills it. It knows the language."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from controller.web.language import t
from controller.web.policy_words import weekdays
from schedules.days import ALL_DAYS, Days, Holidays
from schedules.programme import Fill, Item, Kind, Overrun, Programme, Slot

MOST_DAYS_NAMED = 12


def when(slot: Slot) -> str:
    """``Thứ Hai, Thứ Tư · 05:30–05:45 (15 phút)``."""
    minutes = slot.length // timedelta(minutes=1)
    return f"{weekdays(slot.weekdays)} · {clock_span(slot)} ({t('minutes', count=minutes)})"


def clock_span(slot: Slot) -> str:
    """``05:30–05:45``; over midnight it says so."""
    ends = datetime.combine(date(2000, 1, 1), slot.start) + slot.length
    return f"{slot.start:%H:%M}–{ends:%H:%M}{t('next_day_mark') if ends.day > 1 and ends.hour + ends.minute else ''}"


def conditions(slot: Slot) -> list[str]:
    """Each condition beyond the weekdays, as a sentence."""
    days = slot.days
    if days == ALL_DAYS and not slot.instead:
        return []
    found = [_dates(days)] if days.since or days.until else []
    if days.terms:
        named = ", ".join(f"{each.name} ({_day(each.since)}–{_day(each.until)})" for each in days.terms)
        found.append(t("cond_terms", terms=named))
    if days.lunar:
        found.append(t("cond_lunar", days=", ".join(map(lunar_day, days.lunar))))
    if days.holidays is not Holidays.AS_USUAL:
        found.append(t(f"cond_holidays_{days.holidays.value}"))
    if days.but:
        shown = ", ".join(map(_day, days.but[:MOST_DAYS_NAMED]))
        found.append(t("cond_but", days=shown + ", …" * (len(days.but) > MOST_DAYS_NAMED)))
    return found + [t("cond_instead")] * slot.instead


def lunar_day(name: str) -> str:
    """``mùng một``, ``rằm``, ``15/7``, ``mùng một Tết``, ``1 ngày trước Tết``."""
    if name in ("1", "15"):
        return t(f"cond_lunar_{name}")
    if name == "tet":
        return t("lunar_tet")
    if name.startswith("tet"):
        count = int(name[3:])
        return t("lunar_before_tet", count=-count) if count < 0 else t("lunar_after_tet", count=count)
    return t("lunar_day", day=name)


def item(part: Item) -> str:
    """What one item is."""
    if part.kind is Kind.ANNOUNCEMENTS:
        classes = ", ".join(t(f"class_{each.value}").lower() for each in part.classes)
        series = t("item_series", series=part.series) if part.series else t("item_any_series")
        return series + (f" ({classes})" if classes else "")
    named = t(f"item_{part.kind.value}", name=part.source or part.asset)
    return f"{named} ({t('item_duck')})" if part.duck else named


def rest(slot: Slot) -> list[str]:
    """What fills the rest of a slot, and what becomes of announcements that do not fit; nothing where nothing asks."""
    takes = any(each.kind is Kind.ANNOUNCEMENTS for each in slot.items)
    found = [t(f"fill_{slot.fill.value}")] if slot.fill is not Fill.NOTHING else []
    return found + [t(f"overrun_{slot.overrun.value.replace('-', '_')}")] * (takes or slot.overrun is not Overrun.CUT)


def board(programme: Programme) -> list[tuple[str, list[list[Slot]]]]:
    """The standing week as a table: a row for each time of day, in it a list of slots for each weekday."""
    starts = sorted({slot.start for slot in programme.slots})
    return [
        (f"{start:%H:%M}", [[s for s in programme.slots if s.start == start and day in s.weekdays] for day in range(7)])
        for start in starts
    ]


def _dates(days: Days) -> str:
    if days.since and days.until:
        return t("cond_between", since=_day(days.since), until=_day(days.until))
    return t("cond_since", day=_day(days.since)) if days.since else t("cond_until", day=_day(days.until))


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
