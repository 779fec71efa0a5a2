"""Golden files: one of every message as it stood; what was written then is read now, byte for byte the same again.

A field may be added with a default (then the file is written anew: run this module as a program); never less.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_wire import EVERY, SIGNERS, STATION, plan, travelling

from wire import codec, seal, topics

GOLDEN = Path(__file__).parent / "golden"
ENVELOPE = "envelope.json"
LINES = {line.name: line for line in topics.TABLE}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_golden_message_is_read_as_the_example(name: str) -> None:
    raw = (GOLDEN / f"{name}.json").read_bytes()
    assert codec.read(LINES[name].kind, raw, LINES[name].most_bytes) == EVERY[name]


@pytest.mark.parametrize("name", sorted(EVERY))
def test_the_example_is_written_as_the_golden_message(name: str) -> None:
    assert codec.write(EVERY[name]) == (GOLDEN / f"{name}.json").read_bytes()


def test_the_golden_envelope_holds_the_golden_plan_under_a_true_seal() -> None:
    envelope = seal.unwrap((GOLDEN / ENVELOPE).read_bytes(), topics.PLAN.most_bytes)
    assert seal.is_kind(envelope, "plan")
    assert seal.sealed_by(envelope, {STATION.public.id: STATION.public}) == [STATION.public.id]
    assert envelope.body() == (GOLDEN / "plan.json").read_bytes()


def test_sealing_the_golden_plan_gives_the_golden_envelope() -> None:
    assert seal.seal("plan", codec.write(plan()), STATION) == (GOLDEN / ENVELOPE).read_bytes()


def test_there_is_a_golden_message_for_every_line_of_the_table_and_no_other() -> None:
    assert set(EVERY) == set(LINES)
    assert {path.name for path in GOLDEN.glob("*.json")} == {f"{name}.json" for name in LINES} | {ENVELOPE}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_example_fits_in_its_topic(name: str) -> None:
    assert len(travelling(name)) <= LINES[name].most_bytes
    assert set(SIGNERS) <= {line.name for line in topics.TABLE if line.sealed}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for example, message in EVERY.items():
        (GOLDEN / f"{example}.json").write_bytes(codec.write(message))
    (GOLDEN / ENVELOPE).write_bytes(travelling("plan"))
