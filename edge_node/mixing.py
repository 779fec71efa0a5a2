"""Mixing: siren and speech become one file that any player sounds, as loud as what the station makes.

- Speech is brought to −16 LUFS (ITU-R BS.1770, mono, gated) and rounded off below −2 dBFS: loud, and no true peak
  above −1 dBTP. The siren comes from the station at that loudness and is left as it is.
- Streams from file to file; only the first minute of the speech is held, to be measured.
- Where the audio libraries are not installed (a node that keeps time only) the speech is left as it came.
"""

from __future__ import annotations

import importlib.util
import math
import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_node.players.decoding import BadAudio, Source
from edge_node.players.player import RATE

TARGET_LUFS = -16.0
MOST_SECONDS = 300  # of one file, whatever the text says
TWICE_BELOW_SECONDS = 90  # a text that is shorter is heard twice, as an emergency from the station is
GAP_SECONDS = 1.5
DRILL_BEEPS = 5
_KNEE, _CEILING = 10 ** (-8 / 20), 10 ** (-2 / 20)
_MEASURED_SECONDS = 60
_MOST_GAIN_DB = 30.0


@dataclass(frozen=True)
class Mixed:
    """The finished file: its length, and whether the words are in it to their end."""

    path: Path
    duration_ms: int
    complete: bool = True


def mix(speech: Path, siren: Path | None, drill: bool, target: Path) -> Mixed:
    """Siren (or, in a drill, beeps that are no siren), then the speech, twice if it is short, durably in ``target``.

    Raises BadAudio for speech that is none, OSError when the disk refuses.
    """
    if any(importlib.util.find_spec(library) is None for library in ("numpy", "soundfile")):
        return _as_it_came(speech, target)
    aside, samples = target.with_suffix(".new"), 0
    most = MOST_SECONDS * RATE
    try:
        with wave.open(str(aside), "wb") as out:
            out.setparams((1, 2, RATE, 0, "NONE", ""))
            for block in _blocks(speech, siren, drill):
                kept = block[: most - samples]
                out.writeframes(kept.astype("<i2").tobytes())
                samples += len(kept)
                if samples >= most:
                    break
        _settle(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return Mixed(target, samples * 1000 // RATE, complete=samples < most)


def _blocks(speech: Path, siren: Path | None, drill: bool) -> Iterator[Any]:
    import numpy as np

    gap = np.zeros(int(GAP_SECONDS * RATE), np.int16)
    if drill:
        yield _beeps()
    elif siren is not None:
        yield from _attention(siren)
        yield gap[: len(gap) // 3]
    measured = np.concatenate([np.zeros(0, np.int16), *_read(speech, _MEASURED_SECONDS)])
    gain = 10 ** (min(TARGET_LUFS - loudness(measured), _MOST_GAIN_DB) / 20)
    for _ in range(2 if _is_short(speech) else 1):
        for block in _read(speech):
            yield _rounded(block, gain)
        yield gap


def _attention(siren: Path) -> Iterator[Any]:
    """The siren; one that cannot be decoded is left out: the words matter more."""
    try:
        yield from _read(siren)
    except BadAudio:
        return


def _read(path: Path, most_seconds: int = MOST_SECONDS) -> Iterator[Any]:
    source, left = Source(path), most_seconds
    try:
        while left > 0 and len(block := source.read(RATE)):
            left -= 1
            yield block
    finally:
        source.close()


def _is_short(speech: Path) -> bool:
    with wave.open(str(speech), "rb") as sound:
        return sound.getnframes() < TWICE_BELOW_SECONDS * sound.getframerate()


def _beeps() -> Any:
    """A row of short low beeps: nobody takes that for an emergency."""
    import numpy as np

    tone = 0.16 * np.sin(2 * np.pi * 440 * np.arange(RATE * 15 // 100) / RATE)
    one = np.concatenate([tone, np.zeros(RATE * 45 // 100)])
    return (np.tile(one, DRILL_BEEPS) * 32767).astype(np.int16)


def loudness(samples: Any) -> float:
    """Integrated loudness of int16 samples at 48 kHz, mono, in LUFS (ITU-R BS.1770-4); −70 for silence."""
    import numpy as np

    hop, block = RATE // 10, RATE * 4 // 10
    if len(samples) < block:
        samples = np.concatenate([samples, np.zeros(block - len(samples), np.int16)])
    spectrum = np.fft.rfft(samples / 32768.0) * _weighting(len(samples))
    squares = np.square(np.fft.irfft(spectrum, len(samples)))
    sums = np.add.reduceat(squares, np.arange(0, len(squares) - len(squares) % hop, hop))
    power = np.convolve(sums, np.ones(4), "valid") / block
    power = power[power > _power(-70.0)]
    if not len(power):
        return -70.0
    gated = power[power > power.mean() / 10]
    return float(-0.691 + 10 * math.log10(gated.mean()))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _weighting(samples: int) -> Any:
    """How BS.1770 weighs each frequency: two filters, as it gives them for 48 kHz."""
    import numpy as np

    z = np.exp(-2j * np.pi * np.arange(samples // 2 + 1) / samples)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return shelf * high_pass


def _rounded(block: Any, gain: float) -> Any:
    """Louder by ``gain``; what is above the knee bends towards the ceiling and never reaches it."""
    import numpy as np

    loud = block / 32768.0 * gain
    over = np.abs(loud) - _KNEE
    room = _CEILING - _KNEE
    bent = np.sign(loud) * (_KNEE + room * np.tanh(np.maximum(over, 0) / room))
    return np.rint(np.where(over > 0, bent, loud) * 32767).astype(np.int16)


def _as_it_came(speech: Path, target: Path) -> Mixed:
    try:
        with wave.open(str(speech), "rb") as sound:
            duration_ms = sound.getnframes() * 1000 // sound.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError) as wrong:
        raise BadAudio(str(wrong)) from None
    _settle(speech, target)
    return Mixed(target, duration_ms)


def _settle(path: Path, target: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.replace(target)
