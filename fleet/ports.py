"""Ports of this machine that nobody listens on.

- Not of those that the system gives to calls going out: while what listens on a port is started anew, a call of any
  other program may be given that very port; and who calls there again and again may reach itself.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

HOST = "127.0.0.1"
LEAST, MOST_TRIES = 10_000, 200
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_BEGIN = 32_768  # of the ports for calls, where the system does not say it


def free_port() -> int:
    """A port that nobody listens on at this moment, drawn by lot."""
    end = begin_of_calls()
    for _ in range(MOST_TRIES if end > LEAST else 0):
        port = LEAST + secrets.randbelow(end - LEAST)
        if can_listen(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def begin_of_calls() -> int:
    """The first of the ports that the system gives to calls going out."""
    try:
        return int(RANGE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return USUAL_BEGIN


def can_listen(port: int, host: str = HOST) -> bool:
    """Whether we could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True
