"""The roots as the updater knows them: those of root's own settings, and as far as links led since.

- Links are read where the node's user keeps the trust document, and believed for their seals alone.
- It keeps the newest. A set that was followed is never left again, so that keys which were given up make no code run.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_node import disk
from edge_node.releases import foreign, progress
from edge_node.settings import Settings
from wire import codec, roots, topics
from wire.roots import RootSet, Unrooted

log = logging.getLogger("loa.updater")

HELD = "held"  # the folder of the node's sealed documents
NAME = "roots.json"  # of the updater's own folder
MOST_BYTES = 4096


class Pinned(msgspec.Struct, frozen=True):
    """A set of roots as it is kept."""

    keys: Annotated[tuple[str, ...], Meta(max_length=roots.MOST_ROOTS)]
    threshold: int
    version: int


def roots_of(prefix: Path, settings: Settings) -> RootSet:
    """The set in force: the newest of what was kept, what the settings say, and what links lead to. Raises OSError."""
    known = _kept(prefix, settings.roots)
    led = _led(known, settings.state_dir)
    if led.version > known.version:
        disk.write(_place(prefix), codec.write(Pinned(led.hexes, led.threshold, led.version)))
        log.info("roots version=%d threshold=%d", led.version, led.threshold)
    return led


def _led(known: RootSet, home: Path) -> RootSet:
    try:
        name = f"{topics.TRUST.topic().replace('/', '~')}.json"
        raw = foreign.read(home, HELD, name, topics.TRUST.most_bytes)
        return roots.follow(known, roots.read(raw, topics.TRUST.most_bytes).roots)
    except foreign.NotTaken:
        return known
    except (Unrooted, codec.Malformed, codec.TooBig) as wrong:
        log.warning("roots_not_followed why=%s", wrong)
        return known


def _kept(prefix: Path, pinned: RootSet) -> RootSet:
    """Raises OSError. What cannot be read is as nothing: the settings are root's own too."""
    with contextlib.suppress(FileNotFoundError, ValueError):  # codec.Malformed and TooBig among them
        kept = codec.read(Pinned, _place(prefix).read_bytes(), MOST_BYTES)
        found = RootSet.of(kept.keys, kept.threshold, kept.version)
        return found if found.version > pinned.version else pinned
    return pinned


def _place(prefix: Path) -> Path:
    return prefix / progress.FOLDER / NAME
