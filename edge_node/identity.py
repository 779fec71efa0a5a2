"""The node's own key: made on the node, never leaves it. What it seals is what this node says of itself."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from edge_node import disk
from edge_node.keep import Keep
from wire.seal import Signer
from words import Said

log = logging.getLogger("loa.node.identity")


class BadIdentity(Said):
    """The key file is there but is not a key."""


def load(path: Path, keep: Keep | None = None) -> Signer | None:
    """The key in ``path``, None when there is no such file. Raises BadIdentity, keep.Sealed, OSError."""
    try:
        held = keep.read(path) if keep else path.read_bytes()
        text = held.decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    with contextlib.suppress(OSError):  # a read-only disk: it is read all the same
        os.chmod(path, 0o600)
    try:
        return Signer(bytes.fromhex(text))
    except ValueError:
        raise BadIdentity("node.bad_key", path=path) from None


def make(path: Path, keep: Keep | None = None) -> Signer:
    """A new key, kept in ``path`` (mode 0600). Raises keep.Sealed, OSError."""
    signer = Signer.generate()
    content = signer.secret.hex().encode() + b"\n"
    if keep:
        keep.write(path, content)
    else:
        disk.write(path, content, mode=0o600)
    return signer


def load_or_make(path: Path, keep: Keep | None = None) -> Signer:
    """The key in ``path``, made when there is none yet. Raises BadIdentity, keep.Sealed, OSError for an unreadable one.

    A disk that takes no key stops no node: it obeys and sounds, but nobody will know the key of its receipts.
    """
    signer = load(path, keep)
    if signer is not None:
        return signer
    try:
        return make(path, keep)
    except OSError as wrong:
        log.error("key_not_kept path=%s error=%s", path, wrong)
        return Signer.generate()
