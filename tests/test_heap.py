"""How often Python looks through the whole heap of a station."""

from __future__ import annotations

import subprocess
import sys

ROUNDS = 30_000
CIRCLES = f"""
import gc
from controller import heap
before = gc.get_threshold()
heap.look_rarely()
assert gc.get_threshold()[:2] == before[:2]
for _ in range({ROUNDS}):
    circle = []
    circle.append(circle)
print(len(gc.get_objects()), gc.get_stats()[2]["collections"])
"""


def test_what_is_let_go_in_circles_is_found_without_a_look_at_everything() -> None:
    done = subprocess.run([sys.executable, "-c", CIRCLES], capture_output=True, text=True, check=True)
    kept, full_looks = map(int, done.stdout.split())
    assert kept < ROUNDS
    assert full_looks == 0
