"""What stands in a programme's slots: turns, room, overrun, what stays where it is, fixed items and their names."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW, asset, booking, rich_programmes

from schedules import laying, moments, placing, planner, relays
from schedules.calendars import facts_of
from schedules.laying import GAP, Sounding
from schedules.placing import Asked, Note, Place, Standing
from schedules.programme import Fill, Item, Kind, Occurrence, Overrun, Programme, Slot
from wire.names import node_id
from wire.plan import AfterCut, Asset, BulletinClass, Job, Late, Relay

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NEWS = Item(Kind.ANNOUNCEMENTS, series="ban-tin-xa")
OPENING, CLOSING, MUSIC = (
    Item(kind, asset=name) for kind, name in ((Kind.OPENING, "mở"), (Kind.CLOSING, "kết"), (Kind.MUSIC, "nhạc"))
)
AREA = "lang-son:dong-dang"


def audio(reference: str) -> Asset | None:
    return asset(seconds=59) if reference in {"mở", "kết", "nhạc"} else None


def slot(clock: str, *items: Item, minutes: int = 15, **more: object) -> Slot:
    return Slot(f"khung {clock}", tuple(range(7)), moments.clock_time(clock), minutes * MINUTE, items=items, **more)  # type: ignore[arg-type]


def found(*slots: Slot, now: datetime = NOW) -> list[Occurrence]:
    standing = Standing(Programme(AREA, "Khung", HANOI, slots), now - 30 * DAY)
    return placing.expand([standing], now - DAY, now + planner.HORIZON, facts_of)


def asked(name: str, minutes: float = 5, **more: object) -> Asked:
    facts: dict[str, object] = {"bulletin_class": BulletinClass.ORDINARY, "asked_at": NOW} | more
    return Asked(name, "ban-tin-xa", minutes * MINUTE, **facts)  # type: ignore[arg-type]


def places(slots: list[Slot], *wishes: Asked, now: datetime = NOW) -> dict[str, tuple[str, Note | None]]:
    """name -> (day and time, why not at once)."""
    return {each.id: (shown(each), each.note) for each in placing.place(found(*slots, now=now), wishes, audio, now)}


def shown(place: Place) -> str:
    return f"{moments.local(place.start, HANOI):%d %H:%M:%S}" if place.start else ""


def test_what_is_asked_for_stands_one_after_the_other_by_class_and_age() -> None:
    wishes = (
        asked("late", asked_at=NOW + MINUTE),
        asked("early"),
        asked("urgent", asked_at=NOW + 2 * MINUTE, bulletin_class=BulletinClass.PRIORITY),
    )
    assert places([slot("17:00", NEWS, minutes=20)], *wishes) == {
        "urgent": ("24 17:00:00", None),
        "early": ("24 17:05:01", None),
        "late": ("24 17:10:02", None),
    }


def test_what_does_not_fit_comes_in_the_next_occurrence_and_says_so() -> None:
    wishes = [asked(f"b{number}", asked_at=NOW + number * MINUTE) for number in range(3)]
    assert places([slot("17:00", NEWS, minutes=11)], *wishes)["b2"] == ("25 17:00:00", Note.LATER)


def test_a_shorter_one_takes_what_a_longer_one_leaves_and_the_longer_one_is_next() -> None:
    wishes = asked("first", 8), asked("long", 6, asked_at=NOW + MINUTE), asked("short", 1, asked_at=NOW + 2 * MINUTE)
    stood = places([slot("17:00", NEWS, minutes=10)], *wishes)
    assert stood["short"] == ("24 17:08:01", None)
    assert stood["long"] == ("25 17:00:00", Note.LATER)


def test_what_is_longer_than_the_slot_stands_nowhere_and_says_so() -> None:
    assert places([slot("17:00", NEWS)], asked("b1", 16)) == {"b1": ("", Note.TOO_LONG)}
    other = Item(Kind.ANNOUNCEMENTS, series="khac")
    assert places([slot("17:00", other)], asked("b1")) == {"b1": ("", Note.NO_SLOT)}
    assert places([slot("17:00", OPENING)], asked("b1")) == {"b1": ("", Note.NO_SLOT)}


def test_a_slot_that_extends_lets_one_run_over_its_end_but_not_into_another() -> None:
    news = slot("17:00", NEWS, minutes=6, overrun=Overrun.EXTEND)
    wishes = asked("b1"), asked("b2", asked_at=NOW + MINUTE)
    assert places([news], *wishes)["b2"] == ("24 17:05:01", None)
    assert places([news, slot("17:10", OPENING)], *wishes)["b2"] == ("25 17:00:00", Note.LATER)


def test_the_rest_goes_into_the_next_slot_that_takes_announcements() -> None:
    news = slot("17:00", NEWS, minutes=6, overrun=Overrun.NEXT_SLOT)
    other = slot("18:00", Item(Kind.ANNOUNCEMENTS, series="khac"))
    wishes = asked("b1"), asked("b2", asked_at=NOW + MINUTE)
    assert places([news, other], *wishes)["b2"] == ("24 18:00:00", Note.LATER)
    assert places([replace(news, overrun=Overrun.CUT), other], *wishes)["b2"] == ("25 17:00:00", Note.LATER)


def test_a_slot_takes_only_the_classes_that_it_names() -> None:
    news = slot("17:00", replace(NEWS, classes=(BulletinClass.PRIORITY,)))
    assert places([news], asked("b1"))["b1"] == ("", Note.NO_SLOT)
    assert places([news], asked("b1", bulletin_class=BulletinClass.PRIORITY))["b1"] == ("24 17:00:00", None)


def test_a_slot_that_is_about_to_begin_takes_nothing_more_and_keeps_what_stands_in_it() -> None:
    slots = [slot("17:00", NEWS)]
    five = moments.read("24/11/2026 17:00", NOW, HANOI)
    standing = [replace(asked("b1"), start=five), replace(asked("b2"), start=five + 5 * MINUTE + GAP)]
    newer = asked("b0", bulletin_class=BulletinClass.PRIORITY)
    for now in (five - 2 * MINUTE, five - MINUTE, five + 3 * MINUTE, five + 20 * MINUTE):
        stood = places(slots, *standing, newer, now=now)
        assert (stood["b1"], stood["b2"]) == (("24 17:00:00", None), ("24 17:05:01", None))
        assert stood["b0"][0] == "25 17:00:00"
    assert places(slots, *standing, newer, now=five - 3 * MINUTE)["b0"] == ("24 17:00:00", None)


def laid(one: Slot, *placed: tuple[str, float]) -> list[Sounding]:
    """The occurrence of that day, with announcements of so many minutes in it."""
    occurrence = next(each for each in found(one) if each.start > NOW)
    wishes = [asked(name, minutes) for name, minutes in placed]
    stood = placing.place([occurrence], wishes, audio, NOW)
    lengths = {each.id: each.length for each in wishes}
    return laying.lay_out(occurrence, {p.start: (p.id, lengths[p.id]) for p in stood if p.start}, audio)


def told(soundings: list[Sounding]) -> list[str]:
    return [f"{moments.local(each.start, HANOI):%H:%M:%S} {each.booking or each.item.kind}" for each in soundings]


def test_fixed_items_stand_around_the_announcements() -> None:
    assert told(laid(slot("17:00", OPENING, NEWS, CLOSING), ("b1", 5), ("b2", 3))) == [
        "17:00:00 opening",
        "17:01:00 b1",
        "17:06:01 b2",
        "17:09:02 closing",
    ]


def test_music_fills_the_rest_as_often_as_it_fits_whole() -> None:
    music = laid(slot("17:00", OPENING, NEWS, MUSIC, CLOSING, minutes=6, fill=Fill.MUSIC), ("b1", 1))
    assert told(music) == [
        "17:00:00 opening",
        "17:01:00 b1",
        "17:02:01 music",
        "17:03:01 music",
        "17:04:01 music",
        "17:05:01 closing",
    ]
    assert told(laid(slot("17:00", MUSIC, minutes=3, fill=Fill.MUSIC))) == [f"17:0{each}:00 music" for each in range(3)]


def test_announcements_come_again_as_often_as_they_fit_whole() -> None:
    again = laid(slot("17:00", NEWS, minutes=10, fill=Fill.REPEAT), ("b1", 3), ("b2", 1))
    assert told(again)[2:] == ["17:04:02 b1", "17:07:03 b2", "17:08:04 b1"][:2]
    known = {name: booking(name) for name in ("b1", "b2")}
    repeated = placing.bookings_of(AREA, again, known)
    jobs = [job.id for each in repeated for job in planner.jobs_of(each, NOW)]
    assert jobs == ["b1:20261124t100402", "b2:20261124t100703"]


VOV = Item(Kind.RELAY, source="vov1")


def relayed(name: str, duration_ms: int) -> tuple[str, Relay] | None:
    return ("Đài Tiếng nói Việt Nam", Relay("https://vov.example/1", duration_ms)) if name == "vov1" else None


def relay_jobs(soundings: list[Sounding]) -> list[Job]:
    found = placing.bookings_of(AREA, soundings, {}, relayed)
    return [job for each in found for job in planner.jobs_of(each, NOW) if job.relay]


def test_a_relay_takes_the_rest_of_its_slot_and_becomes_a_job_of_that_length() -> None:
    soundings = laid(slot("17:00", OPENING, VOV, CLOSING))
    assert told(soundings) == ["17:00:00 opening", "17:01:00 relay", "17:14:00 closing"]
    (job,) = relay_jobs(soundings)
    assert (job.title, job.asset) == ("Đài Tiếng nói Việt Nam", None)
    assert job.relay == Relay("https://vov.example/1", 13 * 60_000 - 1000)
    assert job.start == soundings[1].start
    assert job.deadline == job.start + 13 * MINUTE - GAP - relays.LEAST
    assert (job.late, job.after_cut) == (Late.PLAY_LATE, AfterCut.RESUME)


def test_a_relay_of_a_source_that_the_station_does_not_know_is_only_shown() -> None:
    soundings = laid(slot("17:00", OPENING, replace(VOV, source="VOV1")))
    assert len(soundings) == 2
    assert relay_jobs(soundings) == []


def test_announcements_that_fill_a_slot_leave_nothing_to_relay() -> None:
    assert relay_jobs(laid(slot("17:00", NEWS, VOV, minutes=5), ("b1", 5))) == []


def test_a_relay_keeps_its_name_when_its_address_or_what_stands_before_it_changes() -> None:
    one, full = (relay_jobs(laid(slot("17:00", NEWS, VOV), *placed)) for placed in ([], [("b1", 5)]))
    assert [job.id for job in one] == [job.id for job in full]
    assert one[0].id.startswith("p")
    assert one[0].start != full[0].start


def test_a_relay_longer_than_a_job_may_be_comes_in_pieces() -> None:
    jobs = relay_jobs(laid(slot("05:00", VOV, minutes=9 * 60)))
    assert [job.relay.duration_ms / 60_000 for job in jobs if job.relay] == [240, 240, 60 - 1 / 60]
    assert [job.start - jobs[0].start for job in jobs] == [0 * MINUTE, 240 * MINUTE, 480 * MINUTE]
    assert len({job.id for job in jobs}) == 3


def test_an_item_without_audio_is_shown_and_becomes_no_job() -> None:
    soundings = laid(slot("17:00", Item(Kind.ANTHEM, asset="chưa có"), OPENING))
    assert told(soundings) == ["17:00:00 anthem", "17:00:00 opening"]
    assert [each.title for each in placing.bookings_of(AREA, soundings, {})] == ["mở"]


def test_a_fixed_job_keeps_its_name_when_what_stands_before_it_changes() -> None:
    one = slot("17:00", OPENING, NEWS, CLOSING)
    empty, full = (placing.bookings_of(AREA, laid(one, *placed), {}) for placed in ([], [("b1", 5)]))
    assert [each.id for each in empty] == [each.id for each in full]
    assert [each.starts for each in empty] != [each.starts for each in full]
    relabelled = replace(one, label="Khác", length=14 * MINUTE)
    assert [each.id for each in placing.bookings_of(AREA, laid(relabelled), {})] == [each.id for each in empty]
    assert all(node_id(each.id) for each in full)


def test_a_programme_is_in_force_between_its_moments() -> None:
    old, new = (
        Programme(AREA, name, HANOI, (slot(clock, NEWS),)) for name, clock in (("cũ", "17:00"), ("mới", "18:00"))
    )
    change = moments.at_local(moments.local(NOW, HANOI).date() + 2 * DAY, time(), HANOI)
    standings = [Standing(old, NOW - DAY, change), Standing(new, change)]
    clocks = [
        f"{moments.local(each.start, HANOI):%d %H}" for each in placing.expand(standings, NOW, NOW + 4 * DAY, facts_of)
    ]
    assert clocks == ["24 17", "25 17", "26 18", "27 18"]


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ((AREA,), AREA),
        ((f"{AREA}:thon-1", f"{AREA}:thon-2"), AREA),
        ((f"{AREA}:thon-3",), f"{AREA}:thon-3"),
        ((AREA, f"{AREA}:thon-3"), None),
        (("lang-son",), None),
        ((AREA, "lang-son:na-sam"), None),
    ],
)
def test_the_nearest_programme_holds(areas: tuple[str, ...], expected: str | None) -> None:
    assert placing.governing(areas, [AREA, f"{AREA}:thon-3", "lang-son:na-sam"]) == expected


wishes_drawn = st.lists(
    st.builds(
        Asked,
        id=st.from_regex(r"b[0-9]{2}", fullmatch=True),
        series=st.sampled_from(["ban-tin-xa", "tra-loi", "x"]),
        length=st.integers(1, 40 * 60).map(lambda seconds: timedelta(seconds=seconds)),
        bulletin_class=st.sampled_from([BulletinClass.ORDINARY, BulletinClass.PRIORITY]),
        asked_at=st.integers(0, 600).map(lambda minutes: NOW - minutes * MINUTE),
    ),
    max_size=8,
    unique_by=lambda each: each.id,
)


@settings(max_examples=60)
@given(rich_programmes, wishes_drawn, st.lists(st.integers(1, 2000), max_size=4))
def test_as_time_goes_on_nothing_that_began_moves_and_nothing_overlaps(
    programme: Programme, wishes: list[Asked], steps: list[int]
) -> None:
    standings, now = [Standing(programme, NOW - DAY)], NOW
    for minutes in (0, *steps):
        before = {each.id: each.start for each in wishes if each.start and each.start <= now + placing.CLOSED_BEFORE}
        now += minutes * MINUTE
        occurrences = placing.expand(standings, now - DAY, now + planner.HORIZON, facts_of)
        stood = placing.place(occurrences, wishes, audio, now)
        assert stood == placing.place(occurrences, wishes[::-1], audio, now)
        assert [each.id for each in stood] == sorted(each.id for each in wishes)
        starts = {each.id: each.start for each in stood}
        assert before.items() <= starts.items()
        wishes = [replace(each, start=starts[each.id]) for each in wishes]
        spans = sorted((each.start, each.start + each.length) for each in wishes if each.start)
        assert all(one[1] < other[0] for one, other in pairwise(spans))
        assert {id_: at for id_, at in starts.items() if at} == {
            each.id: each.start for each in placing.place(occurrences, wishes, audio, now) if each.start
        }


@settings(max_examples=60)
@given(rich_programmes, wishes_drawn)
def test_what_is_laid_out_is_in_order_within_its_slot(programme: Programme, wishes: list[Asked]) -> None:
    occurrences = placing.expand([Standing(programme, NOW - DAY)], NOW, NOW + 7 * DAY, facts_of)
    lengths = {each.id: each.length for each in wishes}
    starts = {each.start: each.id for each in placing.place(occurrences, wishes, audio, NOW) if each.start}
    for occurrence in occurrences:
        own = {at: (name, lengths[name]) for at, name in starts.items() if occurrence.start <= at < occurrence.end}
        soundings = laying.lay_out(occurrence, own, audio)
        assert [each.booking for each in soundings if each.booking and not each.again] == [
            own[at][0] for at in sorted(own)
        ]
        assert all(one.until <= other.start for one, other in pairwise(soundings))
        if occurrence.slot.overrun is not Overrun.EXTEND:
            assert all(each.until <= occurrence.end for each in soundings)
        names = [each.id for each in placing.bookings_of(AREA, soundings, {})]
        assert len(set(names)) == len(names)
