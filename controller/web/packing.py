"""Pages and data travel packed (gzip) to who takes it so.

- The key of a form and a stranger's words may stand on one page, and its packed length must not tell the one by the
  other (BREACH): each answer carries a name of random length, as "Heal the BREACH" (2022) has it and Django does.
- Streams, parts of files and what is packed already are left alone.
"""

from __future__ import annotations

import gzip
import secrets
from io import BytesIO

from flask import Response, request

KINDS = frozenset({"text/html", "application/json", "text/plain"})
LEAST_BYTES = 600
LEVEL = 6
MOST_RANDOM = 100


def packed(answer: Response) -> Response:
    """The same answer, packed where that is of use."""
    if answer.mimetype not in KINDS or answer.is_streamed or answer.direct_passthrough:
        return answer
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") <= 0 or "Content-Encoding" in answer.headers:
        return answer
    content = answer.get_data()
    if len(content) < LEAST_BYTES or answer.status_code == 206:
        return answer
    answer.set_data(wrapped(content))
    answer.headers["Content-Encoding"] = "gzip"
    if "ETag" in answer.headers:
        answer.set_etag(answer.get_etag()[0] or "", weak=True)
    return answer


def wrapped(content: bytes) -> bytes:
    """The bytes as gzip, of a length that is not quite the content's."""
    made = BytesIO()
    name = "x" * (1 + secrets.randbelow(MOST_RANDOM))
    with gzip.GzipFile(name, "wb", LEVEL, made, mtime=0) as file:
        file.write(content)
    return made.getvalue()
