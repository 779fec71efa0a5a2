"""Whether it is a program that asks, by the API, and the secret that it brings."""

from __future__ import annotations

from flask import request

API = "/api/"
MOST_SECRET_CHARS = 200


def of_api() -> bool:
    """Whether this request is the API's, by its address; also where there is nothing at it."""
    return request.path.startswith(API)


def bearer() -> str:
    """The token of the Authorization header (RFC 6750); empty for none, and for what can be none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and 20 <= len(secret) <= MOST_SECRET_CHARS else ""
