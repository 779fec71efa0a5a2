"""What comes next, out of what the planner is fed: the nearest, whoever they belong to, as a look at all would find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from controller.web.airings import Airing, next_ones
from schedules.booking import Booking
from wire.plan import BulletinClass

NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)


def booking(name: str, *minutes: int) -> Booking:
    starts = tuple(NOW + timedelta(minutes=each) for each in sorted(minutes))
    return Booking(name, name, ("a",), starts, None, BulletinClass.ORDINARY, repeats=len(starts) > 1)


def everything(bookings: list[Booking], left_out: set[str]) -> list[str]:
    ahead = [Airing(each, start) for each in bookings for start in each.starts if start > NOW]
    return [each.job for each in sorted(ahead, key=lambda one: (one.start, one.job)) if each.job not in left_out]


def test_the_nearest_are_found_without_looking_at_all() -> None:
    chance = Random(7)
    for _ in range(200):
        bookings = [
            booking(f"b{number}", *{chance.randint(-9, 9) for _ in range(chance.randint(1, 6))})
            for number in range(chance.randint(0, 9))
        ]
        every = everything(bookings, set())
        out = set(chance.sample(every, len(every) // 3))
        asked = 0

        def left_out(each: Airing, out: set[str] = out) -> bool:
            nonlocal asked
            asked += 1
            return each.job in out

        found = [each.job for each in next_ones(bookings, NOW, 3, left_out)]
        assert found == everything(bookings, out)[:3]
        assert asked <= len(every)


def test_of_a_booking_that_comes_for_years_only_the_next_is_looked_at() -> None:
    often = booking("b1", *range(1, 5000))
    asked: list[Airing] = []
    assert [each.start for each in next_ones([often], NOW, 2, lambda each: asked.append(each) or False)] == [
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=2),
    ]
    assert len(asked) == 2
