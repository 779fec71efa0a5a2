"""A programme over the real transmitter: what is previewed is what a node's gate makes of the sealed plans."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import makers_store as made
import pytest
from makers_programmes import asking, drawn, row, scattered, with_items, written
from makers_station import Radio, furnished
from makers_store import COMMUNE, HAMLET, NOW, OTHER_COMMUNE

from controller.restraint import foresee
from controller.roster import areas_of
from controller.settings import Settings
from controller.store import Store
from schedules import planner
from schedules.relays import Source
from wire import codec, topics
from wire.plan import Job

HOUR = timedelta(hours=1)
AREAS = [COMMUNE, HAMLET, OTHER_COMMUNE, made.GROUP, made.PROVINCE, "loa-2"]


def as_bytes(jobs: list[Job]) -> bytes:
    return b"\n".join(codec.write(job) for job in jobs)


def preview(store: Store, node: str) -> list[Job]:
    """What the station says that this node will sound."""
    held = store.roster.node(node)
    assert held
    plans, _ = foresee(store, Settings(), planner.plan(store.airing.to_plan(NOW), NOW), NOW)
    return planner.of_areas(plans, areas_of(held), NOW)


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    store.migrate()
    return furnished(store, tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_the_preview_of_a_node_is_what_its_gate_merges_byte_for_byte(radio: Radio, seed: int) -> None:
    chance = Random(seed)
    with_items(radio.store)
    radio.store.programmes.apply(row())
    for area in chance.sample([HAMLET, OTHER_COMMUNE, made.PROVINCE], 2):
        radio.store.programmes.apply(written(drawn(chance, area)))
    scattered(radio.store, chance, AREAS)
    radio.station.plan(NOW)
    for node in ("loa-1", "loa-2", "loa-3"):
        heard = sorted(radio.jobs(node).values(), key=lambda job: (job.start, job.id))
        assert as_bytes(heard) == as_bytes(preview(radio.store, node))
    assert radio.jobs("loa-2")


def test_an_edit_in_one_hamlet_issues_the_plan_of_that_hamlet_and_no_other(radio: Radio) -> None:
    with_items(radio.store)
    radio.store.programmes.apply(row())
    for number, area in enumerate((COMMUNE, HAMLET, OTHER_COMMUNE), 1):
        made.on_the_air(radio.store, number, areas=(area,))
    asking(radio.store, 4)
    radio.station.plan(NOW)
    radio.link.published.clear()
    made.on_the_air(radio.store, 5, areas=(HAMLET,))
    radio.station.plan(NOW)
    assert radio.link.published == [topics.PLAN.topic(area=HAMLET)]
    radio.link.published.clear()
    radio.station.plan(NOW)
    assert radio.link.published == []


def test_a_fixed_item_has_one_name_whatever_else_is_edited(radio: Radio) -> None:
    with_items(radio.store)
    radio.store.programmes.apply(row())
    radio.station.plan(NOW)
    before = set(radio.jobs("loa-2"))
    asking(radio.store, 1)
    radio.station.plan(NOW)
    after = radio.jobs("loa-2")
    assert before < set(after)
    assert set(after) - before == {"b1"}


def test_a_station_that_was_away_while_a_slot_began_leaves_what_stood_in_it(radio: Radio) -> None:
    radio.store.programmes.apply(row())
    asking(radio.store, 1)
    radio.station.plan(NOW)
    (job,) = radio.jobs("loa-2").values()
    assert job.id == "b1"
    later = job.start + 3 * HOUR
    again = radio.restarted()
    again.station.start(later)
    again.station.plan(later)
    assert again.gate("loa-2", later).jobs(later)["b1"].start == job.start


def test_a_relay_is_issued_where_its_source_is_known(tmp_path: Path) -> None:
    for name, sources in (("none", []), ("one", [Source("VOV1", "https://vov.example/1")])):
        (tmp_path / name).mkdir()
        store = Store(f"sqlite:///{tmp_path / name}/store.db", sources)
        store.migrate()
        radio = furnished(store, tmp_path / name)
        radio.store.programmes.apply(row())
        radio.station.plan(NOW)
        heard = sorted(radio.jobs("loa-2").values(), key=lambda job: (job.start, job.id))
        assert {job.relay.url for job in heard if job.relay} == {source.url for source in sources}
        assert as_bytes(heard) == as_bytes(preview(radio.store, "loa-2"))
