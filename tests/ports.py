"""Ports for what tests start: each is given once, and to one of the processes that run tests at the same time.

They lie below those that the system gives to calls going out (`fleet.ports`), and each process has its own of them:
between finding a port free and listening there, nobody takes it.
"""

from __future__ import annotations

import os
import secrets
from itertools import count

from fleet.ports import LEAST, begin_of_calls, can_listen

PROCESSES = 16  # that may run at once, as pytest-xdist numbers them
_ROOM = (begin_of_calls() - LEAST) // PROCESSES
_turns = count(secrets.randbelow(_ROOM))  # other runs on this machine begin elsewhere


def free_port() -> int:
    """A port of this process's own on which nobody listens, not given before."""
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
    for _ in range(_ROOM):
        port = LEAST + next(_turns) % _ROOM * PROCESSES + mine
        if can_listen(port):
            return port
    raise AssertionError("no port is free")
