"""The station's settings: one frozen dataclass, filled from a TOML file, then from ``LOA_*`` in the environment.

- A key that does not exist is answered with the nearest one that does, a value of the wrong kind with the right kind.
- A secret is never shown, not even when it is wrong.
- Every field is described in `docs/operations.md`; the build fails when one is missing there.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from controller import relays as relay_sources
from schedules import moments
from schedules.relays import Source
from wire.config import QuietHours
from words import Said

PREFIX = "LOA_"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SECRETS = ("broker_password", "database_url")
MOST_FILE_BYTES = 100_000
MOST_SHOWN = 200  # characters of a value, in a sentence
_NOT_SETTINGS = frozenset({"LOA_LANG", "LOA_PYTHON", "LOA_CONFIG"})
_KINDS: dict[type, str] = {
    str: "text",
    bool: "flag",
    int: "whole",
    float: "number",
    tuple: "names",
    type(Path()): "path",
}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # of a text: control characters, bytes that are not UTF-8


class _Form(NamedTuple):
    """What a text must look like, and an example for a person."""

    pattern: str
    example: str


_CLOCK = _Form(r"([01][0-9]|2[0-3]):[0-5][0-9]", "00:00-23:59")
_WORDS = _Form(r".{0,300}", "Đây là {station}.")
_FORMS = {
    "database_url": _Form(
        r"|sqlite:///.+|postgresql(\+psycopg)?://([^/@]*@)?([^/:?]*|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(/.*)?",
        "sqlite:///PATH, postgresql://USER:PASSWORD@HOST:PORT/NAME",
    ),
    "station_name": _Form(r".*\S.*", "Đài truyền thanh …"),
    "web_host": _Form(r"\S+", "127.0.0.1"),
    "broker_host": _Form(r"\S+", "127.0.0.1"),
    "media_url": _Form(r"|https?://\S+", "https://HOST/audio"),
    "opening": _WORDS,
    "closing": _WORDS,
    "own_approval": _Form(r"always|ordinary|never", "always, ordinary, never"),
    "sound_preset": _Form(r"horn|flat", "horn, flat"),
    "quiet_since": _CLOCK,
    "quiet_until": _CLOCK,
}


class SettingsError(Said):
    """A setting that cannot be used: unknown, of the wrong kind, or out of its range."""


@dataclass(frozen=True)
class Settings:
    """What a station is told before it starts. Times in seconds, ports 1–65535 (0: any free one, tests only)."""

    state_dir: Path = Path("~/.local/share/loa")  # database, shelf, keys
    database_url: str = ""  # empty: SQLite in state_dir; else postgresql://…
    zone: str = "Asia/Ho_Chi_Minh"
    station_name: str = "Đài truyền thanh cơ sở"
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = ""
    broker_ca: str = ""  # a CA file; set, it means TLS
    media_url: str = ""  # where nodes fetch audio; empty: http://web_host:web_port/audio
    voice_chain: tuple[str, ...] = ("espeak",)  # tried in this order
    opening: str = "Đây là {station}."  # read before each text but an emergency's; {station}: station_name
    closing: str = ""  # read after it
    sound_preset: str = "horn"  # how speech is shaped: horn, flat
    repeat_gap_ms: int = 1500  # between two readings of a text
    lead_in_ms: int = 500  # a soft tone that wakes the amplifier
    now_lead_seconds: float = 5.0  # between "voice ready" and the start of something sent for now
    quiet_since: str = "21:00"
    quiet_until: str = "05:00"
    health_seconds: int = 60  # how often a node reports
    own_approval: str = "always"  # may an approver approve their own: always, ordinary (no emergency), never
    relays: tuple[Source, ...] = ()  # stations that may be relayed: [relays] NAME = "https://…", or a table of them
    private_relays: bool = False  # may a relay lead to this machine or its own network
    log_level: str = "INFO"

    @property
    def store_url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite:///{self.state_dir / 'loa.db'}"

    def web_url(self, port: int | None = None) -> str:
        """Where the web is, on ``port`` where that is another than the one that was set."""
        host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
        return f"http://{host}:{self.web_port if port is None else port}"

    @property
    def audio_url(self) -> str:
        """What a node puts before an asset's file name."""
        return (self.media_url or f"{self.web_url()}/audio").rstrip("/")

    @property
    def quiet(self) -> QuietHours:
        """When only an emergency may sound; a node may have hours of its own."""
        return QuietHours(self.quiet_since, self.quiet_until)

    @property
    def shelf_dir(self) -> Path:
        """The folder of finished audio."""
        return self.state_dir / "shelf"

    @property
    def voices_dir(self) -> Path:
        """The folder of the voices that the operator brought."""
        return self.state_dir / "voices"

    @property
    def recordings_dir(self) -> Path:
        """The folder of what people recorded."""
        return self.state_dir / "recordings"

    @property
    def keys_dir(self) -> Path:
        """The folder of keys, mode 0700."""
        return self.state_dir / "keys"

    def in_force(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        return {field.name: _shown(field.name, getattr(self, field.name)) for field in dataclasses.fields(self)}


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the TOML file at ``path`` (None: no file), then from the environment. Raises SettingsError."""
    wanted: dict[str, Any] = _from_file(path) if path is not None else {}
    for name, value in environment.items():
        if name.startswith(PREFIX) and not name.startswith("LOA_NODE_") and name not in _NOT_SETTINGS:
            wanted[name.removeprefix(PREFIX).lower()] = value
    return from_values(wanted)


def from_values(wanted: Mapping[str, Any]) -> Settings:
    """Settings with these values over the defaults, each of its field's kind. Raises SettingsError."""
    defaults = Settings()
    known = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(Settings)}
    for name in wanted:
        if name not in known:
            raise _unknown(name, list(known))
    values = {name: _converted(name, value, known[name]) for name, value in wanted.items()}
    values["state_dir"] = values.get("state_dir", known["state_dir"]).expanduser().absolute()
    settings = Settings(**values)
    _check(settings)
    return settings


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            held = file.read(MOST_FILE_BYTES)
        text = held.decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as wrong:
        raise SettingsError("settings.unreadable", path=path, why=wrong.strerror or wrong) from wrong
    except UnicodeDecodeError:
        raise SettingsError("settings.not_utf8", path=path) from None
    except tomllib.TOMLDecodeError as wrong:
        found = re.search(r"line ([0-9]+)", str(wrong))
        line = int(found[1]) if found else text.count("\n") + 1
        raise SettingsError("settings.not_toml", path=path, line=line) from None


def _unknown(name: str, known: list[str]) -> SettingsError:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    if near:
        return SettingsError("settings.unknown", name=name[:MOST_SHOWN], nearest=near[0])
    return SettingsError("settings.unknown_all", name=name[:MOST_SHOWN], known=", ".join(known))


def _check(settings: Settings) -> None:
    """Raises SettingsError for a value outside its range."""
    allowed = {"web_port": range(65536), "broker_port": range(1, 65536), "health_seconds": range(5, 3601)}
    allowed |= {"repeat_gap_ms": range(10_001), "lead_in_ms": range(5001)}
    for name, values in allowed.items():
        if getattr(settings, name) not in values:
            raise _out_of_range(settings, name, f"{values.start}-{values.stop - 1}")
    if not 0.0 <= settings.now_lead_seconds <= 600.0:
        raise _out_of_range(settings, "now_lead_seconds", "0-600")
    if settings.log_level.upper() not in LOG_LEVELS:
        raise _out_of_range(settings, "log_level", ", ".join(LOG_LEVELS))
    _check_relays(settings)
    for name, form in _FORMS.items():
        if not re.fullmatch(form.pattern, getattr(settings, name)):
            raise _out_of_range(settings, name, form.example)
    try:
        moments.zone(settings.zone)
    except moments.BadMoment:
        raise _out_of_range(settings, "zone", moments.DEFAULT_ZONE) from None


def _check_relays(settings: Settings) -> None:
    try:
        relay_sources.check(settings.relays, settings.private_relays)
    except relay_sources.SourceError as wrong:
        raise SettingsError(wrong.key, **wrong.facts) from None


def _out_of_range(settings: Settings, name: str, allowed: str) -> SettingsError:
    value = _shown(name, getattr(settings, name))
    return SettingsError("settings.out_of_range", name=name, value=value, allowed=allowed)


def _converted(name: str, value: Any, default: Any) -> Any:
    """``value`` as the kind of ``default``. Text is what the environment gives; a file must have the kind itself."""
    kind = "relays" if name == "relays" else _KINDS[type(default)]
    try:
        taken = relay_sources.read(value) if kind == "relays" else _taken(kind, value)
    except relay_sources.SourceError as wrong:
        raise SettingsError(wrong.key, **wrong.facts) from None
    if taken is None:
        raise SettingsError(f"settings.not_{kind}", name=name, value=_shown(name, value))
    return taken


def _taken(kind: str, value: Any) -> Any:
    """``value`` as that kind; None where it is none."""
    text = value.strip() if isinstance(value, str) else None
    if kind in ("whole", "number") and text is not None and re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", text):
        value = float(text) if "." in text else int(text)
    match kind:
        case "whole":
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case "number":
            return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        case "flag":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(text or "")
        case "path":
            return Path(text) if text and "\0" not in text else None
        case "names":
            return _names(text.split(",") if text is not None else value)
    return value if isinstance(value, str) and _UNPRINTABLE.search(value) is None else None


def _names(value: Any) -> tuple[str, ...] | None:
    parts = [each.strip() if isinstance(each, str) else "" for each in value] if isinstance(value, list) else []
    return tuple(parts) if parts and all(parts) else None


def _shown(name: str, value: object) -> str:
    """A value as a person may see it: secrets masked, long ones cut, on one line."""
    if name in SECRETS:
        return "***" if value else ""
    if name == "relays" and isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(value)[:MOST_SHOWN])
