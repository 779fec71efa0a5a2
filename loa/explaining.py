"""`loa spoken --explain`: each rewrite with what stood there and why, and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from words import say

if TYPE_CHECKING:
    from controller.newsroom import Spoken

WIDEST = 60


def facts(reading: Spoken) -> dict[str, Any]:
    """All of a reading for programs: places count characters of ``source``, the tidied text."""
    rewrites, flags = ([asdict(each) for each in every] for every in (reading.rewrites, reading.flags))
    return {"source": reading.source, "spoken": reading.text, "rewrites": rewrites, "flags": flags}


def lines(reading: Spoken, language: str) -> Iterator[str]:
    """The same for a person: the reading, then a line for each rewrite that is heard, then one for each question."""
    from controller.newsroom import reason

    yield " ".join(reading.text.split())
    heard = [each for each in reading.rewrites if each.written.strip()]
    silent = say("loa.spoken_silent", language)
    rows = [(one_line(each.written), one_line(each.spoken) or silent, reason(each.why, language)) for each in heard]
    yield from columns(rows)
    for flag in reading.flags:
        asked = reason(flag.why, language)
        meant = say("loa.spoken_meant", language, meant=flag.suggestion) if flag.suggestion else ""
        yield f"  ? {one_line(flag.written)}: {asked}{meant}"


def columns(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Rows under one another: written → spoken, why."""
    first, second = (min(WIDEST, max((len(row[side]) for row in rows), default=0)) for side in (0, 1))
    for written, spoken, why in rows:
        yield f"  {written:<{first}} → {spoken:<{second}}  {why}"


def one_line(text: str) -> str:
    """``text`` without line breaks."""
    return " ".join(text.split())
