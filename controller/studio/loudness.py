"""The meter and the encoders: ffmpeg over files, in the cage. EBU R 128 (ITU-R BS.1770), true peak, Opus, MP3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cage
from cage import Bounds, Cage
from controller.studio import programs

LIMIT_SECONDS = 900.0
SILENT_LUFS = -60.0
METER = "ebur128=framelog=verbose"
_QUIET = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-threads", "1", "-filter_threads", "1", "-y"]
_SAFE = ["-protocol_whitelist", "file", "-format_whitelist", "wav,ogg,flac,mp3"]
_BOUNDS = Bounds(cpu_seconds=round(LIMIT_SECONDS), file_bytes=4 << 30)
_LUFS = re.compile(r"I:\s+(-?[\d.]+|-inf) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf) dBFS")
_EXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
_OPUS = ["-c:a", "libopus", "-b:a", "32k", "-vbr", "constrained", "-compression_level", "5", "-application", "audio"]
_MP3 = ["-c:a", "libmp3lame", "-b:a", "64k", "-ar", "44100", "-id3v2_version", "0"]


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


def measure_speech(speech: Path) -> Measured:
    """Loudness of a WAV of speech, however short, brought to one channel."""
    chain = f"{mono_48k()},apad=whole_dur=1,{METER}"
    return read(run(["-i", str(speech), "-af", chain, "-f", "null", "-"], speech.parent))


def measure(recording: Path) -> Measured:
    """Loudness and true peak of a finished recording, as decoded."""
    return read(run(["-i", str(recording), "-af", f"{METER}:peak=true", "-f", "null", "-"], recording.parent))


def mono_48k() -> str:
    """The filter that brings any sound to what mastering works in."""
    return "aresample=48000,aformat=sample_fmts=flt:channel_layouts=mono"


def limited(gain_db: float, ceiling_dbfs: float) -> str:
    """The filter that makes sound ``gain_db`` louder, with no sample above ``ceiling_dbfs``."""
    return f"volume={gain_db:.2f}dB,alimiter=limit={10 ** (ceiling_dbfs / 20):.5f}:attack=4:release=80:level=0"


def encode_opus(source: Path, target: Path) -> None:
    """Writes ``source`` as Opus in Ogg, 32 kbit/s, byte for byte the same each time."""
    run(["-i", str(source), *_OPUS, *_EXACT, "-f", "ogg", str(target)], target.parent)


def encode_mp3(source: Path, target: Path, gain_db: float, ceiling_dbfs: float) -> None:
    """Writes ``source`` as MP3, 64 kbit/s at 44.1 kHz, byte for byte the same each time."""
    chain = ["-af", limited(gain_db, ceiling_dbfs)]
    run(["-i", str(source), *chain, *_MP3, *_EXACT, "-f", "mp3", str(target)], target.parent)


def run(arguments: list[str], folder: Path) -> str:
    """What ffmpeg says of ``arguments``; ``folder`` is where it writes. Raises FfmpegFailed."""
    try:
        ended = cage.run([*_QUIET, *_guarded(arguments)], LIMIT_SECONDS, Cage(_inputs(arguments), folder, _BOUNDS))
    except cage.NotInstalled:
        raise FfmpegFailed("studio.ffmpeg_missing") from None
    except cage.Hung:
        raise FfmpegFailed("studio.mastering_hung", seconds=f"{LIMIT_SECONDS:g}") from None
    if programs.names_full_disk(ended.said):
        raise FfmpegFailed("studio.disk_full", folder=folder)
    if ended.code != 0:
        raise FfmpegFailed("studio.mastering_failed", detail=" ".join(ended.said.strip().splitlines()[-1:]))
    return ended.said


def _inputs(arguments: list[str]) -> tuple[Path, ...]:
    return tuple(Path(name) for flag, name in pairwise(arguments) if flag == "-i")


def _guarded(arguments: list[str]) -> list[str]:
    """Each input as a file of sound and nothing else: what lies there may have been made by a stranger's file."""
    guarded: list[str] = []
    for before, argument in pairwise(["", *arguments]):
        if argument == "-i":
            guarded += _SAFE
        guarded.append(f"file:{argument}" if before == "-i" else argument)
    return guarded


def read(said: str) -> Measured:
    """What the meter printed last. Raises FfmpegFailed where it printed nothing."""
    lufs, peaks = _LUFS.findall(said), _PEAK.findall(said)
    if not lufs:
        raise FfmpegFailed("studio.mastering_failed", detail="ebur128")
    return Measured(float(lufs[-1]), float(peaks[-1]) if peaks else 0.0)
