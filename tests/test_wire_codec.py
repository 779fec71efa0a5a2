"""Bytes from strangers: what is read, what is refused, and that nothing larger than allowed is even looked at."""

from __future__ import annotations

import mmap
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_wire import EVERY, health, plan, receipts

from wire import codec, topics
from wire.health import Health, Vitals
from wire.plan import Plan
from wire.receipt import Receipts
from wire.seal import Envelope

MOST = 1_000_000
KINDS = sorted({line.kind for line in topics.TABLE} | {Envelope}, key=lambda kind: kind.__name__)
PLAN = codec.write(plan())


def refused(raw: bytes, kind: type = Plan) -> str:
    with pytest.raises(codec.Malformed) as wrong:
        codec.read(kind, raw, MOST)
    return str(wrong.value)


def test_one_byte_too_many_is_too_big() -> None:
    assert codec.read(Plan, PLAN, len(PLAN)) == plan()
    with pytest.raises(codec.TooBig, match=f"{len(PLAN)} bytes, the most is {len(PLAN) - 1}"):
        codec.read(Plan, PLAN, len(PLAN) - 1)


def test_three_hundred_megabytes_are_refused_unread() -> None:
    class Untouchable(bytes):
        def __len__(self) -> int:
            return 300 * 1024 * 1024

    with pytest.raises(codec.TooBig):  # a parser would see one byte, and complain of that
        codec.read(Plan, Untouchable(b"{"), topics.MOST_BYTES)
    with mmap.mmap(-1, 300 * 1024 * 1024) as real, pytest.raises(codec.TooBig):
        codec.read(Plan, real, topics.MOST_BYTES)  # type: ignore[arg-type]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"jobs":[', b'{"area":[[{"x":'])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_hundred_thousand_levels_are_malformed(kind: type, opening: bytes) -> None:
    with pytest.raises(codec.Malformed):
        codec.read(kind, opening * 100_000, MOST * 10)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 400, b"01"])
def test_numbers_that_are_none_are_malformed(number: bytes) -> None:
    refused(PLAN.replace(b'"serial":7', b'"serial":' + number))
    refused(codec.write(health()).replace(b'"cpu_celsius":51.5', b'"cpu_celsius":' + number), Health)


def test_of_a_field_given_twice_the_last_stands() -> None:
    raw = PLAN.replace(b'"serial":7', b'"serial":7,"serial":8')
    assert codec.read(Plan, raw, MOST).serial == 8


def test_what_an_older_node_says_of_its_sound_is_read() -> None:
    said, missing = codec.write(receipts()), b',"samples":576000'
    assert missing in said
    sounded = codec.read(Receipts, said.replace(missing, b""), MOST).receipts[-1].measured
    assert sounded
    assert (sounded.samples, sounded.sounded_ms) == (0, 12_000)


def test_a_field_that_is_not_known_is_passed_over() -> None:
    assert codec.read(Plan, PLAN.replace(b'"serial":7', b'"serial":7,"new":[{"x":null}]'), MOST) == plan()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + PLAN,
        PLAN + b"x",
        PLAN + PLAN,
        PLAN[:-1],
        PLAN.replace("ị".encode(), b"\xff"),
        PLAN.replace("Lịch".encode(), b"\\ud800"),
        PLAN.replace(b"12000", b"12000.5"),
        PLAN.replace(b'"serial":7', b'"serial":true'),
        PLAN.replace(b'"serial":7', b'"serial":"7"'),
        PLAN.replace(b"2026-11-24T05:00:00Z", b"2026-11-24T05:00:00"),
        PLAN.replace(b"2026-11-24T05:00:00Z", b"2026-13-24T05:00:00Z"),
        PLAN.replace(b"dong-dang", b"dong_dang"),
        PLAN.replace(b"dong-dang", b"dong-dang\\n"),
        PLAN.replace(b"thon-1", b"thon-1\\n"),
        PLAN.replace(b'"ordinary"', b'"extraordinary"'),
        PLAN.replace(b"https://radio", b"file://radio"),
        PLAN.replace(b"https://radio", b"https://ra dio"),
        PLAN.replace(b"https://radio", b"https://" + b"r" * 500),
        PLAN.replace(b"https://radio", "https://lạng".encode()),
        PLAN.replace(b"vov1.mp3", b"vov1\\r\\nHost: x"),
        PLAN.replace(b'"duration_ms":900000', b'"duration_ms":0'),
        PLAN.replace(b'"duration_ms":900000', b'"duration_ms":14400001'),
    ],
)
def test_what_is_not_a_plan_is_malformed(raw: bytes) -> None:
    assert refused(raw)


def test_the_fault_is_named_with_its_place() -> None:
    assert "$.jobs[0].asset.size_bytes" in refused(PLAN.replace(b'"size_bytes":48000', b'"size_bytes":0'))


def test_too_many_entries_are_malformed() -> None:
    many = codec.write(receipts(*receipts().receipts * 101))
    assert "200" in refused(many, Receipts)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_read_or_refused(raw: bytes) -> None:
    for kind in KINDS:
        try:
            codec.read(kind, raw, MOST)
        except codec.Malformed:
            continue


@given(at=st.integers(0, len(PLAN) - 1), byte=st.integers(0, 255))
def test_a_plan_with_one_byte_changed_is_read_or_refused(at: int, byte: int) -> None:
    raw = PLAN[:at] + bytes([byte]) + PLAN[at + 1 :]
    try:
        read = codec.read(Plan, raw, MOST)
    except codec.Malformed:
        return
    assert codec.read(Plan, codec.write(read), MOST) == read


@pytest.mark.parametrize("name", sorted(EVERY))
def test_writing_is_the_same_every_time_and_has_no_spaces(name: str) -> None:
    raw = codec.write(EVERY[name])
    assert raw == codec.write(EVERY[name])
    assert b'": ' not in raw
    assert b"\n" not in raw


def test_times_are_read_aware() -> None:
    assert codec.read(Plan, PLAN, MOST).issued_at.tzinfo == UTC


@given(st.floats() | st.none())
def test_a_measurement_that_is_no_number_travels_as_absent(value: float | None) -> None:
    read = codec.read(Vitals, codec.write(Vitals(cpu_celsius=value)), MOST).cpu_celsius
    assert read == (value if value is not None and abs(value) < float("inf") else None)
