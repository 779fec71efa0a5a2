"""A hamlet goes to another commune while a booking is ahead: a real broker, station and node sound it once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers_radio_processes import DONGDANG, TAM_THANH, TAMTHANH, Commune, soon
from makers_sound import utc_now

from controller.desk import districting
from controller.desk.districting import Relocation
from fleet import mosquitto
from wire.receipt import Step

pytestmark = pytest.mark.skipif(
    mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto"
)


@pytest.fixture
def radio(tmp_path: Path) -> Iterator[Commune]:
    commune = Commune(tmp_path, fast=True, engine="mosquitto")
    try:
        commune.start()
        yield commune
    finally:
        commune.stop()


def test_a_booking_ahead_moves_with_its_hamlet_and_sounds_once(radio: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(districting, "LEAD", timedelta(seconds=5))
    home = next(node.home for node in radio.nodes if node.id == DONGDANG)
    job, whole = radio.book((home,), 2, soon(25)), radio.book((TAM_THANH,), 2, soon(32))
    radio.wait_for_step(job, DONGDANG, Step.ACCEPTED)
    desk, admin = radio.demo.desk, radio.demo.admin
    moved = desk.move_area(Relocation(home, TAM_THANH), admin, utc_now())
    assert moved.changed["bookings"] == moved.changed["nodes"] == 1
    new = moved.names[home]
    assert next(node.home for node in radio.nodes if node.id == DONGDANG) == new
    radio.wait_for_step(whole, DONGDANG, Step.ACCEPTED)  # it listens to its new commune
    for each in (job, whole):
        assert radio.outcome(each, DONGDANG).step is Step.SOUNDED
        (part,) = radio.parts(DONGDANG, each)
        assert radio.alike(DONGDANG, part) > 0.9
    assert radio.parts(TAMTHANH, job) == []
