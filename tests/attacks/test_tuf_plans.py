"""The Update Framework's list of attacks (TUF 1.0, §1.5.2), by name, against plans, configs and trust documents.

The broker is the repository here, and is the attacker's. `test_tuf_releases` tries the same on what nodes run and on
audio. Extraneous dependencies cannot be tried on plans: a document names no other document to be obeyed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import makers_store as made
import msgspec
import pytest
from makers_evil import COMMUNE_KEY, EVIL, true_trust
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    STATION,
    T0,
    ack_topic,
    after,
    config_message,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
    trust_message,
)
from makers_radio import Hand, Radio
from makers_web import Town

from controller.holdings import compare
from edge_node.gate import Admitted, Gate
from edge_node.wallclock import Wallclock
from wire import seal, topics
from wire.errors import Reason, Refusal
from wire.plan import Lane
from wire.receipt import Ack
from wire.seal import Signer
from wire.topics import PLAN, TRUST

NEW_KEY = Signer(b"n" * 32)
FAR = 2**62


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


@pytest.fixture
def gate() -> Gate:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    for message in (trust_message(), config_message()):
        assert isinstance(gate.admit(*message, T0), Admitted)
    return gate


def why(gate: Gate, message: tuple[str, bytes], now: datetime = T0) -> Reason:
    verdict = gate.admit(*message, now)
    assert isinstance(verdict, Refusal), verdict
    return verdict.reason


# --- arbitrary installation: the attacker's own words, under any name -------------------------------------------


def test_tuf_arbitrary_installation_of_a_plan(gate: Gate) -> None:
    plan = make_plan(make_job())
    assert why(gate, plan_message(plan, EVIL)) is Reason.UNKNOWN_KEY
    in_its_name = sealed("plan", plan, EVIL).replace(EVIL.public.id.encode(), STATION.public.id.encode())
    assert why(gate, (PLAN.topic(area=COMMUNE), in_its_name)) is Reason.BAD_SEAL
    assert gate.jobs(T0) == {}


def test_tuf_arbitrary_installation_of_a_key(gate: Gate) -> None:
    """Neither the attacker nor the station itself may say whose word counts: only the root."""
    for by in (EVIL, STATION):
        raw = sealed("trust", msgspec.structs.replace(make_trust(serial=9), grants=(make_grant(EVIL, ("*",)),)), by)
        assert why(gate, (TRUST.topic(), raw)) is Reason.UNKNOWN_KEY
    assert gate.trust == make_trust()


# --- rollback, mix-and-match, wrong installation ----------------------------------------------------------------


def test_tuf_rollback_of_a_plan_a_config_and_a_trust_document(radio: Radio) -> None:
    """Also over a restart: what is held, and its serial, lie on the disk."""
    old = radio.plan(make_job("old", after(3600)))
    radio.plan(make_job("new", after(3600)))
    radio.say(trust_message(serial=5))
    radio.say(config_message(make_config(5)))
    radio.start()
    for _ in range(2):
        before = dict(radio.agent.refusals.counts)
        for message in (old, trust_message(serial=4), config_message(make_config(4))):
            radio.say(message)
        radio.run(3)
        assert radio.agent.refusals.counts["rolled_back"] - before.get("rolled_back", 0) == 3
        assert set(radio.agent.gate.jobs(after(0))) == {"new"}
        for message in (trust_message(serial=5), config_message(make_config(5))):
            radio.say(message)
        radio.restart()


def test_tuf_mix_and_match_of_documents_of_different_times(gate: Gate) -> None:
    """Each document is whole and numbered by itself, and a job says all of itself: no two must fit each other but the
    trust document and what it vouches for, and that is judged anew with every trust document."""
    first, second = make_plan(make_job("b1")), make_plan(make_job("b2"), serial=2)
    halves = [seal.unwrap(plan_message(plan)[1], 10**6) for plan in (first, second)]
    mixed = msgspec.structs.replace(halves[0], signatures=halves[1].signatures)
    raw = msgspec.json.encode(mixed)
    assert why(gate, (PLAN.topic(area=COMMUNE), raw)) is Reason.BAD_SEAL
    assert isinstance(gate.admit(*plan_message(second), T0), Admitted)
    assert why(gate, plan_message(first)) is Reason.ROLLED_BACK
    newer = gate.admit(*trust_message(make_grant(NEW_KEY), serial=2), T0)
    assert isinstance(newer, Admitted)
    assert gate.jobs(T0) == {}
    assert gate.config is None


def test_tuf_wrong_installation_of_another_area_s_plan_or_another_node_s_config(gate: Gate) -> None:
    elsewhere = make_plan(make_job(), area="lang-son:na-sam")
    assert why(gate, plan_message(elsewhere)) is Reason.WRONG_AREA
    assert why(gate, (PLAN.topic(area=COMMUNE), plan_message(elsewhere)[1])) is Reason.WRONG_AREA
    for_another = sealed("config", make_config(9, node="loa-02"))
    assert why(gate, (topics.CONFIG.topic(node=NODE), for_another)) is Reason.WRONG_AREA


# --- fast-forward: a serial so high that nothing true comes after it --------------------------------------------


def test_tuf_fast_forward_with_a_stolen_key_ends_with_the_key(radio: Radio) -> None:
    """What a key has sealed is forgotten with it, its serials too; then the station's own counts again."""
    radio.start()
    radio.say(plan_message(make_plan(make_job("evil", after(7200)), serial=FAR)))
    radio.say(config_message(make_config(FAR)))
    radio.run(1)
    radio.plan(make_job("true", after(5)))
    radio.run(1)
    assert radio.agent.refusals.counts["rolled_back"] == 1
    radio.say(trust_message(make_grant(NEW_KEY), serial=2))
    radio.say(config_message(make_config(2), NEW_KEY))
    radio.say(plan_message(make_plan(make_job("true", after(8)), serial=2), NEW_KEY))
    radio.run(30, step=1)
    assert [job for job, _, _ in radio.heard] == ["true"]
    assert "evil" not in radio.agent.gate.jobs(radio.hand.now())


@pytest.mark.parametrize("restarts", [False, True])
def test_tuf_fast_forward_of_the_clock_by_a_stolen_key_ends_with_the_key(tmp_path: Path, restarts: bool) -> None:
    """A node that does not know the time believes what is sealed, as far as the key's end; until the key is gone."""
    hand = Hand()
    hand.synchronised = False
    radio = Radio(tmp_path, hand=hand, trusted=False)
    radio.start()
    radio.say(config_message(make_config(8, datetime(2199, 1, 1, tzinfo=T0.tzinfo))))
    radio.run(1)
    assert radio.agent.refusals.counts == {"key_expired": 1}
    radio.say(config_message(make_config(9, T0 + timedelta(days=300))))
    radio.run(1)
    hand.synchronised = True
    radio.run(30, step=1)
    assert not radio.agent._clock.known()
    if restarts:
        radio.restart()
        radio.run(1000, step=20)
        assert not radio.agent._clock.known()
    radio.say(trust_message(make_grant(NEW_KEY), serial=2))
    radio.say(config_message(make_config(2), NEW_KEY))
    radio.run(400, step=5)
    assert radio.agent._clock.known()
    assert radio.agent._clock.now() == hand.now()


@pytest.mark.parametrize("known", [False, True])
def test_what_is_still_believed_goes_on_to_bound_the_time(tmp_path: Path, known: bool) -> None:
    hand = Hand()
    hand.synchronised = known
    clock = Wallclock(tmp_path / "clock", system=hand.system())
    clock.known()
    clock.learn(after(3600))
    clock.relearn(after(600))
    assert clock.now() >= (hand.now() if known else after(600))
    clock.relearn(after(7200))
    assert clock._sealed == after(600), "keys that go make nothing newer"


def test_tuf_fast_forward_claimed_to_the_station_moves_nothing(tmp_path: Path) -> None:
    """A forged health that claims serials of the future: `test_transmitter` has it against a whole station."""
    node = made.node("loa-1")
    claimed = msgspec.structs.replace(made.health("loa-1"), trust_serial=FAR)
    assert compare(node, claimed, {TRUST.topic(): 3}).ahead == {TRUST.topic(): FAR}


# --- indefinite freeze: true, and of yesterday ------------------------------------------------------------------


def test_tuf_freeze_of_a_plan_ends_with_its_validity(radio: Radio) -> None:
    """A broker that goes on showing the same gains nothing after `valid_until`, restart or not."""
    plan = make_plan(make_job("b1", after(1)), valid_until=after(3600))
    radio.start()
    radio.say(plan_message(plan))
    radio.run(20, step=1)
    radio.hand.turn(3600)
    radio.run(1)
    assert radio.agent.gate.jobs(radio.hand.now()) == {}
    radio.say(plan_message(plan))
    radio.restart()
    assert radio.agent.gate.jobs(radio.hand.now()) == {}
    radio.say(plan_message(msgspec.structs.replace(plan, serial=2)))
    radio.run(1)
    assert radio.agent.refusals.counts["expired"] == 1


def test_tuf_freeze_of_a_trust_document_ends_with_its_validity(gate: Gate) -> None:
    late = T0 + timedelta(days=366)
    lasting = make_plan(make_job("b1", late), issued_at=late)
    assert why(gate, plan_message(lasting), late) is Reason.KEY_EXPIRED


def test_tuf_freeze_is_seen_at_the_station_as_a_node_that_stays_behind(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    town.wake("dong-dang-1")  # it says that it holds serial 7 of the commune's plan, and is silent of the hamlet's
    sentence = "chưa nhận được 1 văn bản mới"

    def page(minutes: float) -> str:
        town.now += timedelta(minutes=minutes)
        town.wake("dong-dang-1")
        return str(client.get("/cum-loa").text)

    town.store.plans.issue("lang-son:dong-dang", Lane.PLAN, "digest", lambda serial: b"sealed", town.now)
    assert sentence not in page(9), "until then it is sent again"
    assert sentence in page(2)
    town.store.plans.drop("lang-son:dong-dang", Lane.PLAN)
    assert sentence not in page(1)
    town.store.close()


# --- vulnerability to key compromise ----------------------------------------------------------------------------


def test_tuf_key_compromise_of_a_commune_stays_in_the_commune_and_below_its_class(gate: Gate) -> None:
    """The grants say how far a key reaches; one that is stolen reaches no further."""
    assert isinstance(gate.admit(*true_trust(2), T0), Admitted)
    assert isinstance(gate.admit(*plan_message(make_plan(make_job("own")), COMMUNE_KEY), T0), Admitted)
    province = make_plan(make_job(), area="lang-son")
    alarm = make_plan(make_emergency(), lane=Lane.URGENT)
    assert why(gate, plan_message(province, COMMUNE_KEY)) is Reason.WRONG_AREA
    assert why(gate, plan_message(alarm, COMMUNE_KEY)) is Reason.WRONG_CLASS
    assert why(gate, config_message(make_config(9), COMMUNE_KEY)) is Reason.WRONG_CLASS
    ack = sealed("acks", Ack(NODE, "s", 10**6, T0), COMMUNE_KEY)
    assert why(gate, (ack_topic(), ack)) is Reason.WRONG_CLASS


def test_tuf_key_compromise_ends_with_the_root_s_next_word_for_what_is_held_and_what_comes(radio: Radio) -> None:
    radio.plan(make_job("evil", after(5)))
    radio.start()
    radio.say(trust_message(make_grant(NEW_KEY), serial=2))
    radio.plan(make_job("evil too", after(5)))
    radio.run(30, step=1)
    assert radio.heard == []
    radio.restart()
    radio.run(10, step=1)
    assert radio.heard == []
    assert radio.agent.gate.plans() == []


# --- endless data, slow retrieval, malicious mirrors ------------------------------------------------------------


@pytest.mark.parametrize("line", [line for line in topics.TABLE if line.down and line is not topics.LIVE])
def test_tuf_endless_data_on_every_topic_is_refused_unread(gate: Gate, line: topics.Line) -> None:
    topic = line.topic(area=COMMUNE) if "{area}" in line.pattern else line.topic(node=NODE)
    assert why(gate, (topic, b"{" * (line.most_bytes + 1))) is Reason.TOO_BIG


def test_tuf_malicious_mirror_that_gives_nothing_leaves_what_is_held_sounding(radio: Radio) -> None:
    """A broker that is gone, or says nothing any more: days of timetable go on."""
    radio.plan(*[make_job(f"b{day}", after(60 + 86_400 * day)) for day in range(3)])
    radio.start()
    radio.broker.down()
    for day in range(3):
        radio.hand.moment = after(30 + 86_400 * day)
        radio.restart()
        radio.run(60, step=1)
    assert [job for job, _, _ in radio.heard] == ["b0", "b1", "b2"]
