"""Roots at the gate: how many must agree, how the set changes, and what never counts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from makers_node import (
    HAMLET,
    NODE,
    STATION,
    T0,
    after,
    config_message,
    make_grant,
    make_job,
    make_plan,
    make_trust,
    plan_message,
    sealed,
)

from edge_node.gate import Admitted, Gate
from edge_node.held import Held
from edge_node.releases import rooting, statement
from edge_node.releases.statement import Refused
from edge_node.settings import SettingsError, make
from wire import codec, roots, seal
from wire.errors import Reason, Refusal
from wire.release import KIND, Hitch, Release
from wire.roots import Roots, RootSet
from wire.seal import Envelope, Signature, Signer
from wire.topics import TRUST
from wire.trust import Trust

A, B, C, D, E = (Signer(letter * 32) for letter in (b"a", b"b", b"c", b"d", b"e"))
THREE = RootSet.of([each.public.hex for each in (A, B, C)], 2)
STRANGER = Signer(b"x" * 32)


def gate_of(pinned: RootSet = THREE) -> Gate:
    return Gate(NODE, HAMLET, pinned)


def trusted(*signers: Signer, links: tuple[Envelope, ...] = (), trust: Trust | None = None) -> bytes:
    raw = seal.seal("trust", codec.write(trust or make_trust()), *signers)
    return roots.rooted(seal.unwrap(raw, len(raw)), links)


def said(gate: Gate, raw: bytes, restoring: bool = False) -> Reason | None:
    """Why it was refused; None when it was taken."""
    verdict = gate.admit(TRUST.topic(), raw, T0, restoring=restoring)
    return verdict.reason if isinstance(verdict, Refusal) else None


def linked(version: int, keys: tuple[Signer, ...], threshold: int, *signers: Signer) -> Envelope:
    return roots.link(Roots(version, T0, tuple(each.public.hex for each in keys), threshold), *signers)


TO_CDE = linked(1, (C, D, E), 2, A, B, D, E)
NEWER = make_trust(serial=2)


# --- the threshold -------------------------------------------------------------------------------------------


def test_two_of_three_roots_are_believed_and_one_is_not() -> None:
    assert said(gate_of(), trusted(A, C)) is None
    assert said(gate_of(), trusted(A, B, C)) is None
    assert said(gate_of(), trusted(B)) is Reason.TOO_FEW_ROOTS


def test_one_root_that_seals_twice_is_one_root() -> None:
    raw = trusted(A)
    held = codec.read(Envelope, raw, len(raw))
    twice = Envelope(held.payloadType, held.payload, held.signatures * 3)
    assert said(gate_of(), codec.write(twice)) is Reason.TOO_FEW_ROOTS


def test_a_seal_under_the_name_of_another_root_does_not_count() -> None:
    raw = trusted(A)
    held = codec.read(Envelope, raw, len(raw))
    borrowed = Signature(B.public.id, held.signatures[0].sig)
    unnamed = Signature("0" * 16, held.signatures[0].sig)
    for more in (borrowed, unnamed):
        forged = Envelope(held.payloadType, held.payload, (*held.signatures, more))
        assert said(gate_of(), codec.write(forged)) is Reason.TOO_FEW_ROOTS


@pytest.mark.parametrize("garbage", [b"", b"\0" * 64, b"\xff" * 64, b"short", b"x" * 70])
def test_one_root_and_garbage_are_one_root(garbage: bytes) -> None:
    raw = trusted(A)
    held = codec.read(Envelope, raw, len(raw))
    filler = Signature(B.public.id, base64.b64encode(garbage).decode())
    assert said(gate_of(), codec.write(Envelope(held.payloadType, held.payload, (*held.signatures, filler)))) in (
        Reason.TOO_FEW_ROOTS,
        Reason.MALFORMED,
    )


def test_roots_that_the_node_does_not_know_are_strangers() -> None:
    assert said(gate_of(), trusted(D, E)) is Reason.UNKNOWN_KEY
    assert said(gate_of(), trusted(A, STRANGER)) is Reason.TOO_FEW_ROOTS
    assert said(gate_of(), trusted(STATION, STATION)) is Reason.UNKNOWN_KEY


def test_a_node_of_one_root_goes_on_as_before() -> None:
    gate = Gate(NODE, HAMLET, (A.public.hex,))
    assert (gate.roots.threshold, gate.roots.version) == (1, 0)
    plain = sealed("trust", make_trust(), A)
    assert plain == trusted(A)  # byte for byte what it was before roots could change
    assert said(gate, plain) is None


@pytest.mark.parametrize(
    "told",
    [
        {"root_keys": [A.public.hex, A.public.hex.upper()]},
        {"root_keys": [A.public.hex], "root_threshold": 2},
        {"root_keys": [A.public.hex, B.public.hex], "root_threshold": 0},
        {"root_keys": [A.public.hex], "root_version": -1},
        {"root_keys": [bytes([each]).hex() * 32 for each in range(2, 11)]},
    ],
)
def test_a_set_of_roots_that_cannot_be_is_said(told: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        make({"node": NODE, "home": HAMLET, "state_dir": "/nowhere", **told})


# --- the set changes -----------------------------------------------------------------------------------------


def test_roots_change_when_enough_of_the_old_and_of_the_new_say_so() -> None:
    gate = gate_of()
    assert said(gate, trusted(A, B)) is None
    assert said(gate, trusted(D, E, links=(TO_CDE,), trust=NEWER)) is None
    assert (gate.roots.hexes, gate.roots.version) == (tuple(each.public.hex for each in (C, D, E)), 1)
    assert said(gate, trusted(A, B, trust=make_trust(serial=3))) is Reason.UNKNOWN_KEY
    assert said(gate, trusted(A, C, links=(TO_CDE,), trust=make_trust(serial=3))) is Reason.TOO_FEW_ROOTS


@pytest.mark.parametrize("signers", [(A, D, E), (A, B, D), (D, E), (A, B), (A, B, STRANGER), (A, STRANGER, D, E)])
def test_a_change_that_too_few_of_either_sealed_is_refused(signers: tuple[Signer, ...]) -> None:
    gate = gate_of()
    assert said(gate, trusted(A, B)) is None
    link = linked(1, (C, D, E), 2, *signers)
    reason = said(gate, trusted(D, E, links=(link,), trust=NEWER))
    assert reason in (Reason.TOO_FEW_ROOTS, Reason.UNKNOWN_KEY)
    assert (gate.roots, gate.trust) == (THREE, make_trust())


def test_a_node_that_was_away_follows_every_change() -> None:
    again = linked(2, (D, E), 1, C, E)
    gate = gate_of()
    assert said(gate, trusted(D, links=(TO_CDE, again))) is None
    assert (gate.roots.version, gate.roots.threshold) == (2, 1)
    for links in ((again,), (again, TO_CDE), (TO_CDE, TO_CDE, again)):
        assert said(gate_of(), trusted(D, links=links)) is not None


def test_a_node_enrolled_after_a_change_skips_what_is_past() -> None:
    gate = gate_of(RootSet.of([C.public.hex, D.public.hex, E.public.hex], 2, 1))
    assert said(gate, trusted(C, D, links=(TO_CDE,))) is None
    assert said(gate, trusted(A, B, links=(TO_CDE,))) is not None


def test_a_change_is_taken_with_its_trust_document_or_not_at_all() -> None:
    gate = gate_of()
    assert said(gate, trusted(A, B)) is None
    late = make_trust(serial=2, valid_until=after(-1))
    assert said(gate, trusted(D, E, links=(TO_CDE,), trust=late)) is Reason.EXPIRED
    assert gate.roots == THREE


def test_what_a_thief_of_old_roots_numbered_high_is_replaced() -> None:
    gate = gate_of()
    assert said(gate, trusted(A, B, trust=make_trust(serial=2**60))) is None
    assert said(gate, trusted(A, B, trust=NEWER)) is Reason.ROLLED_BACK
    assert said(gate, trusted(D, E, links=(TO_CDE,), trust=NEWER)) is None
    assert gate.trust == NEWER
    assert said(gate, trusted(D, E, links=(TO_CDE,))) is Reason.ROLLED_BACK


def test_another_history_of_changes_leads_nowhere() -> None:
    gate = gate_of()
    assert said(gate, trusted(D, E, links=(TO_CDE,))) is None
    other = linked(1, (STRANGER,), 1, A, B, STRANGER)
    further = linked(2, (STRANGER,), 1, STRANGER)
    assert said(gate, trusted(STRANGER, links=(other,), trust=NEWER)) is Reason.UNKNOWN_KEY
    assert said(gate, trusted(STRANGER, links=(other, further), trust=NEWER)) is Reason.UNKNOWN_KEY


def test_endless_changes_are_refused_unread() -> None:
    assert said(gate_of(), trusted(A, B, links=(TO_CDE,) * (roots.MOST_LINKS + 1))) is Reason.MALFORMED
    padded = trusted(A, B)[:-1] + b" " * TRUST.most_bytes + b"}"
    assert said(gate_of(), padded) is Reason.TOO_BIG


def test_the_longest_history_fits_in_its_topic() -> None:
    keys = [Signer(bytes([each]) * 32) for each in range(1, 17)]
    old, new = keys[:8], keys[8:]
    links = [linked(1, tuple(new), 8, *old, *new)] * roots.MOST_LINKS
    grants = tuple(make_grant(Signer(bytes([each]) * 32)) for each in range(30, 60))
    raw = trusted(*new, links=tuple(links), trust=make_trust(*grants))
    assert len(raw) < TRUST.most_bytes
    assert roots.read(raw, TRUST.most_bytes).roots == tuple(links)


def test_a_change_survives_a_power_cut(tmp_path: Path) -> None:
    gate, held = gate_of(), Held(tmp_path)
    for topic, raw in (
        (TRUST.topic(), trusted(D, E, links=(TO_CDE,))),
        config_message(),
        plan_message(make_plan(make_job())),
    ):
        verdict = gate.admit(topic, raw, T0)
        assert isinstance(verdict, Admitted)
        held.keep(topic, raw)
    again = gate_of()
    for topic, raw in Held(tmp_path).load():
        assert isinstance(again.admit(topic, raw, T0, restoring=True), Admitted)
    assert again.roots.version == 1
    assert len(again.plans()) == 1
    assert said(again, trusted(A, B, trust=make_trust(serial=9))) is Reason.UNKNOWN_KEY


def test_plans_go_on_over_a_change() -> None:
    gate = gate_of()
    for topic, raw in ((TRUST.topic(), trusted(A, B)), config_message(), plan_message(make_plan(make_job()))):
        assert isinstance(gate.admit(topic, raw, T0), Admitted)
    verdict = gate.admit(TRUST.topic(), trusted(D, E, links=(TO_CDE,), trust=NEWER), T0)
    assert isinstance(verdict, Admitted)
    assert verdict.also == ()
    assert len(gate.plans()) == 1


# --- what runs on a node -------------------------------------------------------------------------------------

NEW = Release("9.9.9", "3.11", "x86_64", "ab" * 32, 1000, 5, T0, after(3600))


def released(*signers: Signer) -> bytes:
    return seal.seal(KIND, codec.write(NEW), *signers)


def test_a_release_needs_as_many_roots_as_trust() -> None:
    assert statement.opened(released(A, B), THREE) == NEW
    for signers, hitch in (((A,), Hitch.TOO_FEW_ROOTS), ((D, E), Hitch.UNKNOWN_KEY), ((A, A), Hitch.TOO_FEW_ROOTS)):
        with pytest.raises(Refused) as refused:
            statement.opened(released(*signers), THREE)
        assert refused.value.hitch is hitch


def test_the_updater_follows_the_roots_and_never_goes_back(tmp_path: Path) -> None:
    told = {"node": NODE, "home": HAMLET, "root_keys": list(THREE.hexes), "root_threshold": 2}
    settings = make({**told, "state_dir": str(tmp_path / "node")})
    prefix = tmp_path / "prefix"
    (prefix / "update").mkdir(parents=True)
    held = Held(tmp_path / "node" / "held")
    assert rooting.roots_of(prefix, settings) == THREE  # nothing there yet
    (tmp_path / "node" / "held").mkdir(parents=True)
    held.keep(TRUST.topic(), trusted(STRANGER, links=(linked(1, (STRANGER,), 1, STRANGER),)))
    assert rooting.roots_of(prefix, settings) == THREE  # what the node's user made up
    held.keep(TRUST.topic(), trusted(D, E, links=(TO_CDE,)))
    assert rooting.roots_of(prefix, settings).version == 1
    held.keep(TRUST.topic(), trusted(A, B))  # put back by whoever may write there
    assert rooting.roots_of(prefix, settings).version == 1
    with pytest.raises(Refused):
        statement.opened(released(A, B), rooting.roots_of(prefix, settings))
    (prefix / "update" / "roots.json").write_bytes(b"{")  # a spoilt file: root's settings count
    assert rooting.roots_of(prefix, settings) == THREE
