"""Every reader of what strangers send, fed by Hypothesis with what is nearly right. `./run fuzz` goes on for hours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

from seeds import FOUND, TOKENS, seeds
from targets import TARGETS

SLOW = {"recording": 12, "release": 40, "ics": 60, "gate": 80}  # how many of what starts processes or writes files
EXAMPLES = 250


@st.composite
def nearly(draw: st.DrawFn, examples: tuple[bytes, ...]) -> bytes:
    """A true example with some pieces changed, doubled, gone or put in; sometimes any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=400))
    made = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 4))):
        at, length = draw(st.integers(0, len(made))), draw(st.integers(0, 30))
        piece = draw(st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(made[at : at + length]))
        over = draw(st.sampled_from((0, length)))
        made = made[:at] + piece + made[at + over :]
    return made[: draw(st.integers(0, len(made)))] if draw(st.integers(0, 9)) == 0 else made


@pytest.mark.parametrize("name", TARGETS)
def test_nearly_right_is_right_or_refused_and_never_anything_else(name: str) -> None:
    @settings(
        max_examples=SLOW.get(name, EXAMPLES), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(nearly(seeds(name)))
    def fed(raw: bytes) -> None:
        TARGETS[name](raw)

    fed()


@pytest.mark.parametrize("name", TARGETS)
def test_the_examples_themselves_are_taken(name: str) -> None:
    for example in seeds(name):
        TARGETS[name](example)


@pytest.mark.parametrize(("name", "raw"), FOUND)
def test_what_was_found_once_is_mended(name: str, raw: bytes) -> None:
    TARGETS[name](raw)
