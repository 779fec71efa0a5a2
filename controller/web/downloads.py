"""What is handed out as a file: its name is made here, of ids and dates, never of what a person called something.

- Letters of ASCII, digits, ``-`` and ``.`` before the ending; no path, no reserved name, nothing that turns the reading
  direction or hides the ending; at most 100 characters. So a name needs no quoting in any header or file system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Response

MOST_CHARS = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # devices on Windows, with any ending


def handed_out(
    content: str | bytes | Iterable[str] | Iterable[bytes], parts: tuple[str, ...], ending: str, media_type: str
) -> Response:
    """``content`` as a file to keep, named by ``parts``; a browser shows it nowhere."""
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(parts, ending)}"'
    return answer


def file_name(parts: tuple[str, ...], ending: str) -> str:
    """A name for a file: ``parts`` joined, then ``.ending``."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-")[: MOST_CHARS - len(ending) - 5].strip("-")
    return f"loa-{plain}.{ending}" if not plain or _RESERVED.fullmatch(plain) else f"{plain}.{ending}"


def safe_cell(value: object) -> object:
    """A cell of a CSV table that no program takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
