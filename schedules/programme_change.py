"""What another programme would change in the days ahead: what comes, what goes, and what becomes another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from schedules import moments
from schedules.programme import Occurrence


@dataclass(frozen=True)
class Change:
    """By start. ``changed``: as it was, and as it will be: at the same moment, or of the same name on the same day."""

    added: tuple[Occurrence, ...] = ()
    removed: tuple[Occurrence, ...] = ()
    changed: tuple[tuple[Occurrence, Occurrence], ...] = ()

    def __len__(self) -> int:
        return len(self.added) + len(self.removed) + len(self.changed)


def change(before: Sequence[Occurrence], after: Sequence[Occurrence], zone: str) -> Change:
    """What ``after`` has otherwise than ``before``."""
    kept = {_whole(each) for each in before} & {_whole(each) for each in after}
    gone = [each for each in before if _whole(each) not in kept]
    come = [each for each in after if _whole(each) not in kept]
    pairs = _paired(gone, come, lambda each: each.start)
    pairs += _paired(gone, come, lambda each: (each.slot.label, moments.local(each.start, zone).date()))
    return Change(tuple(come), tuple(gone), tuple(sorted(pairs, key=lambda pair: pair[1].start)))


def _whole(each: Occurrence) -> Hashable:
    return each.start, each.end, each.slot


def _paired(
    gone: list[Occurrence], come: list[Occurrence], key: Callable[[Occurrence], Hashable]
) -> list[tuple[Occurrence, Occurrence]]:
    """Those of ``gone`` and ``come`` that have the same key; each leaves its list."""
    by_key = {key(each): each for each in reversed(come)}
    pairs = []
    for each in list(gone):
        other = by_key.pop(key(each), None)
        if other is not None:
            gone.remove(each)
            come.remove(other)
            pairs.append((each, other))
    return pairs
