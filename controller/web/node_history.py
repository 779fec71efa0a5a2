"""A node's past as drawings: a bar of days, and lines of what was measured. Pure: geometry and numbers, no words.

- A drawing has no text in it: it grows and shrinks with the screen, its labels stand around it as text.
- What is not known is drawn as nothing: a line has gaps, a day before the node was heard of is empty.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from controller.store.facts import HealthHour, Spread
from controller.store.health import share_online
from controller.store.node_past import Spell
from schedules.moments import at_local, local
from wire.receipt import Step

DAYS = 90
WIDTH, HEIGHT = 900, 100  # of every drawing, in its own units
GOOD = 0.99  # of a day online, from which on it counts as whole
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RANGES = {"24": (HOUR, 24), "7": (2 * HOUR, 84), "30": (8 * HOUR, 90), "90": (DAY, 90)}  # how long a step, how many
MEASURES = {"cpu_celsius": 1.0, "load_1m": 1.0, "memory_used_ratio": 100.0, "disk_used_ratio": 100.0}  # times


@dataclass(frozen=True)
class Cell:
    """A local day. ``up``: the share of it online, 0 to 1 (None: not known); how many jobs sounded, and did not."""

    day: date
    up: float | None
    sounded: int
    lost: int

    @property
    def kind(self) -> str:
        """``whole``, ``part``, ``down`` or ``unknown``."""
        if self.up is None:
            return "unknown"
        return "whole" if self.up >= GOOD else "part" if self.up > 0 else "down"


@dataclass(frozen=True)
class Box:
    """A rectangle of a drawing."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True)
class Bar:
    """The bar of days: its cells, oldest first, and what is drawn of them."""

    cells: tuple[Cell, ...]
    boxes: tuple[Box, ...]
    marks: tuple[float, ...]  # where something was lost: the middle of its day

    @property
    def up(self) -> float | None:
        """The mean of the known days."""
        known = [cell.up for cell in self.cells if cell.up is not None]
        return sum(known) / len(known) if known else None

    @property
    def sounded(self) -> int:
        """How many jobs sounded."""
        return sum(cell.sounded for cell in self.cells)

    @property
    def lost(self) -> int:
        """How many did not, or not whole."""
        return sum(cell.lost for cell in self.cells)

    @property
    def uneasy(self) -> int:
        """On how many of the known days it was not online all the time."""
        return sum(cell.kind in ("part", "down") for cell in self.cells)


@dataclass(frozen=True)
class Point:
    """What was measured in one step that begins ``at``; all None where nothing was."""

    at: datetime
    least: float | None = None
    mean: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Chart:
    """A line of means in a band from least to most: SVG paths, and what stands beside them.

    ``name`` is of `MEASURES`; ``scale`` are the values at the bottom, in the middle, at the top.
    """

    name: str
    points: tuple[Point, ...]
    scale: tuple[float, float, float]
    line: str
    band: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured."""
        return not self.line

    @property
    def last(self) -> Point | None:
        """The newest step in which something was measured."""
        return next((each for each in reversed(self.points) if each.mean is not None), None)

    @property
    def least(self) -> float:
        """The smallest value measured; of a chart that is not empty."""
        return min(each.least for each in self.points if each.least is not None)

    @property
    def most(self) -> float:
        """The greatest."""
        return max(each.most for each in self.points if each.most is not None)


def days_before(now: datetime, zone: str, count: int = DAYS) -> datetime:
    """The moment at which the first of ``count`` local days begins, today being the last."""
    return at_local(local(now, zone).date() - timedelta(days=count - 1), time(), zone)


def bar(
    online: Sequence[Spell], heard: datetime | None, endings: Iterable[tuple[datetime, Step]], now: datetime, zone: str
) -> Bar:
    """The last `DAYS` local days: ``online`` spells, when it was first ``heard`` of, how its jobs ended."""
    counted = Counter((local(at, zone).date(), step is Step.SOUNDED) for at, step in endings)
    first = local(now, zone).date() - timedelta(days=DAYS - 1)
    closed = [(since, until or now) for since, until in online]
    cells = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        begin, end = at_local(day, time(), zone), min(at_local(day + timedelta(days=1), time(), zone), now)
        up = share_online(closed, max(begin, heard), end) if heard else None
        cells.append(Cell(day, up, counted[day, True], counted[day, False]))
    step = WIDTH / DAYS
    boxes = tuple(_box(cell, number * step, step) for number, cell in enumerate(cells))
    marks = tuple(round((number + 0.5) * step, 1) for number, cell in enumerate(cells) if cell.lost)
    return Bar(tuple(cells), boxes, marks)


def _box(cell: Cell, x: float, step: float) -> Box:
    """As high as the share of the day; a day without any is a low block, one that is not known a thin line."""
    height = {"unknown": 3.0, "down": 12.0}.get(cell.kind, max(12.0, HEIGHT * (cell.up or 0)))
    return Box(round(x + step * 0.1, 1), round(HEIGHT - height, 1), round(step * 0.8, 1), round(height, 1), cell.kind)


def span_of(name: str, now: datetime, zone: str) -> tuple[datetime, timedelta, int]:
    """Where a range of `RANGES` begins, how long its steps are and how many; it ends just after ``now``."""
    step, count = RANGES[name]
    whole = now.replace(minute=0, second=0, microsecond=0) + HOUR
    end = at_local(local(now, zone).date() + timedelta(days=1), time(), zone) if step == DAY else whole
    return end - count * step, step, count


def charts(hours: Sequence[HealthHour], begin: datetime, step: timedelta, count: int) -> list[Chart]:
    """A chart of each of `MEASURES` over ``count`` steps from ``begin`` on."""
    by_step: list[list[HealthHour]] = [[] for _ in range(count)]
    for hour in hours:
        place = (hour.hour - begin) // step
        if 0 <= place < count:
            by_step[place].append(hour)
    return [_chart(name, times, by_step, (begin, step)) for name, times in MEASURES.items()]


def _chart(name: str, times: float, by_step: list[list[HealthHour]], axis: tuple[datetime, timedelta]) -> Chart:
    begin, step = axis
    points = tuple(
        _point(begin + number * step, [getattr(hour, name) for hour in within], times)
        for number, within in enumerate(by_step)
    )
    bottom, top = _scale(name, points)
    runs = list(_runs(points))
    x_step = WIDTH / len(points)

    def place(number: int, value: float) -> str:
        share = (min(max(value, bottom), top) - bottom) / (top - bottom)
        return f"{(number + 0.5) * x_step:.1f} {HEIGHT - HEIGHT * share:.1f}"

    line = "".join(_path([place(n, p.mean) for n, p in run if p.mean is not None]) for run in runs)
    band = "".join(
        _path(
            [place(n, p.most) for n, p in run if p.most is not None]
            + [place(n, p.least) for n, p in reversed(run) if p.least is not None]
        )
        + "Z"
        for run in runs
    )
    return Chart(name, points, (bottom, (bottom + top) / 2, top), line, band)


def _path(places: Sequence[str]) -> str:
    """One line; a single place is a dot (a line of no length with round ends)."""
    return "M" + "L".join(places if len(places) > 1 else [*places, *places])


def _point(at: datetime, spreads: Iterable[Spread], times: float) -> Point:
    told = [
        (each.count, each.least, each.mean, each.most)
        for each in spreads
        if each.count and each.least is not None and each.mean is not None and each.most is not None
    ]
    if not told:
        return Point(at)
    total = sum(count for count, *_ in told)
    mean = sum(count * mean for count, _, mean, _ in told) / total
    return Point(at, min(t[1] for t in told) * times, mean * times, max(t[3] for t in told) * times)


def _scale(name: str, points: Iterable[Point]) -> tuple[float, float]:
    """The bottom and the top: whole tens of degrees, shares from 0 to 100 %, a load from 0 to at least 1."""
    known = [(each.least, each.most) for each in points if each.least is not None and each.most is not None]
    if name.endswith("_ratio") or not known:
        return 0.0, 100.0 if name != "load_1m" else 1.0
    top = max(most for _, most in known)
    if name == "load_1m":
        return 0.0, max(1.0, float(math.ceil(top)))
    bottom = 10.0 * math.floor(min(least for least, _ in known) / 10)
    return bottom, max(bottom + 20, 10.0 * math.ceil(top / 10))


def _runs(points: Sequence[Point]) -> Iterable[list[tuple[int, Point]]]:
    """Points without a gap between them, each with its number."""
    run: list[tuple[int, Point]] = []
    for number, point in enumerate(points):
        if point.mean is not None:
            run.append((number, point))
        elif run:
            yield run
            run = []
    if run:
        yield run
