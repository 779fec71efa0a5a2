"""What nodes say, and what others say in their name."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers_store import NOW, batch, furnish, health, presence, receipt, said, sealed, signer

from controller.logbook import Logbook
from controller.store import Store, StoreError
from wire import codec, seal, topics
from wire.errors import Reason
from wire.link import Message
from wire.presence import State
from wire.receipt import Ack, Step
from wire.seal import PublicKey, Signer

MINUTE = timedelta(minutes=1)
HEALTH_TOPIC = topics.HEALTH.topic(node="loa-1")
RECEIPTS_TOPIC = topics.RECEIPTS.topic(node="loa-1")
DEEP = b"[" * 8_000 + b"]" * 8_000
BIG_NUMBER = codec.write(health()).replace(b'"jobs_ahead":0', b'"jobs_ahead":' + b"9" * 6000)
NUL = codec.write(health()).replace(b"boot-1", b"\\u0000")
HALF = codec.write(health()).replace(b"boot-1", b"\\ud800")


def key(node: str) -> PublicKey | None:
    """Three nodes are enrolled."""
    return signer(node).public if node in {"loa-1", "loa-2", "loa-3"} else None


@pytest.fixture
def logbook(store: Store) -> Logbook:
    furnish(store)
    return Logbook(store, key)


def counted(store: Store) -> dict[tuple[str, str], int]:
    return {(each.reason, each.where): each.count for each in store.refusals.all()}


def test_receipts_are_stored_and_acknowledged(store: Store, logbook: Logbook) -> None:
    acks = logbook.take([sealed(batch(receipt(1), receipt(2, step=Step.SOUNDED)))], NOW)
    assert acks == [Ack("loa-1", "s1", 2, NOW)]
    assert [each.step for each in store.asrun.outcomes()] == [Step.SOUNDED]
    assert counted(store) == {}


def test_a_replayed_batch_is_acknowledged_again_and_stored_once(store: Store, logbook: Logbook) -> None:
    message = sealed(batch(receipt(1, step=Step.SOUNDED)))
    assert logbook.take([message, message], NOW) == logbook.take([message], NOW) == [Ack("loa-1", "s1", 1, NOW)]
    assert len(store.asrun.receipts("b1", "loa-1")) == 1


def test_each_stream_is_acknowledged_once(logbook: Logbook) -> None:
    messages = [sealed(batch(receipt(n), node=node)) for node in ("loa-1", "loa-2") for n in (1, 2)]
    acks = logbook.take([*messages, sealed(batch(receipt(2), stream="s2"))], NOW)
    assert {(ack.node, ack.stream): ack.upto for ack in acks} == {
        ("loa-1", "s1"): 2,
        ("loa-2", "s1"): 2,
        ("loa-1", "s2"): 0,
    }


def test_presence_and_health_are_stored(store: Store, logbook: Logbook) -> None:
    off = presence("loa-2", State.OFFLINE)
    assert logbook.take([said(presence()), said(health(load_1m=0.5)), said(presence("loa-2")), said(off)], NOW) == []
    one, two = store.health.latest()
    assert (one.node, one.online, two.node, two.online) == ("loa-1", True, "loa-2", False)
    assert one.health == health(load_1m=0.5)


HOSTILE = {
    "a topic that is not in the table": (Message("other/topic", b"x"), Reason.UNKNOWN_TOPIC, "topics"),
    "a wildcard as a name": (Message("radio/v1/nodes/+/health", b"x"), Reason.UNKNOWN_TOPIC, "topics"),
    "a topic that only the station writes": (
        Message(topics.PLAN.topic(area="lang-son"), b"x"),
        Reason.UNKNOWN_TOPIC,
        "plan",
    ),
    "a node that is not enrolled": (said(health("stranger")), Reason.NOT_ENROLLED, "health"),
    "nothing": (Message(HEALTH_TOPIC, b""), Reason.MALFORMED, "loa-1/health"),
    "no JSON": (Message(HEALTH_TOPIC, b"\xff\xfe\x00garbage"), Reason.MALFORMED, "loa-1/health"),
    "another document": (Message(HEALTH_TOPIC, codec.write(presence())), Reason.MALFORMED, "loa-1/health"),
    "deep nesting": (Message(HEALTH_TOPIC, DEEP), Reason.MALFORMED, "loa-1/health"),
    "deep nesting in a field": (
        Message(HEALTH_TOPIC, b'{"node":"loa-1","extra":' + DEEP[:7000] + b"1" + DEEP[-7000:] + b"}"),
        Reason.MALFORMED,
        "loa-1/health",
    ),
    "a number without end": (Message(HEALTH_TOPIC, BIG_NUMBER), Reason.MALFORMED, "loa-1/health"),
    "a number that no database keeps": (
        sealed(batch(receipt(1, job="b7"), receipt(1 << 70, at=NOW))),
        Reason.MALFORMED,
        "loa-1/receipts",
    ),
    "the character NUL": (Message(HEALTH_TOPIC, NUL), Reason.MALFORMED, "loa-1/health"),
    "half a character": (Message(HEALTH_TOPIC, HALF), Reason.MALFORMED, "loa-1/health"),
    "300 MB": (Message(HEALTH_TOPIC, bytes(300_000_000)), Reason.TOO_BIG, "loa-1/health"),
    "another node's name": (said(health("loa-2"), topic_of="loa-1"), Reason.WRONG_AREA, "loa-1/health"),
    "a time before all calendars": (
        Message(HEALTH_TOPIC, codec.write(health()).replace(b"2026-11-24T03:00:00Z", b"0001-01-01T00:00:00+14:00")),
        Reason.MALFORMED,
        "loa-1/health",
    ),
    "tomorrow": (said(health(at=NOW + timedelta(days=1))), Reason.FROM_THE_FUTURE, "loa-1/health"),
    "receipts without a seal": (
        Message(RECEIPTS_TOPIC, codec.write(batch(receipt()))),
        Reason.MALFORMED,
        "loa-1/receipts",
    ),
    "receipts sealed by another node": (
        sealed(batch(receipt()), by=signer("loa-2")),
        Reason.UNKNOWN_KEY,
        "loa-1/receipts",
    ),
    "receipts sealed as a plan": (sealed(batch(receipt()), kind="plan"), Reason.WRONG_KIND, "loa-1/receipts"),
    "another node's receipts under its own seal": (
        sealed(batch(receipt(), node="loa-2"), topic_of="loa-2", by=signer("loa-2")),
        None,
        "",
    ),
    "another node's receipts on this topic": (
        sealed(batch(receipt(), node="loa-2"), by=signer("loa-1"), topic_of="loa-1"),
        Reason.WRONG_AREA,
        "loa-1/receipts",
    ),
    "a payload that is not base64": (
        Message(
            RECEIPTS_TOPIC,
            codec.write(
                seal.Envelope(
                    "application/vnd.loa.receipts+json", "?!", (seal.Signature(signer("loa-1").public.id, "eA=="),)
                )
            ),
        ),
        Reason.MALFORMED,
        "loa-1/receipts",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_not_right_is_counted_and_the_good_beside_it_is_stored(
    store: Store, logbook: Logbook, what: str
) -> None:
    message, reason, where = HOSTILE[what]
    good = [said(health("loa-3")), said(presence("loa-3")), sealed(batch(receipt(), node="loa-3"))]
    acks = logbook.take([good[0], message, *good[1:]], NOW)
    assert Ack("loa-3", "s1", 1, NOW) in acks
    known = store.health.condition("loa-3")
    assert known is not None
    assert known.online
    assert known.health == health("loa-3")
    assert counted(store) == ({(reason.value, where): 1} if reason else {})
    assert len(store.asrun.receipts("b1", "loa-1")) == 0
    assert store.health.condition("loa-1") is None


def test_a_seal_over_other_bytes_is_a_bad_seal(store: Store, logbook: Logbook) -> None:
    true, other = sealed(batch(receipt(1))), sealed(batch(receipt(1, step=Step.SOUNDED)))
    first, second = (seal.unwrap(each.payload, 1 << 20) for each in (true, other))
    forged = seal.Envelope(first.payloadType, second.payload, first.signatures)
    assert logbook.take([Message(RECEIPTS_TOPIC, codec.write(forged))], NOW) == []
    assert counted(store) == {("bad_seal", "loa-1/receipts"): 1}


def test_a_key_of_ours_that_claims_the_nodes_id_is_a_bad_seal(store: Store, logbook: Logbook) -> None:
    thief = Signer.generate()
    envelope = seal.unwrap(sealed(batch(receipt()), by=thief).payload, 1 << 20)
    claimed = tuple(seal.Signature(signer("loa-1").public.id, each.sig) for each in envelope.signatures)
    forged = seal.Envelope(envelope.payloadType, envelope.payload, claimed)
    assert logbook.take([Message(RECEIPTS_TOPIC, codec.write(forged))], NOW) == []
    assert counted(store) == {("bad_seal", "loa-1/receipts"): 1}


def test_stale_health_and_an_old_will_are_counted_as_rolled_back(store: Store, logbook: Logbook) -> None:
    logbook.take([said(health(at=NOW + MINUTE)), said(presence(at=NOW + MINUTE))], NOW + MINUTE)
    logbook.take([said(health(at=NOW)), said(presence(at=NOW, state=State.OFFLINE, boot="boot-0"))], NOW + MINUTE)
    assert counted(store) == {("rolled_back", "loa-1/health"): 1, ("rolled_back", "loa-1/presence"): 1}
    known = store.health.condition("loa-1")
    assert known is not None
    assert known.online


def test_the_will_of_a_run_was_written_before_it_spoke_and_counts(store: Store, logbook: Logbook) -> None:
    logbook.take([said(presence(at=NOW + MINUTE))], NOW + MINUTE)
    logbook.take([said(presence(at=NOW, state=State.OFFLINE))], NOW + 2 * MINUTE)
    known = store.health.condition("loa-1")
    assert known is not None
    assert known.online is False
    assert counted(store) == {}


def test_a_run_whose_clock_was_ahead_does_not_silence_the_next_one(store: Store, logbook: Logbook) -> None:
    logbook.take([said(presence(at=NOW + 2000 * MINUTE))], NOW)
    logbook.take([said(presence(at=NOW + MINUTE, state=State.OFFLINE, boot="boot-2"))], NOW + 2 * MINUTE)
    known = store.health.condition("loa-1")
    assert known is not None
    assert known.online is False


def test_a_flood_of_garbage_is_one_counter_and_few_lines_in_the_log(
    store: Store, logbook: Logbook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "controller.logbook"):
        logbook.take([Message(f"some/topic/{number}", b"") for number in range(1000)], NOW)
    assert counted(store) == {("unknown_topic", "topics"): 1000}
    assert "reason=unknown_topic where=topics" in caplog.text
    assert sum(each.name == "controller.logbook" for each in caplog.records) == 21


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(payload=st.binary(max_size=300), line=st.sampled_from([topics.HEALTH, topics.PRESENCE, topics.RECEIPTS]))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, payload: bytes, line: topics.Line) -> None:
    class Forgetful:
        """Takes everything and keeps nothing: the database is not what is tried here."""

        asrun = health = refusals = property(lambda self: self)

        def count_all(self, refused: list[object], at: datetime) -> None:
            assert len(refused) == 1

        def take_presence(self, messages: list[object], received_at: datetime) -> list[object]:
            raise AssertionError(messages)

        take_health = store_batches = take_presence

    assert Logbook(Forgetful(), key).take([Message(line.topic(node="loa-1"), payload)], NOW) == []


def test_when_the_store_is_full_nothing_is_acknowledged_and_presence_is_kept_for_later(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    store.migrate()
    logbook = Logbook(store, key)

    def refuse(connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    sa.event.listen(store.database.engine, "begin", refuse)
    with pytest.raises(StoreError) as refused:
        logbook.take([said(presence()), sealed(batch(receipt()))], NOW)
    assert refused.value.key == "store.full"
    sa.event.remove(store.database.engine, "begin", refuse)
    assert logbook.take([], NOW + MINUTE) == []
    known = store.health.condition("loa-1")
    assert known is not None
    assert known.online
    assert logbook.take([sealed(batch(receipt()))], NOW + MINUTE) == [Ack("loa-1", "s1", 1, NOW + MINUTE)]
    store.close()
