"""The tone that tries a loudspeaker out: low, middle and high notes, so that an ear hears which part of it is silent.

- Pure but for the file; a few hundred kilobytes, the same bytes every time.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from pathlib import Path

RATE = 48_000
NOTES = ((250, 0.8), (0, 0.2), (1000, 0.8), (0, 0.2), (3000, 0.8))  # Hz (0: silence), seconds
PEAK = 0.25  # of full scale: −12 dBFS; mastering brings it to the loudness of every bulletin
FADE_SECONDS = 0.02  # at both ends of a note, so that nothing clicks


def write(target: Path) -> Path:
    """The tone as a WAV file (mono, 16 bit, 48 kHz) at ``target``. Raises OSError."""
    samples = array("h", (value for hertz, seconds in NOTES for value in note(hertz, seconds)))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(target), "wb") as sound:
        sound.setparams((1, 2, RATE, len(samples), "NONE", ""))
        sound.writeframes(samples.tobytes())
    return target


def note(hertz: int, seconds: float) -> list[int]:
    """One note as samples of 16 bits. It dies away like a bell: an even tone would seem a clipped recording."""
    count, fade = round(seconds * RATE), round(FADE_SECONDS * RATE)
    if not hertz:
        return [0] * count
    step = 2 * math.pi * hertz / RATE

    def height(at: int) -> float:
        return PEAK * 32767 * math.exp(-at / count) * min(1.0, at / fade, (count - 1 - at) / fade)

    return [round(height(at) * math.sin(step * at)) for at in range(count)]
