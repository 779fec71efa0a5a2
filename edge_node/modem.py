"""The way to the network: a modem that ModemManager knows, the signal of a Wi-Fi card, the default route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wire.health import Modem

COMMAND = ("mmcli", "-m", "any", "-J")
_ABSENT = ("", "--")  # how mmcli writes that there is nothing


def read(answer: str | None) -> Modem | None:
    """What ``mmcli -m any -J`` prints; None without a modem, or for something else."""
    try:
        modem = json.loads(answer or "")["modem"]
        generic = modem["generic"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    technologies = _get(generic, "access-technologies")
    return Modem(
        operator=_text(_get(modem, "3gpp", "operator-name")),
        signal_percent=_percent(_get(generic, "signal-quality", "value")),
        technology=_text(", ".join(map(str, technologies)) if isinstance(technologies, list) else None),
        state=_text(_get(generic, "state")),
    )


def wifi_dbm(proc: Path = Path("/proc")) -> int | None:
    """The signal of the first Wi-Fi card, in dBm; None without one."""
    try:
        rows = (proc / "net/wireless").read_text("ascii").splitlines()[2:]
        return round(float(rows[0].split()[3]))
    except (OSError, ValueError, IndexError):
        return None


def default_interface(proc: Path = Path("/proc")) -> str | None:
    """The interface of the default route of IPv4."""
    try:
        rows = [line.split() for line in (proc / "net/route").read_text("ascii").splitlines()[1:]]
        defaults = [(int(row[6]), row[0]) for row in rows if len(row) > 6 and row[1] == "00000000"]
    except (OSError, ValueError):
        return None
    return min(defaults)[1] if defaults else None


def _get(found: Any, *path: str) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(found: Any) -> str | None:
    return found[:40] if isinstance(found, str) and found not in _ABSENT else None


def _percent(found: Any) -> int | None:
    try:
        return min(100, max(0, int(found)))
    except (TypeError, ValueError, OverflowError):
        return None
