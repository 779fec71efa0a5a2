"""What a browser calls itself, as a person would call it: never trusted, only shown to the one who uses it."""

from __future__ import annotations

import re

_BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("coc_coc_browser", "Cốc Cốc"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari")),
)
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
MOST_READ = 500


def named(agent: str) -> str:
    """``Chrome · Android`` out of a User-Agent header; its first word where neither is known, empty for none."""
    read = agent[:MOST_READ]
    known = [next((name for sign, name in table if sign in read), "") for table in (_BROWSERS, _SYSTEMS)]
    if any(known):
        return " · ".join(filter(None, known))
    return re.sub(r"[^\w./-]", "", read.split()[0] if read.split() else "")[:40]
