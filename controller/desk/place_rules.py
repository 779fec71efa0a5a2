"""The rulebooks over a booking's loudspeakers: whether one more broadcast keeps them all, and what the day has left.

- Loudspeakers that hear the same and have the same rulebooks are asked once.
- A relay counts as any sound does, as on the node; one that nobody relays yet does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from controller.roster import Node, ancestors
from schedules.budget import Budget, budget, tightest
from schedules.conflicts import Broadcast
from schedules.rulebook import Airing, Rulebook, broken, day_of, in_force
from wire.config import QuietHours

Rulebooks = Mapping[str, Sequence[tuple[date, Rulebook]]]


@dataclass(frozen=True)
class Rules:
    """What holds at every loudspeaker that is reached, with what it hears already."""

    kept: Rulebooks
    zone: str
    quiet: QuietHours
    places: Mapping[tuple[str, ...], Sequence[Sequence[Airing]]]  # by who governs: what is heard

    def allow(self, airing: Airing) -> bool:
        """Whether it stays out of the station's quiet hours, and no rulebook is broken by it."""
        if broken(Rulebook(quiet=self.quiet), (), airing, self.zone):
            return False
        return not any(
            broken(rulebook, heard, airing, self.zone)
            for governing, some in self.places.items()
            if (rulebook := in_force(self.kept, governing, day_of(airing, self.zone)))
            for heard in some
        )

    def budget(self, airings: Sequence[Airing]) -> Budget | None:
        """The day and the place with the least left."""
        return tightest(
            budget(in_force(self.kept, governing, day_of(airing, self.zone)), heard, airing, self.zone)
            for airing in airings
            for governing, some in self.places.items()
            for heard in some
        )


def rules_over(
    kept: Rulebooks, reached: Sequence[Node], held: Sequence[Broadcast], zone: str, quiet: QuietHours
) -> Rules:
    """The rules over the loudspeakers ``reached``."""
    counted = [each for each in held if each.counts]
    names = frozenset(node.id for node in reached)
    heard_by: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(counted):
        for name in names & each.reach:
            heard_by[name].append(number)
    places: dict[tuple[str, ...], dict[tuple[int, ...], list[Airing]]] = defaultdict(dict)
    for node in reached:
        governing = tuple(area for area in (node.home, *ancestors(node.home)) if area in kept)
        heard = tuple(heard_by[node.id])
        places[governing].setdefault(heard, [counted[number].airing for number in heard])
    return Rules(kept, zone, quiet, {area: list(some.values()) for area, some in places.items()})
