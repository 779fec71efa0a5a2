"""The heap: how often Python looks through everything that a station's process keeps, for what nobody can reach.

- A station keeps much for long (what pages stand on) and lets little go in circles: a full look costs some 180 ms in a
  province of 10,000 loudspeakers, on whichever page it falls, and finds next to nothing (bench/RESULTS.md, pages).
"""

from __future__ import annotations

import gc

RARELY = 1_000  # a full look after so many of the middle ones, not after ten


def look_rarely() -> None:
    """From now on, in this process; the young are looked at as often as before."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, RARELY)
