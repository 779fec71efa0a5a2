"""Urgent documents made small: what goes in comes out, a bomb does not, and the seal covers what travels."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_node import STATION, T0, make_emergency, make_plan

from wire import codec, packing, seal
from wire.plan import Lane

KEYS = {STATION.public.id: STATION.public}


@given(st.binary(max_size=3000))
def test_what_was_packed_is_unpacked(payload: bytes) -> None:
    assert packing.unpack(packing.pack(payload)) == payload


@given(st.binary(max_size=300))
def test_any_bytes_are_unpacked_or_refused(raw: bytes) -> None:
    with suppress(codec.Malformed, codec.TooBig):
        assert len(packing.unpack(raw)) <= packing.MOST_BYTES


def test_a_bomb_is_refused_before_it_is_large() -> None:
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = maker.compress(b"a" * 200_000_000) + maker.flush()
    assert len(bomb) < 400_000
    with pytest.raises(codec.TooBig):
        packing.unpack(bomb)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw + b"x", lambda raw: raw[:5], lambda raw: b""])
def test_what_is_cut_or_longer_is_refused(spoil: object) -> None:
    with pytest.raises(codec.Malformed):
        packing.unpack(spoil(packing.pack(b"Nuoc len nhanh " * 20)))  # type: ignore[operator]


def test_the_dictionary_never_changes() -> None:
    assert (
        hashlib.sha256(packing._DICTIONARY).hexdigest()
        == "3f90f4d7ca46f932e6ff5d164f4c5ecd394348660605c6bfc3e0648108d7c81d"
    )


def test_a_packed_seal_is_true_and_its_document_the_same() -> None:
    payload = codec.write(make_plan(make_emergency(start=T0), lane=Lane.URGENT))
    raw = seal.seal("urgent", payload, STATION, packed=True)
    envelope = seal.unwrap(raw, 100_000)
    assert seal.is_kind(envelope, "urgent")
    assert not seal.is_kind(envelope, "plan")
    assert seal.sealed_by(envelope, KEYS) == [STATION.public.id]
    assert envelope.body() == payload
    assert len(raw) < len(seal.seal("urgent", payload, STATION))


def test_a_packed_document_cannot_be_passed_off_as_a_plain_one_nor_the_other_way_round() -> None:
    payload = codec.write(make_plan(make_emergency(start=T0), lane=Lane.URGENT))
    packed, plain = (seal.seal("urgent", payload, STATION, packed=each) for each in (True, False))
    for raw in (packed.replace(b"+deflate", b""), plain.replace(b"+json", b"+json+deflate")):
        envelope = seal.unwrap(raw, 100_000)
        assert seal.sealed_by(envelope, KEYS) == []
