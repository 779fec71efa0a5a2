"""A text as it will be read, for the eye: its sentences, and in each what is read otherwise than written. Pure.

- Letters and digits are counted, not searched for: smoothing the spoken form moves blanks and stops, never those, so
  each rewrite is found exactly where it is read.
- A sentence too long to be heard by itself is cut at a comma or a blank. Bounded: of a very long text the end has no
  marks and no lines of its own, and says so (`Seen.rest`).
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from controller.newsroom import Flag, Rewrite, Spoken, sentences

MOST_LINES = 600
MOST_LINE_CHARS = 500
MOST_MARKS = 1500
_UNSEEN = {"broken_line", "bullet"}  # layout, which nobody misses
_BREATHS = (", ", "; ", ": ", " ")


@dataclass(frozen=True)
class Change:
    """One way in which something is read, wherever it stands: ``number`` counts from 0.

    ``spoken`` is empty for what is not read at all. ``doubtful``: a person should decide; it may be a whole sentence
    (then it is read as it is written); ``suggestion`` is what was probably meant, if anything.
    """

    number: int
    written: str
    spoken: str
    why: str
    doubtful: bool = False
    suggestion: str = ""


@dataclass(frozen=True)
class Bit:
    """A stretch of a line: plain, or read because of ``change`` (with no ``text`` where nothing is read)."""

    text: str
    change: Change | None = None


@dataclass(frozen=True)
class Line:
    """A sentence of the spoken form: ``text`` is what a voice reads, ``ends`` whether its paragraph ends with it."""

    number: int
    text: str
    bits: tuple[Bit, ...]
    ends: bool


@dataclass(frozen=True)
class Seen:
    """The lines, each change once in order of the text, and what came after the most lines that are shown."""

    lines: tuple[Line, ...]
    changes: tuple[Change, ...]
    rest: str = ""

    @property
    def doubts(self) -> list[Change]:
        """The changes that a person should decide."""
        return [change for change in self.changes if change.doubtful]


@dataclass(frozen=True)
class _Mark:
    start: int
    end: int
    change: Change


@dataclass(frozen=True)
class _Piece:
    """``source[start:end]`` is read ``said``."""

    start: int
    end: int
    said: str
    flag: Flag | None
    rewrite: Rewrite | None


def seen(read: Spoken) -> Seen:
    """The spoken form for the eye."""
    changes: dict[tuple[str, str, str], Change] = {}
    marks = list(_marks(read, changes))
    cuts = list(_cuts(read.text))
    shown, rest = cuts[:MOST_LINES], read.text[cuts[MOST_LINES][0] :] if len(cuts) > MOST_LINES else ""
    ends = [mark.end for mark in marks]
    lines = [_line(n, read.text, span, marks[bisect_left(ends, span[0]) :]) for n, span in enumerate(shown)]
    return Seen(tuple(lines), tuple(changes.values()), rest)


def _marks(read: Spoken, changes: dict[tuple[str, str, str], Change]) -> Iterator[_Mark]:
    """Where in ``read.text`` each rewrite and each doubt is read; ``changes`` is filled on the way."""
    places = [at for at, char in enumerate(read.text) if char.isalnum()]
    counted = done = marked = 0
    for piece in _pieces(read):
        counted += _letters(read.source[done : piece.start])
        first, counted, done = counted, counted + _letters(piece.said), piece.end
        if counted > len(places):
            return  # read by rules of another version
        if piece.rewrite and piece.rewrite.why in _UNSEEN and not piece.said.strip():
            continue
        span = _span(read.text, places, first, counted) if piece.said.strip() else None
        marked += 1
        if (span or not piece.said.strip()) and marked <= MOST_MARKS:
            begin, stop = span or (_after(places, first),) * 2
            yield _Mark(begin, stop, _change(piece, changes))


def _pieces(read: Spoken) -> list[_Piece]:
    """What is rewritten or doubted, in order, none within another."""
    rewrites = [each for each in read.rewrites if each.written.strip() or each.spoken.strip()]
    starts = [each.start for each in rewrites]
    inside: dict[int, Flag] = {}
    pieces: list[_Piece] = []
    done = 0
    for flag in read.flags:
        at = max(0, bisect_right(starts, flag.start) - 1)
        if rewrites and rewrites[at].start <= flag.start and flag.end <= rewrites[at].end:
            inside.setdefault(at, flag)
            continue
        for start, end in _between(max(flag.start, done), flag.end, rewrites[at:]):
            pieces.append(_Piece(start, end, read.source[start:end], flag, None))
        done = max(done, flag.end)
    pieces += [_Piece(each.start, each.end, each.spoken, inside.get(n), each) for n, each in enumerate(rewrites)]
    return sorted(pieces, key=lambda piece: piece.start)


def _between(start: int, end: int, rewrites: Iterable[Rewrite]) -> Iterator[tuple[int, int]]:
    """The parts of ``start``-``end`` that no rewrite has claimed."""
    for rewrite in rewrites:
        if rewrite.start >= end:
            break
        if start < rewrite.start:
            yield start, rewrite.start
        start = max(start, rewrite.end)
    if start < end:
        yield start, end


def _change(piece: _Piece, changes: dict[tuple[str, str, str], Change]) -> Change:
    flag, rewrite = piece.flag, piece.rewrite
    written = rewrite.written if rewrite else flag.written if flag else ""
    why = flag.why if flag else rewrite.why if rewrite else ""
    key = (" ".join(written.split()), " ".join((piece.said if rewrite else written).split()), why)
    made = Change(len(changes), *key, doubtful=flag is not None, suggestion=flag.suggestion if flag else "")
    return changes.setdefault(key, made)


def _span(text: str, places: list[int], first: int, last: int) -> tuple[int, int] | None:
    """The part of ``text`` with its letters ``first`` to ``last``; without letters, the sign between its neighbours."""
    if first < last:
        end = places[last - 1] + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        return places[first], end
    begin, stop = _after(places, first), places[first] if first < len(places) else len(text)
    between = text[begin:stop]
    sign = between.strip()
    return (begin + between.index(sign), begin + between.index(sign) + len(sign)) if sign else None


def _after(places: list[int], count: int) -> int:
    return places[count - 1] + 1 if count else 0


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """Where each line of ``text`` begins and ends."""
    done = 0
    for sentence in sentences(text):
        start = text.index(sentence, done)
        done = start + len(sentence)
        while done - start > MOST_LINE_CHARS:
            length = _breath(text[start : start + MOST_LINE_CHARS])
            yield start, start + length
            start += length
        yield start, done


def _breath(piece: str) -> int:
    """How much of ``piece`` to take so that it ends where a reader breathes."""
    for mark in _BREATHS:
        at = piece.rfind(mark, MOST_LINE_CHARS // 2)
        if at >= 0:
            return at + len(mark)
    return len(piece)


def _line(number: int, text: str, span: tuple[int, int], marks: Iterable[_Mark]) -> Line:
    start, end = span
    bits: list[Bit] = []
    done = start
    for mark in marks:
        if mark.start > end:
            break
        begin, stop = max(mark.start, start), min(mark.end, end)
        inside = begin < stop or (mark.start == mark.end and start <= mark.start <= end)
        if not inside or begin < done:
            continue
        bits += [Bit(text[done:begin]), Bit(text[begin:stop], mark.change)]
        done = stop
    bits.append(Bit(text[done:end]))
    kept = tuple(bit for bit in bits if bit.text or bit.change)
    return Line(number, text[start:end].strip(), kept, text[end : end + 1] in ("", "\n"))
