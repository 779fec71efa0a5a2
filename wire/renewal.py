"""Renewal: a node asks for a certificate for a new key pair, and the station answers. No secret travels.

- The node seals its question with its own key, the way its receipts are; the station's key seals the answer.
- Over MQTT in time; a node that was away past its certificate's end is not let in by the broker any more, and posts the
  same question to `PATH` over HTTP. Its answer brings the trust document too, which may have changed in the meantime.
- A key is certified once. The same question again gets the same certificate again, so a replay changes nothing.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.plan import Moment, Name

PATH = "/gia-han"
MOST_QUESTION_BYTES, MOST_ANSWER_BYTES = 8 * 1024, 512 * 1024
VALIDITY = timedelta(days=90)  # of a node's certificate
BEFORE = timedelta(days=30)  # its end: when the first nodes ask
SPREAD = timedelta(days=10)  # within which all have begun to ask
_Pem = Annotated[str, Meta(max_length=4096)]


class Renewal(msgspec.Struct, frozen=True):
    """What a node asks: a certificate for the key of ``request`` (PKCS #10), made for this and never used yet."""

    node: Name
    at: Moment
    request: _Pem


class Renewed(msgspec.Struct, frozen=True):
    """What the station answers: the certificate, and whom to trust at the broker from now on."""

    node: Name
    issued_at: Moment
    certificate: _Pem
    authorities: Annotated[tuple[_Pem, ...], Meta(min_length=1, max_length=4)]


class WayBack(msgspec.Struct, frozen=True):
    """The answer over HTTP: `Renewed` and the trust document, each in its envelope as it would travel over MQTT."""

    certificate: str
    trust: str = ""


def due_at(node: str, until: datetime) -> datetime:
    """When ``node`` asks for the certificate after the one that holds ``until``: each at a moment of its own."""
    return until - BEFORE + SPREAD * (zlib.crc32(node.encode()) % 10_000 / 10_000)


def is_due(node: str, until: datetime, now: datetime) -> bool:
    """Whether to ask. One that holds longer than any we issue, from before there was renewal, is changed at once."""
    return now >= due_at(node, until) or until - now > VALIDITY + SPREAD
