"""What kind of value a setting holds, and how text from a file or the environment becomes it. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

KINDS: dict[type, str] = {
    str: "text",
    bool: "flag",
    int: "whole",
    float: "number",
    tuple: "names",
    type(Path()): "path",
}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # of a text: control characters, bytes that are not UTF-8


def taken(kind: str, value: Any) -> Any:
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
