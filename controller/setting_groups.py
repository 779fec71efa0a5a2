"""The settings in groups by trade, in the order in which somebody who sets up a station needs them. Pure."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "station": (
        *("station_name", "zone", "health_seconds", "alarm_grace_seconds", "alarm_hold_seconds"),
        *("target_stations_percent", "target_digital_percent", "log_level"),
    ),
    "radio": (
        *("broker_kind", "broker_host", "broker_port", "broker_user", "broker_password", "broker_for_nodes"),
        *("media_url", "data_budget_bytes_per_day", "relays", "private_relays"),
    ),
    "voices": ("voice_chain", "opening", "closing", "sound_preset", "repeat_gap_ms", "lead_in_ms"),
    "planning": ("quiet_since", "quiet_until", "now_lead_seconds", "own_approval", "cap_senders"),
    "web": (
        *("web_host", "web_port", "web_tls_port", "web_names", "web_origin", "web_outline"),
        *("second_factor", "step_up_minutes", "public_log", "public_log_areas", "public_bulletins"),
    ),
    "keys": ("station_key", "broker_ca", "broker_cert", "broker_key", "web_certificate", "web_key"),
    "storage": ("state_dir", "database_url", "revocations_copy"),
}
