"""Makers of sound files of every kind, made by ffmpeg and espeak-ng: what people upload, and what they should not."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

WORDS = "Kính mời bà con đến nhà văn hóa thôn để họp. Ngày mai có mưa to."


@cache
def speech() -> Path:
    """A WAV of somebody speaking, 22,050 Hz, mono; made once."""
    target = Path(mkdtemp(prefix="loa-test-sound-")) / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "vi", "-s", "130", "-w", str(target), WORDS], check=True)
    return target


def convert(target: Path, *arguments: str) -> Path:
    """The speech as ``target``, in the format of its name, with ffmpeg's ``arguments``."""
    return ffmpeg(target, "-i", str(speech()), *arguments)


def generate(target: Path, source: str, *arguments: str) -> Path:
    """What the lavfi ``source`` gives."""
    return ffmpeg(target, "-f", "lavfi", "-i", source, *arguments)


def ffmpeg(target: Path, *arguments: str) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(target)], check=True)
    return target


def half_of(path: Path) -> Path:
    """The first half of the file's bytes, under the same ending."""
    half = path.with_name(f"half-{path.name}")
    content = path.read_bytes()
    half.write_bytes(content[: len(content) // 2])
    return half
