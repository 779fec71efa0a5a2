"""The ffmpeg side of mastering: put together, limit, measure (EBU R 128), encode. Files in, files out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from controller.studio import programs

LIMIT_SECONDS = 600.0
SILENT_LUFS = -60.0
_QUIET = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-threads", "1", "-filter_threads", "1", "-y"]
_METER = "ebur128=framelog=verbose"
_LUFS = re.compile(r"I:\s+(-?[\d.]+|-inf) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf) dBFS")


class FfmpegFailed(Exception):
    """ffmpeg did not do it; ``key`` and ``facts`` make the sentence."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


@dataclass(frozen=True, slots=True)
class Measured:
    """Integrated loudness in LUFS and true peak in dBTP (0 where it was not asked for)."""

    lufs: float
    peak_dbtp: float = 0.0


@dataclass(frozen=True, slots=True)
class Programme:
    """What is put together: tone, the seconds ``begin``–``end`` of the speech, closing (WAV files)."""

    tone: Path
    speech: Path
    closing: Path
    begin: float
    end: float
    speech_gain_db: float = 0.0


def measure_speech(speech: Path) -> Measured:
    """Loudness of a WAV of speech, however short."""
    return _read(_run(["-i", str(speech), "-af", f"apad=whole_dur=1,{_METER}", "-f", "null", "-"], speech.parent))


def measure(recording: Path) -> Measured:
    """Loudness and true peak of a finished recording, as decoded."""
    return _read(_run(["-i", str(recording), "-af", f"{_METER}:peak=true", "-f", "null", "-"], recording.parent))


def put_together(programme: Programme, gain_db: float, ceiling_dbfs: float, target: Path) -> Measured:
    """Writes the programme, ``gain_db`` louder and limited to ``ceiling_dbfs``, as 48 kHz mono WAV; its loudness."""
    speech = (
        f"[1:a]atrim=start={programme.begin:.3f}:end={programme.end:.3f},asetpts=PTS-STARTPTS,"
        f"volume={programme.speech_gain_db:.2f}dB,aresample=48000,aformat=sample_fmts=flt:channel_layouts=mono[speech]"
    )
    limiter = f"alimiter=limit={10 ** (ceiling_dbfs / 20):.5f}:attack=4:release=80:level=0"
    both = f"[0:a]aformat=sample_fmts=flt[tone];[2:a]aformat=sample_fmts=flt[closing];{speech}"
    chain = f"[tone][speech][closing]concat=n=3:v=0:a=1,volume={gain_db:.2f}dB,{limiter},{_METER}[out]"
    inputs = [arg for path in (programme.tone, programme.speech, programme.closing) for arg in ("-i", str(path))]
    output = ["-map", "[out]", "-c:a", "pcm_s16le", "-ar", "48000", str(target)]
    return _read(_run([*inputs, "-filter_complex", f"{both};{chain}", *output], target.parent))


def encode(source: Path, target: Path) -> None:
    """Writes ``source`` as Opus in Ogg, 32 kbit/s, byte for byte the same each time."""
    opus = ["-c:a", "libopus", "-b:a", "32k", "-vbr", "constrained", "-compression_level", "5", "-application", "audio"]
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "ogg"]
    _run(["-i", str(source), *opus, *exact, str(target)], target.parent)


def _run(arguments: list[str], folder: Path) -> str:
    try:
        ended = programs.run([*_QUIET, *arguments], LIMIT_SECONDS)
    except programs.NotInstalled:
        raise FfmpegFailed("studio.ffmpeg_missing") from None
    except programs.Hung:
        raise FfmpegFailed("studio.mastering_hung", seconds=f"{LIMIT_SECONDS:g}") from None
    if programs.names_full_disk(ended.said):
        raise FfmpegFailed("studio.disk_full", folder=folder)
    if ended.code != 0:
        raise FfmpegFailed("studio.mastering_failed", detail=ended.said.strip().splitlines()[-1:])
    return ended.said


def _read(said: str) -> Measured:
    lufs, peaks = _LUFS.findall(said), _PEAK.findall(said)
    if not lufs:
        raise FfmpegFailed("studio.mastering_failed", detail="ebur128")
    return Measured(float(lufs[-1]), float(peaks[-1]) if peaks else 0.0)
