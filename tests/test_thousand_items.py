"""A thousand items queued for the same morning: the whole node, a player that keeps time, a clock turned by hand."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from makers_node import after, make_asset, make_emergency, make_job
from makers_radio import Radio

from edge_node.players.null_player import NullPlayer
from wire.receipt import OUTCOMES, Receipt, Step

ITEMS, LENGTH_MS = 1000, 800
STEP = 0.85  # seconds: with every tick one is over and the next begins


def test_a_thousand_queued_items_sound_in_order_and_none_is_lost(tmp_path: Path) -> None:
    """All want the same minute; an emergency comes in between, and the node's process dies once."""
    radio = Radio(tmp_path)
    audio = make_asset("a", LENGTH_MS)
    starts = [after(10 + number / 100) for number in range(ITEMS)]
    jobs = [make_job(f"b{number:04}", start, asset=audio, late_for=3600) for number, start in enumerate(starts)]
    radio.plan(*jobs[::-1])
    keeps_time(radio)
    radio.start()
    radio.run(300, step=STEP)
    radio.urgent(make_emergency("e1", radio.hand.now(), asset=make_asset("e", 5000)))
    radio.run(100, step=STEP)
    radio.die()
    radio.new_node()
    keeps_time(radio)
    radio.start()
    radio.run(ITEMS * STEP - 350, step=STEP)
    ended = [receipt for _, receipt in sorted(radio.received.items()) if receipt.step in OUTCOMES]
    items = [receipt for receipt in ended if receipt.job != "e1"]
    assert [receipt.job for receipt in items] == [job.id for job in jobs]
    assert {receipt.step for receipt in ended} == {Step.SOUNDED}
    spans = sorted(span(receipt) for receipt in ended)
    assert all(one[1] <= other[0] for one, other in pairwise(spans) if "e1" not in (one[2], other[2]))
    assert sum(receipt.measured.sounded_ms for receipt in items if receipt.measured) >= ITEMS * LENGTH_MS - 1000


def keeps_time(radio: Radio) -> None:
    radio.agent._playout._player = NullPlayer(radio.hand.now)


def span(receipt: Receipt) -> tuple[object, object, str]:
    assert receipt.measured
    return receipt.measured.started_at, receipt.measured.ended_at - timedelta(milliseconds=1), receipt.job
