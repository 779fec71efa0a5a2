"""Mastering: tones, speech and gaps become one recording at broadcast loudness. The one door to pydub.

- Loudness −16 LUFS ± 0.5 (EBU R 128 meter, whole recording), true peak ≤ −1 dBTP, measured on the *encoded* file.
- Opus in Ogg, 48 kHz, mono, 32 kbit/s, and on demand MP3; the same input gives the same bytes (no time, no random
  serial, one thread), and the Opus does not depend on whether an MP3 was asked for.
- Linear gain and a limiter do it, corrected by measurement: first of the plain programme, then of the encoded file.
- Speech streams through ffmpeg from file to file; pydub holds tones and the edges of the speech, seconds only.
"""

from __future__ import annotations

import warnings
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.studio import loudness
from controller.studio.loudness import FfmpegFailed, Measured
from controller.studio.ogg import duration_ms
from controller.studio.programme import Piece, Programme, put_together
from controller.studio.style import Style
from controller.studio.tones import Notes
from words import Said

with warnings.catch_warnings():  # pydub 0.25 warns of audioop, of its own escapes and of an absent ffmpeg
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.generators import Sine
    from pydub.silence import detect_leading_silence

TARGET_LUFS, TOLERANCE_LU, MOST_PEAK_DBTP = -16.0, 0.5, -1.0
OPUS, MP3 = "audio/ogg", "audio/mpeg"
_RATE = 48_000
_TONE_DBFS = -16.0  # a sine at this peak is about −19 LUFS: clear, and not louder than the words
_LEAD_IN_DBFS = -36.0  # heard by an amplifier that waits for sound, hardly by people
_FADE_MS = 12
_EDGE_SECONDS = 10
_SILENCE_DBFS = -50.0
_SILENCE_BELOW_SPEECH_DB = 34.0
_KEPT_MS = 60
_CEILING_DBFS = -3.5  # the codec overshoots what the limiter left by up to 2 dB
_LOWEST_CEILING_DBFS = -14.0
_CODEC_LOSS_LU = 0.2
_CLOSE_LU = 0.15
_ROUNDS = 6


class MasteringError(Said):
    """The recording could not be finished."""


@dataclass(frozen=True, slots=True)
class Mastered:
    """A finished file: its length in ms, and loudness (LUFS) and true peak (dBTP) as measured on it."""

    path: Path
    media_type: str
    duration_ms: int
    lufs: float
    peak_dbtp: float


@dataclass(frozen=True, slots=True)
class Score:
    """What is to be mastered: notes before and after, and (WAV file, milliseconds of gap after it) in order."""

    attention: Notes
    speech: Sequence[tuple[Path, int]]
    closing: Notes


def master(score: Score, style: Style, work_dir: Path, also_mp3: bool = False) -> list[Mastered]:
    """The finished Opus and, if asked for, the same as MP3, in ``work_dir``. Raises MasteringError."""
    try:
        tone = _write(_lead_in(score.attention, style.lead_in_ms) + _sound(score.attention), work_dir / "tone.wav")
        closing = _write(_sound(score.closing), work_dir / "closing.wav")
        programme = Programme(tone, _pieces(score.speech), closing, style.filters)
        opus = _finish(programme, work_dir)
        return [opus, _as_mp3(opus, work_dir)] if also_mp3 else [opus]
    except FfmpegFailed as failed:
        raise MasteringError(failed.key, **failed.facts) from None
    except (wave.Error, EOFError) as error:
        raise MasteringError("studio.mastering_failed", detail=error) from None


def _pieces(speech: Sequence[tuple[Path, int]]) -> list[Piece]:
    known: dict[Path, tuple[float, float, float]] = {}
    for wav, _ in speech:
        if wav not in known:
            lufs = loudness.measure_speech(wav).lufs
            begin, end = _edges(wav, lufs)
            if begin >= end or lufs <= loudness.SILENT_LUFS:
                raise MasteringError("studio.silent")
            known[wav] = begin, end, TARGET_LUFS - lufs
    return [Piece(wav, *known[wav], gap_ms) for wav, gap_ms in speech]


def _finish(programme: Programme, work_dir: Path) -> Mastered:
    plain, finished = work_dir / "programme.wav", work_dir / "finished.opus"
    gain = 0.0

    def render(aim: float, ceiling: float) -> None:
        nonlocal gain
        for _ in range(_ROUNDS):
            measured = put_together(programme, gain, ceiling, plain)
            if abs(measured.lufs - aim) <= _CLOSE_LU:
                break
            gain += aim - measured.lufs
        loudness.encode_opus(plain, finished)

    measured = _until_right(render, finished)
    return Mastered(finished, OPUS, duration_ms(finished), measured.lufs, measured.peak_dbtp)


def _as_mp3(opus: Mastered, work_dir: Path) -> Mastered:
    plain, finished = work_dir / "programme.wav", work_dir / "finished.mp3"
    lufs = loudness.measure(plain).lufs
    gain = 0.0

    def render(aim: float, ceiling: float) -> None:
        nonlocal gain
        gain = aim - lufs
        loudness.encode_mp3(plain, finished, gain, ceiling)

    measured = _until_right(render, finished)
    return Mastered(finished, MP3, opus.duration_ms, measured.lufs, measured.peak_dbtp)


def _until_right(render: Callable[[float, float], None], finished: Path) -> Measured:
    """``render(aim in LUFS, ceiling in dBFS)`` until ``finished`` measures right."""
    aim, ceiling = TARGET_LUFS + _CODEC_LOSS_LU, _CEILING_DBFS
    measured = Measured(0.0)
    for _ in range(_ROUNDS):
        render(aim, ceiling)
        measured = loudness.measure(finished)
        loud_enough = abs(measured.lufs - TARGET_LUFS) <= TOLERANCE_LU - 0.1
        if loud_enough and measured.peak_dbtp <= MOST_PEAK_DBTP:
            return measured
        aim += TARGET_LUFS - measured.lufs
        ceiling = max(_LOWEST_CEILING_DBFS, ceiling - max(0.0, measured.peak_dbtp - MOST_PEAK_DBTP + 0.3))
    raise MasteringError("studio.unreachable_loudness", lufs=measured.lufs, peak=measured.peak_dbtp)


def _edges(speech: Path, lufs: float) -> tuple[float, float]:
    """Where in ``speech`` (seconds) sound begins and ends, silence at both ends left out."""
    silence = min(_SILENCE_DBFS, lufs - _SILENCE_BELOW_SPEECH_DB)
    with wave.open(str(speech), "rb") as sound:
        rate, frames = sound.getframerate(), sound.getnframes()
        span = min(frames, _EDGE_SECONDS * rate)
        head = _segment(sound, span)
        sound.setpos(frames - span)
        tail = _segment(sound, span)
    begin = max(0, detect_leading_silence(head, silence) - _KEPT_MS) / 1000
    end = frames / rate - max(0, detect_leading_silence(tail.reverse(), silence) - _KEPT_MS) / 1000
    return begin, end


def _segment(sound: wave.Wave_read, frames: int) -> AudioSegment:
    return AudioSegment(
        data=sound.readframes(frames),
        sample_width=sound.getsampwidth(),
        frame_rate=sound.getframerate(),
        channels=sound.getnchannels(),
    )


def _lead_in(notes: Notes, milliseconds: int) -> AudioSegment:
    """The first note, softly, swelling: it wakes the amplifier and startles nobody."""
    swell = Sine(notes[0][0], sample_rate=_RATE).to_audio_segment(duration=milliseconds, volume=_LEAD_IN_DBFS)
    return swell.fade_in(milliseconds // 2).fade_out(_FADE_MS) if milliseconds else _silence(0)


def _sound(notes: Notes) -> AudioSegment:
    tone = _silence(0)
    for hertz, milliseconds in notes:
        tone += _note(hertz, milliseconds)
    return tone


def _note(hertz: int, milliseconds: int) -> AudioSegment:
    if not hertz:
        return _silence(milliseconds)
    note = Sine(hertz, sample_rate=_RATE).to_audio_segment(duration=milliseconds, volume=_TONE_DBFS)
    return note.fade_in(_FADE_MS).fade_out(_FADE_MS)


def _silence(milliseconds: int) -> AudioSegment:
    return AudioSegment.silent(duration=milliseconds, frame_rate=_RATE)


def _write(sound: AudioSegment, target: Path) -> Path:
    """The sound as a WAV file, 48 kHz mono."""
    sound.export(str(target), format="wav").close()
    return target
