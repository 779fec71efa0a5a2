"""The cage: what it costs to run a decoder where it can reach nothing, beside the same program run freely.

- The same ffmpeg over the same half minute of sound, in turns; and a program that does nothing, which is all walls.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cage
from bench.results import Figure, Measurement, spread
from cage import Cage
from words import Said

ROUNDS, QUICK_ROUNDS = 30, 2
SECONDS_OF_SOUND = 30
LIMIT_SECONDS = 60.0


class NotHere(Said):
    """A program that this measurement needs is not installed."""


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises Said where there is no ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise NotHere("bench.no_program", program="ffmpeg")
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder = Path(name)
        made, out = folder / "sound.flac", folder / "out"
        out.mkdir()
        tone = f"sine=frequency=440:duration={SECONDS_OF_SOUND}"
        subprocess.run([program, "-v", "error", "-f", "lavfi", "-i", tone, str(made)], check=True)
        decode = [program, "-v", "error", "-y", "-i", str(made), str(out / "sound.wav")]
        rounds = QUICK_ROUNDS if quick else ROUNDS
        figures = _compared("half a minute decoded", decode, Cage((made,), out), rounds)
        figures += _compared("a program that does nothing", ["/bin/true"], Cage((), out), rounds)
    return Measurement("cage", tuple(figures), (f"walls: {cage.protection().level}",))


def _compared(what: str, command: list[str], place: Cage, rounds: int) -> list[Figure]:
    """``command`` free and caged, in turns, in wall-clock milliseconds."""
    free: list[float] = []
    caged: list[float] = []
    for _ in range(rounds):
        free.append(_ms(lambda: subprocess.run(command, check=True, stdin=subprocess.DEVNULL)))
        caged.append(_ms(lambda: _ended_well(command, place)))
    ratio = statistics.median(one / other for one, other in zip(caged, free, strict=True))
    return [
        *spread(f"{what}, free", free, "ms"),
        *spread(f"{what}, caged", caged, "ms"),
        Figure(f"{what}, caged × free, median of neighbouring rounds", ratio, "×"),
    ]


def _ended_well(command: list[str], place: Cage) -> None:
    ended = cage.run(command, LIMIT_SECONDS, place)
    assert ended.code == 0, ended


def _ms(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return (time.monotonic() - began) * 1000
