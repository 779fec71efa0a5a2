"""The simulated walk: one real node (`Agent` with gate, ledger, outbox, documents) to which anything happens.

Real: everything of the node but its loudspeaker, its cache and its network; SQLite and files on the disk of the test.
Stand-ins: `PretendPlayer`, `PretendCache`, the loopback broker and a hand-turned clock.
What may happen: the process ends between or in the middle of any two writes, plays or messages; messages are lost,
doubled, late, out of order, or come again from long ago; the connection falls; the clock jumps; network time goes.
"""

from __future__ import annotations

import random
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from makers_node import COMMUNE, NODE, after, config_message, make_asset, make_config, make_job, sealed
from makers_radio import Radio

from schedules.due import REST_MS
from wire import codec, seal
from wire.config import QuietHours
from wire.errors import Reason, Refusal
from wire.health import Vitals
from wire.link import Link, Message
from wire.plan import AfterCut, BulletinClass, Job, Lane, Late
from wire.receipt import OUTCOMES, Ack, Receipt, Receipts, Step
from wire.topics import ACKS, RECEIPTS

TORN_MS = 400  # what one kill may make sound twice, or not at all: the checkpoint's interval and the last moment
HAPPENINGS = ("kill", "kill", "kill", "jump", "jump", "unvouched", "vouched", "cut", "replay", "replay", "edit")
BELIEVED_AHEAD = timedelta(seconds=61)  # the largest of the jumps that is within the slack of honest clocks
RUNS_OF_A_NODE = 40  # then another node begins with nothing


class Killed(BaseException):
    """kill -9, here and now."""


@dataclass
class Fate:
    """Counts the places where a process can end; ends it at the one that was drawn."""

    left: int = 0

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """``act`` with such a place before and after it."""

        def fated(*args: Any, **named: Any) -> Any:
            self.pass_by()
            done = act(*args, **named)
            self.pass_by()
            return done

        return fated

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class BadNetwork:
    """A `Link` over another one, on which messages are lost, doubled, late and out of order."""

    def __init__(self, inner: Link, dice: random.Random, fate: Fate, counts: Counter[str]) -> None:
        self._inner, self._dice, self._fate = inner, dice, fate
        self.bad = False
        self._late_in: list[Message] = []
        self._late_out: list[tuple[str, bytes, bool, int]] = []
        self.counts = counts
        self.start, self.stop, self.listen, self.wake = inner.start, inner.stop, inner.listen, inner.wake
        self.connections, self.connected = inner.connections, inner.connected

    def refusals(self) -> list[Refusal]:
        return self._inner.refusals()

    def take(self, timeout_seconds: float) -> list[Message]:
        self._send_late()
        came = self._inner.take(0)
        if not self.bad:
            came, self._late_in = self._late_in + came, []
            return came
        now: list[Message] = []
        waiting, self._late_in = self._late_in, []
        for message in waiting + came:
            self._passes(message, now, self._late_in)
        self._dice.shuffle(now)
        return now

    def publish(self, topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        self._fate.pass_by()
        if not self.bad:
            return self._inner.publish(topic, payload, retain=retain, qos=qos)
        if not self._inner.connected():
            return False
        now: list[tuple[str, bytes, bool, int]] = []
        self._passes((topic, payload, retain, qos), now, self._late_out)
        for each in now:
            self._give(each)
        self._fate.pass_by()
        return True

    def _send_late(self) -> None:
        late, self._late_out = self._late_out, []
        self._dice.shuffle(late)
        for each in late:
            self._give(each)

    def _give(self, each: tuple[str, bytes, bool, int]) -> None:
        self._inner.publish(each[0], each[1], retain=each[2], qos=each[3])

    def _passes(self, message: Any, now: list[Any], late: list[Any]) -> None:
        drawn = self._dice.random()
        fate = "lost" if drawn < 0.15 else "late" if drawn < 0.35 else "twice" if drawn < 0.5 else "passed"
        self.counts[fate] += 1
        if fate == "late":
            late.append(message)
        elif fate != "lost":
            now += [message] * (2 if fate == "twice" else 1)


class Numb:
    """Senses that cost nothing: ten thousand readings of this machine's sensors would tell nothing."""

    def read(self, clock_known: bool, *_: object) -> Vitals:
        return Vitals(clock_known=clock_known)


@dataclass
class Walk(Radio):
    """A radio whose node lives a hard life, one run after another."""

    seed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice, self.fate = random.Random(self.seed), Fate()
        self.trusted = False
        self.said: list[tuple[str, bytes]] = []
        self.upto: Counter[str] = Counter()
        self.by_job: dict[str, list[Receipt]] = {}
        self.arrived: dict[tuple[str, int], datetime] = {}
        self.kills: Counter[str] = Counter()  # while this job had not ended
        self.dead_until = 0.0
        super().__post_init__()
        never = make_config(serial=2, quiet_hours=QuietHours("00:00", "00:00"), health_seconds=3600)
        self.say(config_message(never))
        self.start()

    def new_node(self) -> Any:
        agent = super().new_node()
        self.network = BadNetwork(self.link, self.dice, self.fate, self.counts)
        agent._link = self.network  # type: ignore[assignment]
        agent._senses = Numb()  # type: ignore[assignment]
        around = self.fate.around
        for owner, names in (
            (agent.ledger, ("flush", "forget")),
            (agent.ledger.book, ("write",)),
            (agent._checkpoint, ("save", "clear")),
            (agent.held, ("keep", "drop")),
            (self.player, ("prime", "stop")),
        ):
            for name in names:
                setattr(owner, name, around(getattr(owner, name)))
        return agent

    def say(self, message: tuple[str, bytes]) -> None:
        self.said = [*self.said[-30:], message]
        super().say(message)

    # ---- one run -------------------------------------------------------------------------------------------------

    def live_through(self, run: int) -> None:
        """Plan a few jobs, let anything happen, make all well again, and see that each came to one end."""
        self.network.bad = True
        jobs = [self._drawn(f"r{run}-{number}") for number in range(self.dice.choice((1, 1, 2, 3)))]
        self._publish(jobs)
        for _ in range(self.dice.randrange(2, 7)):
            self._pass(self.dice.choice((0.05, 0.3, 1.0, 2.0, 6.0)))
            self._happen(jobs)
        self._heal(jobs)
        self._pass_until(lambda: all(self.ended(job.id) for job in jobs), 1000)
        for job in jobs:
            self._judge(job)

    def _drawn(self, name: str) -> Job:
        draw = self.dice.choice
        urgent = draw((True, False, False, False))
        bulletin = BulletinClass.EMERGENCY if urgent else draw((BulletinClass.ORDINARY, BulletinClass.PRIORITY))
        return make_job(
            name,
            self.hand.truth() + timedelta(seconds=draw((-5, 0, 0.5, 2, 3, 6))),
            bulletin_class=bulletin,
            late=Late.UNTIL_EXPIRY if urgent else Late.PLAY_LATE,
            late_for=draw((0, 5, 20, 400)),
            after_cut=AfterCut.RESTART if urgent else draw(tuple(AfterCut)),
            asset=make_asset(name, draw((200, 500, 1200))),
        )

    def _publish(self, jobs: Iterable[Job]) -> None:
        lanes: dict[Lane, list[Job]] = {Lane.PLAN: [], Lane.URGENT: []}
        for job in jobs:
            lanes[Lane.URGENT if job.bulletin_class is BulletinClass.EMERGENCY else Lane.PLAN].append(job)
        for lane, some in lanes.items():
            if some or self.serials.get((COMMUNE, lane)):
                self.plan(*some, lane=lane)

    def _happen(self, jobs: list[Job]) -> None:
        what = self.dice.choice(HAPPENINGS)
        self.counts[what] += 1
        if what == "kill":
            self.fate.left = self.dice.randrange(1, 20)
        elif what == "jump":
            ahead = self.dice.choice((-86_400, -3600, -30, -2, 0, 0, 3, 60, 3600, 86_400))
            self.hand.jump(timedelta(seconds=ahead))
        elif what in ("unvouched", "vouched"):
            self.hand.synchronised = what == "vouched"
        elif what == "cut":
            self.broker.drop(self.link)
        elif what == "replay":
            super().say(self.dice.choice(self.said))
        elif what == "edit":
            self._publish([job for job in jobs if self.dice.random() < 0.8])
            self._publish(jobs)

    def _heal(self, jobs: list[Job]) -> None:
        self.network.bad, self.fate.left = False, 0
        self.hand.synchronised = True
        self.hand.jump(timedelta(0))
        self.dead_until = min(self.dead_until, self.hand.seconds)
        self._publish(jobs)  # as the station does for a node whose health says that it lags

    # ---- time passes ---------------------------------------------------------------------------------------------

    def _pass(self, seconds: float) -> None:
        until = self.hand.seconds + seconds
        self._pass_until(lambda: self.hand.seconds >= until, seconds + 1, until)

    def _pass_until(self, true: Callable[[], bool], most_seconds: float, until: float = float("inf")) -> None:
        end = self.hand.seconds + most_seconds
        while not true():
            assert self.hand.seconds < end, "a job has come to no end"
            rest = self._live()
            self.listen()
            self.hand.turn(max(0.001, min(rest, until - self.hand.seconds)))

    def _live(self) -> float:
        """One tick, or none while the process is dead; how long until the next."""
        if self.hand.seconds < self.dead_until:
            return self.dead_until - self.hand.seconds
        try:
            if self.dead_until:
                self._rise()
            if self.link not in self.broker._links:
                self.broker.restore(self.link)
            self.agent.tick()
            return max(0.02, self.agent.rest_seconds())
        except Killed:
            self._fall()
            return 0.0

    def _fall(self) -> None:
        self.counts["killed"] += 1
        self.fate.left = 0
        for job in {each.job for each in self.agent.ledger.records.values()}:
            self.kills[job] += not self.ended(job)
        self.die()
        self.dead_until = self.hand.seconds + self.dice.choice((0.001, 0.5, 3.0))

    def _rise(self) -> None:
        bad = self.network.bad
        self.dead_until = 0.0
        self.new_node()
        self.network.bad = bad
        self.agent.start()

    # ---- the station ---------------------------------------------------------------------------------------------

    def listen(self) -> None:
        for message in self.desk.take(0):
            if message.topic == RECEIPTS.topic(node=NODE):
                self._store(message.payload)

    def _store(self, raw: bytes) -> None:
        """As the station's store does: every number once, acknowledged as far as there is no gap."""
        batch = codec.read(Receipts, seal.unwrap(raw, RECEIPTS.most_bytes).body(), RECEIPTS.most_bytes)
        for receipt in batch.receipts:
            number = batch.stream, receipt.number
            if number not in self.received:
                self.arrived[number] = self.hand.truth()
                insort(self.by_job.setdefault(receipt.job, []), receipt, key=lambda each: each.number)
            assert self.received.setdefault(number, receipt) == receipt, "a number was used twice"
        while (batch.stream, self.upto[batch.stream] + 1) in self.received:
            self.upto[batch.stream] += 1
        ack = Ack(NODE, batch.stream, self.upto[batch.stream], self.hand.truth())
        super().say((ACKS.topic(node=NODE), sealed("acks", ack)))

    def told(self, job: str) -> list[Receipt]:
        """What the station knows of a job; a withdrawal that was taken back is no end."""
        told = self.by_job.get(job, [])
        back = max((at for at, each in enumerate(told) if each.step is Step.ACCEPTED), default=0)
        return [each for at, each in enumerate(told) if each.step is not Step.WITHDRAWN or at > back]

    def ended(self, job: str) -> bool:
        return any(each.step in OUTCOMES for each in self.told(job))

    def _judge(self, job: Job) -> None:
        """One outcome with its reason; sounded means once and whole; what did not sound was not heard to its end."""
        outcomes = [each for each in self.told(job.id) if each.step in OUTCOMES]
        assert len(outcomes) == 1, outcomes
        (outcome,) = outcomes
        self.counts[outcome.step.value] += 1
        assert outcome.reason or outcome.step in (Step.SOUNDED, Step.WITHDRAWN), outcome
        assert job.asset
        whole, heard = job.asset.duration_ms, self.stretches(job.id)
        ends = [until for _, until in heard if until >= whole]
        assert len(ends) <= 1, f"heard to its end {len(ends)} times"
        if outcome.step is not Step.SOUNDED:
            assert not ends, outcome
        if outcome.step in (Step.MISSED, Step.REFUSED):
            assert heard == [], outcome
        if outcome.reason == Reason.LATE:
            at = self.arrived[self.agent.ledger.stream, outcome.number]
            assert at > job.deadline - BELIEVED_AHEAD, "late by a clock that was not to be believed"
        if outcome.step is Step.SOUNDED:
            torn = TORN_MS * self.kills[job.id] + REST_MS
            assert max(until for _, until in heard) >= whole - REST_MS
            if job.after_cut is AfterCut.RESTART:
                return
            assert abs(sum(until - since for since, until in heard) - whole) <= torn, heard

    def finish(self) -> None:
        """Nothing is left over: every number that was given is stored, without a gap."""
        self._pass_until(lambda: not self.dead_until and self.agent.ledger.waiting() == 0, 1000)
        stream = self.agent.ledger.stream
        assert {name for name, _ in self.received} == {stream}
        assert sorted(number for _, number in self.received) == list(range(1, self.agent.ledger.last_number() + 1))
        self.die()


def walks(folder: Path, seeds: Iterable[int]) -> Counter[str]:
    """Live through runs, one for each of ``seeds``; what happened, counted. Raises AssertionError naming the run."""
    total: Counter[str] = Counter()
    walk: Walk | None = None
    for number, seed in enumerate(seeds):
        if walk is None or number % RUNS_OF_A_NODE == 0:
            if walk:
                walk.finish()
                total += walk.counts
            home = folder / f"node-{seed}"
            home.mkdir()
            walk = Walk(home, seed=seed)
        try:
            walk.live_through(seed)
        except Exception as wrong:
            raise AssertionError(f"run {seed} of the node that began with run {walk.seed}: {wrong!r}") from wrong
        total["runs"] += 1
    if walk:
        walk.finish()
        total += walk.counts
    return total


__all__ = ["Walk", "after", "walks"]
