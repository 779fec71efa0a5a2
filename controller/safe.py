"""The safe: the station's key files of every kind, plain or closed with its one passphrase; read and made through it.

- ``keys/lock`` says which kinds are locked: a key of such a kind is closed from its first moment on disk. The
  passphrase is checked against it before anything is closed.
- All closed files share the salt of the lock, so that a passphrase is worked on once in a process, whatever it opens.
- Station, root and second people's keys have a format of their own, which shows the public half (`controller.locked`);
  they are kept by `controller.keyring`.
- The passphrase comes from systemd's credential, a file named at the start, or a person at the terminal.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from controller import locked, passphrases
from wire import closed, codec
from words import Said

KINDS: dict[str, tuple[str, ...]] = {  # what is locked by its name -> files
    "authority": ("ca.key", "ca-*.key"),
    "broker": ("broker.key",),
    "mqtt": ("mqtt.key",),
    "web": ("web-ca.key", "server.pem", "web-cookie.key"),
    "factors": ("factors.key",),
}
LOCK = "lock"
LOG_N, _R = 16, 8
_WITNESS = b"loa"

Ask = Callable[[str], str | None]
_stretched: dict[tuple[bytes, int], bytes] = {}  # of passphrases that opened something in this process


class KeyTrouble(Said):
    """A key that is not there, or a file that is not a key."""


class Lock(msgspec.Struct, frozen=True):
    """The file ``lock``: the kinds, and something closed to check a passphrase by."""

    kinds: Annotated[tuple[str, ...], Meta(max_length=20)]
    witness: closed.Closed


class Safe:
    """Over the folder of keys; what it opens and closes may lie elsewhere too."""

    def __init__(self, folder: Path, ask: Ask | None = None) -> None:
        self.folder = folder
        self._ask = ask or passphrases.asked

    def read(self, path: Path) -> bytes | None:
        """What is in a key file, opened where it is closed; None where there is none. Raises KeyTrouble."""
        held = content_of(path)
        return held if held is None or not closed.is_closed(held) else self.open(path, held)

    def opened(self, path: str) -> bytes | None:
        """What a closed file holds; None for one that everybody can read as it is, or that is not there. As `read`."""
        held = content_of(Path(path))
        return self.open(Path(path), held) if held is not None and closed.is_closed(held) else None

    def wrapped(self, path: Path, content: bytes) -> bytes:
        """``content`` as it is to be written to ``path``: closed where keys of its kind are. Raises KeyTrouble."""
        held = self.lock()
        if held is None or kind_of(path) not in held.kinds:
            return content
        return self.close(path, content, self.key())

    def close(self, path: Path, content: bytes, key: tuple[bytes, bytes]) -> bytes:
        """``content`` closed for ``path`` under ``key``, which is stretched, with its salt."""
        return closed.close(content, key[0], path.name, key[1], LOG_N)

    def open(self, path: Path, held: bytes) -> bytes:
        """The content of ``path``, which is closed. Raises KeyTrouble."""
        try:
            key, _ = self._key(path, closed.read(held), path.name)
            return closed.opened(held, key, path.name)
        except closed.NotOpened:
            raise KeyTrouble("keys.wrong_passphrase", path=path) from None
        except (codec.Malformed, codec.TooBig):
            raise KeyTrouble("keys.not_a_key", path=path) from None

    def lock(self) -> Lock | None:
        """What is locked, None where nothing is. Raises KeyTrouble."""
        path = self.folder / LOCK
        held = content_of(path)
        try:
            return codec.read(Lock, held, closed.MOST_BYTES) if held is not None else None
        except (codec.Malformed, codec.TooBig):
            raise KeyTrouble("keys.not_a_key", path=path) from None

    def check(self) -> None:
        """Have the passphrase now, or say that it is missing or wrong. Raises KeyTrouble."""
        if self.lock() is not None:
            self.key()

    def key(self) -> tuple[bytes, bytes]:
        """The key of the lock, and its salt. Raises KeyTrouble, ``keys.missing`` where nothing is locked."""
        held, path = self.lock(), self.folder / LOCK
        if held is None:
            raise KeyTrouble("keys.missing", path=path)
        return self._key(path, held.witness, _name_of(held.kinds))

    def _key(self, path: Path, held: closed.Closed, name: str) -> tuple[bytes, bytes]:
        """The key to ``held``, and its salt. Raises KeyTrouble."""
        place = held.salt, held.scrypt_log_n
        if place in _stretched:
            return _stretched[place], held.salt
        tried = False
        for handed_over in (True, False):
            try:
                typed = passphrases.from_credential() if handed_over else self._ask(f"{path.name}: ")
            except OSError as wrong:
                raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong
            if typed is None:
                continue
            tried, key = True, stretched(typed, *place)
            with suppress(closed.NotOpened, codec.Malformed, codec.TooBig):
                closed.opened(codec.write(held), key, name)
                _stretched[place] = key
                return key, held.salt
        if tried:
            raise KeyTrouble("keys.wrong_passphrase", path=path)
        raise KeyTrouble("keys.locked", path=path, credential=passphrases.CREDENTIAL)


def kind_of(path: Path) -> str:
    """Of which kind a key file is by its name; empty for none that is kept here."""
    found = (kind for kind, names in KINDS.items() if any(fnmatchcase(path.name, each) for each in names))
    return next(found, "")


def new_lock(kinds: tuple[str, ...], passphrase: str) -> tuple[bytes, tuple[bytes, bytes]]:
    """The content of the file ``lock``, and the key with its salt for `Safe.close`. Raises KeyTrouble."""
    least, most = locked.LEAST_PASSPHRASE, locked.MOST_PASSPHRASE
    if not least <= len(passphrase) <= most:
        raise KeyTrouble("keys.bad_passphrase", least=least, most=most)
    salt = os.urandom(16)
    key = stretched(passphrase, salt, LOG_N)
    return lock_content(kinds, (key, salt)), (key, salt)


def lock_content(kinds: tuple[str, ...], key: tuple[bytes, bytes]) -> bytes:
    """The file ``lock`` for other kinds under the same key."""
    witness = closed.read(closed.close(_WITNESS, key[0], _name_of(kinds), key[1], LOG_N))
    return codec.write(Lock(kinds, witness)) + b"\n"


def stretched(passphrase: str, salt: bytes, log_n: int) -> bytes:
    """The key that a passphrase is good for: scrypt, a tenth of a second."""
    words = passphrase[: locked.MOST_PASSPHRASE].encode("utf-8", "surrogatepass")
    return hashlib.scrypt(words, salt=salt, n=1 << max(log_n, 1), r=_R, p=1, dklen=32, maxmem=2 * 128 * _R << log_n)


def content_of(path: Path) -> bytes | None:
    """What lies in the file; None where there is none. Raises KeyTrouble."""
    try:
        with path.open("rb") as file:
            return file.read(closed.MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        raise KeyTrouble("keys.unreadable", path=path, why=wrong.strerror or wrong) from wrong


def _name_of(kinds: tuple[str, ...]) -> str:
    return f"{LOCK}:{','.join(kinds)}"
