"""The editor's desk: all reading rules over one text, in one order, each rewrite recorded.

- `spoken` is total (any string in, a result out), linear, and leaves text that is already words as it is.
- The order of ``PASSES`` is the whole of precedence: what is more specific stands first; a lexicon before them all.
- Rules see the text with its tone marks in the older places (hòa); what they do not claim is left as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from controller.newsroom import (
    acronyms,
    clock_times,
    dashed_dates,
    dates,
    documents,
    figures,
    foreign,
    layout,
    lists,
    money,
    periods,
    phones,
    places,
    roman,
    short_units,
    shorthand,
    shouting,
    slips,
    strangers,
    units,
)
from controller.newsroom.lexicon import Lexicon
from controller.newsroom.rules import OTHER, Rule
from controller.newsroom.syllables import placed
from controller.newsroom.tidy import tidy

PASSES: tuple[Rule, ...] = (
    *layout.ADDRESSES,
    *phones.PICTURED,
    *layout.DROPS,
    *shorthand.RULES,
    *phones.RULES,
    *clock_times.DATED,
    *documents.RULES,
    *places.RULES,
    *lists.NAMED,
    *periods.RULES,
    *dates.RULES,
    *dashed_dates.RULES,
    *lists.RULES,
    *short_units.RULES,
    *clock_times.RULES,
    *roman.RULES,
    *figures.PLUS,
    *foreign.MESSAGES,
    *money.RULES,
    *units.RULES,
    *acronyms.CONTEXT,
    *foreign.RULES,
    *acronyms.RULES,
    *figures.RULES,
    *lists.PAUSES,
    *layout.SYMBOLS,
)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """``source[start:end]`` was ``written`` and is read ``spoken`` (empty: not read), because of ``why``."""

    start: int
    end: int
    written: str
    spoken: str
    why: str


@dataclass(frozen=True, slots=True)
class Flag:
    """``source[start:end]``, ``written``, is doubtful and a person decides.

    ``why``: ``unknown_capitals`` (spelt out or left alone), ``two_meanings`` (of `short_units`), ``telex`` / ``vni``
    (left as typed; ``suggestion`` is what was probably meant), ``syllable`` (perhaps mistyped), or of `strangers`:
    ``script``, ``language``, ``accentless``.
    """

    start: int
    end: int
    written: str
    why: str = acronyms.UNKNOWN
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """``text`` is what a voice reads; ``rewrites`` and ``flags`` (in order) point into ``source``, the tidied text."""

    text: str
    source: str
    rewrites: tuple[Rewrite, ...]
    flags: tuple[Flag, ...]


def spoken(text: str, lexicon: Mapping[str, str] | None = None) -> Spoken:
    """How ``text`` is read aloud: no digit is left, abbreviations are words, emoji and bullets are gone.

    ``lexicon``: written → spoken, the readings of a place (see `lexicon`); they override every rule.
    Paragraphs stay lines; lines broken in mid-sentence are joined. Never raises.
    """
    source = tidy(text)
    claims: list[Rewrite] = []
    masked = shouting.quiet(_by_lexicon(lexicon, source, claims) if lexicon else placed(source))
    for rule in PASSES:
        masked = _apply(rule, source, masked, claims)
    claims.sort(key=lambda claim: claim.start)
    rewrites = tuple(claim for claim in claims if claim.written != claim.spoken)
    return Spoken(_join(source, claims), source, rewrites, _flags(source, claims))


def _by_lexicon(readings: Mapping[str, str], source: str, claims: list[Rewrite]) -> str:
    masked = placed(source)
    pieces: list[str] = []
    done = 0
    for start, end, said in Lexicon(readings, lambda words: spoken(words).text).find(masked):
        claims.append(Rewrite(start, end, source[start:end], said, "lexicon"))
        pieces += [masked[done:start], OTHER * (end - start)]
        done = end
    return "".join([*pieces, masked[done:]])


_DOUBTS = (acronyms.UNKNOWN, short_units.DOUBTFUL)


def _flags(source: str, claims: list[Rewrite]) -> tuple[Flag, ...]:
    decided = {claim.start for claim in claims if claim.why in ("lexicon", "foreign", "acronym", "address")}
    flags = [Flag(c.start, c.end, c.written, c.why) for c in claims if c.why in _DOUBTS]
    strange = strangers.find(source)
    flags += [Flag(each.start, each.end, source[each.start : each.end], each.why) for each in strange]
    foreign_at = {at for each in strange if each.why != strangers.SCRIPT for at in range(each.start, each.end)}
    for slip in slips.find(source):
        if slip.start in decided or slip.start in foreign_at:
            continue
        if slip.meant or not _claimed(slip.start, claims):
            flags.append(Flag(slip.start, slip.end, source[slip.start : slip.end], slip.keys, slip.meant))
    return tuple(sorted(flags, key=lambda flag: flag.start))


def _claimed(at: int, claims: list[Rewrite]) -> bool:
    """Whether a rule, of ``claims`` in order, has read what stands there."""
    index = bisect_right(claims, at, key=lambda claim: claim.start) - 1
    return index >= 0 and at < claims[index].end


def _apply(rule: Rule, source: str, masked: str, claims: list[Rewrite]) -> str:
    pieces: list[str] = []
    done = 0
    for match in rule.pattern.finditer(masked):
        start, end = match.span()
        if start == end or (said := rule.say(match)) is None:
            continue
        claims.append(Rewrite(start, end, source[start:end], said, rule.why))
        pieces += [masked[done:start], rule.mark * (end - start)]
        done = end
    return "".join([*pieces, masked[done:]])


_SPACES = re.compile(r" {2,}")
_BEFORE_MARK = re.compile(r" +(?=[,.;:!?…)\n])")
_LINE_START = re.compile(r"(?m)^[ ,;:.]+|[ ]+$")
_DOUBLE = re.compile(r"([,;:])(?:[ ,;:])*(?=[,;:.])")
_OPEN_END = re.compile(r"(?<=[^\s.!?…:;,\"'”’)])(?P<quotes>[\"'”’)]{0,3}+),?\n")
_DOTS = re.compile(r"\.{3,}")
_EMPTY = re.compile(r"\n{2,}")


def _join(source: str, claims: list[Rewrite]) -> str:
    pieces: list[str] = []
    done = 0
    last = ""
    for claim in claims:
        for piece in (source[done : claim.start], claim.spoken):
            if not piece:
                continue
            if last and last.isalnum() and piece[0].isalnum() and pieces:
                pieces.append(" ")
            pieces.append(piece)
            last = piece[-1]
        done = claim.end
    tail = source[done:]
    if last.isalnum() and tail[:1].isalnum():
        pieces.append(" ")
    return _smooth("".join([*pieces, tail]))


def _smooth(text: str) -> str:
    single = _DOUBLE.sub("", _BEFORE_MARK.sub("", _SPACES.sub(" ", text)))
    lines = _EMPTY.sub("\n", _LINE_START.sub("", _DOTS.sub("…", single))).strip()
    return _OPEN_END.sub(r"\g<quotes>.\n", lines)
