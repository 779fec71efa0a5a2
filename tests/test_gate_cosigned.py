"""Two seals for a wide emergency, at the node's gate: who must agree, to what, and what does not count as agreement."""

from __future__ import annotations

import msgspec
import pytest
from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    STATION,
    T0,
    after,
    config_message,
    make_asset,
    make_config,
    make_emergency,
    make_grant,
    make_plan,
    make_relay,
    plan_message,
    trust_message,
)

from edge_node.gate import Admitted, Gate
from wire import cosigned
from wire.errors import Reason, Refusal
from wire.plan import Cosigned, Job, Lane, Level, Plan
from wire.seal import Signature, Signer
from wire.trust import Cosigner, Grant

PROVINCE = "lang-son"
SECOND, OTHER = Signer(b"2" * 32), Signer(b"3" * 32)


def cosigner(signer: Signer = SECOND, **changed: object) -> Cosigner:
    made = Cosigner(signer.public.hex, "Bà Hoa", (PROVINCE,), T0, after(86400))
    return msgspec.structs.replace(made, **changed)


def gate_of(*cosigners: Cosigner, below: int = 2, grant: Grant | None = None, config: bool = True) -> Gate:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    grants = (grant or make_grant(),)
    told = trust_message(*grants, cosigners=cosigners or (cosigner(),), cosign_below=below)
    assert isinstance(gate.admit(*told, T0), Admitted)
    if config:
        assert isinstance(gate.admit(*config_message(make_config(areas=(HAMLET, COMMUNE, PROVINCE))), T0), Admitted)
    return gate


def urgent(*jobs: Job, area: str = PROVINCE, serial: int = 1) -> Plan:
    return make_plan(*jobs, area=area, serial=serial, lane=Lane.URGENT)


def said(gate: Gate, plan: Plan) -> Reason | None:
    verdict = gate.admit(*plan_message(plan), T0)
    return verdict.reason if isinstance(verdict, Refusal) else None


ALARM = make_emergency(spoken="Lũ quét đang về.")
AGREED = cosigned.cosign(ALARM, (PROVINCE,), SECOND)


def test_a_province_needs_a_second_person_and_a_commune_does_not() -> None:
    gate = gate_of()
    assert said(gate, urgent(ALARM)) is Reason.NOT_COSIGNED
    assert said(gate, urgent(AGREED)) is None
    for area in (COMMUNE, HAMLET):
        assert said(gate, urgent(ALARM, area=area)) is None


def test_a_node_by_its_own_name_is_as_wide_as_where_it_hangs() -> None:
    assert said(gate_of(), urgent(ALARM, area=NODE)) is None
    assert said(gate_of(below=4), urgent(ALARM, area=NODE)) is Reason.NOT_COSIGNED


@pytest.mark.parametrize(
    ("group", "wide"), [("lang-son:ven-song", True), (f"{COMMUNE}:ven-song", False), ("all", True)]
)
def test_a_group_is_as_wide_as_what_it_and_the_node_have_in_common(group: str, wide: bool) -> None:
    gate = gate_of(cosigner(areas=("*",)), grant=make_grant(areas=("*",)))
    gate.admit(*config_message(make_config(areas=(HAMLET, COMMUNE, PROVINCE, group), serial=2)), T0)
    assert said(gate, urgent(ALARM, area=group)) is (Reason.NOT_COSIGNED if wide else None)
    assert said(gate, urgent(cosigned.cosign(ALARM, (group,), SECOND), area=group, serial=2)) is None


def test_a_station_that_named_no_cosigner_goes_on_as_before() -> None:
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    gate.admit(*trust_message(), T0)
    gate.admit(*config_message(), T0)
    assert said(gate, urgent(ALARM)) is None


@pytest.mark.parametrize("config", [True, False])
def test_it_holds_before_any_config_and_for_what_is_held(config: bool) -> None:
    gate = gate_of(config=config)
    assert said(gate, urgent(ALARM)) is Reason.NOT_COSIGNED
    assert said(gate, urgent(AGREED)) is None
    verdict = gate.admit(*trust_message(cosigners=(cosigner(OTHER),), cosign_below=2, serial=2), T0)
    assert isinstance(verdict, Admitted)
    assert [each.reason for each in verdict.also if isinstance(each, Refusal)] == [Reason.NOT_COSIGNED]
    assert gate.plans() == []  # the second person was revoked: what they agreed to falls silent


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "e2"},
        {"spoken": "Bà con về nhà đi."},
        {"asset": make_asset("b")},
        {"asset": None},
        {"start": after(60)},
        {"deadline": after(9000)},
        {"level": Level.CENTRAL},
        {"drill": True},
    ],
)
def test_what_was_agreed_to_may_not_be_changed(changed: dict[str, object]) -> None:
    assert said(gate_of(), urgent(msgspec.structs.replace(AGREED, **changed))) is Reason.NOT_COSIGNED


def test_only_the_address_of_the_audio_may_change() -> None:
    assert AGREED.asset
    moved = msgspec.structs.replace(AGREED.asset, url="https://elsewhere.example/a.ogg")
    assert said(gate_of(), urgent(msgspec.structs.replace(AGREED, asset=moved))) is None


def test_agreement_for_one_area_is_none_for_another() -> None:
    elsewhere = cosigned.cosign(ALARM, ("cao-bang",), SECOND)
    assert said(gate_of(), urgent(elsewhere)) is Reason.NOT_COSIGNED
    assert elsewhere.cosigned
    borrowed = msgspec.structs.replace(ALARM, cosigned=Cosigned((PROVINCE,), elsewhere.cosigned.seals))
    assert said(gate_of(), urgent(borrowed)) is Reason.NOT_COSIGNED


@pytest.mark.parametrize(
    "wrong",
    [
        cosigner(OTHER),
        cosigner(areas=("cao-bang",)),
        cosigner(areas=(COMMUNE,)),
        cosigner(until=after(-1)),
        cosigner(not_before=after(3600)),
        cosigner(holder="Đài TỈNH"),
    ],
)
def test_whose_seal_does_not_count(wrong: Cosigner) -> None:
    grant = msgspec.structs.replace(make_grant(), label="đài tỉnh")
    assert said(gate_of(cosigner(holder="Bà Hoa"), grant=grant), urgent(AGREED)) is None
    assert said(gate_of(wrong, grant=grant), urgent(AGREED)) is Reason.NOT_COSIGNED


def test_the_stations_own_seal_is_no_second_one() -> None:
    alone = cosigned.cosign(ALARM, (PROVINCE,), STATION, OTHER)
    assert said(gate_of(), urgent(alone)) is Reason.NOT_COSIGNED
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    told = trust_message(cosigners=(cosigner(STATION),), cosign_below=2)
    verdict = gate.admit(*told, T0)
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.MALFORMED  # one key may not be both


def test_a_cosigner_seals_nothing_alone() -> None:
    verdict = gate_of().admit(*plan_message(urgent(AGREED), SECOND), T0)
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("sig", ["", "AAAA", "A" * 88, "%%%"])
def test_garbage_is_no_seal(sig: str) -> None:
    forged = Cosigned((PROVINCE,), (Signature(SECOND.public.id, sig),))
    reason = said(gate_of(), urgent(msgspec.structs.replace(ALARM, cosigned=forged)))
    assert reason in (Reason.NOT_COSIGNED, Reason.MALFORMED)


def test_one_job_that_nobody_agreed_to_stops_its_plan() -> None:
    assert said(gate_of(), urgent(AGREED, make_emergency("e9"))) is Reason.NOT_COSIGNED


def test_a_relay_cannot_be_agreed_to() -> None:
    relay = make_relay("e1").relay
    streamed = msgspec.structs.replace(ALARM, asset=None, relay=relay)
    assert said(gate_of(), urgent(cosigned.cosign(streamed, (PROVINCE,), SECOND))) is Reason.NOT_COSIGNED


def test_a_second_seal_is_small_and_one_seal_as_small_as_before() -> None:
    assert len(plan_message(urgent(AGREED))[1]) - len(plan_message(urgent(ALARM))[1]) < 270
    assert "cosigned" not in plan_message(urgent(ALARM))[1].decode()
