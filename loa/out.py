"""Printing: JSON for programs, times on the station's clock."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from io import TextIOWrapper

from schedules import moments


def utf8() -> None:
    """What a program reads is UTF-8, whatever the locale."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def as_json(value: object) -> None:
    """``value`` as JSON on standard output; moments in RFC 3339."""
    utf8()
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def json_line(value: object) -> None:
    """``value`` as JSON on one line, so that many of them can be read one by one."""
    utf8()
    print(json.dumps(value, ensure_ascii=False, default=_plain), flush=True)


def second(moment: datetime | None, zone: str) -> str:
    """``24/11/2026 17:00:05`` on the zone's clock; a dash for none."""
    return f"{moments.local(moment, zone):%d/%m/%Y %H:%M:%S}" if moment else "–"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
