"""The station's settings: one frozen dataclass, filled from a TOML file, then from ``LOA_*`` in the environment.

- A key that does not exist is answered with the nearest one that does.
- Every field is described in `docs/operations.md`; the build fails when one is missing there.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schedules import moments
from wire.config import QuietHours
from words import Said

PREFIX = "LOA_"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_NOT_SETTINGS = frozenset({"LOA_LANG", "LOA_PYTHON", "LOA_CONFIG"})


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
    now_lead_seconds: float = 5.0  # between "voice ready" and the start of something sent for now
    quiet_since: str = "21:00"
    quiet_until: str = "05:00"
    health_seconds: int = 60  # how often a node reports
    log_level: str = "INFO"

    @property
    def store_url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite:///{self.state_dir / 'loa.db'}"

    @property
    def audio_url(self) -> str:
        """What a node puts before an asset's file name."""
        return (self.media_url or f"http://{self.web_host}:{self.web_port}/audio").rstrip("/")

    @property
    def quiet(self) -> QuietHours:
        """When only an emergency may sound; a node may have hours of its own."""
        return QuietHours(self.quiet_since, self.quiet_until)

    @property
    def shelf_dir(self) -> Path:
        """The folder of finished audio."""
        return self.state_dir / "shelf"

    @property
    def keys_dir(self) -> Path:
        """The folder of keys, mode 0700."""
        return self.state_dir / "keys"

    def in_force(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        shown = {field.name: str(getattr(self, field.name)) for field in dataclasses.fields(self)}
        for secret in ("broker_password", "database_url"):
            shown[secret] = "***" if shown[secret] else ""
        return shown


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the TOML file at ``path`` (None: no file), then from the environment. Raises SettingsError."""
    wanted: dict[str, Any] = {}
    if path is not None:
        try:
            wanted.update(tomllib.loads(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
            raise SettingsError("settings.unreadable", path=path, why=wrong) from None
    for name, value in environment.items():
        if name.startswith(PREFIX) and not name.startswith("LOA_NODE_") and name not in _NOT_SETTINGS:
            wanted[name.removeprefix(PREFIX).lower()] = value
    return from_values(wanted)


def from_values(wanted: Mapping[str, Any]) -> Settings:
    """Settings with these values over the defaults, each converted to its field's kind. Raises SettingsError."""
    defaults = Settings()
    known = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in wanted.items():
        if name not in known:
            nearest = difflib.get_close_matches(name, known, 1, 0)[0]
            raise SettingsError("settings.unknown", name=name, nearest=nearest)
        values[name] = _converted(name, value, known[name])
    values["state_dir"] = Path(values.get("state_dir", known["state_dir"])).expanduser().absolute()
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Raises SettingsError for a value outside its range."""
    allowed = {"web_port": range(65536), "broker_port": range(1, 65536), "health_seconds": range(5, 3601)}
    for name, values in allowed.items():
        if getattr(settings, name) not in values:
            raise _out_of_range(settings, name, f"{values.start}-{values.stop - 1}")
    if not 0.0 <= settings.now_lead_seconds <= 600.0:
        raise _out_of_range(settings, "now_lead_seconds", "0-600")
    if settings.log_level.upper() not in LOG_LEVELS:
        raise _out_of_range(settings, "log_level", ", ".join(LOG_LEVELS))
    for name, read in (
        ("quiet_since", moments.clock_time),
        ("quiet_until", moments.clock_time),
        ("zone", moments.zone),
    ):
        try:
            read(getattr(settings, name))
        except moments.BadMoment as wrong:
            raise SettingsError(
                "settings.out_of_range", name=name, value=getattr(settings, name), allowed=wrong
            ) from None


def _out_of_range(settings: Settings, name: str, allowed: str) -> SettingsError:
    return SettingsError("settings.out_of_range", name=name, value=getattr(settings, name), allowed=allowed)


def _converted(name: str, value: Any, default: Any) -> Any:
    """``value`` as the kind of ``default``; text is what the environment gives."""
    try:
        if isinstance(default, tuple):
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(str(part).strip() for part in parts)
        if isinstance(default, bool):
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        return type(default)(value)
    except (KeyError, TypeError, ValueError):
        raise SettingsError("settings.wrong_kind", name=name, value=value, kind=type(default).__name__) from None
