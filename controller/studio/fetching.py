"""An answer of a speech service, read to its end or to a limit: of bytes, and of seconds in all."""

from __future__ import annotations

import time

import requests

_BLOCK_BYTES = 1 << 16


def fetched(answer: requests.Response, most_bytes: int, most_seconds: float) -> bytes:
    """The body of a streamed ``answer``. Raises requests.ConnectionError past either limit: no half is handed on."""
    began = time.monotonic()
    body = bytearray()
    while block := answer.raw.read1(_BLOCK_BYTES, decode_content=True):
        body += block
        if len(body) > most_bytes:
            raise requests.ConnectionError("the answer is too large")
        if time.monotonic() - began > most_seconds:
            raise requests.ConnectionError("the answer came too slowly")
    promised = answer.headers.get("Content-Length", "")
    if promised.isdigit() and "Content-Encoding" not in answer.headers and len(body) < int(promised):
        raise requests.ConnectionError("the answer was cut off")
    return bytes(body)
