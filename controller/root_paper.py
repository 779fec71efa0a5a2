"""A root key on paper: eight short lines that a person can read, type back and check, and the same as a QR code.

- A line is four bytes of the key and one that checks them and their place: a wrong letter, or two lines that changed
  places, shows at its own line (255 of 256 times); what got past that seals in nobody's name.
- The letters are those of one-time codes: no I, O, 0 or 1.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io

import segno

from wire.onetime import ALPHABET
from wire.seal import Signer
from words import LANGUAGES, say

LINES, LINE_BYTES = 8, 4
GROUP = 4
MOST_TYPED = 1000  # characters
_STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_OURS, _BACK = str.maketrans(_STANDARD, ALPHABET), str.maketrans(ALPHABET, _STANDARD)


class BadPaper(ValueError):
    """What was typed is no key; ``line`` says where, 0 for the whole."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def lines(signer: Signer) -> list[str]:
    """The key as eight lines of two groups."""
    return [_line(number, _part(signer.secret, number)) for number in range(1, LINES + 1)]


def read(typed: str) -> Signer:
    """The key that was typed: eight lines, or all in one. Raises BadPaper."""
    letters = "".join(each for each in typed[:MOST_TYPED].upper() if not each.isspace() and each not in "-.")
    length = 2 * GROUP
    secret = b""
    for number in range(1, LINES + 1):
        mine = letters[(number - 1) * length : number * length]
        if len(mine) != length or any(each not in ALPHABET for each in mine):
            raise BadPaper(number)
        raw = base64.b32decode(mine.translate(_BACK))
        if raw[LINE_BYTES:] != _check(number, raw[:LINE_BYTES]):
            raise BadPaper(number)
        secret += raw[:LINE_BYTES]
    if len(letters) != LINES * length:
        raise BadPaper(0)
    return Signer(secret)


def page(signer: Signer, title: str) -> str:
    """One sheet to print, as HTML that needs nothing else. ``title``: which key it is, of how many."""
    code = io.BytesIO()
    segno.make(" ".join(lines(signer)), error="m").save(code, kind="svg", scale=4, xmldecl=False, svgns=True)
    told = "".join(f"<p lang={each}>{html.escape(say('keys.paper', each))}</p>" for each in LANGUAGES)
    rows = "".join(f"<li>{each}</li>" for each in lines(signer))
    name = html.escape(title)
    return (
        f"<!doctype html><meta charset=utf-8><title>{name}</title>"
        "<style>body{font:14pt/1.5 sans-serif;margin:2cm}li{font:18pt/1.7 monospace}</style>"
        f"<h1>{name}</h1>{told}<ol>{rows}</ol>{code.getvalue().decode()}<p>{signer.public.hex}</p>\n"
    )


def _part(secret: bytes, number: int) -> bytes:
    return secret[(number - 1) * LINE_BYTES : number * LINE_BYTES]


def _line(number: int, part: bytes) -> str:
    letters = base64.b32encode(part + _check(number, part)).decode().translate(_OURS)
    return f"{letters[:GROUP]}-{letters[GROUP:]}"


def _check(number: int, part: bytes) -> bytes:
    return hashlib.sha256(b"loa root %d " % number + part).digest()[:1]
