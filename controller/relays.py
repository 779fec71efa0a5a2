"""Relay sources: the stations that this one may relay, as its settings name them.

- ``[relays]`` in the file: a name and an address, or a table of address, title and fallback. Programmes say the name.
- What is wrong is one sentence with the source's name, and the nearest right key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from schedules import addresses
from schedules.relays import Source
from words import Said

MOST_SOURCES = 100
MOST_CHARS = 200  # of a title or a fallback
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SECRET = re.compile(r"//[^/]*@")  # a user name and password that somebody put into an address
_KEYS = ("url", "title", "fallback")


class SourceError(Said):
    """A relay source that cannot be used."""


def read(value: object) -> tuple[Source, ...] | None:
    """The sources of a table, or of a text such as ``vov1=https://…, vov2=https://…``; None where it is neither.

    Raises SourceError.
    """
    if isinstance(value, str):
        pairs = [each.partition("=") for each in value.split(",") if each.strip()]
        value = {name.strip(): url.strip() for name, _, url in pairs}
    if not isinstance(value, Mapping) or len(value) > MOST_SOURCES:
        return None
    return tuple(_source(str(name), told) for name, told in value.items())


def check(sources: tuple[Source, ...], private: bool) -> None:
    """Raises SourceError for an address that may not be relayed."""
    for source in sources:
        why = addresses.why_not(source.url, private)
        if why is not None:
            raise SourceError(
                f"settings.relay_{why.value}", name=source.name, url=_shown(_SECRET.sub("//***@", source.url))
            )


def _source(name: str, told: Any) -> Source:
    if not _NAME.fullmatch(name):
        raise SourceError("settings.relay_name", name=_shown(name))
    if isinstance(told, str):
        told = {"url": told}
    if not isinstance(told, Mapping) or not isinstance(told.get("url"), str):
        raise SourceError("settings.relay_table", name=name)
    for field, text in told.items():
        if field not in _KEYS:
            near = difflib.get_close_matches(str(field), _KEYS, 1, 0.0)
            raise SourceError("settings.relay_key", name=name, field=_shown(str(field)), nearest=near[0])
        if not isinstance(text, str) or not text.isprintable() or (field != "url" and len(text) > MOST_CHARS):
            raise SourceError("settings.relay_text", name=name, field=field, most=MOST_CHARS)
    return Source(name, told["url"], told.get("title", ""), told.get("fallback", ""))


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:MOST_CHARS])
