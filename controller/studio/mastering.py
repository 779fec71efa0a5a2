"""Mastering: tone, speech and closing become one recording at broadcast loudness. The one door to pydub.

- Loudness −16 LUFS ± 0.5 (EBU R 128 meter, whole recording), true peak ≤ −1 dBTP, measured on the *encoded* file.
- Opus in Ogg, 48 kHz, mono, 32 kbit/s; the same input gives the same bytes (no time, no random serial, one thread).
- Linear gain and a limiter do it, corrected by measurement: first of the plain programme, then of the encoded file.
- Speech streams through ffmpeg from file to file; pydub holds tones and the edges of the speech, seconds only.
"""

from __future__ import annotations

import warnings
import wave
from dataclasses import dataclass
from pathlib import Path

from controller.studio import loudness
from controller.studio.loudness import FfmpegFailed, Measured, Programme
from controller.studio.ogg import duration_ms
from controller.studio.tones import ATTENTION, CLOSING, DRILL, Notes
from wire.plan import BulletinClass
from words import Said

with warnings.catch_warnings():  # pydub 0.25 warns of audioop, of its own escapes and of an absent ffmpeg
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.generators import Sine
    from pydub.silence import detect_leading_silence

TARGET_LUFS, TOLERANCE_LU, MOST_PEAK_DBTP = -16.0, 0.5, -1.0
MEDIA_TYPE = "audio/ogg"
_RATE = 48_000
_TONE_DBFS = -16.0  # a sine at this peak is about −19 LUFS: clear, and not louder than the words
_FADE_MS = 12
_EDGE_SECONDS = 10
_SILENCE_DBFS = -50.0
_KEPT_MS = 60
_CEILING_DBFS = -3.5  # the codec overshoots what the limiter left by up to 2 dB
_CODEC_LOSS_LU = 0.2
_CLOSE_LU = 0.15
_ROUNDS = 4


class MasteringError(Said):
    """The recording could not be finished."""


@dataclass(frozen=True, slots=True)
class Mastered:
    """A finished file: its length in ms, and loudness (LUFS) and true peak (dBTP) as measured on it."""

    path: Path
    duration_ms: int
    lufs: float
    peak_dbtp: float


def master(speech: Path, bulletin_class: BulletinClass, drill: bool, work_dir: Path) -> Mastered:
    """Finishes ``speech`` (WAV, mono, 16 bit) with its tones, in ``work_dir``. Raises MasteringError."""
    try:
        begin, end = _edges(speech)
        tone = _write(DRILL if drill else ATTENTION[bulletin_class], work_dir / "tone.wav")
        closing = _write(CLOSING, work_dir / "closing.wav")
        spoken = loudness.measure_speech(speech)
        if begin >= end or spoken.lufs <= loudness.SILENT_LUFS:
            raise MasteringError("studio.silent")
        return _finish(Programme(tone, speech, closing, begin, end, TARGET_LUFS - spoken.lufs), work_dir)
    except FfmpegFailed as failed:
        raise MasteringError(failed.key, **failed.facts) from None
    except (wave.Error, EOFError) as error:
        raise MasteringError("studio.mastering_failed", detail=error) from None


def _finish(programme: Programme, work_dir: Path) -> Mastered:
    ceiling, aim = _CEILING_DBFS, TARGET_LUFS + _CODEC_LOSS_LU
    gain = 0.0
    finished = work_dir / "finished.opus"
    measured = Measured(0.0)
    for _ in range(_ROUNDS):
        gain = _reach(aim, ceiling, gain, programme, work_dir / "programme.wav")
        loudness.encode(work_dir / "programme.wav", finished)
        measured = loudness.measure(finished)
        loud_enough = abs(measured.lufs - TARGET_LUFS) <= TOLERANCE_LU - 0.1
        if loud_enough and measured.peak_dbtp <= MOST_PEAK_DBTP:
            return Mastered(finished, duration_ms(finished), measured.lufs, measured.peak_dbtp)
        aim += TARGET_LUFS - measured.lufs
        ceiling -= max(0.0, measured.peak_dbtp - MOST_PEAK_DBTP + 0.3)
    raise MasteringError("studio.unreachable_loudness", lufs=measured.lufs, peak=measured.peak_dbtp)


def _reach(aim: float, ceiling: float, gain: float, programme: Programme, target: Path) -> float:
    """Writes the programme at the loudness ``aim`` and returns the gain that did it."""
    for _ in range(_ROUNDS):
        measured = loudness.put_together(programme, gain, ceiling, target)
        if abs(measured.lufs - aim) <= _CLOSE_LU:
            break
        gain += aim - measured.lufs
    return gain


def _edges(speech: Path) -> tuple[float, float]:
    """Where in ``speech`` (seconds) sound begins and ends, silence at both ends left out."""
    with wave.open(str(speech), "rb") as sound:
        rate, frames = sound.getframerate(), sound.getnframes()
        span = min(frames, _EDGE_SECONDS * rate)
        head = _segment(sound, span)
        sound.setpos(frames - span)
        tail = _segment(sound, span)
    begin = max(0, detect_leading_silence(head, _SILENCE_DBFS) - _KEPT_MS) / 1000
    end = frames / rate - max(0, detect_leading_silence(tail.reverse(), _SILENCE_DBFS) - _KEPT_MS) / 1000
    return begin, end


def _segment(sound: wave.Wave_read, frames: int) -> AudioSegment:
    return AudioSegment(
        data=sound.readframes(frames),
        sample_width=sound.getsampwidth(),
        frame_rate=sound.getframerate(),
        channels=sound.getnchannels(),
    )


def _write(notes: Notes, target: Path) -> Path:
    """The notes as a WAV file, 48 kHz mono."""
    tone = AudioSegment.silent(duration=0, frame_rate=_RATE)
    for hertz, milliseconds in notes:
        tone += _note(hertz, milliseconds)
    tone.export(str(target), format="wav").close()
    return target


def _note(hertz: int, milliseconds: int) -> AudioSegment:
    if not hertz:
        return AudioSegment.silent(duration=milliseconds, frame_rate=_RATE)
    note = Sine(hertz, sample_rate=_RATE).to_audio_segment(duration=milliseconds, volume=_TONE_DBFS)
    return note.fade_in(_FADE_MS).fade_out(_FADE_MS)
