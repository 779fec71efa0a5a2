"""The measurements still run and give figures of the right form; what they say of speed is never asserted here."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

from bench import measure, packets, spread
from bench.child import Child
from bench.results import Figure, Measurement, Results, number

TOP = Path(__file__).parent.parent
needs_programs = pytest.mark.skipif(
    not all(shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in ("mosquitto", "espeak-ng")),
    reason="mosquitto or espeak-ng is not installed",
)


@needs_programs
@pytest.mark.parametrize(
    "name", ["announce", "health", "nodes", "planning", "speech", "cage", "access", "pages", "year", "consoles"]
)
def test_a_measurement_gives_figures_that_make_sense(name: str) -> None:
    (found,) = measure.run([name], quick=True).measurements
    assert found.name == name
    assert found.figures, found.notes
    assert all(figure.value >= 0 and figure.unit and figure.met is None for figure in found.figures)
    assert len({figure.name for figure in found.figures}) == len(found.figures)


def test_a_measurement_that_lacks_a_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = measure.run(["speech"], quick=True).measurements
    assert found.figures == ()
    assert "espeak" in found.notes[0]


def test_a_goal_is_met_or_missed_and_says_so() -> None:
    slow, fast = Figure("a", 2.0, "x", most=1.5), Figure("b", 9000.0, "messages/s", least=8000.0)
    results = Results({"processor": "one"}, (Measurement("some", (slow, fast, Figure("c", 1.0, "s"))),))
    assert [figure.met for figure in results.measurements[0].figures] == [False, True, None]
    assert "goal ≤ 1.5: MISSED" in results.as_text()
    assert "goal ≥ 8,000: met" in results.as_text()
    plain = json.loads(json.dumps(results.as_plain()))
    assert plain["measurements"][0]["figures"][0] == {
        "name": "a",
        "value": 2.0,
        "unit": "x",
        "goal": "≤ 1.5",
        "met": False,
    }


@pytest.mark.parametrize(("value", "shown"), [(0.01234, "0.0123"), (99.94, "99.9"), (12345.6, "12,346")])
def test_numbers_have_the_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 16_383, 16_384, 70_000])
@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_packets_of_any_length_are_cut_from_a_stream(size: int, cut: int) -> None:
    packet = packets.publish("radio/v1/trust", bytes(size), 1, retain=True)
    stream, reader, found = packet * 3, packets.Packets(), []
    for at in range(0, len(stream), cut):
        found += list(reader.feed(stream[at : at + cut]))
    assert [packets.content(*each) for each in found] == [(b"radio/v1/trust", b"\x00\x01", bytes(size))] * 3


def test_messages_that_come_at_once_are_each_told_of() -> None:
    connect, subscribe = 1, 8
    with (
        socket.create_server(("127.0.0.1", 0)) as broker,
        Child("bench.listeners", broker.getsockname()[1], "radio/v1/trust", 1) as listeners,
    ):
        broker.settimeout(60)
        listener, _ = broker.accept()
        with listener:
            packets.await_packet(listener, connect)
            listener.sendall(b"\x20\x02\x00\x00")
            packets.await_packet(listener, subscribe)
            listener.sendall(b"\x90\x03\x00\x01\x01")
            assert listeners.hear()["ready"] == 1
            listener.sendall(packets.publish("radio/v1/trust", b"words", 1) * 3)
            told = [listeners.hear() for _ in range(3)]
    assert all(each["first"] == each["last"] > 0 for each in told)


def test_the_results_name_every_measurement() -> None:
    text = (TOP / "bench" / "RESULTS.md").read_text("utf-8")
    assert [name for name in measure.MEASUREMENTS if f"## {name}" not in text] == []


def test_a_sound_is_found_in_every_channel_of_a_recording() -> None:
    needle = np.random.default_rng(1).standard_normal(400).astype(np.float32)
    recorded = np.zeros((4000, 3), np.float32)
    for channel, at in enumerate((0, 17, 3000)):
        recorded[at : at + 400, channel] = needle
    assert spread.places(needle, recorded) == [0, 17, 3000]


@pytest.mark.parametrize(("values", "p95"), [([5.0], 5.0), (list(range(1, 21)), 19), (list(range(1, 101)), 95)])
def test_a_percentile_is_a_value_that_was_measured(values: list[float], p95: float) -> None:
    assert spread.percentile(values, 0.95) == p95
