"""The node's own key: made on the node, never leaves it. What it seals is what this node says of itself."""

from __future__ import annotations

import os
from pathlib import Path

from edge_node import disk
from wire.seal import Signer
from words import Said


class BadIdentity(Said):
    """The key file is there but is not a key."""


def load(path: Path) -> Signer | None:
    """The key in ``path``, None when there is no such file. Raises BadIdentity, OSError."""
    try:
        text = path.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    os.chmod(path, 0o600)
    try:
        return Signer(bytes.fromhex(text))
    except ValueError:
        raise BadIdentity("node.bad_key", path=path) from None


def load_or_make(path: Path) -> Signer:
    """The key in ``path``, made (mode 0600) when there is none yet. Raises BadIdentity, OSError."""
    signer = load(path)
    if signer is None:
        signer = Signer.generate()
        disk.write(path, signer.secret.hex().encode() + b"\n", mode=0o600)
    return signer
