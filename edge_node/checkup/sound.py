"""What makes the horn speak: libraries, sound card, mixer, ffmpeg, voice, siren, and the audio that lies there."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

from cage import protection
from edge_node import mixer
from edge_node.checkup.finding import Finding, well, wrong
from edge_node.own_voice import OwnVoice
from edge_node.players.player import RATE
from edge_node.programs import Run
from edge_node.rack import Rack
from edge_node.settings import Settings
from edge_node.tuner.receiver import Tuner
from wire.config import NodeConfig

LIBRARIES = {"sound": ("numpy", "soundfile", "sounddevice"), "file": ("numpy", "soundfile"), "null": ()}
_CONTROL = re.compile(r"^Simple mixer control '([^']+)'", re.MULTILINE)


def player(settings: Settings, ask: Run) -> Iterator[Finding]:
    """The libraries, and the device: there, free, and not muted."""
    missing = [name for name in LIBRARIES[settings.player] if importlib.util.find_spec(name) is None]
    if missing:
        yield wrong("node.check_libraries", names=", ".join(missing))
        return
    if settings.player != "sound":
        device = settings.wav if settings.player == "file" else settings.player
        yield well("node.check_device_ok", device=device)
        return
    yield _device(settings)
    yield from _mixer(settings, ask)


def _device(settings: Settings) -> Finding:
    named = settings.sound_device or "default"
    try:
        import sounddevice  # what the sound player needs, and the system's PortAudio with it
    except (ImportError, OSError) as why:
        return wrong("node.check_portaudio", why=why)
    try:
        device = sounddevice.query_devices(settings.sound_device or None, "output")
    except (ValueError, sounddevice.PortAudioError) as why:
        return wrong("node.check_device_bad", device=named, why=why)
    try:
        # silence, and only as long as opening takes
        sounddevice.RawOutputStream(
            samplerate=RATE, channels=1, dtype="int16", device=settings.sound_device or None
        ).close()
    except (ValueError, sounddevice.PortAudioError) as why:
        return wrong("node.check_device_busy", device=device["name"], why=why)
    return well("node.check_device_ok", device=device["name"])


def _mixer(settings: Settings, ask: Run) -> Iterator[Finding]:
    """The control that an emergency opens; and what is switched off, or at nothing, in the mixer of its card."""
    answer = ask([mixer.PROGRAM, "-D", settings.mixer_device, "scontents"])
    controls = list(zip(_CONTROL.findall(answer or ""), _CONTROL.split(answer or "")[2::2], strict=False))
    if settings.mixer:
        names = {name: None for name, part in controls if _has_volume(part)}
        yield _opened_for_emergencies(settings, ask, None if answer is None else list(names))
    for name, part in controls:
        if "Playback" in part and ("[off]" in part or "[0%]" in part) and "[on]" not in part:
            yield wrong("node.check_muted", control=name)


def _opened_for_emergencies(settings: Settings, ask: Run, names: list[str] | None) -> Finding:
    """Whether it can be; ``names``: of what has a volume on that card, None when the card does not answer."""
    facts: dict[str, object] = {"control": settings.mixer, "device": settings.mixer_device}
    if ask([mixer.PROGRAM, "--version"]) is None:
        return wrong("node.check_mixer_program", **facts)
    if names is None:
        return wrong("node.check_mixer_device", **facts)
    if not _has_volume(ask([mixer.PROGRAM, "-D", settings.mixer_device, "sget", settings.mixer]) or ""):
        return wrong("node.check_mixer_none", **facts, names=", ".join(names[:20]) or "–")
    return well("node.check_mixer_ok", **facts, percent=settings.mixer_percent)


def _has_volume(said: str) -> bool:
    try:
        mixer.read(said)
    except mixer.NoMixer:
        return False
    return True


def programs(settings: Settings) -> Iterator[Finding]:
    """A node that is asked for no relay needs no decoder; one without a voice still sounds what it is sent."""
    yield well("node.check_relay_ok" if Tuner().works else "node.check_relay_none")
    if Tuner().works:
        level = protection().level
        yield (well if level in ("full", "files") else wrong)(f"node.check_cage_{level}")
    works = OwnVoice(settings.voice, settings.voice_wpm).works
    if works or not settings.voice:
        yield well("node.check_voice_ok" if works else "node.check_voice_none")
    else:
        yield wrong("node.check_voice_missing")


def shelf(settings: Settings, config: NodeConfig | None) -> Iterator[Finding]:
    """The audio on disk; the siren and what is kept at all times is hashed."""
    folder = settings.state_dir / "audio"
    files = sum(1 for path in folder.glob("*") if path.is_file()) if folder.is_dir() else 0
    yield well("node.check_audio_ok" if files else "node.check_audio_none", files=files, path=folder)
    if config is None:
        return
    rack = Rack(folder, config.disk_budget_bytes)
    standby = {each.sha256: each for each in config.standby}
    there = {key for key, each in standby.items() if rack.path(each).exists()}
    spoilt = [each for key, each in standby.items() if key in there and not rack.is_true(each, rack.path(each))]
    if config.siren is None or config.siren not in standby:
        yield wrong("node.check_siren_none")
    elif config.siren not in there:
        yield wrong("node.check_siren_missing")
    if len(there) < len(standby):
        yield wrong("node.check_standby_missing", missing=len(standby) - len(there), all=len(standby))
    if spoilt:
        yield wrong("node.check_standby_spoilt", names=", ".join(each.sha256[:8] for each in spoilt))
    if standby and len(there) == len(standby) and not spoilt:
        yield well("node.check_standby_ok", all=len(standby))
