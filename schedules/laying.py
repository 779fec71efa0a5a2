"""A slot laid out: what sounds in one occurrence, in order, and where its announcements may stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.programme import Fill, Item, Kind, Occurrence, Overrun
from wire.plan import Asset

GAP = timedelta(seconds=1)
MOST_FILLED = 60  # items that fill the rest of one slot

Audio = Callable[[str], Asset | None]  # the finished audio of an item's reference, in one area


@dataclass(frozen=True)
class Sounding:
    """One item of an occurrence. ``booking``: whose announcement it is; ``again``: how often it came before."""

    occurrence: Occurrence
    item: Item
    start: datetime
    until: datetime
    asset: Asset | None = None
    booking: str = ""
    again: int = 0


@dataclass(frozen=True)
class Room:
    """Where announcements may stand: from ``since``; before ``until`` they end; ``after`` is what then follows."""

    since: datetime
    until: datetime
    after: timedelta


def room_of(occurrence: Occurrence, audio: Audio) -> Room | None:
    """None where the slot takes no announcements."""
    slot = occurrence.slot
    places = [index for index, item in enumerate(slot.items) if item.kind is Kind.ANNOUNCEMENTS]
    if not places:
        return None
    lengths = [_length(item, slot.fill, audio) for item in slot.items]
    before, after = (sum(part, timedelta(0)) for part in (lengths[: places[0]], lengths[places[0] + 1 :]))
    return Room(occurrence.start + before, occurrence.end - after, after)


def _length(item: Item, fill: Fill, audio: Audio) -> timedelta:
    """How much of a slot an item takes for itself; music that fills takes what is left."""
    asset = audio(item.asset) if item.asset and not _fills(item, fill) else None
    return _lasts(asset) + GAP if asset else timedelta(0)


def _fills(item: Item, fill: Fill) -> bool:
    return item.kind is Kind.MUSIC and fill is Fill.MUSIC


def _lasts(asset: Asset) -> timedelta:
    """Whole seconds, so that what follows begins on one."""
    return timedelta(seconds=-(-asset.duration_ms // 1000))


def lay_out(occurrence: Occurrence, placed: Mapping[datetime, tuple[str, timedelta]], audio: Audio) -> list[Sounding]:
    """What sounds in an occurrence, in order. ``placed``: the bookings that begin in it, by start."""
    return _Layout(occurrence, placed, audio).soundings()


class _Layout:
    """One occurrence being laid out, from its start on."""

    def __init__(self, occurrence: Occurrence, placed: Mapping[datetime, tuple[str, timedelta]], audio: Audio) -> None:
        self._occurrence, self._placed, self._audio = occurrence, placed, audio
        self._at = occurrence.start
        self._found: list[Sounding] = []

    def soundings(self) -> list[Sounding]:
        slot = self._occurrence.slot
        takes = any(item.kind is Kind.ANNOUNCEMENTS for item in slot.items)
        for index, item in enumerate(slot.items):
            end = self._occurrence.end - sum(
                (_length(each, slot.fill, self._audio) for each in slot.items[index + 1 :]), timedelta(0)
            )
            if item.kind is Kind.ANNOUNCEMENTS:
                self._announce(item, end)
            elif item.kind is Kind.RELAY:
                self._add(item, max(self._at, end))
            elif not _fills(item, slot.fill):
                self._sound(item)
            elif not takes:
                self._fill([item], end)
        return self._found

    def _announce(self, item: Item, end: datetime) -> None:
        own = [(start, *self._placed[start]) for start in sorted(self._placed)]
        for start, booking, length in own:
            self._at = start
            self._add(item, start + length, booking=booking)
        slot = self._occurrence.slot
        if slot.fill is Fill.MUSIC:
            self._fill([each for each in slot.items if each.kind is Kind.MUSIC], end)
        for again in range(1, MOST_FILLED + 1) if slot.fill is Fill.REPEAT and own else ():
            for _, booking, length in own:
                if self._at + length > end:
                    return
                self._add(item, self._at + length, booking=booking, again=again)

    def _fill(self, items: list[Item], end: datetime) -> None:
        for number in range(MOST_FILLED):
            item = items[number % len(items)]
            asset = self._audio(item.asset)
            if asset is None or self._at + _lasts(asset) > end:
                return
            self._add(item, self._at + _lasts(asset), asset)

    def _sound(self, item: Item) -> None:
        """A fixed item: without audio it is only shown, and one that would go over the end is left out."""
        asset = self._audio(item.asset)
        until = self._at + (_lasts(asset) if asset else timedelta(0))
        if until <= self._occurrence.end or self._occurrence.slot.overrun is Overrun.EXTEND:
            self._add(item, until, asset)

    def _add(
        self, item: Item, until: datetime, asset: Asset | None = None, *, booking: str = "", again: int = 0
    ) -> None:
        self._found.append(Sounding(self._occurrence, item, self._at, until, asset, booking, again))
        if until > self._at:
            self._at = until + GAP if item.kind is not Kind.RELAY else until
        if booking:
            self._at = self._occurrence.start + -(-(self._at - self._occurrence.start) // _SECOND) * _SECOND


_SECOND = timedelta(seconds=1)
