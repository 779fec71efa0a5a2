"""A broker that has turned evil, against a whole node: nothing of what it says sounds, and nothing goes unheard.

Real: the agent with its gate, ledger, documents and playout; SQLite and files. Stand-ins: the loudspeaker, the cache,
the clock, and the network, which brings what `makers_evil` makes. `LOA_EVIL_MESSAGES` says how many.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from makers_evil import HELD, Evil, EvilLink
from makers_node import COMMUNE, NODE, ack_topic, after, make_job, sealed
from makers_radio import Radio

from edge_node.gate import MOST_STRANGER_BYTES, Admitted, Duplicate
from edge_node.report import _place
from wire import topics
from wire.errors import Reason
from wire.link import Message
from wire.plan import Lane
from wire.receipt import Ack

SEED = 20261128
MESSAGES = int(os.environ.get("LOA_EVIL_MESSAGES", "100500"))
BATCH = 1000
MOST_GROWTH_BYTES = 32 * 1024 * 1024
MEMORY = Path("/dev/shm")  # processes are not killed here: what is durable is tested elsewhere

# what a family may be refused for; a message of it that is refused for anything else was not understood
MAY_BE = {
    "forged": {Reason.UNKNOWN_KEY, Reason.BAD_SEAL},
    "altered": {Reason.BAD_SEAL, Reason.MALFORMED, Reason.UNKNOWN_KEY, Reason.WRONG_KIND},
    "spliced": {Reason.BAD_SEAL, Reason.UNKNOWN_KEY, Reason.WRONG_KIND, Reason.ROLLED_BACK, Reason.WRONG_AREA},
    "replayed": {Reason.ROLLED_BACK},
    "truncated": {Reason.MALFORMED},
    "re-addressed": {Reason.WRONG_AREA, Reason.UNKNOWN_TOPIC, Reason.WRONG_KIND, Reason.TOO_BIG},
    "downgraded": {Reason.WRONG_KIND, Reason.BAD_SEAL, Reason.MALFORMED, Reason.UNKNOWN_KEY},
    "overreaching": {Reason.WRONG_AREA, Reason.WRONG_CLASS, Reason.WRONG_KIND},
    "forked": {Reason.FORKED},
    "expired": {Reason.EXPIRED},
    "from the future": {Reason.FROM_THE_FUTURE},
    "at impossible times": {Reason.WRONG_TIME},
    "oversized": {Reason.TOO_BIG},
    "deeply nested": {Reason.MALFORMED, Reason.TOO_BIG},
    "any bytes": {Reason.MALFORMED},
}


class Besieged(Radio):
    """A node that holds true documents of high serials, and whose broker is not to be trusted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.evil = Evil(SEED, self.hand.now())
        self.network = EvilLink(self.link)
        self.agent._link = self.network  # type: ignore[assignment]
        self.verdicts: Counter[str] = Counter()
        self._listen_at(self.agent.gate)
        for message in self.evil.true.items():
            self.say(message)
        self.serials = {(COMMUNE, lane): HELD for lane in Lane}
        self.start()
        self.run(1)
        assert set(self.agent.gate._held) == set(self.evil.true)

    def _listen_at(self, gate: Any) -> None:
        judge = gate.admit

        def admit(*args: Any, **named: Any) -> Any:
            verdict = judge(*args, **named)
            self.verdicts[type(verdict).__name__] += 1
            return verdict

        gate.admit = admit

    def bring(self, family: str, messages: int) -> Counter[str]:
        """So many of one family, a thousand at a tick. What they were refused for."""
        before = Counter(self.agent.refusals.counts)
        make = self.evil.families[family]
        while messages > 0:
            some, messages = min(messages, BATCH), messages - BATCH
            self.network.brings = [make() for _ in range(some)]
            self.agent.tick()
        return Counter(self.agent.refusals.counts) - before

    def true_item(self, name: str) -> None:
        """A true plan between the lies: its item sounds on its second, to its last sample."""
        job = make_job(name, self.hand.now() + (after(3) - after(0)))
        self.evil.hears(Lane.PLAN, self.plan(job))
        self.run(16, step=1)
        self.evil.now = self.hand.now()
        measured = self.outcome(name).measured
        assert measured
        assert (measured.started_at, measured.sounded_ms) == (job.start, 10_000)


def stale_ack(besieged: Besieged) -> tuple[str, bytes]:
    """A true one of another stream, as the node had it before its card was changed."""
    return ack_topic(), sealed("acks", Ack(NODE, "s-of-before", 10**6, besieged.hand.truth()))


@pytest.fixture
def besieged(tmp_path: Path) -> Iterator[Besieged]:
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else tmp_path) as folder:
        node = Besieged(Path(folder))
        yield node
        node.die()


@pytest.mark.timeout(900)  # half a minute on a core of its own; ten times that where ten others want it
def test_of_a_hundred_thousand_lies_none_sounds_each_is_counted_and_the_truth_is_on_time(
    besieged: Besieged, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "loa")
    each = MESSAGES // len(besieged.evil.families)
    for (
        family
    ) in besieged.evil.families:  # a whole tick of each, so that the allocator has what it will ever need at once
        besieged.bring(family, BATCH)
    memory, objects = resident(), len(gc.get_objects())
    lines = len(caplog.records)
    of_certificates = [each.getMessage() for each in caplog.records if f"{NODE}/certificate" in each.getMessage()]
    assert sum("reason=bad_seal" in each for each in of_certificates) == 1, of_certificates
    sent: Counter[str] = Counter()
    for number, family in enumerate(besieged.evil.families):
        known = Counter(besieged.verdicts)
        refused = besieged.bring(family, each)
        met = besieged.verdicts - known
        assert {Reason(reason) for reason in refused} <= MAY_BE[family], (family, refused)
        assert refused.total() == met["Refusal"], family
        assert refused.total() + met[Duplicate.__name__] == each, (family, refused, met)
        assert met[Admitted.__name__] == 0, family
        assert refused.total() > each * 0.95, (family, "hardly a lie")
        sent[family] = each
        besieged.true_item(f"true-{number}")
    assert sent.total() >= MESSAGES - len(sent)
    assert {job for job, _, _ in besieged.heard} == {f"true-{number}" for number in range(len(sent))}
    assert len(besieged.heard) == len(sent)
    grown = resident() - memory
    assert grown < MOST_GROWTH_BYTES, grown
    assert len(gc.get_objects()) - objects < 20_000
    bounded(besieged, caplog.records[lines:])


def resident() -> int:
    """What is in use: pages that the allocator only keeps for later are given back first (glibc)."""
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


def bounded(besieged: Besieged, records: list[logging.LogRecord]) -> None:
    """Nothing grows by what is refused; of each reason and place one line is loud."""
    agent = besieged.agent
    assert sum(map(len, agent.gate._strangers.values())) <= MOST_STRANGER_BYTES
    assert set(agent.gate._strangers) <= set(agent.gate.listens_to())
    assert len(agent.held.load()) == 5
    loud = [record for record in records if "refused" in record.getMessage()]
    kinds = {(record.args[0], _place(str(record.args[1]))) for record in loud if isinstance(record.args, tuple)}
    assert len(loud) == len(kinds) <= len(Reason) * (len(topics.TABLE) + 1)
    assert [record for record in records if record.levelno >= logging.ERROR] == []


def test_what_the_station_hears_of_it_is_one_count_for_each_reason(besieged: Besieged) -> None:
    for family in besieged.evil.families:
        besieged.bring(family, 40)
    besieged.run(61, step=5)
    assert besieged.health[-1].refusals == dict(besieged.agent.refusals.counts)
    assert set(besieged.health[-1].refusals) <= {reason.value for reason in Reason}


def test_old_acknowledgements_make_a_node_forget_nothing(besieged: Besieged) -> None:
    """An acknowledgement has no serial: one that is heard again says nothing new, and one too high is no proof."""
    besieged.acks = False
    besieged.plan(make_job("b1", besieged.hand.now()))
    besieged.run(15)
    waiting = besieged.agent.ledger.waiting()
    assert waiting
    besieged.network.brings = [Message(*each) for each in [stale_ack(besieged)] * 100]
    besieged.run(1)
    assert besieged.agent.ledger.waiting() == waiting
