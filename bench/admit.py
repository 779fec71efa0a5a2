"""What a node pays to believe a plan: `Gate.admit`, the seal's check in it, of one emergency plan after another."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from bench.papers import HOME, emergency, trust
from edge_node.gate import Admitted, Gate
from wire import codec, seal, topics
from wire.plan import Lane, Plan
from wire.seal import Signer


def admit_milliseconds(times: int) -> float:
    """The median of ``times`` admissions, each of a plan with one serial more."""
    now, root, station = datetime.now(UTC), Signer.generate(), Signer.generate()
    gate = Gate("loa-1", HOME, (root.public.hex,))
    assert isinstance(gate.admit(topics.TRUST.topic(), trust(root, station, now), now), Admitted)
    topic = topics.URGENT.topic(area="loa-1")
    spent = []
    for serial in range(1, times + 1):
        plan = Plan("loa-1", Lane.URGENT, serial, now, now + timedelta(days=9), (emergency(now),))
        raw = seal.seal(topics.URGENT.name, codec.write(plan), station)
        began = time.perf_counter()
        verdict = gate.admit(topic, raw, now)
        spent.append(time.perf_counter() - began)
        assert isinstance(verdict, Admitted), verdict
    return statistics.median(spent) * 1000
