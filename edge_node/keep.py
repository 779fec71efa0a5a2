"""The keep: the node's key files, closed under a secret that the machine hands over, or plain where it hands none over.

- Nobody is there when a node starts, so no passphrase: systemd opens a credential that is sealed to the machine (its
  TPM, else a key on the same disk) and shows it to the service alone, in memory. The settings name it.
- What lies open is closed at the start: keys of an enrolment, of a version before, or from before the credential.
- A key that does not open is never made anew in silence: the node says what is missing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from edge_node import disk
from edge_node.settings import Settings
from wire import closed, codec
from words import Said

log = logging.getLogger("loa.node.keep")

FOLDER = "CREDENTIALS_DIRECTORY"  # set by systemd
LEAST_SECRET_BYTES, MOST_SECRET_BYTES = 16, 4096
_LABEL = b"loa node keys 1\0"
_ONE_NAME = {"broker-next.pem": "pair", "broker-now.pem": "pair"}  # a pair that is proven is renamed


class Sealed(Said):
    """A key that is closed, and what opens it is not here, or opens something else."""


class Keep:
    """By the settings of one node; the credential is read when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.key_credential
        self._secret: bytes | None = None

    def read(self, path: Path) -> bytes:
        """What is in the file, opened where it is closed. Raises Sealed, OSError."""
        with path.open("rb") as file:
            held = file.read(closed.MOST_BYTES + 1)
        return self._open(path, held) if closed.is_closed(held) else held

    def opened(self, path: str) -> bytes | None:
        """What a closed file holds; None for one to be read as it lies, or that is not there. Raises Sealed."""
        try:
            with Path(path).open("rb") as file:
                held = file.read(closed.MOST_BYTES + 1)
        except OSError:
            return None
        return self._open(Path(path), held) if closed.is_closed(held) else None

    def write(self, path: Path, content: bytes) -> None:
        """Keep a key, mode 0600, closed where the settings name a credential. Raises Sealed, OSError."""
        if self._name:
            content = closed.close(content, self._key(path), _ONE_NAME.get(path.name, path.name))
        disk.write(path, content, mode=0o600)

    def close_all(self, paths: Iterable[Path]) -> list[Path]:
        """Close those that lie open; which. What cannot be written stays as it is and is logged. Raises Sealed."""
        done = []
        for path in paths if self._name else ():
            try:
                held = path.read_bytes()
                if not closed.is_closed(held):
                    self.write(path, held)
                    done.append(path)
            except FileNotFoundError:
                continue
            except OSError as wrong:
                log.warning("key_not_sealed path=%s error=%s", path, wrong)
        return done

    def _open(self, path: Path, held: bytes) -> bytes:
        try:
            return closed.opened(held, self._key(path), _ONE_NAME.get(path.name, path.name))
        except (closed.NotOpened, codec.Malformed, codec.TooBig):
            raise Sealed("node.key_sealed_otherwise", path=path) from None

    def _key(self, path: Path) -> bytes:
        if self._secret is None:
            self._secret = self._given(path)
        return hashlib.sha256(_LABEL + self._secret).digest()

    def _given(self, path: Path) -> bytes:
        folder = os.environ.get(FOLDER, "")
        try:
            if not self._name or not (folder or self._name.startswith("/")):
                raise FileNotFoundError
            with (Path(folder) / self._name).open("rb") as file:
                secret = file.read(MOST_SECRET_BYTES)
        except OSError:
            raise Sealed("node.key_sealed", path=path, credential=self._name or "loa-node-keys") from None
        if len(secret) < LEAST_SECRET_BYTES:
            raise Sealed("node.key_sealed", path=path, credential=self._name)
        return secret
