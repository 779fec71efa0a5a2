"""How long each sound of a breath lasts, how high and how strong it is: decided here, after Kokoro has proposed all.

- Pure: lists of numbers in and out. A frame is 25 ms; a pitch stands for half a frame.
- Kokoro proposes durations; pauses and held sounds are cut short, because it breathes where Japanese would; the first
  sounds that it says with too little voice (d is heard as x, đ as t) get half as long again. The silence
  before and after a breath stays as proposed: cut here, it costs the first words; the speaker takes it off the sound.
- A rhyme lasts long enough for its tone: Kokoro gives many of them an eighth of a second, in which no contour can be
  heard, and none its voice at the end of a sentence, where it would breathe out. Nothing made Vietnamese clearer.
- Where a rhyme sounds, the contour of its tone replaces Kokoro's pitch; between rhymes the pitch is led over. What
  Kokoro left without voice stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from controller.studio.kokoro_sounds import Breath, Spoken

MIDDLE_HZ = 110.0
FALL_SEMITONES = 1.5  # over a breath
VOICED_FROM_HZ = 60.0  # below, Kokoro means: no voice
MARK_FRAMES, GAP_FRAMES, HELD_FRAMES = 10, 2, 14
_MARKS = ",.;:!?…"
LONGER, LONGER_FIRST = 1.5, "bdvzɡ"
SOFTER_BY = 1.0  # at most, in a rhyme, than half of what has voice (in Kokoro's own measure)
_VOWELS = "aɐɑɒʌæeɛəɜɤiɪɨoɔuʊɯᵻː"
_STOP_PITCHES = 2  # the end of a stopped rhyme, which has no voice


@dataclass(frozen=True, slots=True)
class Placed:
    """A syllable among the signs: where its first sound, its rhyme and what follows begin."""

    start: int
    rhyme: int
    end: int
    its: Spoken


def lay_out(breath: Breath) -> tuple[str, list[Placed]]:
    """The signs of a breath, and where each syllable stands."""
    signs, placed = "", list[Placed]()
    for each in breath:
        if isinstance(each, str):
            signs = f"{signs.rstrip()}{each} "
            continue
        start = len(signs)
        signs += each.onset
        rhyme = len(signs)
        signs += each.rhyme
        placed.append(Placed(start, rhyme, len(signs), each))
        signs += " "
    return signs.rstrip(), placed


def timed(signs: str, placed: Sequence[Placed], proposed: Sequence[float]) -> list[float]:
    """Frames for the edge, each of ``signs``, and the edge; ``proposed`` has as many."""
    frames = [_lasting(*each) for each in zip(f" {signs}", signs, proposed[1:-1], strict=False)]
    for one in placed:
        rhyme = range(one.rhyme, one.end)
        drawn = [at for at in rhyme if signs[at] in _VOWELS] or [one.end - 1]
        missing = round(one.its.least - sum(frames[at] for at in rhyme))
        for number in range(missing):
            frames[drawn[number % len(drawn)]] += 1
    return [proposed[0], *frames, proposed[-1]]


def _lasting(before: str, sign: str, proposed: float) -> float:
    """Frames for a sign after another, where ``proposed`` were."""
    if sign.isspace():
        return min(proposed, MARK_FRAMES if before in _MARKS else GAP_FRAMES)
    if before.isspace() and sign in LONGER_FIRST:
        return min(round(proposed * LONGER), HELD_FRAMES)
    return min(proposed, MARK_FRAMES if sign in _MARKS else HELD_FRAMES)


def pitched(frames: Sequence[float], placed: Sequence[Placed], proposed: Sequence[float]) -> list[float]:
    """Hertz for each half frame; ``frames`` as `timed` gives them."""
    at = _starts(frames)
    points: list[tuple[float, float]] = []
    voiced = [hertz > VOICED_FROM_HZ for hertz in proposed]
    for one in placed:
        first, after = at[one.rhyme + 1], at[one.end + 1]
        fallen = FALL_SEMITONES * first / max(at[-1], 1)
        points += _points(one.its.contour, first + 1, max(after - 1, first + 2), fallen)
        sounds = _sounding(one, at)
        voiced[sounds] = [True] * len(voiced[sounds])
    heights = _smooth(_between(points, len(proposed)))
    told = (MIDDLE_HZ * 2 ** (height / 12) for height in heights)
    return [new if voice else old for new, voice, old in zip(told, voiced, proposed, strict=True)]


def strong(
    frames: Sequence[float], placed: Sequence[Placed], pitches: Sequence[float], proposed: Sequence[float]
) -> list[float]:
    """How strong each half frame is: no rhyme fades away; ``pitches`` as `pitched` gives them."""
    at, told = _starts(frames), list(proposed)
    with_voice = [strength for strength, hertz in zip(proposed, pitches, strict=True) if hertz > VOICED_FROM_HZ]
    if not with_voice:
        return told
    least = median(with_voice) - SOFTER_BY
    for one in placed:
        sounds = _sounding(one, at)
        told[sounds] = [max(strength, least) for strength in told[sounds]]
    return told


def _starts(frames: Sequence[float]) -> list[int]:
    """The half frame at which each of ``frames`` begins, and where the last one ends."""
    return [0, *(2 * frame for frame in accumulate(int(each) for each in frames))]


def _sounding(one: Placed, at: Sequence[int]) -> slice:
    """The half frames in which a rhyme has voice."""
    first, after = at[one.rhyme + 1], at[one.end + 1]
    return slice(first, max(first, after - _STOP_PITCHES if one.its.stopped else after))


def _points(contour: Sequence[float], first: float, last: float, fallen: float) -> list[tuple[float, float]]:
    """The contour's heights at even distances from ``first`` to ``last``."""
    step = (last - first) / (len(contour) - 1)
    return [(first + step * number, height - fallen) for number, height in enumerate(contour)]


def _between(points: Sequence[tuple[float, float]], length: int) -> list[float]:
    """A height for each place: on the straight lines between ``points``, level before the first and after the last."""
    heights, number = [], 0
    for place in range(length):
        while number < len(points) and points[number][0] <= place:
            number += 1
        (x, y), (u, v) = points[max(number - 1, 0)], points[min(number, len(points) - 1)]
        heights.append(y + (v - y) * (place - x) / (u - x) if number and u > x else y)
    return heights


def _smooth(heights: Sequence[float]) -> list[float]:
    """Each height with half of both its neighbours."""
    before, after = [heights[0], *heights[:-1]], [*heights[1:], heights[-1]]
    return [(one + 2 * two + three) / 4 for one, two, three in zip(before, heights, after, strict=True)]
