"""One request to a speech service, put together from its description, a text and the secrets.

- Templates are filled once: what comes in by a placeholder is never looked at for placeholders again.
- Secrets are read when they are needed, go into headers and body alone, and are in no sentence and no log.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests

from controller.studio.http_description import PLACEHOLDER, Description, Secret
from controller.studio.voice import Trouble, VoiceError

MOST_SECRET_BYTES = 8000
Values = Mapping[str, str | int | float]
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_CONTENT_TYPES = {"text": "text/plain; charset=utf-8", "xml": "application/xml", "json": "application/json"}


def read_secrets(description: Description) -> dict[str, str]:
    """The secrets by name. Raises VoiceError (refused): not set, unreadable, not one line of printable ASCII."""
    return {name: _secret(name, where) for name, where in description.secrets.items()}


def _secret(name: str, where: Secret) -> str:
    place: str | Path = where.env or where.file
    try:
        held = os.environ.get(where.env, "") if where.env else _read(where.file)
    except (OSError, UnicodeDecodeError):
        held = ""
    lines = held.strip().splitlines()
    if not lines:
        raise VoiceError(Trouble.REFUSED, "voices.no_secret", secret=name, place=place)
    if len(lines) > 1 or not re.fullmatch(r"[\x21-\x7e]+( [\x21-\x7e]+)*", lines[0]):
        raise VoiceError(Trouble.REFUSED, "voices.bad_secret", secret=name, place=place)
    return lines[0]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_SECRET_BYTES).decode("utf-8-sig")


def prepare(description: Description, text: str, secrets: Mapping[str, str]) -> requests.PreparedRequest:
    """The request that asks for ``text``. Raises VoiceError (refused) for a header that cannot be sent."""
    wanted = description.request
    values: dict[str, str | int | float] = {f"secret.{name}": value for name, value in secrets.items()}
    values |= {"text": text, "voice": description.voice, "speed": description.speed}
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Loa"}
    if wanted.body_kind:
        headers["Content-Type"] = _CONTENT_TYPES[wanted.body_kind]
    for name, template in wanted.headers.items():
        value = _fill(template, values)
        if not re.fullmatch(r"([\x21-\x7e]+([ \t]+[\x21-\x7e]+)*)?", value):
            raise VoiceError(Trouble.REFUSED, "voices.bad_header", header=name)
        headers = {each: kept for each, kept in headers.items() if each.lower() != name.lower()} | {name: value}
    query = {name: _fill(template, values) for name, template in wanted.query.items()}
    body = _body(wanted.body_kind, wanted.body, values)
    return requests.Request(wanted.method, wanted.address.url, headers, data=body, params=query).prepare()


def _body(kind: str, template: Any, values: Values) -> bytes | None:
    if kind == "json":
        return json.dumps(_filled(template, values), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    if kind == "xml":
        return _fill(template, values, _in_xml).encode("utf-8", "replace")
    return _fill(template, values).encode("utf-8", "replace") if kind else None


def _filled(template: Any, values: Values) -> Any:
    """A JSON value with every text in it filled; a text that is one placeholder alone takes its value as it is."""
    match template:
        case dict():
            return {name: _filled(each, values) for name, each in template.items()}
        case list():
            return [_filled(each, values) for each in template]
        case str():
            alone = PLACEHOLDER.fullmatch(template)
            return values[alone[1]] if alone else _fill(template, values)
    return template


def _fill(template: str, values: Values, quote: Callable[[str], str] = str) -> str:
    return PLACEHOLDER.sub(lambda found: quote(str(values[found[1]])), template)


def _in_xml(text: str) -> str:
    return escape(_NOT_IN_XML.sub(" ", text), {'"': "&quot;", "'": "&apos;"})
