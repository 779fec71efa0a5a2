"""What the text of a setting must look like, and the ranges of numbers: the table behind `controller.settings`."""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """What a text must look like, and an example for a person."""

    pattern: str
    example: str


_CLOCK = Form(r"([01][0-9]|2[0-3]):[0-5][0-9]", "00:00-23:59")
_WORDS = Form(r".{0,300}", "Đây là {station}.")
FORMS = {
    "database_url": Form(
        r"|sqlite:///.+|postgresql(\+psycopg)?://([^/@]*@)?([^/:?]*|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(/.*)?",
        "sqlite:///PATH, postgresql://USER:PASSWORD@HOST:PORT/NAME",
    ),
    "station_name": Form(r".*\S.*", "Đài truyền thanh …"),
    "web_host": Form(r"\S+", "127.0.0.1"),
    "web_certificate": Form(r"|/\S+", "/etc/letsencrypt/live/HOST/fullchain.pem"),
    "web_key": Form(r"|/\S+", "/etc/letsencrypt/live/HOST/privkey.pem"),
    "revocations_copy": Form(r"|/\S+", "/mnt/nas/loa-revocations"),
    "broker_kind": Form(r"mosquitto|nats", "mosquitto, nats"),
    "web_outline": Form(r"|/\S+", "/etc/loa/web/outline.geojson"),
    "broker_host": Form(r"\S+", "127.0.0.1"),
    "broker_for_nodes": Form(r"|(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):[0-9]{1,5}", "HOST:8883"),
    "station_key": Form(r"|pkcs11:\S{1,500}", "pkcs11:token=loa;object=station"),
    "web_origin": Form(
        r"|http://localhost(:[0-9]{1,5})?|https://(?!([0-9]{1,3}\.){3})[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?",
        "https://HOST",
    ),
    "second_factor": Form(r"own|critical|everybody", "own, critical, everybody"),
    "media_url": Form(r"|https?://\S+", "https://HOST/audio"),
    "opening": _WORDS,
    "closing": _WORDS,
    "own_approval": Form(r"always|ordinary|never", "always, ordinary, never"),
    "sound_preset": Form(r"horn|flat", "horn, flat"),
    "quiet_since": _CLOCK,
    "quiet_until": _CLOCK,
}
RANGES = {
    "web_port": range(65536),
    "web_tls_port": range(65536),
    "broker_port": range(1, 65536),
    "health_seconds": range(5, 3601),
    "data_budget_bytes_per_day": range(10**13),
    "repeat_gap_ms": range(10_001),
    "lead_in_ms": range(5001),
    "step_up_minutes": range(1, 121),
    "alarm_grace_seconds": range(1, 86_401),
    "alarm_hold_seconds": range(1, 3601),
    "target_stations_percent": range(101),
    "target_digital_percent": range(101),
}
