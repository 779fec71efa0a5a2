"""WAV files of speech on their way to mastering: checked and joined block by block, never whole in memory.

- Only `trim` holds a file whole: one part of at most a few hundred letters.
"""

from __future__ import annotations

import shutil
import sys
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

from controller.studio.voice import Trouble, VoiceError

_BLOCK_FRAMES = 1 << 16
_FASTEST, _SLOWEST = 45.0, 2.5  # letters and digits a second; speech beyond either is not this text
_SPARE_SECONDS = 4.0
_STEP, _SILENT_BELOW = 64, 104  # samples looked at together; −50 dBFS
_SENTENCE_MS, _BREATH_MS = 350, 60
_NO_ROOM_BYTES = 1 << 20  # espeak-ng ends with code 0 when it could not write


def duration_seconds(path: Path) -> float:
    """Seconds of sound in a WAV file. Raises wave.Error, EOFError, OSError on what is none."""
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def check_duration(path: Path, text: str, voice: str) -> None:
    """Raises VoiceError (temporary) unless ``path`` is a WAV file about as long as reading ``text`` takes."""
    try:
        seconds = duration_seconds(path)
    except (wave.Error, EOFError, OSError, ZeroDivisionError):
        seconds = -1.0
    heard = sum(char.isalnum() for char in text)
    plausible = heard / _FASTEST <= seconds <= heard / _SLOWEST + _SPARE_SECONDS
    if not plausible and shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES:
        raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=path.parent)
    if seconds < 0:
        raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice=voice)
    if not plausible:
        raise VoiceError(Trouble.TEMPORARY, "studio.implausible", voice=voice, seconds=f"{seconds:.1f}", letters=heard)


def pause_after_ms(part: str) -> int:
    """The silence after a part of a text, in milliseconds: a pause where a sentence ends, a breath where it is cut."""
    return _SENTENCE_MS if part.rstrip("\"'”’)]").endswith((".", "!", "?", "…")) else _BREATH_MS


def is_silent(path: Path) -> bool:
    """Whether a WAV file (mono, 16 bit) holds nothing louder than −50 dBFS."""
    with wave.open(str(path), "rb") as sound:
        while block := sound.readframes(_BLOCK_FRAMES):
            samples = array("h", block)
            if sys.byteorder == "big":
                samples.byteswap()
            if max(map(abs, samples)) > _SILENT_BELOW:
                return False
    return True


def join(pieces: Sequence[Path], target: Path, pauses_ms: Sequence[int]) -> Path:
    """``pieces`` (WAV files of one format, at least one) one after the other in ``target``; they are removed.

    ``pauses_ms`` are the silences between them, one less than there are pieces.
    """
    with wave.open(str(target), "wb") as out:
        for piece, pause_ms in zip(pieces, [0, *pauses_ms], strict=True):
            with wave.open(str(piece), "rb") as sound:
                if piece is pieces[0]:
                    out.setparams(sound.getparams())
                frames = sound.getframerate() * pause_ms // 1000
                out.writeframes(bytes(frames * sound.getsampwidth() * sound.getnchannels()))
                while block := sound.readframes(_BLOCK_FRAMES):
                    out.writeframes(block)
            piece.unlink()
    return target


def trim(path: Path, kept_ms: int) -> Path:
    """Takes silence off both ends of a short WAV file (mono, 16 bit), all but ``kept_ms``; silence stays as it is."""
    with wave.open(str(path), "rb") as sound:
        params = sound.getparams()
        samples = array("h", sound.readframes(params.nframes))
    if sys.byteorder == "big":
        samples.byteswap()
    loud = [at for at in range(0, len(samples), _STEP) if max(map(abs, samples[at : at + _STEP])) > _SILENT_BELOW]
    if loud:
        kept = params.framerate * kept_ms // 1000
        samples = samples[max(0, loud[0] - kept) : loud[-1] + _STEP + kept]
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as out:
        out.setparams(params)
        out.writeframes(samples.tobytes())
    return path
