"""Passwords, kept as Argon2id hashes. The one door to argon2."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.desk import rules

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What is kept of it."""
    return _hasher.hash(password)


@cache
def nobodys() -> str:
    """A hash that nothing fits in practice: checking against it takes as long as against a real one."""
    return _hasher.hash(secrets.token_hex(32))


def fits(password_hash: str, password: str) -> bool:
    """Whether it is the one that was hashed."""
    try:
        return _hasher.verify(password_hash, password[: rules.MOST_PASSWORD_CHARS])
    except (VerificationError, InvalidHashError):
        return False
