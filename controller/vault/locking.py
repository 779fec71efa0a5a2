"""Locking: a stream under a passphrase, as a tar of three members that age and tar open without this program.

- ``key.age`` holds a key made for this one file, locked with the passphrase (age's scrypt); ``backup.tar.age`` is what
  it locks. So the body streams, whatever its size, and the passphrase is worked on once.
"""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import pyrage

from words import Said

README = """\
Bản sao lưu của một đài Loa. / A backup of a Loa station.

    loa restore FILE

or by hand, with age (https://age-encryption.org) and tar:

    tar -xf FILE
    age -d key.age > key.txt          # asks for the passphrase
    age -d -i key.txt backup.tar.age | tar -x
"""
KEY, BODY, ABOUT = "key.age", "backup.tar.age", "README.txt"
LEAST_PASSPHRASE = 12  # characters
MOST_PASSPHRASE = 1024
MOST_KEY_BYTES = 4096
_BLOCK = tarfile.BLOCKSIZE


class VaultError(Said):
    """What cannot be kept or given back."""


def check_passphrase(passphrase: str) -> None:
    """Raises VaultError for one that is too short to protect keys, or endless."""
    if not LEAST_PASSPHRASE <= len(passphrase) <= MOST_PASSPHRASE:
        raise VaultError("vault.passphrase", least=LEAST_PASSPHRASE, most=MOST_PASSPHRASE)


def lock(out: BinaryIO, passphrase: str, fill: Callable[[BinaryIO], None]) -> None:
    """Write to ``out`` (seekable, empty) what ``fill`` writes, locked. Raises VaultError, OSError, as ``fill`` does."""
    check_passphrase(passphrase)
    identity = pyrage.x25519.Identity.generate()
    locked_key = pyrage.passphrase.encrypt(str(identity).encode(), passphrase)
    for name, content in ((ABOUT, README.encode()), (KEY, locked_key)):
        out.write(_header(name, len(content)) + content + b"\0" * (-len(content) % _BLOCK))
    place = out.tell()
    out.write(b"\0" * _BLOCK)  # the body's header, when its length is known
    with _filled(fill) as reader:
        pyrage.encrypt_io(reader, out, [identity.to_public()])
    end = out.seek(0, os.SEEK_END)
    length = end - place - _BLOCK
    out.write(b"\0" * (-length % _BLOCK + 2 * _BLOCK))
    out.seek(place)
    out.write(_header(BODY, length))


@contextmanager
def unlocked(path: Path, passphrase: str) -> Iterator[BinaryIO]:
    """What was locked, as a stream. Raises VaultError, also while reading what was cut or changed."""
    try:
        with tarfile.open(path, "r:") as outer:
            key, body = _member(outer, KEY, path), _member(outer, BODY, path)
            identity = _opened_key(key.read(MOST_KEY_BYTES), passphrase)
            with _flowing(lambda into: pyrage.decrypt_io(body, into, [identity]), path) as stream:
                yield stream
    except tarfile.TarError as wrong:
        raise VaultError("vault.not_a_backup", path=path, why=wrong) from wrong
    except OSError as wrong:
        raise VaultError("vault.unreadable", path=path, why=wrong) from wrong


def _opened_key(locked: bytes, passphrase: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(locked, passphrase).decode())
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError) as wrong:
        raise VaultError("vault.wrong_passphrase") from wrong


def _member(outer: tarfile.TarFile, name: str, path: Path) -> IO[bytes]:
    try:
        found = outer.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise VaultError("vault.not_a_backup", path=path, why=name)
    return found


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


@contextmanager
def _filled(fill: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """What ``fill`` writes, to be read here; what it raises is raised here at the end."""
    with _piped(fill) as (reader, failed):
        yield reader
        reader.read()  # nothing, unless the other side gave up first
    if failed:
        raise failed[0]


@contextmanager
def _flowing(pour: Callable[[BinaryIO], None], path: Path) -> Iterator[BinaryIO]:
    """The same for a lock that is opened: its faults are those of the file."""
    with _piped(pour) as (reader, failed):
        yield reader
        while reader.read(1 << 20):  # to the end, so that a cut one is found
            pass
    if failed:
        raise VaultError("vault.damaged", path=path, why=failed[0])


@contextmanager
def _piped(write: Callable[[BinaryIO], None]) -> Iterator[tuple[BinaryIO, list[Exception]]]:
    read_end, write_end = os.pipe()
    failed: list[Exception] = []

    def run() -> None:
        try:
            with os.fdopen(write_end, "wb") as into:
                write(into)
        except (OSError, pyrage.DecryptError, tarfile.TarError, Said) as wrong:
            failed.append(wrong)

    worker = threading.Thread(target=run, name="vault", daemon=True)
    with os.fdopen(read_end, "rb") as reader:
        worker.start()
        yield reader, failed
    worker.join()
