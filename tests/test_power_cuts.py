"""The whole node on a disk that forgets what was not synced: cut anywhere, it loads again, loses nothing that it had
told the station, gives no number twice and sounds nothing twice but what the checkpoint may repeat."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from makers_cuts import NEVER, Tell, cut_short
from makers_lazy_disk import ALL, KEPT, WRITES, mounted, why_not
from makers_node import COMMUNE, NODE, T0, after, make_asset, make_emergency, make_grant, make_job, trust_message
from makers_radio import Hand, Radio

from edge_node import in_hand
from edge_node.disk import SYNC_SECONDS
from wire import codec, seal
from wire.plan import Lane
from wire.receipt import Receipt, Receipts, Step
from wire.topics import RECEIPTS


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in hand at a death is taken up again without the wait that tells two kills from outside apart."""
    monkeypatch.setattr(in_hand, "GRACE_SECONDS", 0.0)


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
STEP_SECONDS = 1.0
B1, B2, E1 = make_asset("one", 16_000), make_asset("two", 3000), make_asset("siren", 2000)
TRUST_2 = trust_message(make_grant(), serial=2)
names = itertools.count()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    with mounted(tmp_path_factory.mktemp("lazy")) as places:
        yield places


def life(home: Path, tell: Tell) -> None:
    """A day in half a minute: two plans, two trust documents, an item cut by an emergency, and one more item."""
    radio = Radio(home)
    tell({"key": radio.agent.signer.public.id})
    watch(radio, tell)
    radio.plan(make_job("b1", after(1), asset=B1))
    radio.start()
    radio.run(2, STEP_SECONDS)
    radio.say(TRUST_2)
    radio.run(2, STEP_SECONDS)
    radio.urgent(make_emergency("e1", after(4), asset=E1))
    radio.run(4, STEP_SECONDS)
    radio.plan(make_job("b1", after(1), asset=B1), make_job("b2", after(3), asset=B2))
    radio.run(14, STEP_SECONDS)
    radio.agent.stop()


def watch(radio: Radio, tell: Tell) -> None:
    """Have the world told what is heard, what is held, and every receipt, the moment it is so."""
    tick, publish = radio.agent.tick, radio.link.publish

    def told_tick(wait_seconds: float = 0.0) -> None:
        take, progress = radio.player._take, radio.player.progress()
        on_air = [(progress.job_id, take.from_ms, progress.position_ms)] if take and progress else []
        tell({"now": radio.hand.moment.isoformat(), "heard": [*radio.heard, *on_air]})
        tick(wait_seconds)
        gate = radio.agent.gate
        held = {each.area: [each.plan, each.urgent] for each in gate.serials()}
        tell({"trust": gate.trust.serial if gate.trust else 0, "held": held.get(COMMUNE, [0, 0])})

    def told_publish(topic: str, payload: bytes, *, retain: bool, qos: int) -> bool:
        if topic == RECEIPTS.topic(node=NODE):
            tell({"receipts": base64.b64encode(payload).decode()})
        return publish(topic, payload, retain=retain, qos=qos)

    radio.agent.tick = told_tick  # type: ignore[method-assign]
    radio.link.publish = told_publish  # type: ignore[method-assign]


@dataclass
class World:
    """What the world knew when the power went."""

    now: datetime = T0
    key: str = ""
    trust: int = 0
    held: tuple[int, int] = (0, 0)
    heard: list[tuple[str, int, int]] = field(default_factory=list)
    received: dict[tuple[str, int], Receipt] = field(default_factory=dict)

    @classmethod
    def of(cls, words: list[Any]) -> World:
        world = cls()
        for word in words:
            said = word if isinstance(word, dict) else {}
            world.key = said.get("key", world.key)
            world.now = datetime.fromisoformat(said["now"]) if "now" in said else world.now
            world.heard = [tuple(each) for each in said.get("heard", world.heard)]
            world.trust, world.held = said.get("trust", world.trust), tuple(said.get("held", world.held))  # type: ignore[assignment]
            if "receipts" in said:
                body = seal.unwrap(base64.b64decode(said["receipts"]), RECEIPTS.most_bytes).body()
                batch = codec.read(Receipts, body, RECEIPTS.most_bytes)
                world.received |= {(batch.stream, each.number): each for each in batch.receipts}
        world.heard = [each for each in world.heard if each[2] > each[1]]
        return world


def lives_on(world: World, home: Path, most_repeated_ms: float) -> None:
    """The next life of the node on what is left; nothing of what the world knows is undone by it."""
    home.mkdir(exist_ok=True)
    hand = Hand(world.now)
    hand.turn(STEP_SECONDS)
    radio = Radio(home, hand=hand, heard=world.heard, received=world.received)
    radio.serials = {(COMMUNE, lane): 10 for lane in (Lane.PLAN, Lane.URGENT)}
    radio.broker.down()
    radio.start()
    agent = radio.agent
    assert world.key in ("", agent.signer.public.id)
    assert world.trust <= (agent.gate.trust.serial if agent.gate.trust else 0)
    held = next((each for each in agent.gate.serials() if each.area == COMMUNE), None)
    assert world.held <= ((held.plan, held.urgent) if held else (0, 0))
    assert agent.refusals.counts == {}, "what is held is whole"
    assert not agent.ledger.book.spoilt
    for stream, number in world.received:
        assert (stream, number <= agent.ledger.last_number()) == (agent.ledger.stream, True)
    radio.broker.up()
    radio.say(TRUST_2)
    radio.plan(make_job("b1", after(1), asset=B1), make_job("b2", after(3), asset=B2))
    radio.urgent(make_emergency("e1", after(4), asset=E1))
    radio.run(25, STEP_SECONDS)
    for job in ("b1", "b2", "e1"):
        assert radio.outcome(job).step is Step.SOUNDED
    assert repeated_ms(radio.stretches("b1"), 16_000) <= most_repeated_ms
    assert repeated_ms(radio.stretches("b2"), 3000) <= most_repeated_ms
    assert radio.stretches("e1")[-1] == (0, 2000)
    radio.die()


def repeated_ms(stretches: list[tuple[int, int]], length_ms: int) -> int:
    """How much of an item was heard twice at most; none of it may be missing."""
    at = most = 0
    for since, until in stretches:
        assert since <= at, f"{stretches}: something was not heard"
        most, at = max(most, at - since), until
    assert at == length_ms, f"{stretches}: the end was not heard"
    return most


@pytest.fixture(scope="module")
def writes(places: tuple[Path, Path]) -> int:
    """How many times the whole scene touches its disk."""
    disk = places[0] / "whole"
    cut_short(disk, NEVER, ALL, life)
    return int(os.getxattr(disk, WRITES))


def cut_and_live_on(places: tuple[Path, Path], at: int, luck: str, most_repeated_ms: float) -> None:
    name = f"d{next(names)}"
    world = World.of(cut_short(places[0] / name, at, luck, life))
    lives_on(world, places[1] / name, most_repeated_ms)


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_a_node_killed_at_any_call_that_changes_its_disk_goes_on(
    places: tuple[Path, Path], writes: int, first: int
) -> None:
    for at in range(first, writes, 4):
        cut_and_live_on(places, at, ALL, STEP_SECONDS * 1000)


@pytest.mark.parametrize("luck", [KEPT, "1", "2"])
def test_a_power_cut_takes_at_most_the_checkpoints_seconds(places: tuple[Path, Path], writes: int, luck: str) -> None:
    for at in range(1, writes, 8):
        cut_and_live_on(places, at, luck, (SYNC_SECONDS + STEP_SECONDS) * 1000)
