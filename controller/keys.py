"""The station's keys: files of the root's and the station's seeds, and the trust document that ties them together.

- ``root.key`` seals only the trust document; when that is done it may lie on a stick in a drawer.
- ``station.key`` seals plans, configs and acknowledgements, as far as the trust document lets it.
- A key file is written once, mode 0600, in a folder of mode 0700; it is never overwritten. One that was restored with
  wider modes is narrowed when it is read.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from controller.store import Store
from controller.store.facts import Document
from wire import codec, seal, topics
from wire.plan import BulletinClass
from wire.seal import PublicKey, Signer
from wire.trust import Grant, Trust
from words import Said

ROOT, STATION = "root", "station"
TRUST_NAME = "trust"  # in the store
TRUST_VALIDITY = timedelta(days=730)
EVERYTHING = "*"
MOST_FILE_BYTES = 1024


class KeyTrouble(Said):
    """A key that is not there, or a file that is not a key."""


class Keyring:
    """The folder ``folder``, made when the first key is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> Signer | None:
        """The key of that name, None where it does not lie here. Raises KeyTrouble."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                held = file.read(MOST_FILE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as wrong:
            raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong
        with suppress(OSError):  # a stick that knows no modes
            path.chmod(0o600)
        try:
            return Signer(bytes.fromhex(held.decode("ascii", "replace").strip()))
        except ValueError:
            raise KeyTrouble("keys.not_a_key", path=path) from None

    def station(self) -> Signer:
        """The station's key. Raises KeyTrouble ``keys.missing``."""
        signer = self.find(STATION)
        if signer is None:
            raise KeyTrouble("keys.missing", path=self._path(STATION))
        return signer

    def make(self, name: str) -> Signer:
        """The key of that name, made when there is none. Raises KeyTrouble."""
        held = self.find(name)
        if held is not None:
            return held
        signer = Signer.generate()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            _write_once(self._path(name), signer.secret.hex().encode() + b"\n")
        except FileExistsError as wrong:  # somebody made it in this moment
            held = self.find(name)
            if held is None:
                raise KeyTrouble("keys.unwritable", path=self._path(name), why=wrong.strerror or wrong) from wrong
            return held
        except OSError as wrong:
            raise KeyTrouble("keys.unwritable", path=self._path(name), why=wrong.strerror or wrong) from wrong
        return signer

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.key"


def establish(ring: Keyring, store: Store, areas: tuple[str, ...], now: datetime) -> Trust:
    """Make the keys that are not there, and seal a trust document unless the one held still serves.

    It serves while it names the station's key for ``areas`` and no others, and is less than half spent. ``*`` is
    everything; no areas at all means those that the key has now, everything for a key that has none yet.
    Raises KeyTrouble ``keys.no_root`` where a new one is needed and the root key lies elsewhere; StoreError.
    """
    own, held = ring.make(STATION), held_trust(store)
    areas = areas or tuple(sorted(areas_of(held, own.public))) or (EVERYTHING,)
    if held is not None and _serves(held, own.public, areas, now):
        return held
    root = ring.make(ROOT) if held is None else ring.find(ROOT)
    if root is None:
        raise KeyTrouble("keys.no_root", path=ring.folder)
    serial = max(held.serial + 1 if held else 1, int(now.timestamp()))  # above all that a lost store had
    kept = [each for each in held.grants if each.public_key != own.public.hex] if held else []
    document = Trust(serial, now, now + TRUST_VALIDITY, (*kept, grant(own.public, areas, now)))
    envelope = seal.seal(topics.TRUST.name, codec.write(document), root)
    store.documents.put(Document(TRUST_NAME, serial, envelope, now))
    return document


def areas_of(trust: Trust | None, key: PublicKey) -> set[str]:
    """What ``key`` may speak for."""
    grants = trust.grants if trust else ()
    return {area for each in grants if each.public_key == key.hex for area in each.areas}


def held_trust(store: Store) -> Trust | None:
    """The trust document that the store holds, None when there is none yet."""
    held = store.documents.get(TRUST_NAME)
    if held is None:
        return None
    most = topics.TRUST.most_bytes
    return codec.read(Trust, seal.unwrap(held.envelope, most).body(), most)


def grant(key: PublicKey, areas: tuple[str, ...], now: datetime) -> Grant:
    """Everything up to emergencies, for ``areas`` and all below them, from now on."""
    return Grant(key.hex, areas, BulletinClass.EMERGENCY, now, now + TRUST_VALIDITY)


def _serves(held: Trust, key: PublicKey, areas: tuple[str, ...], now: datetime) -> bool:
    return areas_of(held, key) == set(areas) and held.valid_until - now > TRUST_VALIDITY / 2


def _write_once(path: Path, content: bytes) -> None:
    """Written aside (mode 0600), flushed, and linked under its name: never half a key, never over another."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.link(aside, path)
    finally:
        os.unlink(aside)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """The folder's own entries on the disk, so that the name survives a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
