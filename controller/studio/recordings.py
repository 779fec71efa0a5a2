"""Recordings of people: an upload is admitted as an announcement, or refused with a reason.

- A stranger's file is read by ffprobe and ffmpeg only, each in the cage, where there is
  this one file and no network; they know the formats and codecs of `FORMATS` and `CODECS` alone.
- What a file says of its length is not believed: what was decoded counts, and decoding stops where it is too long.
- Admitted, it is a WAV of 48 kHz, mono, 16 bit, and its loudness is known. Nothing of the upload itself is kept.
"""

from __future__ import annotations

import json
import re
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cage
from cage import Bounds, Cage, Ended
from controller.studio import intact, loudness, programs
from words import Said

FORMATS = "wav,mp3,ogg,flac,matroska,mov,aac"
CODECS = (
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_u8,pcm_alaw,pcm_mulaw,"
    "mp3,mp3float,opus,libopus,vorbis,flac,aac,aac_fixed,alac,"
    "mjpeg,png"  # the picture on a sleeve: looked at, never decoded
)
MOST_CLIPPED_SHARE = 0.005  # of all samples at the highest step; a loud studio recording stays below 0.001
MOST_CHANNELS, RATES = 8, range(8_000, 192_001)
_QUIETEST_PEAK_DBFS = -30.0  # below, many samples share the highest step without being clipped
_LEAST_FLAT_DB = 6.0  # a clipped wave stays there, a clear tone touches it once a turn (0); -inf: it never leaves it
_LOST_SECONDS, _LOST_SHARE = 0.25, 0.03  # what may be missing at the end before a file counts as cut off
_PROBING = Bounds(memory_bytes=1 << 30, cpu_seconds=60, file_bytes=0, answer_bytes=1 << 20)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_INPUT = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-codec_whitelist", CODECS]
_STATISTICS = re.compile(r"(Peak level dB|Peak count|Flat factor|Number of samples): (-?[\d.]+|-?inf|nan)")


class RecordingError(Said):
    """An upload that is refused. ``key`` is the reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is admitted: seconds of sound, bytes of file; ``work_seconds`` is how long each step may take."""

    least_seconds: float = 0.5
    most_seconds: float = 3600.0
    most_bytes: int = 200 * 1024 * 1024
    work_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Recording:
    """An upload that was admitted: a WAV file, its length in seconds, loudness in LUFS, language (BCP 47)."""

    wav: Path
    seconds: float
    lufs: float
    language: str = "vi"


def admit(upload: Path, folder: Path, limits: Limits | None = None, language: str = "vi") -> Recording:
    """The upload as ``recording.wav`` in ``folder``. Raises RecordingError: a reason that its author understands."""
    bounds = limits or Limits()
    if not _LANGUAGE.fullmatch(language):
        raise RecordingError("studio.recording_language", tag=language)
    size = upload.stat().st_size
    if size > bounds.most_bytes:
        raise RecordingError("studio.recording_too_big", megabytes=size >> 20, most=bounds.most_bytes >> 20)
    if not size:
        raise RecordingError("studio.recording_empty")
    promised = _promised_seconds(upload, bounds)
    return _decoded(upload, folder / "recording.wav", bounds, promised, language)


def _promised_seconds(upload: Path, limits: Limits) -> float:
    """What the file says of its length; 0 where it says nothing that counts. Raises RecordingError."""
    fields = "format=duration:stream=codec_type,codec_name,channels,sample_rate:stream_disposition=attached_pic"
    ended = _run(
        ["ffprobe", "-v", "warning", *_INPUT, "-show_entries", fields, "-of", "json", f"file:{upload}"],
        limits,
        Cage((upload,), None, _PROBING),
    )
    try:
        found: dict[str, Any] = json.loads(ended.wrote)
    except ValueError:
        found = {}
    streams = found.get("streams", [])
    moving = any(each.get("codec_type") == "video" and not each["disposition"]["attached_pic"] for each in streams)
    if moving or ": Video: " in ended.said or "(Video: " in ended.said:
        raise RecordingError("studio.recording_video")
    sound = next((each for each in streams if each.get("codec_type") == "audio"), None)
    if ended.code != 0 or not sound:
        raise RecordingError("studio.recording_cut_off" if intact.cut_off(upload) else "studio.recording_format")
    if not 1 <= int(sound.get("channels", 0)) <= MOST_CHANNELS or int(sound.get("sample_rate", 0)) not in RATES:
        raise RecordingError("studio.recording_format")
    if intact.cut_off(upload):
        raise RecordingError("studio.recording_cut_off")
    believed = "Estimating duration" not in ended.said
    return float(found.get("format", {}).get("duration", 0)) if believed else 0.0


def _decoded(upload: Path, target: Path, limits: Limits, promised: float, language: str) -> Recording:
    clipped = _decode(upload, target, limits, "")
    seconds = _seconds(target)
    if seconds > limits.most_seconds:
        raise RecordingError("studio.recording_too_long", minutes=f"{limits.most_seconds / 60:g}")
    if promised <= limits.most_seconds and seconds < promised * (1 - _LOST_SHARE) - _LOST_SECONDS:
        raise RecordingError("studio.recording_cut_off")
    if seconds < limits.least_seconds:
        raise RecordingError("studio.recording_too_short", seconds=f"{limits.least_seconds:g}")
    lufs = _loudness(target)
    if lufs <= loudness.SILENT_LUFS:  # two channels that cancel each other out, or silence
        _decode(upload, target, limits, "pan=mono|c0=c0,")
        lufs = _loudness(target)
    if lufs <= loudness.SILENT_LUFS:
        raise RecordingError("studio.recording_silent")
    if clipped > MOST_CLIPPED_SHARE:
        raise RecordingError("studio.recording_clipped", percent=f"{clipped * 100:.1f}")
    return Recording(target, seconds, lufs, language)


def _decode(upload: Path, target: Path, limits: Limits, first: str) -> float:
    """Writes the sound as WAV; the share of its samples at its highest step, where the wave is cut off flat there."""
    measuring = "aformat=sample_fmts=s16:channel_layouts=mono,astats=measure_perchannel=none"
    chain = f"{first}{measuring},aresample=48000"
    source = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-threads", "1", "-y", *_INPUT, "-i", f"file:{upload}"]
    output = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-t", f"{limits.most_seconds + 1:g}", "-af", chain, "-ac", "1"]
    bounds = Bounds(file_bytes=int(limits.most_seconds + 2) * 96_000 + 4096, cpu_seconds=int(limits.work_seconds) + 1)
    form = ["-c:a", "pcm_s16le", "-f", "wav", f"file:{target}"]
    ended = _run([*source, *output, *form], limits, Cage((upload,), target.parent, bounds))
    if programs.names_full_disk(ended.said):
        raise RecordingError("studio.disk_full", folder=target.parent)
    if ended.code != 0:
        raise RecordingError("studio.recording_format")
    found = dict(_STATISTICS.findall(ended.said))
    level, flat = (float(found.get(name, "-inf")) for name in ("Peak level dB", "Flat factor"))
    if level < _QUIETEST_PEAK_DBFS or 0 <= flat < _LEAST_FLAT_DB:
        return 0.0
    return float(found.get("Peak count", 0)) / max(1.0, float(found.get("Number of samples", 0)))


def _run(command: list[str], limits: Limits, place: Cage) -> Ended:
    """Raises RecordingError where the program hung or is not there."""
    try:
        return cage.run(command, limits.work_seconds, place)
    except cage.NotInstalled:
        raise RecordingError("studio.ffmpeg_missing") from None
    except cage.Hung:
        raise RecordingError("studio.recording_hung", seconds=f"{limits.work_seconds:g}") from None


def _loudness(wav: Path) -> float:
    try:
        return loudness.measure_speech(wav).lufs
    except loudness.FfmpegFailed as failed:
        raise RecordingError(failed.key, **failed.facts) from None


def _seconds(wav: Path) -> float:
    try:
        with wave.open(str(wav), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (wave.Error, EOFError, OSError):
        return 0.0
