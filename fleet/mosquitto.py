"""Mosquitto, told how to be our broker."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from fleet.tether import lowly_user
from fleet.wanted import Wanted
from wire import topics

NAME = "mosquitto"
_HASH_ROUNDS = 101  # what mosquitto_passwd uses; these passwords are random and long


def find() -> str | None:
    """Where the program is, or None."""
    return shutil.which(NAME) or shutil.which(NAME, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def version(program: str) -> str:
    """What it says of itself, such as ``2.0.11``."""
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    found = re.search(r"version ([0-9.]+)", said)
    return found[1] if found else "unknown"


def user() -> str | None:
    """Whom it runs as when root starts it."""
    return lowly_user(NAME, "nobody")


def configure(wanted: Wanted) -> list[str]:
    """Write its files into ``wanted.folder``; the arguments to start it with there. Raises OSError."""
    lines = [
        f"listener {wanted.port} {wanted.host}",
        "persistence true",
        "persistence_location data/",
        "autosave_interval 30",
        "persistent_client_expiration 14d",
        f"message_size_limit {topics.MOST_BYTES}",
        f"max_packet_size {topics.MOST_BYTES + 1024}",
        "max_queued_messages 100000",
        "set_tcp_nodelay true",
        "connection_messages false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    if wanted.access is None:
        lines.append("allow_anonymous true")
    else:
        lines += [
            "allow_anonymous false",
            "password_file passwords",
            "acl_file access",
            "use_username_as_clientid true",  # else one node could throw another off by its id
        ]
        hashed = [f"{name}:{_hashed(password)}" for name, password in wanted.access.passwords.items()]
        wanted.write("passwords", "\n".join(hashed) + "\n", secret=True)
        wanted.write("access", wanted.access.rules)
    wanted.write("mosquitto.conf", "\n".join(lines) + "\n")
    return ["-c", "mosquitto.conf"]


def store(folder: Path) -> Path:
    """Where it keeps what it must remember."""
    return folder / "data"


def _hashed(password: str) -> str:
    """A line's second half in a password file: PBKDF2-HMAC-SHA512, as mosquitto 2 reads it."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    return f"$7${_HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
