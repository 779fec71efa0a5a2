"""The seal: what was signed is what is read, or nothing is."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_wire import NODE_KEY, ROOT, STATION, plan

from wire import codec, seal
from wire.seal import Envelope, PublicKey, Signature, Signer

KEYS = {signer.public.id: signer.public for signer in (ROOT, STATION)}
PAYLOAD = codec.write(plan())
MOST = 1_000_000


def sealed(kind: str = "plan", *signers: Signer) -> Envelope:
    return seal.unwrap(seal.seal(kind, PAYLOAD, *(signers or (STATION,))), MOST)


def test_a_true_seal_names_its_key() -> None:
    envelope = sealed()
    assert seal.sealed_by(envelope, KEYS) == [STATION.public.id]
    assert envelope.body() == PAYLOAD


def test_two_signatures_name_two_keys_in_their_order() -> None:
    assert seal.sealed_by(sealed("plan", STATION, ROOT), KEYS) == [STATION.public.id, ROOT.public.id]
    assert seal.sealed_by(sealed("plan", ROOT, STATION), KEYS) == [ROOT.public.id, STATION.public.id]


def test_one_signature_given_twice_counts_once() -> None:
    envelope = sealed()
    twice = msgspec.structs.replace(envelope, signatures=envelope.signatures * 2)
    assert seal.sealed_by(twice, KEYS) == [STATION.public.id]


def test_a_true_signature_stands_beside_a_false_one() -> None:
    envelope = sealed()
    false = Signature(ROOT.public.id, envelope.signatures[0].sig)
    assert seal.sealed_by(msgspec.structs.replace(envelope, signatures=(false, *envelope.signatures)), KEYS) == [
        STATION.public.id
    ]


def test_a_key_that_is_not_trusted_seals_nothing() -> None:
    assert seal.sealed_by(sealed("plan", NODE_KEY), KEYS) == []
    borrowed = Signature(STATION.public.id, sealed("plan", NODE_KEY).signatures[0].sig)
    assert seal.sealed_by(msgspec.structs.replace(sealed(), signatures=(borrowed,)), KEYS) == []


def test_a_receipt_cannot_be_passed_off_as_a_plan() -> None:
    envelope = sealed("receipts")
    assert not seal.is_kind(envelope, "plan")
    renamed = msgspec.structs.replace(envelope, payloadType=seal.PAYLOAD_TYPE.format(kind="plan"))
    assert seal.is_kind(renamed, "plan")
    assert seal.sealed_by(renamed, KEYS) == []


@given(at=st.integers(0, len(PAYLOAD) - 1), flip=st.integers(1, 255))
def test_one_changed_byte_breaks_the_seal(at: int, flip: int) -> None:
    changed = bytearray(PAYLOAD)
    changed[at] ^= flip
    envelope = msgspec.structs.replace(sealed(), payload=base64.b64encode(changed).decode())
    assert seal.sealed_by(envelope, KEYS) == []


@given(at=st.integers(0, 63), flip=st.integers(1, 255))
def test_one_changed_byte_of_the_signature_breaks_it(at: int, flip: int) -> None:
    envelope = sealed()
    changed = bytearray(base64.b64decode(envelope.signatures[0].sig))
    changed[at] ^= flip
    signature = Signature(STATION.public.id, base64.b64encode(changed).decode())
    assert seal.sealed_by(msgspec.structs.replace(envelope, signatures=(signature,)), KEYS) == []


@pytest.mark.parametrize("text", ["%%%", "abc", "ab cd", "ab\ncd", "é" * 4, "=" * 4])
def test_what_is_not_base64_is_malformed(text: str) -> None:
    with pytest.raises(codec.Malformed, match="base64"):
        msgspec.structs.replace(sealed(), payload=text).body()
    wrong = (Signature(STATION.public.id, text),)
    with pytest.raises(codec.Malformed, match="base64"):
        seal.sealed_by(msgspec.structs.replace(sealed(), signatures=wrong), KEYS)


@pytest.mark.parametrize("length", [0, 1, 63, 65])
def test_a_signature_of_another_length_is_no_signature(length: int) -> None:
    wrong = (Signature(STATION.public.id, base64.b64encode(b"x" * length).decode()),)
    assert seal.sealed_by(msgspec.structs.replace(sealed(), signatures=wrong), KEYS) == []


def test_an_envelope_has_one_to_sixteen_signatures() -> None:
    for count in (0, 17):
        raw = codec.write(msgspec.structs.replace(sealed(), signatures=sealed().signatures * count))
        with pytest.raises(codec.Malformed, match="signatures"):
            seal.unwrap(raw, MOST)


def test_no_pair_of_type_and_payload_is_signed_like_another() -> None:
    first, second = (
        STATION.sign(seal._pre_authentication("a b", b"c")),
        STATION.sign(seal._pre_authentication("a", b"b c")),
    )
    assert first != second
    assert seal._pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"  # the example of the DSSE specification
    )


def test_the_seal_is_the_same_every_time() -> None:
    assert seal.seal("plan", PAYLOAD, STATION) == seal.seal("plan", PAYLOAD, STATION)


def test_keys_are_told_apart_and_travel_as_hex() -> None:
    assert PublicKey.from_hex(STATION.public.hex).id == STATION.public.id
    assert len({signer.public.id for signer in (ROOT, STATION, NODE_KEY, Signer.generate())}) == 4
    for wrong in ("", "00", "zz" * 32, "00" * 33):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            PublicKey.from_hex(wrong)
    with pytest.raises(ValueError, match="32"):
        Signer(b"short")
