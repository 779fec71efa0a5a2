"""One-time codes: sixteen letters that a person reads from one screen and types into another, once. Pure.

- ``KMW7-QX3P-…``: three letters name the code, twelve are its secret (60 bits), the last is a check letter.
- No letter looks like another digit: I, O, 0 and 1 do not occur. Small letters, spaces and dashes do not matter.
- The check letter is a Reed-Solomon symbol over GF(32): any one wrong letter, and any two that changed places, show.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
NAME_LETTERS, SECRET_LETTERS = 3, 12
LETTERS = NAME_LETTERS + SECRET_LETTERS + 1
GROUP = 4
MOST_TYPED = 100  # characters that are looked at
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1


class BadCode(ValueError):
    """What was typed is no code; ``what`` is ``letters`` (which do not occur), ``length`` or ``check``."""

    def __init__(self, what: str, letters: str = "") -> None:
        super().__init__(what)
        self.what, self.letters = what, letters


@dataclass(frozen=True)
class Code:
    """A code taken apart. Only ``name`` may ever be sent or logged."""

    name: str
    secret: str = field(repr=False)

    def shown(self) -> str:
        """As a person reads it: four groups of four."""
        letters = self.name + self.secret
        letters += check_letter(letters)
        return "-".join(letters[at : at + GROUP] for at in range(0, LETTERS, GROUP))


def new(name: str = "") -> Code:
    """A new code from the system's randomness, of that name where one is given."""
    return Code(name or new_name(), _random(SECRET_LETTERS))


def new_name() -> str:
    """A name for a code."""
    return _random(NAME_LETTERS)


def read(typed: str) -> Code:
    """The code that was typed. Raises BadCode."""
    letters = "".join(typed[:MOST_TYPED].split()).replace("-", "").upper()
    strange = "".join(sorted({each for each in letters if each not in ALPHABET}))
    if strange:
        raise BadCode("letters", strange[:10])
    if len(letters) != LETTERS:
        raise BadCode("length")
    if check_letter(letters[:-1]) != letters[-1]:
        raise BadCode("check")
    return Code(letters[:NAME_LETTERS], letters[NAME_LETTERS:-1])


def check_letter(letters: str) -> str:
    """The check letter of ``letters``: their polynomial in GF(32) at x, so that each place weighs differently."""
    remainder = 0
    for each in letters:
        remainder = _doubled(remainder ^ ALPHABET.index(each))
    return ALPHABET[remainder]


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 0b100000 else value


def _random(letters: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(letters))
