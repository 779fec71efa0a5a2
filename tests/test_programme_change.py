"""What another programme would change: every occurrence is told once, and only what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from makers_schedules import rich_programmes

from schedules.calendars import facts_of
from schedules.programme import Occurrence, Programme, Slot, occurrences
from schedules.programme_change import Change, change

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HANOI = "Asia/Ho_Chi_Minh"
EVERY_DAY = tuple(range(7))


def week(programme: Programme) -> list[Occurrence]:
    return occurrences(programme, NOW, NOW + timedelta(days=14), facts_of)


def told(found: Change) -> tuple[list[Occurrence], list[Occurrence]]:
    """All that goes and all that comes."""
    return (
        [*found.removed, *(old for old, _ in found.changed)],
        [*found.added, *(new for _, new in found.changed)],
    )


@settings(max_examples=60)
@given(rich_programmes, rich_programmes)
def test_what_was_without_what_goes_and_with_what_comes_is_what_will_be(one: Programme, other: Programme) -> None:
    before, after = week(one), week(other)
    gone, come = told(change(before, after, HANOI))
    kept = [each for each in before if each not in gone]
    assert sorted([*kept, *come], key=repr) == sorted(after, key=repr)
    assert not set(map(repr, gone)) & set(map(repr, come))


@given(rich_programmes)
def test_the_same_programme_changes_nothing(programme: Programme) -> None:
    assert len(change(week(programme), week(programme), HANOI)) == 0


def test_a_slot_that_moves_within_its_day_or_becomes_another_is_changed() -> None:
    slot = Slot("Bản tin", EVERY_DAY, time(5, 30), timedelta(minutes=15))
    before = week(Programme("lang-son", "A", slots=(slot,)))
    moved = week(Programme("lang-son", "A", slots=(replace(slot, start=time(6, 45)),)))
    renamed = week(Programme("lang-son", "A", slots=(replace(slot, label="Khác"),)))
    for after in (moved, renamed):
        found = change(before, after, HANOI)
        assert (len(found.changed), found.added, found.removed) == (14, (), ())
    assert len(change(before, [], HANOI).removed) == 14
    assert len(change([], before, HANOI).added) == 14
