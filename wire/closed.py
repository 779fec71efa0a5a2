"""A small file closed under a key of 32 bytes that lies elsewhere: what is on a stolen disk opens nothing.

- ChaCha20-Poly1305 (RFC 8439), bound to the file's name: one file put in another's place does not open.
- Where the key comes from is no matter here; a file may carry what a passphrase is stretched with (scrypt, RFC 7914).
- `in_memory` gives what was opened to a library that reads only files, without any disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Meta

from wire import codec

KEY_BYTES = 32
MOST_CONTENT_BYTES = 64 * 1024
MOST_BYTES = 2 * MOST_CONTENT_BYTES  # of a closed file
_BEGIN = b'{"nonce":'
_LABEL = b"loa closed file 1\0"


class Closed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file. ``salt`` and ``scrypt_log_n`` are there where a passphrase makes the key."""

    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    closed: Annotated[bytes, Meta(min_length=16, max_length=MOST_CONTENT_BYTES + 16)]
    salt: Annotated[bytes, Meta(max_length=16)] = b""
    scrypt_log_n: Annotated[int, Meta(ge=0, le=20)] = 0


class NotOpened(ValueError):
    """Another key, another name, or a file that was changed."""


def is_closed(content: bytes) -> bool:
    """Whether a file's content is of this kind. Keys in PEM, hex or age's letters never are."""
    return content.startswith(_BEGIN)


def close(content: bytes, key: bytes, name: str, salt: bytes = b"", scrypt_log_n: int = 0) -> bytes:
    """The content of the closed file called ``name``. ``key``: 32 bytes. Raises ValueError for too much content."""
    if len(content) > MOST_CONTENT_BYTES:
        raise ValueError(f"{len(content)} bytes, the most is {MOST_CONTENT_BYTES}")
    nonce = os.urandom(12)
    box = ChaCha20Poly1305(key).encrypt(nonce, content, _LABEL + name.encode())
    return codec.write(Closed(nonce, box, salt, scrypt_log_n)) + b"\n"


def read(content: bytes) -> Closed:
    """What stands in the open. Raises codec.Malformed, codec.TooBig."""
    return codec.read(Closed, content, MOST_BYTES)


def opened(content: bytes, key: bytes, name: str) -> bytes:
    """What was closed. Raises NotOpened, codec.Malformed, codec.TooBig."""
    held = read(content)
    try:
        return ChaCha20Poly1305(key).decrypt(held.nonce, held.closed, _LABEL + name.encode())
    except (InvalidTag, ValueError):
        raise NotOpened(name) from None


@contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """A path under which this process, and no other user's, reads ``content`` while the block lasts; on no disk."""
    handle = os.memfd_create("loa", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(handle), "wb") as out:
            out.write(content)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
