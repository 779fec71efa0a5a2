"""Why something is read as it is, or is asked about: a code of a rewrite or a flag as words for a person."""

from __future__ import annotations

from words import say


def reason(why: str, language: str) -> str:
    """The words for the ``why`` of a `Rewrite` or a `Flag`."""
    return say(f"newsroom.why_{why}", language)
