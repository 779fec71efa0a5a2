"""Conflicts and offers: what is told is what a loudspeaker does, and what is offered is free."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_schedules import HANOI, NOW

from schedules import moments
from schedules.budget import budget, tightest
from schedules.conflicts import Broadcast, Turn, busy, conflicts
from schedules.offers import Air, Asked, Kind, offers
from schedules.rulebook import Airing, Rulebook
from wire.config import Limits
from wire.plan import BulletinClass, Level

MINUTE = timedelta(minutes=1)
ALL = frozenset("abc")
PRIORITY, EMERGENCY = BulletinClass.PRIORITY, BulletinClass.EMERGENCY


def broadcast(name: str, at: float, minutes: float = 4, **more: object) -> Broadcast:
    """So many minutes of sound from so many minutes after `NOW`."""
    facts: dict[str, object] = {"bulletin_class": BulletinClass.ORDINARY, "reach": ALL, "title": name} | more
    airing = Airing(NOW + at * MINUTE, minutes * MINUTE, facts.pop("bulletin_class"), name)  # type: ignore[arg-type]
    return Broadcast(airing, **facts)  # type: ignore[arg-type]


def met(wanted: Broadcast, *held: Broadcast) -> list[tuple[str, Turn, float]]:
    """Who is met, who waits, and until how many minutes after `NOW`."""
    found = conflicts(wanted, held, HANOI)
    return [(each.other.airing.id, each.turn, round((each.until - NOW) / MINUTE, 2)) for each in found]


def test_one_that_is_asked_for_while_another_sounds_waits_until_that_is_over() -> None:
    assert met(broadcast("w", 2), broadcast("b1", 0)) == [("b1", Turn.WAITS, 4)]


def test_one_that_would_still_sound_when_another_begins_lets_that_wait() -> None:
    assert met(broadcast("w", 0, 10), broadcast("b1", 5)) == [("b1", Turn.FIRST, 10)]


def test_what_begins_when_the_other_ends_meets_nothing() -> None:
    assert met(broadcast("w", 4), broadcast("b1", 0), broadcast("b2", 8)) == []


def test_what_is_only_pushed_back_in_the_queue_is_met_too() -> None:
    found = met(broadcast("w", 2, 3), broadcast("b1", 0), broadcast("b2", 6))
    assert found == [("b1", Turn.WAITS, 4), ("b2", Turn.FIRST, 7)]


def test_at_the_same_moment_class_goes_before_level_and_level_before_the_time_of_booking() -> None:
    assert met(broadcast("w", 0, 2, bulletin_class=PRIORITY), broadcast("b1", 0)) == [("b1", Turn.FIRST, 2)]
    assert met(broadcast("w", 0, 2), broadcast("b1", 0, level=Level.PROVINCE)) == [("b1", Turn.WAITS, 4)]
    assert met(broadcast("w", 0, 2), broadcast("b1", 0)) == [("b1", Turn.ALIKE, 6)]


def test_priority_does_not_cut_what_sounds_already() -> None:
    assert met(broadcast("w", 1, 2, bulletin_class=PRIORITY), broadcast("b1", 0)) == [("b1", Turn.WAITS, 4)]


def test_an_emergency_cuts_what_sounds_and_is_told_so() -> None:
    [(name, turn, until)] = met(broadcast("w", 1, 2, bulletin_class=EMERGENCY), broadcast("b1", 0))
    assert (name, turn) == ("b1", Turn.CUTS)
    assert until == pytest.approx(3, abs=0.1)
    assert met(broadcast("w", 0), broadcast("b1", 1, 2, bulletin_class=EMERGENCY))[0][1] is Turn.IS_CUT


def test_one_that_would_wait_too_long_is_missed_and_one_that_waits_for_nobody_is_lost() -> None:
    assert met(broadcast("w", 1), broadcast("b1", 0, 40))[0][1] is Turn.MISSED
    at_once = broadcast("p1", 2, waits_for=timedelta(seconds=30), kind="opening")
    assert met(broadcast("w", 0, 10), at_once)[0][1] is Turn.TAKES


def test_only_the_loudspeakers_that_both_want_are_counted() -> None:
    [one] = conflicts(broadcast("w", 0), [broadcast("b1", 2, reach=frozenset("cd"))], HANOI)
    assert one.shared == frozenset("c")
    assert met(broadcast("w", 0), broadcast("b1", 2, reach=frozenset("d"))) == []


def asked(*comings: Broadcast, repeats: bool = False, now: datetime = NOW - 60 * MINUTE) -> Asked:
    return Asked(tuple(each.airing for each in comings), repeats, now)


def offered(wanted: Broadcast, *held: Broadcast) -> list[tuple[Kind, float]]:
    crossed = [wanted.airing.start] if conflicts(wanted, held, HANOI) else []
    found = offers(asked(wanted), crossed, Air(wanted.reach, held, HANOI), lambda _: True)
    return [(each.kind, (each.start - NOW) / MINUTE) for each in found if each.start]


def test_the_offers_are_the_first_free_minute_after_and_the_nearest_five_minutes() -> None:
    assert offered(broadcast("w", 0, 3), broadcast("b1", -1, 5.5)) == [(Kind.AFTER, 5), (Kind.MOVE, -5)]


def test_a_day_without_room_offers_the_next_one_at_the_same_time() -> None:
    full = broadcast("b1", -10 * 60, 24 * 60 - 1)
    assert offered(broadcast("w", 0), full) == [(Kind.DAY, 24 * 60)]


def test_what_is_not_allowed_is_not_offered() -> None:
    held = [broadcast("b1", 0)]
    found = offers(asked(broadcast("w", 0)), [NOW], Air(ALL, held, HANOI), lambda each: each.start > NOW + 30 * MINUTE)
    assert [(each.start - NOW) / MINUTE for each in found if each.start] == [31, 35]


def test_what_comes_again_keeps_its_days_or_leaves_those_out_that_are_taken() -> None:
    week = [broadcast("w", day * 24 * 60) for day in range(7)]
    held = [broadcast("b1", 2 * 24 * 60)]
    found = offers(asked(*week, repeats=True), [NOW + timedelta(days=2)], Air(ALL, held, HANOI), lambda _: True)
    assert [each.kind for each in found] == [Kind.AFTER, Kind.MOVE, Kind.SKIP]
    assert found[2].days == (date(2026, 11, 26),)


broadcasts = st.lists(
    st.builds(
        broadcast,
        name=st.from_regex(r"b[0-9a-f]{3}", fullmatch=True),
        at=st.integers(-30, 90),
        minutes=st.integers(1, 15),
        bulletin_class=st.sampled_from([BulletinClass.ORDINARY, PRIORITY]),
        level=st.sampled_from([Level.COMMUNE, Level.PROVINCE]),
        reach=st.sets(st.sampled_from("abc"), min_size=1).map(frozenset),
    ),
    max_size=7,
    unique_by=lambda each: each.airing.id,
)
_URGENCY = {PRIORITY: 0, BulletinClass.ORDINARY: 1}
_ABOVE = {Level.PROVINCE: 0, Level.COMMUNE: 1}


def walked(held: list[Broadcast], node: str, since: int = -60, until: int = 400) -> dict[int, str]:
    """A loudspeaker minute by minute, the plainest way: minute -> whose sound it is."""
    sounding, waiting = {}, [each for each in held if node in each.reach]
    minute = since
    while minute < until:
        at = NOW + minute * MINUTE
        waiting = [each for each in waiting if at <= each.airing.start + each.waits_for]
        ready = [each for each in waiting if each.airing.start <= at]
        if not ready:
            minute += 1
            continue
        first = min(ready, key=_rank)
        waiting.remove(first)
        for _ in range(first.airing.length // MINUTE):
            sounding[minute] = first.airing.id
            minute += 1
    return sounding


def _rank(each: Broadcast) -> tuple[int, int, datetime, str]:
    return _URGENCY[each.airing.bulletin_class], _ABOVE[each.level], each.airing.start, each.airing.id


@given(broadcasts)
def test_the_busy_minutes_are_those_of_a_walk_minute_by_minute(held: list[Broadcast]) -> None:
    spans = busy(ALL, held, (NOW - 60 * MINUTE, NOW + 400 * MINUTE), HANOI)
    told = {minute for since, until in spans for minute in range((since - NOW) // MINUTE, (until - NOW) // MINUTE)}
    assert told == {minute for node in ALL for minute in walked(held, node)}


@given(broadcasts, st.integers(0, 60), st.integers(1, 15), st.sets(st.sampled_from("abc"), min_size=1).map(frozenset))
def test_an_offer_that_is_made_is_free_minute_by_minute_and_nobody_waits(
    held: list[Broadcast], at: int, minutes: int, reach: frozenset[str]
) -> None:
    wanted = broadcast("w", at, minutes, reach=reach)
    taken = {minute for node in reach for minute in walked(held, node)}
    for each in offers(asked(wanted), [wanted.airing.start], Air(reach, held, HANOI), lambda _: True):
        assert each.start is not None
        begin = (each.start - NOW) // MINUTE
        assert not taken & set(range(begin, begin + minutes))
        assert conflicts(replace(wanted, airing=replace(wanted.airing, start=each.start)), held, HANOI) == []


@given(broadcasts, st.integers(0, 60), st.integers(1, 15))
def test_what_meets_nothing_changes_no_minute_and_what_changes_one_is_told(
    held: list[Broadcast], at: int, minutes: int
) -> None:
    wanted = broadcast("w", at, minutes)
    told = {each.other.airing.id for each in conflicts(wanted, held, HANOI)}
    for node in ALL:
        alone, together = walked(held, node), walked([*held, wanted], node)
        changed = {name for minute, name in alone.items() if together.get(minute) != name}
        assert changed <= told
        if not told:
            assert [minute for minute, name in together.items() if name == "w"] == list(range(at, at + minutes))


def test_the_budget_counts_a_day_as_its_rulebook_does() -> None:
    rules = Rulebook(Limits(day_minutes=(45,) * 7, session_minutes=(20,) * 7))
    already = [broadcast("b1", 0, 18).airing, broadcast("b2", 24 * 60, 10).airing]
    told = budget(rules, already, broadcast("w", 20, 2).airing, HANOI)
    assert (told.used, told.adds, told.most, told.left) == (18 * MINUTE, 2 * MINUTE, 45, 25 * MINUTE)
    assert (told.session, told.session_most) == (22 * MINUTE, 20)
    assert told.day == moments.local(NOW, HANOI).date()
    free = budget(None, already, broadcast("w", 20, 2).airing, HANOI)
    assert (free.used, free.most, free.session_most) == (18 * MINUTE, None, None)
    assert tightest([free, told]) == told
    assert tightest([]) is None
