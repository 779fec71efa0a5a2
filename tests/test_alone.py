"""Alone: the network is away for 72 hours. What was planned sounds, and every receipt arrives once when it is back.

Real: the whole node, its cache, an HTTP server until the cut, the station's logbook and store. By a hand-turned clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from makers_media import MediaServer, status
from makers_node import COMMUNE, HAMLET, NODE, T0, config_message, make_config, make_job, sealed
from makers_radio import Radio
from makers_sound import until

from controller.logbook import Logbook
from controller.roster import Area, AreaKind, Node
from controller.store import Store
from edge_node import troubles
from edge_node.cache import Cache
from edge_node.wallclock import SETTLE_SECONDS
from wire.errors import Reason
from wire.link import Message
from wire.plan import Asset, BulletinClass, Job
from wire.receipt import OUTCOMES, Receipt, Step
from wire.topics import ACKS

CUT = timedelta(hours=1)  # after T0
HOURS = 72
SECONDS_LONG = 20
CLOCK_TIMES = (2.25, 7.5, 12.0)  # hours after midnight UTC


def planned() -> list[Job]:
    """Four days: three items a day, one of them urgent enough for a weekend, each with audio of its own."""
    midnight = T0.replace(hour=0)
    starts = [midnight + timedelta(days=day, hours=hours) for day in range(5) for hours in CLOCK_TIMES]
    ahead = [start for start in starts if T0 + CUT < start < T0 + CUT + timedelta(hours=HOURS)]
    return [
        make_job(
            f"item-{number}",
            start,
            asset=Asset(sha256_of(number), 4000, SECONDS_LONG * 1000, "audio/ogg", f"item-{number}.ogg"),
            bulletin_class=BulletinClass.PRIORITY if number % 3 == 0 else BulletinClass.ORDINARY,
        )
        for number, start in enumerate(ahead)
    ]


def content_of(number: int) -> bytes:
    return hashlib.shake_128(b"%d" % number).digest(4000)


def sha256_of(number: int) -> str:
    return hashlib.sha256(content_of(number)).hexdigest()


@dataclass
class Remote(Radio):
    """A node at the end of a bad road, and the station's own logbook."""

    store: Store | None = None
    deaf: int = 0  # how many of the next batches are stored and their acknowledgement is lost

    def __post_init__(self) -> None:
        self.trusted = False
        super().__post_init__()
        assert self.store
        for area, kind in (("lang-son", AreaKind.PROVINCE), (COMMUNE, AreaKind.COMMUNE), (HAMLET, AreaKind.HAMLET)):
            self.store.roster.add_area(Area(area, area, kind))
        self.store.roster.add_node(Node(NODE, "Cụm 1", HAMLET, self.agent.signer.public.hex, T0, ()))
        self.logbook = Logbook(self.store, lambda name: self.agent.signer.public if name == NODE else None)

    def listen(self) -> None:
        messages: list[Message] = self.desk.take(0)
        for ack in self.logbook.take(messages, self.hand.truth()):
            self.deaf -= 1
            if self.deaf < 0:
                self.say((ACKS.topic(node=ack.node), sealed("acks", ack)))

    def pass_until(self, moment: datetime) -> None:
        """Time passes in the node's own rests, idle ones a minute long."""
        while self.hand.truth() < moment:
            self.agent.tick()
            self.listen()
            left = (moment - self.hand.truth()).total_seconds()
            rest = 0.5 if self.agent._on_air else (self.agent._next - self.agent._clock.now()).total_seconds()
            self.hand.turn(min(left, max(0.1, 60.0 if rest > 4 and not self.near() else rest)))

    def near(self) -> bool:
        """Whether a job begins within the next minute, so that no minute may be skipped."""
        now = self.hand.truth()
        return any(now - timedelta(minutes=7) < job.start < now + timedelta(minutes=2) for job in self.jobs)

    def fill(self, jobs: list[Job], server: MediaServer) -> None:
        """The plan and its audio reach the node while the network is there."""
        self.jobs = jobs
        self.say(config_message(make_config(serial=2, media_url=server.url)))
        self.plan(*jobs)
        self.start()
        self.until_ready()

    def until_ready(self) -> None:
        """Until all audio of what is still to sound was hashed; no time passes."""
        agenda = self.agent._agenda

        def is_ready() -> bool:
            self.agent.tick()
            audio = [job.asset for job in agenda.open_jobs(self.hand.now()).values()]
            return len(audio) > 0 and all(asset and self.cache.ready(asset) for asset in audio)

        until(is_ready)

    def power_cut(self, minutes: float) -> None:
        """The machine is off, and wakes with what its battery clock says, or with the time of its last shutdown."""
        self.die()
        self.hand.turn(minutes * 60)
        self.hand.boot += "x"
        self.hand.seconds = 5.0
        self.cache.close()
        self.cache = Cache(self.folder / "audio")  # type: ignore[assignment]
        self.new_node()
        self.broker.drop(self.link)
        self.agent.start()
        self.broker.drop(self.link)
        self.until_ready()

    def told(self, job: Job) -> list[Receipt]:
        assert self.store
        return self.store.asrun.receipts(job.id, NODE)


@pytest.fixture
def server() -> Iterator[MediaServer]:
    server = MediaServer()
    server.files = {f"/item-{number}.ogg": content_of(number) for number in range(20)}
    yield server
    server.close()


@pytest.fixture
def remote(tmp_path: Path, server: MediaServer) -> Iterator[Remote]:
    store = Store(f"sqlite:///{tmp_path}/loa.db")
    store.migrate()
    cache = Cache(tmp_path / "audio")
    remote = Remote(tmp_path, cache=cache, store=store)  # type: ignore[arg-type]
    remote.fill(planned(), server)
    yield remote
    remote.cache.close()
    store.close()


def cut_off(remote: Remote) -> None:
    """No broker, no media, no network time."""
    remote.pass_until(T0 + CUT)
    remote.broker.drop(remote.link)
    remote.hand.synchronised = False


def comes_back(remote: Remote) -> None:
    remote.hand.synchronised = True
    remote.deaf = 2  # the line is still bad: two answers are lost
    remote.broker.restore(remote.link)
    remote.pass_until(remote.hand.truth() + timedelta(minutes=10))


def arrived_once(remote: Remote) -> None:
    """Everything that was numbered is stored, without a gap, acknowledged, and each job has one outcome."""
    assert remote.store
    ledger = remote.agent.ledger
    assert remote.store.asrun.upto(NODE, ledger.stream) == ledger.last_number()
    assert ledger.waiting() == 0
    numbers = sorted(each.number for job in remote.jobs for each in remote.told(job))
    assert numbers == list(range(1, ledger.last_number() + 1))
    for job in remote.jobs:
        assert len([each for each in remote.told(job) if each.step in OUTCOMES]) == 1
    assert remote.store.refusals.all() == []


def test_when_the_network_is_back_no_audio_waits_out_its_back_off(
    remote: Remote, server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_BACK_OFF", "MOST_BACK_OFF"):
        monkeypatch.setattr(troubles, name, 600.0)
    server.behaviours["/item-19.ogg"] = [status(503)]
    asset = Asset(sha256_of(19), 4000, SECONDS_LONG * 1000, "audio/ogg", "item-19.ogg")
    remote.plan(*remote.jobs, make_job("new", T0 + timedelta(days=9), asset=asset))
    until(lambda: remote.agent.tick() or remote.cache.counts())
    remote.broker.drop(remote.link)
    remote.agent.tick()
    assert remote.cache.ready(asset) is None
    remote.broker.restore(remote.link)
    remote.until_ready()


def test_in_72_hours_without_network_all_that_was_planned_sounds_and_is_told_once(
    remote: Remote, server: MediaServer
) -> None:
    assert len(remote.jobs) == 9
    cut_off(remote)
    asked = len(server.asked)
    remote.pass_until(T0 + CUT + timedelta(hours=30))
    remote.restart()  # the process ends and begins again; the machine goes on
    remote.broker.drop(remote.link)
    remote.pass_until(T0 + CUT + timedelta(hours=HOURS))
    assert [name for name, _, _ in remote.heard] == [job.id for job in remote.jobs]
    comes_back(remote)
    arrived_once(remote)
    for job in remote.jobs:
        (outcome,) = (each for each in remote.told(job) if each.step in OUTCOMES)
        assert outcome.step is Step.SOUNDED
        assert outcome.measured
        assert outcome.measured.sounded_ms == SECONDS_LONG * 1000
        assert abs(outcome.measured.skew_ms) < 1
        assert remote.stretches(job.id) == [(0, SECONDS_LONG * 1000)]
    assert len(server.asked) == asked, "nothing was fetched while the network was away"


def test_with_a_battery_clock_power_cuts_take_nothing_but_minutes(remote: Remote) -> None:
    remote.hand.battery = True
    cut_off(remote)
    during = remote.jobs[1]
    remote.pass_until(during.start + timedelta(seconds=8))
    remote.power_cut(minutes=5)  # in the middle of an item
    remote.pass_until(remote.jobs[4].start - timedelta(minutes=3))
    remote.power_cut(minutes=1)  # the time is not known again when the item's second comes
    remote.pass_until(T0 + CUT + timedelta(hours=40))
    remote.power_cut(minutes=240)
    remote.pass_until(T0 + CUT + timedelta(hours=HOURS))
    comes_back(remote)
    arrived_once(remote)
    assert {each.step for job in remote.jobs for each in remote.told(job) if each.step in OUTCOMES} == {Step.SOUNDED}
    (begun, gone_on) = remote.stretches(during.id)
    assert begun == (0, 8000)
    assert gone_on == (7500, SECONDS_LONG * 1000), "it goes on where it was seen last, half a second before"
    (late,) = (each for each in remote.told(remote.jobs[4]) if each.step in OUTCOMES)
    assert late.measured
    assert late.measured.started_at - remote.jobs[4].start < timedelta(seconds=SETTLE_SECONDS)


def test_without_a_battery_a_power_cut_leaves_emergencies_only_and_the_rest_is_told_as_late(remote: Remote) -> None:
    cut_off(remote)
    remote.pass_until(remote.jobs[2].start - timedelta(hours=1))
    remote.power_cut(minutes=1)
    remote.pass_until(T0 + CUT + timedelta(hours=HOURS))
    assert [name for name, _, _ in remote.heard] == [job.id for job in remote.jobs[:2]]
    comes_back(remote)
    arrived_once(remote)
    outcomes = [each for job in remote.jobs[2:] for each in remote.told(job) if each.step in OUTCOMES]
    assert {(each.step, each.reason) for each in outcomes} == {(Step.MISSED, Reason.LATE)}
    assert len(outcomes) == 7
