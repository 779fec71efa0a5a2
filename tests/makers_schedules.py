"""Makers for the tests of schedules/: assets, bookings, jobs, programmes, and what Hypothesis draws them from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from schedules import timetable
from schedules.booking import Booking
from schedules.days import ALL_DAYS, Days, Holidays, Term
from schedules.programme import Fill, Item, Kind, Overrun, Programme, Slot, overlaps
from wire.plan import AfterCut, Asset, BulletinClass, Job, Late, Level

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday, 10:00 in Lạng Sơn
HANOI = "Asia/Ho_Chi_Minh"
# no summer time; half an hour east; summer time at 2, at midnight, of 30 minutes, over midnight; a day left out
ZONES = (
    HANOI,
    "UTC",
    "Asia/Kolkata",
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
zones = st.sampled_from(ZONES)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
moments_utc = st.integers(0, 31 * 365 * 86400).map(
    lambda seconds: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
days = st.dates(date(2005, 1, 1), date(2036, 1, 1))


def asset(letter: str = "a", seconds: int = 60) -> Asset:
    return Asset(letter * 64, 4000 * seconds, 1000 * seconds, "audio/ogg", f"media/{letter * 64}")


def booking(name: str = "b1", *starts: datetime, **more: Any) -> Booking:
    facts: dict[str, Any] = {"title": "Thông báo", "areas": ("lang-son:dong-dang",), "asset": asset()} | more
    return Booking(id=name, starts=starts or (NOW + timedelta(hours=1),), **facts)


def job(name: str = "b1", **more: Any) -> Job:
    facts: dict[str, Any] = {
        "title": "Thông báo",
        "bulletin_class": BulletinClass.ORDINARY,
        "level": Level.COMMUNE,
        "start": NOW,
        "late": Late.PLAY_LATE,
        "after_cut": AfterCut.RESUME,
        "asset": asset(),
    }
    facts |= more
    return Job(id=name, deadline=facts.pop("deadline", facts["start"] + timedelta(minutes=30)), **facts)


jobs = st.builds(
    job,
    name=st.from_regex(r"b[0-9a-f]{2}", fullmatch=True),
    bulletin_class=st.sampled_from(BulletinClass),
    level=st.sampled_from(Level),
    start=st.sampled_from([NOW, NOW + timedelta(minutes=1), NOW - timedelta(hours=3)]),
    drill=st.booleans(),
)
slugs = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
areas = st.lists(slugs, min_size=1, max_size=3).map(":".join)
bookings = st.lists(
    st.builds(
        Booking,
        id=st.from_regex(r"b[0-9a-f]{4}", fullmatch=True),
        title=st.text(max_size=20),
        areas=st.lists(st.sampled_from(["x", "x:a", "x:b", "y"]), min_size=1, max_size=3).map(tuple),
        starts=st.lists(
            st.integers(-5 * 24 * 60, 20 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
            min_size=1,
            max_size=4,
        ).map(tuple),
        asset=st.just(asset()),
        bulletin_class=st.sampled_from(BulletinClass),
        late=st.sampled_from(Late),
        late_for=st.integers(0, 3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
        repeats=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)
TERMS = (
    Term("hk1", date(2026, 9, 5), date(2027, 1, 15)),
    Term("hk2", date(2027, 1, 18), date(2027, 5, 28)),
    Term("he", date(2027, 6, 1), date(2027, 8, 31)),
)
LUNAR = ("1", "15", "30", "15/7", "1/1", "30/12", "tet", "tet-1", "tet+3")
near_days = st.dates(date(2026, 10, 1), date(2028, 1, 1))
conditions = st.builds(
    Days,
    since=st.none() | st.dates(date(2026, 10, 1), date(2026, 12, 31)),
    until=st.none() | st.dates(date(2027, 1, 1), date(2028, 1, 1)),
    but=st.lists(near_days, max_size=2, unique=True).map(lambda found: tuple(sorted(found))),
    holidays=st.sampled_from(Holidays),
    lunar=st.lists(st.sampled_from(LUNAR), max_size=2, unique=True).map(tuple),
    terms=st.lists(st.sampled_from(TERMS), max_size=2, unique=True).map(tuple),
)
labels = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=timetable.MOST_LABEL_CHARS
).filter(str.strip)
series = st.sampled_from(["ban-tin-xa", "tra-loi", "x"])
fixed_items = st.builds(Item, kind=st.sampled_from([Kind.MUSIC, Kind.ANTHEM, Kind.OPENING, Kind.CLOSING]), asset=labels)
announced = st.builds(
    Item,
    kind=st.just(Kind.ANNOUNCEMENTS),
    series=st.just("") | series,
    classes=st.sampled_from([(), (BulletinClass.ORDINARY,), (BulletinClass.PRIORITY, BulletinClass.ORDINARY)]),
)
relays = st.builds(Item, kind=st.just(Kind.RELAY), source=labels)
some_items = st.one_of(
    st.lists(fixed_items, max_size=2),
    st.tuples(fixed_items, announced).map(list),
    st.tuples(announced, relays).map(list),
).map(tuple)


def _slot_of(weekday_set: set[int], minutes: int, days: Days, instead: bool, **more: Any) -> Slot:
    kinds = {item.kind for item in more["items"]}
    needed = {Fill.MUSIC: Kind.MUSIC, Fill.REPEAT: Kind.ANNOUNCEMENTS}
    if needed.get(more["fill"], Kind.MUSIC) not in kinds:
        more["fill"] = Fill.NOTHING
    days = ALL_DAYS if days == ALL_DAYS else days
    return Slot(
        weekdays=tuple(sorted(weekday_set)),
        length=timedelta(minutes=minutes),
        days=days,
        instead=instead and days not in (ALL_DAYS, Days(holidays=Holidays.AS_USUAL)),
        **more,
    )


slots = st.builds(
    Slot,
    label=labels,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    start=clocks,
    length=st.integers(1, 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
rich_slots = st.builds(
    _slot_of,
    weekday_set=st.sets(st.integers(0, 6), min_size=1),
    minutes=st.integers(1, 24 * 60),
    days=st.just(ALL_DAYS) | conditions,
    instead=st.booleans(),
    label=labels,
    start=clocks,
    items=some_items,
    fill=st.sampled_from(Fill),
    overrun=st.sampled_from(Overrun),
)


def _without_overlaps(programme: Programme) -> Programme:
    kept: tuple[Slot, ...] = ()
    for slot in programme.slots:
        tried = replace(programme, slots=(*kept, slot))
        kept = kept if overlaps(tried) else tried.slots
    return replace(programme, slots=kept)


programmes = st.builds(
    Programme,
    area=areas,
    title=st.just('Khung "chương trình" \\ Đồng Đăng'),
    zone=zones,
    slots=st.lists(slots, max_size=6).map(tuple),
).map(_without_overlaps)
rich_programmes = st.builds(
    Programme,
    area=areas,
    title=st.just("Khung chương trình"),
    zone=st.just(HANOI),
    slots=st.lists(rich_slots, max_size=6).map(tuple),
    terms=st.just(TERMS),
).map(_without_overlaps)
