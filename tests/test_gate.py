"""The gate: what is admitted, and every way of not being."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    make_asset,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    make_relay,
    make_trust,
    plan_message,
    sealed,
    trust_message,
)
from makers_wire import renewed

from edge_node.gate import Admitted, Duplicate, Gate
from wire.errors import Reason, Refusal
from wire.plan import BulletinClass, Lane, Plan
from wire.receipt import Ack
from wire.seal import Signer
from wire.topics import CERTIFICATE, CONFIG, PLAN, TRUST, URGENT

OTHER = Signer(b"o" * 32)
NEW = Signer(b"n" * 32)


def make_gate() -> Gate:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    for topic, raw in (trust_message(), config_message()):
        assert isinstance(gate.admit(topic, raw, T0), Admitted)
    return gate


@pytest.fixture
def gate() -> Gate:
    return make_gate()


def refused(gate: Gate, topic: str, raw: bytes, now: datetime = T0, *, clock_known: bool = True) -> Reason | None:
    verdict = gate.admit(topic, raw, now, clock_known=clock_known)
    return verdict.reason if isinstance(verdict, Refusal) else None


def plan_topic(area: str = COMMUNE) -> str:
    return PLAN.topic(area=area)


def test_a_true_plan_is_admitted_and_its_jobs_stand(gate: Gate) -> None:
    topic, raw = plan_message(make_plan(make_job()))
    assert isinstance(gate.admit(topic, raw, T0), Admitted)
    assert gate.jobs(T0) == {"b1": make_job()}
    assert isinstance(gate.admit(topic, raw, T0), Duplicate)


def test_a_plan_sealed_again_with_the_same_bytes_is_a_duplicate(gate: Gate) -> None:
    gate.admit(*trust_message(make_grant(), make_grant(NEW), serial=2), T0)
    plan = make_plan(make_job())
    gate.admit(*plan_message(plan), T0)
    assert isinstance(gate.admit(*plan_message(plan, NEW), T0), Duplicate)


@pytest.mark.parametrize(
    "topic", ["radio/v2/trust", "trust", f"radio/v1/nodes/{NODE}/health", f"radio/v1/areas/{COMMUNE}/live/s1", "", "\0"]
)
def test_a_topic_that_nodes_do_not_listen_to_is_refused(gate: Gate, topic: str) -> None:
    assert refused(gate, topic, b"x") is Reason.UNKNOWN_TOPIC


@pytest.mark.parametrize(
    "topic", [CONFIG.topic(node="loa-02"), PLAN.topic(area="ha-giang"), URGENT.topic(area="loa-02")]
)
def test_what_is_for_others_is_refused(gate: Gate, topic: str) -> None:
    assert refused(gate, topic, b"x") is Reason.WRONG_AREA


def test_too_big_malformed_and_another_kind_are_refused(gate: Gate) -> None:
    assert refused(gate, TRUST.topic(), b"x" * 300_000) is Reason.TOO_BIG
    assert refused(gate, plan_topic(), b"[" * 100_000) is Reason.MALFORMED
    assert refused(gate, plan_topic(), sealed("plan", make_config())) is Reason.MALFORMED
    assert refused(gate, plan_topic(), sealed("config", make_config())) is Reason.WRONG_KIND
    urgent = make_plan(lane=Lane.URGENT)
    assert refused(gate, plan_topic(), sealed("urgent", urgent)) is Reason.WRONG_KIND
    assert refused(gate, plan_topic(), sealed("plan", urgent)) is Reason.WRONG_KIND


def test_unknown_keys_and_false_seals_are_refused(gate: Gate) -> None:
    plan = make_plan(make_job())
    assert refused(gate, *plan_message(plan, OTHER)) is Reason.UNKNOWN_KEY
    forged = plan_message(plan, OTHER)[1].replace(OTHER.public.id.encode(), STATION.public.id.encode())
    assert refused(gate, plan_topic(), forged) is Reason.BAD_SEAL
    assert refused(gate, TRUST.topic(), sealed("trust", make_trust(serial=2))) is Reason.UNKNOWN_KEY
    assert gate.jobs(T0) == {}


@pytest.mark.parametrize("known", [True, False])
def test_a_key_past_its_grant_is_refused(gate: Gate, known: bool) -> None:
    now = T0 + timedelta(days=301)
    assert refused(gate, *plan_message(make_plan(issued_at=now)), now, clock_known=known) is Reason.KEY_EXPIRED


def test_a_key_before_its_grant_is_refused_only_when_the_time_is_known(gate: Gate) -> None:
    long_ago = T0 - timedelta(days=200)
    message = plan_message(make_plan(issued_at=long_ago))
    assert refused(gate, *message, long_ago) is Reason.KEY_EXPIRED
    assert refused(gate, *message, long_ago, clock_known=False) is None


def test_an_expired_trust_document_admits_nothing_new(gate: Gate) -> None:
    now = T0 + timedelta(days=2)
    gate.admit(*trust_message(serial=2, valid_until=T0 + timedelta(days=1)), T0)
    assert refused(gate, *plan_message(make_plan(issued_at=now)), now) is Reason.KEY_EXPIRED


def test_a_key_speaks_only_for_its_areas(gate: Gate) -> None:
    gate.admit(*trust_message(make_grant(areas=(HAMLET,)), make_grant(OTHER, areas=("ha-giang",)), serial=2), T0)
    assert refused(gate, *plan_message(make_plan())) is Reason.WRONG_AREA
    assert refused(gate, *plan_message(make_plan(area=HAMLET))) is None
    assert refused(gate, *plan_message(make_plan(area=NODE))) is None
    assert refused(gate, *plan_message(make_plan(area=NODE, serial=2), OTHER)) is Reason.WRONG_AREA
    assert refused(gate, *config_message(make_config(2), OTHER)) is Reason.WRONG_AREA


def test_a_plan_for_another_area_than_its_topic_is_refused(gate: Gate) -> None:
    assert refused(gate, plan_topic(HAMLET), sealed("plan", make_plan())) is Reason.WRONG_AREA
    assert refused(gate, CONFIG.topic(node=NODE), sealed("config", make_config(2, node="loa-02"))) is Reason.WRONG_AREA


def test_each_lane_carries_its_own_classes(gate: Gate) -> None:
    assert refused(gate, *plan_message(make_plan(make_emergency()))) is Reason.WRONG_CLASS
    assert refused(gate, *plan_message(make_plan(make_job(), lane=Lane.URGENT))) is Reason.WRONG_CLASS
    assert refused(gate, *plan_message(make_plan(make_emergency(), lane=Lane.URGENT))) is None


def test_a_key_speaks_only_up_to_its_class(gate: Gate) -> None:
    gate.admit(*trust_message(make_grant(), make_grant(OTHER, up_to=BulletinClass.ORDINARY), serial=2), T0)
    priority = make_job(bulletin_class=BulletinClass.PRIORITY)
    assert refused(gate, *plan_message(make_plan(priority), OTHER)) is Reason.WRONG_CLASS
    assert refused(gate, *plan_message(make_plan(make_emergency(), lane=Lane.URGENT), OTHER)) is Reason.WRONG_CLASS
    assert refused(gate, *plan_message(make_plan(make_job()), OTHER)) is None


def test_a_key_below_emergencies_governs_no_node(gate: Gate) -> None:
    """A config can take away quiet hours and the areas of emergencies, an acknowledgement the proof of what sounded."""
    gate.admit(*trust_message(make_grant(), make_grant(OTHER, up_to=BulletinClass.PRIORITY), serial=2), T0)
    assert refused(gate, *config_message(make_config(2), OTHER)) is Reason.WRONG_CLASS
    assert refused(gate, ack_topic(), sealed("acks", Ack(NODE, "s1", 5, T0), OTHER)) is Reason.WRONG_CLASS
    assert refused(gate, *certificate(signer=OTHER)) is Reason.WRONG_CLASS


def certificate(signer: Signer = STATION, kind: str = "certificate", **changed: object) -> tuple[str, bytes]:
    told = msgspec.structs.replace(renewed(), **{"node": NODE, "issued_at": T0, **changed})
    return CERTIFICATE.topic(node=NODE), sealed(kind, told, signer)


def test_a_certificate_is_taken_from_the_station_alone_and_for_this_node(gate: Gate) -> None:
    assert refused(gate, *certificate()) is None
    topic, raw = certificate()
    lies = {
        Reason.UNKNOWN_KEY: (topic, certificate(signer=OTHER)[1]),
        Reason.WRONG_KIND: certificate(kind="acks"),
        Reason.WRONG_AREA: certificate(node="loa-02"),
        Reason.FROM_THE_FUTURE: certificate(issued_at=T0 + timedelta(days=1)),
        Reason.TOO_BIG: (topic, raw + b" " * CERTIFICATE.most_bytes),
        Reason.MALFORMED: (topic, raw[:-9]),
    }
    for reason, lie in lies.items():
        assert refused(gate, *lie) is reason
    assert refused(gate, CERTIFICATE.topic(node="loa-02"), raw) is Reason.WRONG_AREA


def test_nothing_is_issued_after_its_key_s_end_whatever_the_time_is(gate: Gate) -> None:
    late = T0 + timedelta(days=301)
    for known in (False, True):
        message = config_message(make_config(2, late))
        assert refused(gate, *message, clock_known=known) is Reason.KEY_EXPIRED


def test_the_roots_newer_word_is_taken_by_a_node_that_does_not_know_the_time(gate: Gate) -> None:
    """Its bound of time may be the word of a key that this document takes away."""
    late = T0 + timedelta(days=1000)
    assert refused(gate, *trust_message(serial=2), late) is Reason.EXPIRED
    assert refused(gate, *trust_message(serial=2), late, clock_known=False) is None
    assert refused(gate, *plan_message(make_plan(make_job())), late, clock_known=False) is Reason.KEY_EXPIRED


def test_serials_never_go_back_and_never_fork(gate: Gate) -> None:
    gate.admit(*plan_message(make_plan(make_job(), serial=5)), T0)
    assert refused(gate, *plan_message(make_plan(serial=4))) is Reason.ROLLED_BACK
    assert refused(gate, *plan_message(make_plan(serial=5))) is Reason.FORKED
    assert refused(gate, *plan_message(make_plan(serial=6))) is None
    assert refused(gate, TRUST.topic(), sealed("trust", make_trust(make_grant(OTHER)), ROOT)) is Reason.FORKED
    assert refused(gate, *config_message(make_config(1, maintenance=True))) is Reason.FORKED


def test_times_are_checked_against_now(gate: Gate) -> None:
    future = plan_message(make_plan(issued_at=after(360)))
    assert refused(gate, *future) is Reason.FROM_THE_FUTURE
    assert refused(gate, *future, clock_known=False) is None
    assert refused(gate, *plan_message(make_plan(serial=2, valid_until=after(-1)))) is Reason.EXPIRED


def test_a_job_with_an_asset_and_a_relay_is_refused(gate: Gate) -> None:
    both = make_relay(asset=make_asset())
    assert refused(gate, *plan_message(make_plan(both))) is Reason.MALFORMED
    assert refused(gate, *plan_message(make_plan(make_relay()))) is None


def test_jobs_with_senseless_times_are_refused(gate: Gate) -> None:
    for job in (
        make_job(deadline=after(-1)),
        make_job(start=T0 + timedelta(days=401)),
        make_job(late_for=401 * 86400),
        make_job(start=datetime(1, 1, 1, tzinfo=UTC), deadline=T0),
    ):
        assert refused(gate, *plan_message(make_plan(job))) is Reason.WRONG_TIME
    assert (
        refused(gate, *plan_message(make_plan(issued_at=datetime(9999, 1, 1, tzinfo=UTC), valid_until=T0))) is not None
    )


def test_a_config_with_an_unknown_zone_is_refused(gate: Gate) -> None:
    assert refused(gate, *config_message(make_config(2, zone="Asia/Nowhere"))) is Reason.MALFORMED


def test_an_expired_plan_stands_no_longer_but_still_guards_against_a_roll_back(gate: Gate) -> None:
    gate.admit(*plan_message(make_plan(make_job(), serial=5)), T0)
    later = T0 + timedelta(days=16)
    assert gate.jobs(later) == {}
    assert refused(gate, *plan_message(make_plan(serial=4, issued_at=later)), later) is Reason.ROLLED_BACK


def test_a_revoked_keys_plans_go_with_the_new_trust_document(gate: Gate) -> None:
    gate.admit(*trust_message(make_grant(), make_grant(NEW), serial=2), T0)
    gate.admit(*config_message(make_config(2), NEW), T0)
    gate.admit(*plan_message(make_plan(make_job())), T0)
    verdict = gate.admit(*trust_message(make_grant(NEW), serial=3), T0)
    assert isinstance(verdict, Admitted)
    assert [(each.reason, each.where) for each in verdict.also if isinstance(each, Refusal)] == [
        (Reason.UNKNOWN_KEY, plan_topic())
    ]
    assert gate.jobs(T0) == {}
    assert gate.config
    assert gate.config.serial == 2


def test_documents_that_came_before_their_trust_are_admitted_with_it() -> None:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    assert refused(gate, *config_message()) is Reason.UNKNOWN_KEY
    verdict = gate.admit(*trust_message(), T0)
    assert isinstance(verdict, Admitted)
    assert [each.kind for each in verdict.also if isinstance(each, Admitted)] == ["config"]
    assert gate.config == make_config()


def test_the_config_decides_what_is_listened_to_and_what_is_held(gate: Gate) -> None:
    gate.admit(*plan_message(make_plan(make_job())), T0)
    assert plan_topic() in gate.listens_to()
    gate.admit(*config_message(make_config(2, areas=(HAMLET,))), T0)
    assert plan_topic() not in gate.listens_to()
    assert PLAN.topic(area=NODE) in gate.listens_to()
    assert gate.jobs(T0) == {}


def test_an_acknowledgement_needs_a_key_for_this_nodes_home(gate: Gate) -> None:
    ack = Ack(NODE, "s1", 5, T0)
    assert isinstance(gate.admit(ack_topic(), sealed("acks", ack), T0), Admitted)
    assert refused(gate, ack_topic(), sealed("acks", ack, OTHER)) is Reason.UNKNOWN_KEY
    other = msgspec.structs.replace(ack, node="loa-02")
    assert refused(gate, ack_topic(), sealed("acks", other)) is Reason.WRONG_AREA


def test_what_is_read_back_from_disk_was_in_time_when_it_came() -> None:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    later = T0 + timedelta(days=350)
    for message in (trust_message(), config_message(), plan_message(make_plan(make_job(), serial=7))):
        assert isinstance(gate.admit(*message, later, restoring=True), Admitted)
    assert gate.jobs(later) == {}
    assert gate.serials()[0].plan == 7


@given(st.binary(max_size=300))
def test_any_bytes_get_a_refusal_and_change_nothing(raw: bytes) -> None:
    gate = make_gate()
    for topic in gate.listens_to():
        assert isinstance(gate.admit(topic, raw, T0), Refusal)
    assert gate.config == make_config()


@given(st.data())
def test_no_changed_byte_of_a_true_plan_gets_through(data: st.DataObject) -> None:
    topic, raw = plan_message(make_plan(make_job()))
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :]
    gate = make_gate()
    verdict = gate.admit(topic, changed, T0)
    if isinstance(verdict, Admitted):  # a byte outside the payload and the seal: the same plan
        assert isinstance(verdict.document, Plan)
        assert verdict.document == make_plan(make_job())
