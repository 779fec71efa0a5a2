"""A node's past: the bar of days, the charts, and what the store tells of one node."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store import Store
from controller.store.facts import HealthHour, Spread
from controller.web import node_history
from controller.web.node_history import DAY, DAYS, HEIGHT, HOUR, RANGES, WIDTH, bar, charts, days_before, span_of
from wire.health import Health, Vitals
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Receipts, Step

ZONE = "Asia/Ho_Chi_Minh"
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # 12:00 there
NONE = Spread(0, None, None, None)


def spread(mean: float, least: float | None = None, most: float | None = None, count: int = 60) -> Spread:
    return Spread(count, mean if least is None else least, mean if most is None else most, mean)


def hour(at: datetime, **measured: Spread) -> HealthHour:
    return HealthHour("loa-1", at, 60, **(dict.fromkeys(node_history.MEASURES, NONE) | measured))


def test_a_day_is_the_share_of_it_online_and_today_ends_now() -> None:
    begin = days_before(NOW, ZONE)
    assert begin == datetime(2026, 8, 26, 17, 0, tzinfo=UTC)
    online = [(NOW - 3 * DAY, NOW - DAY), (NOW - 6 * HOUR, None)]  # noon to noon, and the morning of today
    made = bar(online, NOW - 3 * DAY, [], NOW, ZONE)
    assert len(made.cells) == DAYS
    assert made.cells[-1].day == date(2026, 11, 24)
    known = [(cell.kind, round(cell.up, 2)) for cell in made.cells if cell.up is not None]
    assert known == [("whole", 1.0), ("whole", 1.0), ("part", 0.5), ("part", 0.5)]
    assert {cell.kind for cell in made.cells[:-4]} == {"unknown"}
    assert made.up == pytest.approx(0.75)
    assert made.uneasy == 2


def test_a_node_that_was_never_heard_of_is_not_said_to_be_down() -> None:
    made = bar([], None, [], NOW, ZONE)
    assert made.up is None
    assert {box.kind for box in made.boxes} == {"unknown"}
    gone = bar([(NOW - 50 * DAY, NOW - 49 * DAY)], NOW - 50 * DAY, [], NOW, ZONE)
    assert gone.cells[-1].kind == "down"
    assert gone.boxes[-1].height > node_history.Box(0, 0, 0, 3, "").height  # told apart by its shape too


def test_what_did_not_sound_counts_on_its_local_day_and_is_marked() -> None:
    late = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)  # half past midnight there: already the 24th
    ends = [(late, Step.SOUNDED), (late, Step.MISSED), (NOW - DAY, Step.REFUSED), (NOW - 400 * DAY, Step.MISSED)]
    made = bar([], None, ends, NOW, ZONE)
    assert [(cell.sounded, cell.lost) for cell in made.cells[-2:]] == [(0, 1), (1, 1)]
    assert (made.sounded, made.lost) == (1, 2)
    assert [int(x // (WIDTH / DAYS)) for x in made.marks] == [DAYS - 2, DAYS - 1]


@given(st.lists(st.tuples(st.integers(0, 100 * 24), st.integers(1, 300)), max_size=8))
def test_every_cell_lies_inside_the_drawing(spells: list[tuple[int, int]]) -> None:
    online = [(NOW - a * HOUR, min(NOW, NOW - a * HOUR + n * HOUR)) for a, n in spells]
    made = bar(online, min((since for since, _ in online), default=None), [], NOW, ZONE)
    for box in made.boxes:
        assert 0 <= box.x <= box.x + box.width <= WIDTH + 0.1
        assert 0 <= box.y <= box.y + box.height <= HEIGHT + 0.1
    assert all(cell.up is None or 0 <= cell.up <= 1 for cell in made.cells)


def test_each_range_ends_just_after_now() -> None:
    for name, (step, count) in RANGES.items():
        begin, found, many = span_of(name, NOW + HOUR / 2, ZONE)
        assert (found, many) == (step, count)
        assert NOW + HOUR / 2 < begin + count * step <= NOW + DAY
    assert span_of("90", NOW, ZONE)[0] == days_before(NOW, ZONE)  # whole local days


def test_a_chart_has_means_in_a_band_and_gaps_where_nothing_was_measured() -> None:
    begin = NOW - 6 * HOUR
    hours = [hour(begin + n * HOUR, cpu_celsius=spread(50 + n, 48, 60, count=30)) for n in (0, 1, 3)]
    hours.append(hour(begin + 9 * HOUR, cpu_celsius=spread(999)))  # beyond the range
    cpu, load, *_ = charts(hours, begin, HOUR, 6)
    assert [point.mean for point in cpu.points] == [50, 51, None, 53, None, None]
    assert (cpu.least, cpu.most) == (48, 60)
    assert cpu.last is cpu.points[3]
    assert cpu.line.count("M") == cpu.band.count("Z") == 2  # two pieces
    assert cpu.scale == (40, 50, 60)
    assert load.is_empty
    assert load.last is None
    places = [float(each) for each in re.findall(r"-?[\d.]+", cpu.line + cpu.band)]
    assert all(0 <= each <= WIDTH for each in places)


def test_steps_of_several_hours_weigh_hours_by_their_measurements() -> None:
    hours = [hour(NOW, memory_used_ratio=spread(0.2, 0.1, 0.3, 10)), hour(NOW + HOUR, memory_used_ratio=spread(0.5))]
    memory = charts(hours, NOW, 2 * HOUR, 1)[2]
    (point,) = memory.points
    assert point.mean == pytest.approx(100 * (0.2 * 10 + 0.5 * 60) / 70)
    assert (point.least, point.most) == (pytest.approx(10), pytest.approx(50))
    assert memory.scale == (0, 50, 100)


@pytest.mark.parametrize(("value", "scale"), [(0.1, (0, 0.5, 1)), (3.2, (0, 2, 4))])
def test_the_scale_of_a_load_grows_with_it(value: float, scale: tuple[float, float, float]) -> None:
    assert charts([hour(NOW, load_1m=spread(value))], NOW, HOUR, 1)[1].scale == scale


def told(number: int, job: str, step: Step, start: datetime) -> Receipt:
    measured = Measured(start, start + HOUR / 60, 4.0, 1000, -18.0, -3.0, "USB")
    return Receipt(number, job, step, start, start, measured=measured if step is Step.SOUNDED else None)


def test_the_store_tells_the_past_of_one_node(store: Store) -> None:
    past, book = store.past, store.health
    assert (past.first_heard("loa-1"), past.last_sounded("loa-1"), list(past.outcomes("loa-1", 0, 9))) == (
        *(None, None),
        [],
    )
    begun = NOW - 2 * DAY
    for node in ("loa-1", "loa-2"):
        book.take_presence([Presence(node, State.ONLINE, "b", begun, "1")], begun)
    book.take_presence([Presence("loa-1", State.OFFLINE, "b", NOW - DAY, "1")], NOW - DAY)
    book.take_health([Health("loa-1", NOW, "b", "1", Vitals(cpu_celsius=50.0))], NOW)
    assert past.spells("loa-1", NOW - 9 * DAY) == [(begun, NOW - DAY)]
    assert past.spells("loa-1", NOW - HOUR) == []
    assert past.spells("loa-2", NOW - HOUR) == [(begun, None)]
    assert past.first_heard("loa-1") == begun
    jobs = [
        told(1, "b1", Step.SOUNDED, NOW - 5 * HOUR),
        told(2, "b2", Step.MISSED, NOW - 4 * HOUR),
        told(3, "b3", Step.WITHDRAWN, NOW - 3 * HOUR),
        told(4, f"p{'0' * 12}-1", Step.WITHDRAWN, NOW - 2 * HOUR),
    ]
    for receipt in jobs:
        store.asrun.store_receipts(Receipts("loa-1", "s", (receipt,)), receipt.at)
    store.asrun.store_receipts(Receipts("loa-2", "s", (told(1, "b9", Step.SOUNDED, NOW),)), NOW)
    assert sorted(past.endings("loa-1", NOW - DAY)) == [
        (NOW - 5 * HOUR, Step.SOUNDED),
        (NOW - 4 * HOUR, Step.MISSED),
    ]
    assert past.endings("loa-1", NOW - HOUR) == []
    assert [each.job for each in past.outcomes("loa-1", 0, 2)] == ["b3", "b2"]
    assert [each.job for each in past.outcomes("loa-1", 2, 9)] == ["b1"]
    last = past.last_sounded("loa-1")
    assert last
    assert (last.job, last.measured is not None) == ("b1", True)


def test_days_of_a_zone_that_turns_its_clocks_are_whole_days() -> None:
    berlin, now = "Europe/Berlin", datetime(2026, 10, 26, 12, 0, tzinfo=UTC)  # the day after the clocks went back
    made = bar([(now - 100 * DAY, None)], now - 100 * DAY, [], now, berlin)
    assert {cell.kind for cell in made.cells} == {"whole"}
    assert days_before(now, berlin, 2) == datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert timedelta(hours=25) == datetime(2026, 10, 25, 23, 0, tzinfo=UTC) - days_before(now, berlin, 2)
