"""Restoring: a backup opened aside, checked file by file against its list, and only then put in place.

- Into an empty place only: a station that lives is never written over, and keys without a database are nobody's to
  remove but a person's: a restore that was cut may have left them, or a station that lost its database.
- Whoever was signed in at the time of the backup is not any more; what the station issues is numbered by the clock,
  so it lies above everything that nodes were told since.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from controller import durable
from controller.settings import Settings
from controller.store import Store
from controller.vault import workplace
from controller.vault.keeping import LIST, SECRET, Contents, Member
from controller.vault.locking import VaultError, unlocked
from controller.vault.workplace import DATABASE, FILES, FOLDERS
from wire import codec

MOST_LIST_BYTES = 256 * 1024 * 1024
_NAME = re.compile(rf"{DATABASE}|{'|'.join(FILES)}|(?:{'|'.join(FOLDERS)})(?:/[^/\0]{{1,255}}){{1,8}}")
_CHUNK = 1 << 20


def _nothing_more(_store: Store, _contents: Contents) -> None:
    """What is given back is ready."""


def give_back(
    settings: Settings, path: Path, passphrase: str, ready: Callable[[Store, Contents], None] = _nothing_more
) -> Contents:
    """Put the station in ``path`` where ``settings`` say it lives. Raises VaultError, StoreError; then nothing was.

    ``ready`` is told the database before there is a station, where it is a file; else as soon as it is there.
    """
    home = settings.state_dir
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with workplace.for_restore(home) as aside:
            _check_empty(settings)
            with unlocked(path, passphrase) as stream:
                contents = _unpacked(stream, aside, path)
            _put_in_place(settings, aside, contents, ready)
    except tarfile.TarError as wrong:
        raise VaultError("vault.damaged", path=path, why=wrong) from wrong
    except OSError as wrong:
        raise VaultError("vault.unwritable", path=home, why=wrong.strerror or wrong) from wrong
    return contents


def _check_empty(settings: Settings) -> None:
    """Raises VaultError unless there is nothing that a restore would put there; StoreError."""
    home = settings.state_dir
    there = [name for name in (*FOLDERS, *FILES) if (home / name).exists()]
    if (home / "loa.db").exists():
        raise VaultError("vault.not_empty", path=home)
    if there:
        with _opened(settings.store_url, settings) as store:
            lost = store.is_empty()
        raise VaultError("vault.no_database" if lost else "vault.not_empty", path=home, names=", ".join(there))


@contextmanager
def _opened(url: str, settings: Settings) -> Iterator[Store]:
    store = Store(url, settings.relays)
    try:
        yield store
    finally:
        store.close()


def _unpacked(stream: BinaryIO, aside: Path, path: Path) -> Contents:
    """Every file below ``aside``, each as the list says."""
    found: dict[str, Member] = {}
    contents: Contents | None = None
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for info in tar:
            content = tar.extractfile(info) if info.isreg() else None
            if content is None or contents is not None or info.name in found:
                raise VaultError("vault.damaged", path=path, why=info.name[:200])
            if info.name == LIST:
                contents = _list(content.read(MOST_LIST_BYTES), path)
                continue
            name = info.name
            if not _NAME.fullmatch(name) or ".." in name.split("/") or "." in name.split("/"):
                raise VaultError("vault.strange_name", path=path, name=name[:200])
            for folder in reversed(Path(name).parents):  # one by one: with ``parents`` the mode is the last one's alone
                (aside / folder).mkdir(mode=0o700, exist_ok=True)
            found[name] = _written(content, aside / name, info)
    if contents is None or {each.name: each for each in contents.members} != found or DATABASE not in found:
        raise VaultError("vault.incomplete", path=path)
    return contents


def _list(raw: bytes, path: Path) -> Contents:
    try:
        return codec.read(Contents, raw, MOST_LIST_BYTES)
    except (codec.Malformed, codec.TooBig) as wrong:
        raise VaultError("vault.damaged", path=path, why=wrong) from wrong


def _written(content: IO[bytes], target: Path, info: tarfile.TarInfo) -> Member:
    digest = hashlib.sha256()
    mode = 0o600 if info.name.startswith((*SECRET, DATABASE)) else 0o644
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        while block := content.read(_CHUNK):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return Member(info.name, info.size, digest.hexdigest())


def _put_in_place(
    settings: Settings, aside: Path, contents: Contents, ready: Callable[[Store, Contents], None]
) -> None:
    """The database last: while it is not there, a restore that was interrupted is no station.

    One that is a file is wholly made ready before, so that there is no moment at which old sessions count.
    """
    with _opened(settings.store_url, settings) as store:
        is_file = store.database.is_sqlite
        if (contents.kind == "sqlite") is not is_file:
            raise VaultError("vault.other_database", kind=contents.kind)
        if is_file:
            with _opened(f"sqlite:///{(aside / DATABASE).absolute()}", settings) as restored:
                _make_ready(restored)
                ready(restored, contents)
        try:
            for name in (*FOLDERS, *FILES):
                if (aside / name).exists():
                    (aside / name).rename(settings.state_dir / name)
            durable.flush_folder(settings.state_dir)
            store.take_back(aside / DATABASE)
            if not is_file:
                _make_ready(store)
                ready(store, contents)
        except BaseException:
            for name in (*FOLDERS, *FILES):
                _remove(settings.state_dir / name)
            raise


def _make_ready(store: Store) -> None:
    store.migrate()
    store.people.end_all_sessions()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
