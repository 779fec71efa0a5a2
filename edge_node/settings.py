"""The node's settings: one frozen dataclass, from a TOML file, then the environment (``LOA_NODE_<KEY>``).

- A wrong key is answered with the nearest right one; a wrong value with what it may be.
- What the station decides (areas, volumes, quiet hours) is not here: it comes sealed, in the config.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge_node.wiring import Line, Wiring
from wire import names
from wire.roots import MOST_ROOTS, RootSet
from wire.seal import PublicKey
from words import Said

CLOCK_SLACK = timedelta(minutes=5)  # how far two honest clocks may differ
ENVIRONMENT = "LOA_NODE_"
PLAYERS = ("sound", "file", "null")
CLOCKS = ("auto", "trust")
PINS = ("mains_pin", "battery_pin", "amplifier_pin")
MOST_LEAD_SECONDS = 1.5  # a planned job is handed over schedules.due.PRIME before its second, and first written down
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Said):
    """A setting that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """What a node is told by the one who installs it.

    node: its name, one slug. No default.
    home: the area where it hangs; only keys granted for this area may configure it. No default.
    root_keys: public root keys (64 hex digits each) that may seal the trust document. No default.
    root_threshold: how many different ones of them must seal it. 1.
    root_version: how often the roots had changed when they were pinned. 0.
    state_dir: everything the node keeps: key, ledger, held documents, audio. No default.
    broker_host, broker_port: where the MQTT broker listens. 127.0.0.1, 1883.
    broker_user, broker_password: for a broker that asks; empty means anonymous.
    broker_ca: a CA file; set, it means TLS. Empty: none.
    broker_cert, broker_key: this node's certificate and private key, for a broker that asks for one. Empty: none.
    key_credential: the systemd credential, or the file, with the secret under which this node's keys are closed on the
        disk (`edge_node.keep`); empty: they lie open. Empty.
    station_url: the station's own address (http://HOST:PORT), asked when the broker's or our certificate has ended;
        empty: the host of the audio. Empty.
    player: sound (a sound card), file (a growing WAV) or null (keeps time, silent). sound.
    sound_device: PortAudio's name of the device; empty means the system's default.
    mixer: the card's volume control (amixer's name) that an emergency opens whatever its mute; empty: none. Empty.
    mixer_device: the card that has it, as ``amixer -D`` takes it. default.
    mixer_percent: how far it is opened at least, 0 to 100. 100.
    out_wav: for the file player; empty means ``<state_dir>/out.wav``.
    private_relays: a relay's stream may come from this machine or its own network. false.
    voice: espeak-ng's voice in which the node speaks an emergency whose audio is not there; empty: none. vi.
    voice_wpm: how fast, in words a minute, 80 to 450. 130.
    mains_pin, battery_pin: GPIO lines that are active while there is mains, or while a battery feeds the node, such as
        gpiochip0:17, or gpiochip0:!17 for one that is active low; empty: not wired. Empty.
    amplifier_pin: the line that switches the amplifier on; empty: not wired. Empty.
    amplifier_lead_seconds: how long before the first sample, 0 to 1.5. 1.0.
    fast: the file player runs ahead of the clock. false.
    clock: auto (ask the system whether it is synchronised) or trust (believe it: demo, simulation). auto.
    log_level: debug, info, warning or error. info.
    """

    node: str
    home: str
    root_keys: tuple[str, ...]
    state_dir: Path
    root_threshold: int = 1
    root_version: int = 0
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = field(default="", repr=False)
    broker_ca: str = ""
    broker_cert: str = ""
    broker_key: str = ""
    key_credential: str = ""
    station_url: str = ""
    player: str = "sound"
    sound_device: str = ""
    mixer: str = ""
    mixer_device: str = "default"
    mixer_percent: int = 100
    out_wav: Path | None = None
    private_relays: bool = False
    voice: str = "vi"
    voice_wpm: int = 130
    mains_pin: str = ""
    battery_pin: str = ""
    amplifier_pin: str = ""
    amplifier_lead_seconds: float = 1.0
    fast: bool = False
    clock: str = "auto"
    log_level: str = "info"

    @property
    def wav(self) -> Path:
        """Where the file player writes."""
        return self.out_wav or self.state_dir / "out.wav"

    @property
    def roots(self) -> RootSet:
        """The pinned roots. Raises ValueError."""
        return RootSet.of(self.root_keys, self.root_threshold, self.root_version)

    @property
    def wiring(self) -> Wiring:
        """The GPIO lines."""
        return Wiring(*(Line.read(getattr(self, pin)) for pin in PINS))


_VOICE = re.compile(r"([A-Za-z0-9][A-Za-z0-9+_-]{0,39})?")
_CONTROL = re.compile(r"([A-Za-z0-9][A-Za-z0-9 ,:._'()/-]{0,59})?")
_FIELDS = {field.name: field for field in fields(Settings)}
_UNFAULTY = {"node": "x", "home": "x", "root_keys": ["0" * 64], "state_dir": "/nowhere"}  # for what has no default
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
    for name, known in _FIELDS.items():
        if known.default is MISSING and not given.get(name):
            raise SettingsError("node.missing_setting", setting=name)
    settings = Settings(**{key: _value(key, value) for key, value in given.items()})
    _check(settings)
    return settings


def faults(path: Path | None, environment: Mapping[str, str]) -> list[SettingsError]:
    """Everything that is wrong with what `load` would read, not only the first; empty when nothing is."""
    try:
        given = _from_file(path) if path else {}
    except SettingsError as wrong:
        return [wrong]
    given |= {
        name.removeprefix(ENVIRONMENT).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT)
    }
    found: list[SettingsError] = []
    for _ in range(len(given) + len(_FIELDS)):  # each fault is mended, and the next one shows
        try:
            make(given)
            break
        except SettingsError as wrong:
            found.append(wrong)
            setting = str(wrong.facts.get("setting", "root_keys"))
            given.pop(setting, None)
            if setting in _UNFAULTY:
                given[setting] = _UNFAULTY[setting]
    return found


def tls_fault(settings: Settings, wrong: OSError) -> SettingsError:
    """What `wire.mqtt.context` raised of the files that ``settings`` name, as the file that is at fault."""
    why = wrong.strerror or wrong
    for setting in ("broker_key", "broker_cert"):
        if wrong.filename and wrong.filename == getattr(settings, setting):
            return SettingsError("node.bad_tls_file", setting=setting, path=wrong.filename, why=why)
    return SettingsError("node.bad_ca", path=settings.broker_ca, why=why)


def written(told: Mapping[str, object]) -> str:
    """``told`` as the text of a settings file."""
    return "".join(f"{name} = {_toml(value)}\n" for name, value in told.items())


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)


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
        if kind in ("int", "float"):
            return (int if kind == "int" else float)(value)
        if kind.startswith("Path"):
            return Path(value).expanduser() if value else None
        if kind.startswith("tuple"):
            return tuple(value.replace(",", " ").split() if isinstance(value, str) else value)
    except (KeyError, TypeError, ValueError, OverflowError):  # the last: 1e999 is infinite
        raise SettingsError("node.bad_setting", setting=key, value=value, allowed=kind) from None
    return str(value)


def _check(settings: Settings) -> None:
    for key, allowed in _CHOICES.items():
        if getattr(settings, key) not in allowed:
            raise _bad(settings, key, ", ".join(allowed))
    if not 0 < settings.broker_port < 65536:
        raise _bad(settings, "broker_port", "1-65535")
    if not 0 <= settings.mixer_percent <= 100:
        raise _bad(settings, "mixer_percent", "0-100")
    for key in ("mixer", "mixer_device"):
        if not _CONTROL.fullmatch(getattr(settings, key)):
            raise _bad(settings, key, "a-z A-Z 0-9 , : . _ - ' ( ) /")
    if not 80 <= settings.voice_wpm <= 450:
        raise _bad(settings, "voice_wpm", "80-450")
    if not _VOICE.fullmatch(settings.voice):
        raise _bad(settings, "voice", "a-z A-Z 0-9 - + _")
    if not 0 <= settings.amplifier_lead_seconds <= MOST_LEAD_SECONDS:
        raise _bad(settings, "amplifier_lead_seconds", f"0-{MOST_LEAD_SECONDS:g}")
    for pin in PINS:
        _check_pin(settings, pin)
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
    try:
        _ = settings.roots
    except ValueError:
        if settings.root_version < 0:
            raise _bad(settings, "root_version", "0-") from None
        raise _bad(settings, "root_threshold", f"1-{min(len(set(settings.root_keys)), MOST_ROOTS)}") from None


def _check_pin(settings: Settings, pin: str) -> None:
    try:
        Line.read(getattr(settings, pin))
    except ValueError:
        raise _bad(settings, pin, "gpiochip0:17, gpiochip0:!17") from None


def _bad(settings: Settings, key: str, allowed: str) -> SettingsError:
    return SettingsError("node.bad_setting", setting=key, value=getattr(settings, key), allowed=allowed)
