"""Runs of the simulated walk by the thousand: each job sounded exactly once, or reported why not.

`LOA_WALK_RUNS` says how many (10,000 take some two minutes); a run is named by its number and comes again the same.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_walk import walks

from edge_node import in_hand


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in hand at a death is taken up again without the wait that tells two kills from outside apart."""
    monkeypatch.setattr(in_hand, "GRACE_SECONDS", 0.0)


PARTS = 10
RUNS = int(os.environ.get("LOA_WALK_RUNS", "1000")) // PARTS
MEMORY = Path("/dev/shm")  # a process is killed here, not the power: what is durable is tested elsewhere


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be; nothing is logged, a hundred thousand lines would be all that is measured."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else tmp_path) as folder:
        yield Path(folder)
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_to_a_node_each_job_sounds_once_or_is_reported_why_not(folder: Path, part: int) -> None:
    counts = walks(folder, range(part * RUNS, (part + 1) * RUNS))
    assert counts["runs"] == RUNS
    for happened in ("killed", "lost", "late", "twice", "replay", "cut", "jump", "edit", "unvouched"):
        assert counts[happened] > RUNS / 20, f"{happened} hardly ever happened: {counts}"
    for came_of_it in ("sounded", "missed"):
        assert counts[came_of_it] > RUNS / 20, counts
