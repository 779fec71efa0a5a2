"""The node's settings: one frozen dataclass, from a TOML file, then the environment (``LOA_NODE_<KEY>``).

- A wrong key is answered with the nearest right one; a wrong value with what it may be.
- What the station decides (areas, volumes, quiet hours) is not here: it comes sealed, in the config.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from wire import names
from wire.seal import PublicKey
from words import Said

CLOCK_SLACK = timedelta(minutes=5)  # how far two honest clocks may differ
ENVIRONMENT = "LOA_NODE_"
PLAYERS = ("sound", "file", "null")
CLOCKS = ("auto", "trust")
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Said):
    """A setting that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """What a node is told by the one who installs it.

    node: its name, one slug. No default.
    home: the area where it hangs; only keys granted for this area may configure it. No default.
    root_keys: public root keys (64 hex digits each) that may seal the trust document. No default.
    state_dir: everything the node keeps: key, ledger, held documents, audio. No default.
    broker_host, broker_port: where the MQTT broker listens. 127.0.0.1, 1883.
    broker_user, broker_password: for a broker that asks; empty means anonymous.
    broker_ca: a CA file; set, it means TLS. Empty: none.
    player: sound (a sound card), file (a growing WAV) or null (keeps time, silent). sound.
    sound_device: PortAudio's name of the device; empty means the system's default.
    out_wav: for the file player; empty means ``<state_dir>/out.wav``.
    private_relays: a relay's stream may come from this machine or its own network. false.
    voice: espeak-ng's voice in which the node speaks an emergency whose audio is not there; empty: none. vi.
    voice_wpm: how fast, in words a minute, 80 to 450. 130.
    fast: the file player runs ahead of the clock. false.
    clock: auto (ask the system whether it is synchronised) or trust (believe it: demo, simulation). auto.
    log_level: debug, info, warning or error. info.
    """

    node: str
    home: str
    root_keys: tuple[str, ...]
    state_dir: Path
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = ""
    broker_ca: str = ""
    player: str = "sound"
    sound_device: str = ""
    out_wav: Path | None = None
    private_relays: bool = False
    voice: str = "vi"
    voice_wpm: int = 130
    fast: bool = False
    clock: str = "auto"
    log_level: str = "info"

    @property
    def wav(self) -> Path:
        """Where the file player writes."""
        return self.out_wav or self.state_dir / "out.wav"


_VOICE = re.compile(r"([A-Za-z0-9][A-Za-z0-9+_-]{0,39})?")
_FIELDS = {field.name: field for field in fields(Settings)}
_CHOICES = {"player": PLAYERS, "clock": CLOCKS, "log_level": LOG_LEVELS}


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Settings from the file, overridden by the environment. Raises SettingsError."""
    given = _from_file(path) if path else {}
    for name, value in environment.items():
        if name.startswith(ENVIRONMENT):
            given[name.removeprefix(ENVIRONMENT).lower()] = value
    return make(given)


def make(given: Mapping[str, Any]) -> Settings:
    """Settings from plain values, as a file has them. Raises SettingsError."""
    for key in given:
        if key not in _FIELDS:
            near = difflib.get_close_matches(key, _FIELDS, 1, 0.0)
            raise SettingsError("node.unknown_setting", setting=key, near=near[0])
    for name, field in _FIELDS.items():
        if field.default is MISSING and not given.get(name):
            raise SettingsError("node.missing_setting", setting=name)
    settings = Settings(**{key: _value(key, value) for key, value in given.items()})
    _check(settings)
    return settings


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise SettingsError("node.bad_settings_file", path=path, why=wrong) from None


def _value(key: str, value: Any) -> Any:
    """``value`` as the type of its field; text from the environment is read."""
    kind = str(_FIELDS[key].type)
    try:
        if kind == "bool":
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if kind == "int":
            return int(value)
        if kind.startswith("Path"):
            return Path(value).expanduser() if value else None
        if kind.startswith("tuple"):
            return tuple(value.replace(",", " ").split() if isinstance(value, str) else value)
    except (KeyError, TypeError, ValueError):
        raise SettingsError("node.bad_setting", setting=key, value=value, allowed=kind) from None
    return str(value)


def _check(settings: Settings) -> None:
    for key, allowed in _CHOICES.items():
        if getattr(settings, key) not in allowed:
            raise _bad(settings, key, ", ".join(allowed))
    if not 0 < settings.broker_port < 65536:
        raise _bad(settings, "broker_port", "1-65535")
    if not 80 <= settings.voice_wpm <= 450:
        raise _bad(settings, "voice_wpm", "80-450")
    if not _VOICE.fullmatch(settings.voice):
        raise _bad(settings, "voice", "a-z A-Z 0-9 - + _")
    try:
        names.node_id(settings.node)
        names.area_id(settings.home)
    except names.BadName as wrong:
        raise _bad(settings, "node" if wrong.what == "node" else "home", "a-z 0-9 - :") from None
    try:
        for key in settings.root_keys:
            PublicKey.from_hex(key)
    except (TypeError, ValueError):
        raise SettingsError("node.bad_root_key", value=str(key)[:80]) from None


def _bad(settings: Settings, key: str, allowed: str) -> SettingsError:
    return SettingsError("node.bad_setting", setting=key, value=getattr(settings, key), allowed=allowed)
