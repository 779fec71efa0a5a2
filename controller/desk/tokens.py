"""Tokens of sessions and links, as the store knows them."""

from __future__ import annotations

import hashlib


def hashed(token: str) -> str:
    """SHA-256 of a token, 64 hex digits: what is kept opens nothing."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
