"""The lockbox: small secrets that stand in the database and open only with a key that does not.

- The key is an age identity in a file of its own, made when first needed, mode 0600; backups hold it too.
- What is locked names whose it is: in another person's row it opens nothing.
- A mark (HMAC-SHA256) tells whether a code is the right one, to whoever has the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import pyrage

from controller.safe import KeyTrouble, Safe
from controller.vault.locking import VaultError

FILE = "factors.key"
MOST_KEY_BYTES = 1000


class Lockbox:
    """Locks, opens and marks under the key in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._path, self._safe = folder / FILE, Safe(folder)

    def lock(self, secret: str, whose: str) -> str:
        """``secret`` locked for the person ``whose``. Raises VaultError."""
        told = f"{whose}\n{secret}".encode()
        return base64.b64encode(pyrage.encrypt(told, [self._identity().to_public()])).decode()

    def open(self, locked: str, whose: str) -> str:
        """What was locked for ``whose``. Raises VaultError ``vault.locked`` where it does not open."""
        try:
            told: str = pyrage.decrypt(base64.b64decode(locked, validate=True), [self._identity()]).decode()
        except (pyrage.DecryptError, binascii.Error, ValueError) as wrong:
            raise VaultError("vault.locked", path=self._path) from wrong
        owner, _, secret = told.partition("\n")
        if owner != whose:
            raise VaultError("vault.locked", path=self._path)
        return secret

    def mark(self, secret: str, whose: str) -> str:
        """What the database keeps of a code that is only compared: 64 hex digits. Raises VaultError."""
        key = hashlib.sha256(b"loa marks\0" + str(self._identity()).encode()).digest()
        return hmac.new(key, f"{whose}\n{secret}".encode(errors="replace"), hashlib.sha256).hexdigest()

    def _identity(self) -> pyrage.x25519.Identity:
        try:
            if not self._path.exists():
                self._make()
            held = (self._safe.read(self._path) or b"")[:MOST_KEY_BYTES]
            return pyrage.x25519.Identity.from_str(held.decode("ascii").strip())
        except (OSError, ValueError, KeyTrouble, pyrage.IdentityError) as wrong:
            raise VaultError("vault.no_lock_key", path=self._path, why=wrong) from wrong

    def _make(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._path.parent) as file:  # mode 0600; linked only when whole
            file.write(self._safe.wrapped(self._path, f"{pyrage.x25519.Identity.generate()}\n".encode()))
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first: its key counts
                os.link(file.name, self._path)
