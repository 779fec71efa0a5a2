"""Numbers as people here read them: a comma before decimals in Vietnamese, a true minus sign. Pure."""

from __future__ import annotations


def figure(value: float | None, digits: int, unit: str, language: str, sign: bool = False) -> str:
    """``51,5 °C`` (vi) or ``51.5 °C`` (en); with ``sign`` a plus too. Nothing for None."""
    if value is None:
        return ""
    shown = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    point = "," if language == "vi" else "."
    return f"{shown.replace('-', '−').replace('.', point)}\u00a0{unit}".rstrip()
