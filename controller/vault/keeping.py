"""Keeping: the database as it is at one moment, the shelf, the keys, recordings and voices, into one locked file.

- The root key stays out: it belongs on paper and in a drawer, never beside the station's own.
- The list of what is in it, with a SHA-256 each, comes last: a file without its list is no backup.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import msgspec

from controller.settings import Settings
from controller.store import Store
from controller.vault import locking, workplace
from controller.vault.locking import VaultError
from controller.vault.workplace import DATABASE, FILES, FOLDERS
from wire import codec
from wire.plan import Moment

SECRET = ("keys/", "broker/")  # for their owner only
LIST = "list.json"
LEFT_OUT = frozenset({"keys/root.key"})


class Member(msgspec.Struct, frozen=True):
    """A file of a backup: its name below the station's folder (the database's is ``database``), and what it is."""

    name: str
    size_bytes: int
    sha256: str


class Contents(msgspec.Struct, frozen=True):
    """The list: what a backup holds. ``kind``: ``sqlite`` (a database file) or ``postgresql`` (a dump)."""

    made_at: Moment
    version: str
    revision: str
    kind: str
    members: tuple[Member, ...]


@dataclass
class Kept:
    """What was kept, and what vanished while it was (a recording somebody withdrew)."""

    path: Path
    size_bytes: int = 0
    files: int = 0
    vanished: list[str] = field(default_factory=list)


def keep(settings: Settings, store: Store, path: Path, passphrase: str, now: datetime) -> Kept:
    """Write the backup to ``path``, which must not be there yet. Raises VaultError, StoreError."""
    locking.check_passphrase(passphrase)
    kept = Kept(path)
    try:
        if path.exists():
            raise VaultError("vault.exists", path=path)
        with workplace.for_backup(settings.state_dir) as folder:
            aside_files = _copied(settings.state_dir, folder)  # before: they may not know more than the database
            snapshot = folder / DATABASE
            kind = store.snapshot(snapshot)
            packing = _Packing(settings.state_dir, [(DATABASE, snapshot), *aside_files], kept)
            about = Contents(now, version("loa-radio"), store.database.revision() or "", kind, ())
            with workplace.becoming(path) as out:
                locking.lock(out, passphrase, lambda into: packing.write(into, about))
        kept.size_bytes = path.stat().st_size
    except OSError as wrong:
        raise VaultError("vault.unwritable", path=path, why=wrong.strerror or wrong) from wrong
    return kept


class _Packing:
    def __init__(self, home: Path, first: list[tuple[str, Path]], kept: Kept) -> None:
        self._home, self._first, self._kept = home, first, kept

    def write(self, into: BinaryIO, about: Contents) -> None:
        """The inner tar: every file, then the list."""
        with tarfile.open(fileobj=into, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            members: list[Member] = []
            for name, path in self._files():
                try:
                    members.append(self._add(tar, name, path))
                except FileNotFoundError:
                    self._kept.vanished.append(name)
            told = codec.write(msgspec.structs.replace(about, members=tuple(members)))
            info = tarfile.TarInfo(LIST)
            info.size = len(told)
            tar.addfile(info, io.BytesIO(told))
        self._kept.files = len(members)

    def _files(self) -> Iterator[tuple[str, Path]]:
        yield from self._first
        for folder in FOLDERS:
            for path in sorted((self._home / folder).rglob("*")):
                name = path.relative_to(self._home).as_posix()
                if path.is_file() and not path.is_symlink() and name not in LEFT_OUT:
                    yield name, path

    def _add(self, tar: tarfile.TarFile, name: str, path: Path) -> Member:
        with path.open("rb") as content:
            info = tarfile.TarInfo(name)
            info.size = os.fstat(content.fileno()).st_size
            info.mode = 0o600 if name.startswith((*SECRET, DATABASE)) else 0o644
            hashed = _Hashed(content)
            tar.addfile(info, hashed)
        return Member(name, info.size, hashed.digest.hexdigest())


def _copied(home: Path, folder: Path) -> list[tuple[str, Path]]:
    """The station's single files, as they are at this moment."""
    found = [name for name in FILES if (home / name).is_file()]
    for name in found:
        shutil.copyfile(home / name, folder / name)
    return [(name, folder / name) for name in found]


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, content: BinaryIO) -> None:
        self._content, self.digest = content, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._content.read(size)
        self.digest.update(block)
        return block
