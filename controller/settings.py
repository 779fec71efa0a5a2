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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from controller import relays as relay_sources
from controller import setting_kinds
from controller.setting_forms import FORMS, RANGES
from controller.setting_masks import MOST_SHOWN, SECRETS, shown
from controller.setting_origins import Origins, from_environment
from schedules import moments
from schedules.relays import Source
from wire.config import QuietHours
from words import Said

__all__ = ["SECRETS", "Settings", "SettingsError", "from_values", "load", "read"]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MOST_FILE_BYTES = 100_000


class SettingsError(Said):
    """A setting that cannot be used: unknown, of the wrong kind, or out of its range."""


@dataclass(frozen=True)
class Settings:
    """What a station is told before it starts. Times in seconds, ports 1–65535 (0: any free one, tests only)."""

    state_dir: Path = Path("~/.local/share/loa")  # database, shelf, keys
    database_url: str = field(default="", repr=False)  # empty: SQLite in state_dir; else postgresql://…
    zone: str = "Asia/Ho_Chi_Minh"
    station_name: str = "Đài truyền thanh cơ sở"
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    broker_user: str = ""
    broker_password: str = field(default="", repr=False)
    broker_ca: str = ""  # a CA file; set, it means TLS
    broker_cert: str = ""  # this station's own certificate, for a broker that asks for one
    broker_key: str = ""  # and the private key to it
    station_key: str = ""  # pkcs11:token=…;object=…, a key in a token; empty: keys/station.key
    broker_for_nodes: str = ""  # HOST:PORT as nodes reach the broker; empty: the host they reach the station by
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
    data_budget_bytes_per_day: int = 0  # of each node's audio and streams; 0: no budget
    own_approval: str = "always"  # may an approver approve their own: always, ordinary (no emergency), never
    web_origin: str = ""  # https://HOST[:PORT] as people type it; set, passkeys count there
    second_factor: str = "own"  # of whom one is demanded: own (who has one), critical, everybody
    step_up_minutes: int = 10  # how long a proof is fresh for what is critical
    relays: tuple[Source, ...] = ()  # stations that may be relayed: [relays] NAME = "https://…", or a table of them
    private_relays: bool = False  # may a relay lead to this machine or its own network
    public_log: bool = False  # may everybody read what was aired, without signing in
    public_log_areas: tuple[str, ...] = ()  # and of which areas, with all below them; empty: of all
    public_bulletins: bool = False  # may everybody read and hear again what loudspeakers sounded (in public_log_areas)
    alarm_grace_seconds: int = 300  # how long a node may be away before anybody is told
    alarm_hold_seconds: int = 120  # how long it must be well again before an alarm is over
    target_stations_percent: int = 80  # of communes that are to have a station: the province's own target
    target_digital_percent: int = 20  # of those stations that are to be on digital technology
    cap_senders: tuple[
        str, ...
    ] = ()  # whose CAP alerts are taken in, by CAP's sender; empty: anybody's, and it is said
    log_level: str = "INFO"
    web_tls_port: int = 0  # a second port, for https; 0: web_port takes both
    web_names: tuple[str, ...] = ()  # by which people call the web: it gets a certificate of the station's own for them
    web_certificate: str = ""  # a certificate that somebody else signed, with its chain
    web_key: str = ""  # and the private key to it
    revocations_copy: str = ""  # a second file of what was taken away, on another disk or machine
    broker_kind: str = "mosquitto"  # whose access rules are written: mosquitto, nats
    web_outline: str = ""  # a GeoJSON file that the map of the nodes is drawn on; empty: none

    @property
    def store_url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite:///{self.state_dir / 'loa.db'}"

    @property
    def web_secure(self) -> bool:
        """Whether people are served over https."""
        return bool(self.web_names or self.web_certificate)

    def web_url(self, port: int | None = None) -> str:
        """Where people find the web; ``port``: what was bound, where that is another than ``web_port``."""
        if not self.web_secure:
            return self.plain_url(port)
        port = self.web_tls_port or (self.web_port if port is None else port)
        host = self.web_names[0] if self.web_names else self.web_host
        return f"https://{_bracketed(host)}{'' if port == 443 else f':{port}'}"

    @property
    def authority_page(self) -> str:
        """Where people install the web's own authority, over plain http."""
        host = _bracketed(self.web_names[0] if self.web_names else self.web_host)
        return f"http://{host}{'' if self.web_port == 80 else f':{self.web_port}'}/chung-chi"

    def plain_url(self, port: int | None = None) -> str:
        """Where nodes find it, who need no https: what they take is sealed, or proved."""
        return f"http://{_bracketed(self.web_host)}:{self.web_port if port is None else port}"

    @property
    def audio_url(self) -> str:
        """What a node puts before an asset's file name."""
        return (self.media_url or f"{self.plain_url()}/audio").rstrip("/")

    @property
    def broker_of_nodes(self) -> tuple[str, int]:
        """Host (empty: that by which the station is reached) and port of the broker, as nodes reach it."""
        host, _, port = self.broker_for_nodes.rpartition(":")
        return host.strip("[]"), int(port or self.broker_port)

    @property
    def quiet(self) -> QuietHours:
        """When only an emergency may sound; a node may have hours of its own."""
        return QuietHours(self.quiet_since, self.quiet_until)

    @property
    def shelf_dir(self) -> Path:
        """The folder of finished audio."""
        return self.state_dir / "shelf"

    @property
    def broker_dir(self) -> Path:
        """The folder where the broker's keeper finds access rules, certificates and what was revoked."""
        return self.state_dir / "broker"

    @property
    def voices_dir(self) -> Path:
        """The folder of the voices that the operator brought."""
        return self.state_dir / "voices"

    @property
    def recordings_dir(self) -> Path:
        """The folder of what people recorded."""
        return self.state_dir / "recordings"

    @property
    def web_dir(self) -> Path:
        """The folder of the web's own certificate (`controller.web_certificates`)."""
        return self.state_dir / "web"

    @property
    def keys_dir(self) -> Path:
        """The folder of keys, mode 0700."""
        return self.state_dir / "keys"

    def secrets(self) -> tuple[str, ...]:
        """What no log may say."""
        return self.broker_password, unquote(urlsplit(self.database_url).password or "")

    def in_force(self) -> dict[str, str]:
        """Every setting as text, secrets masked."""
        return {each.name: shown(each.name, getattr(self, each.name)) for each in dataclasses.fields(self)}


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the TOML file at ``path`` (None: no file), then from the environment. Raises SettingsError."""
    return read(path, environment)[0]


def read(path: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[Settings, Origins]:
    """As `load`, and where each of them comes from."""
    told = _from_file(path) if path is not None else {}
    said = from_environment(environment)
    origins = Origins(path.absolute() if path else None, frozenset(told), frozenset(said))
    return from_values(told | said), origins


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
    for name, values in RANGES.items():
        if getattr(settings, name) not in values:
            raise _out_of_range(settings, name, f"{values.start}-{values.stop - 1}")
    if not 0.0 <= settings.now_lead_seconds <= 600.0:
        raise _out_of_range(settings, "now_lead_seconds", "0-600")
    if settings.log_level.upper() not in LOG_LEVELS:
        raise _out_of_range(settings, "log_level", ", ".join(LOG_LEVELS))
    _check_relays(settings)
    if bool(settings.web_certificate) != bool(settings.web_key):
        raise SettingsError("settings.half_certificate")
    for name, form in FORMS.items():
        if not re.fullmatch(form.pattern, getattr(settings, name)):
            raise _out_of_range(settings, name, form.example)
    if settings.broker_of_nodes[1] not in range(1, 65536):
        raise _out_of_range(settings, "broker_for_nodes", FORMS["broker_for_nodes"].example)
    try:
        moments.zone(settings.zone)
    except moments.BadMoment:
        raise _out_of_range(settings, "zone", moments.DEFAULT_ZONE) from None


def _check_relays(settings: Settings) -> None:
    try:
        relay_sources.check(settings.relays, settings.private_relays)
    except relay_sources.SourceError as wrong:
        raise _of_relays(wrong) from None


def _out_of_range(settings: Settings, name: str, allowed: str) -> SettingsError:
    value = shown(name, getattr(settings, name))
    return SettingsError("settings.out_of_range", name=name, value=value, allowed=allowed)


def _converted(name: str, value: Any, default: Any) -> Any:
    """``value`` as the kind of ``default``. Text is what the environment gives; a file must have the kind itself."""
    kind = "relays" if name == "relays" else setting_kinds.KINDS[type(default)]
    try:
        taken = relay_sources.read(value) if kind == "relays" else setting_kinds.taken(kind, value)
    except relay_sources.SourceError as wrong:
        raise _of_relays(wrong) from None
    if taken is None:
        raise SettingsError(f"settings.not_{kind}", name=name, value=shown(name, value))
    return taken


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _of_relays(wrong: relay_sources.SourceError) -> SettingsError:
    """What is wrong with a source; an address is told without what lets one in."""
    return SettingsError(wrong.key, **{name: shown("relays", fact) for name, fact in wrong.facts.items()})
