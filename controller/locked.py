"""A key locked with a passphrase, as the content of a key file: what lies on a stolen disk seals nothing.

- scrypt (RFC 7914) makes the lock from the passphrase, ChaCha20-Poly1305 (RFC 8439) closes it. The public half stands
  in the open and is bound to what is closed.
- A tenth of a second to open, on purpose not more: a second person agrees to an emergency with it.
"""

from __future__ import annotations

import hashlib
import os
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta

from wire import codec
from wire.seal import PublicKey, Signer
from wire.trust import Hex32

LEAST_PASSPHRASE, MOST_PASSPHRASE = 12, 1024  # characters
MOST_BYTES = 1024
_LOG_N, _R = 16, 8
_LABEL = b"loa locked key 1"


class Locked(msgspec.Struct, frozen=True):
    """The file. ``salt`` and ``nonce`` are of this file alone."""

    public_key: Hex32
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    closed: Annotated[bytes, Meta(min_length=48, max_length=48)]
    scrypt_log_n: Annotated[int, Meta(ge=14, le=20)] = _LOG_N


class WrongPassphrase(ValueError):
    """It opens nothing."""


def is_locked(content: bytes) -> bool:
    """Whether a key file's content is of this kind."""
    return content.lstrip().startswith(b"{")


def lock(signer: Signer, passphrase: str) -> bytes:
    """The content of a file. Raises ValueError for a passphrase that is too short to be one, or endless."""
    if not LEAST_PASSPHRASE <= len(passphrase) <= MOST_PASSPHRASE:
        raise ValueError(f"{LEAST_PASSPHRASE} to {MOST_PASSPHRASE} characters")
    salt, nonce = os.urandom(16), os.urandom(12)
    box = ChaCha20Poly1305(_stretched(passphrase, salt, _LOG_N))
    closed = box.encrypt(nonce, signer.secret, _LABEL + signer.public.raw)
    return codec.write(Locked(signer.public.hex, salt, nonce, closed)) + b"\n"


def read(content: bytes) -> Locked:
    """What stands in the open. Raises codec.Malformed, codec.TooBig."""
    return codec.read(Locked, content, MOST_BYTES)


def unlock(content: bytes, passphrase: str) -> Signer:
    """The key. Raises WrongPassphrase (also for a file that was changed), codec.Malformed, codec.TooBig."""
    held = read(content)
    try:
        public = PublicKey.from_hex(held.public_key)
        box = ChaCha20Poly1305(_stretched(passphrase[:MOST_PASSPHRASE], held.salt, held.scrypt_log_n))
        signer = Signer(box.decrypt(held.nonce, held.closed, _LABEL + public.raw))
    except (InvalidTag, ValueError):
        raise WrongPassphrase from None
    if signer.public != public:
        raise WrongPassphrase
    return signer


def _stretched(passphrase: str, salt: bytes, log_n: int) -> bytes:
    words = passphrase.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(words, salt=salt, n=1 << log_n, r=_R, p=1, dklen=32, maxmem=2 * 128 * _R << log_n)
