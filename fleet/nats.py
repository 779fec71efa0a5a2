"""The NATS server, told how to be our broker: for where mosquitto cannot be installed (it comes by pip)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fleet.tether import lowly_user
from fleet.wanted import Wanted
from wire import topics

NAME = "nats"
PROGRAM = "nats-server"
ACK_PENDING = 100  # for each subscription; all of one client may come to 65,535: room for 655 filters


def find() -> str | None:
    """Where the program is (this Python's own folder first), or None."""
    return shutil.which(PROGRAM, path=str(Path(sys.executable).parent)) or shutil.which(PROGRAM)


def version(program: str) -> str:
    """What it says of itself, such as ``2.15.1``."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    found = re.search(r"v([0-9.]+)", said)
    return found[1] if found else "unknown"


def user() -> str | None:
    """Whom it runs as when root starts it."""
    return lowly_user("nobody")


def configure(wanted: Wanted) -> list[str]:
    """Write its file into ``wanted.folder``; the arguments to start it with there. Raises OSError.

    Consumers stay on disk: kept in memory (`consumer_memory_storage`, five times faster) they are gone after a
    restart while the session that names them is not, and 2.15.1 then grants the subscription and delivers nothing.
    """
    settings = {
        "server_name": "loa",
        "host": wanted.host,
        "port": -1,  # its own protocol is not wanted, but cannot be turned off
        "max_payload": topics.MOST_BYTES + 4096,
        "jetstream": {"store_dir": "data", "limits": {"default_max_consumers": -1}},
        "mqtt": {"host": wanted.host, "port": wanted.port, "max_ack_pending": ACK_PENDING},
    }
    wanted.write("nats.conf", json.dumps(settings, indent=1) + "\n")  # its language holds JSON
    return ["-c", "nats.conf"]


def store(folder: Path) -> Path:
    """Where it keeps what it must remember."""
    return folder / "data"
