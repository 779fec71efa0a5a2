"""A speech service's sound becomes a WAV: ffmpeg in the cage, for the formats such services answer in."""

from __future__ import annotations

from pathlib import Path

import cage
from cage import Cage
from controller.studio import programs
from controller.studio.voice import Trouble, VoiceError

_SAFE = ["-protocol_whitelist", "file", "-format_whitelist", "mp3,wav,ogg,flac"]


def decode(sound: Path, target: Path, voice: str, rate: int = 0) -> None:
    """Writes ``sound`` as WAV (mono, 16 bit, ``rate`` a second; 0: its own) and removes it.

    Raises VoiceError (temporary).
    """
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *_SAFE, "-i", f"file:{sound}"]
    form = ["-ac", "1", *(("-ar", str(rate)) if rate else ()), "-c:a", "pcm_s16le"]
    try:
        ended = cage.run([*command, *form, f"file:{target}"], 120.0, Cage((sound,), target.parent))
    except (cage.NotInstalled, cage.Hung):
        raise VoiceError(Trouble.TEMPORARY, "studio.ffmpeg_missing") from None
    if programs.names_full_disk(ended.said):
        raise VoiceError(Trouble.TEMPORARY, "studio.disk_full", folder=target.parent)
    if ended.code != 0:
        raise VoiceError(Trouble.TEMPORARY, "studio.unreadable", voice=voice)
    sound.unlink()
