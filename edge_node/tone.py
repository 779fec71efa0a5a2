"""The test tone: heard under the pole, it proves device, amplifier and cable without a station.

- It goes the way that announcements go, through the player that the settings name.
- A running node holds its device: then nothing is played, and that is said.
"""

from __future__ import annotations

import math
import tempfile
import threading
import wave
from array import array
from datetime import timedelta
from pathlib import Path

from edge_node import disk, radio
from edge_node.players.player import FADE_MS, RATE, Player, Progress, Take
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from wire.errors import Reason
from words import Said

PITCH_HZ = 880.0
LEAD = timedelta(seconds=1)  # for the device to open
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 15.0  # past the tone's own length
MOST_SECONDS, LOUDEST_DBFS, SOFTEST_DBFS = 30, -6, -60


class ToneError(Said):
    """Why nothing was heard."""


def sound(settings: Settings, seconds: int, dbfs: int) -> str:
    """Play ``seconds`` of a tone whose peak is ``dbfs`` below full scale; on which device. Raises ToneError."""
    if settings.player == "null":
        raise ToneError("node.tone_nothing")
    with disk.held(settings.state_dir / radio.RUNNING) as mine, tempfile.TemporaryDirectory() as folder:
        if not mine:
            raise ToneError("node.tone_running")
        clock = radio.wallclock(settings)
        try:
            player = radio.player(settings, clock)
        except ModuleNotFoundError as missing:
            raise ToneError("node.tone_library", name=missing.name or "") from missing
        try:
            return _play(player, _written(Path(folder) / "tone.wav", seconds, dbfs), seconds, clock)
        finally:
            player.close()


def _play(player: Player, file: Path, seconds: int, clock: Wallclock) -> str:
    player.prime(Take("tone", file, clock.now() + LEAD, duration_ms=seconds * 1000))
    until = clock.monotonic() + seconds + PATIENCE_SECONDS
    progress: Progress | None = None
    idle = threading.Event()
    while clock.monotonic() < until:
        progress = player.progress()
        if progress is not None and (
            progress.finished or (progress.failed and progress.failed is not Reason.AUDIO_DEVICE)
        ):
            break
        idle.wait(LOOK_SECONDS)
    if progress is None or not progress.finished:
        why = progress.failed if progress is not None and progress.failed else "audio_device"
        raise ToneError("node.tone_failed", device=player.device, why=why)
    return player.device


def _written(path: Path, seconds: int, dbfs: int) -> Path:
    """A sine with soft ends as WAV, mono, 16 bit."""
    loud, count, soft = 32767 * 10 ** (dbfs / 20), seconds * RATE, FADE_MS * RATE // 1000
    samples = array("h", bytes(2 * count))
    for at in range(count):
        ramp = min(1.0, at / soft, (count - 1 - at) / soft)
        samples[at] = int(loud * ramp * math.sin(2 * math.pi * PITCH_HZ * at / RATE))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return path
