"""How a speech service on the network is spoken to: read from a TOML file, checked in full before anything is asked.

- No service has code of its own: what differs between them is data, one file each (`docs/voices.md` has examples).
- A file that cannot be used is answered with its key and what is allowed there. Secrets are named in it, never held.
- Text reaches JSON, XML and addresses through their own quoting: a text cannot become part of the request.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller.studio.addresses import Address, read_address
from controller.studio.tables import Table, wrong
from controller.studio.voice import Trouble, VoiceError

FORMATS = ("mp3", "wav", "ogg", "flac")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
MOST_FILE_BYTES = 64_000
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_NOT_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: the environment variable ``env``, or the ``file`` (UTF-8, its first line)."""

    env: str = ""
    file: Path = Path()


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: templates whose ``{text}``, ``{voice}``, ``{speed}`` and ``{secret.NAME}`` are filled.

    ``body_kind`` is ``text``, ``xml``, ``json`` or empty; ``body`` a template, for ``json`` a table of them.
    """

    method: str
    address: Address
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body_kind: str
    body: Any


@dataclass(frozen=True, slots=True)
class Sound:
    """Where the sound is: ``where`` is ``raw``, ``base64`` or ``url``, the last two at ``path`` in the JSON answer.

    A URL is asked for every ``poll_seconds`` (0.1–60), at most ``limit_seconds`` (1–600), on ``hosts`` alone; the
    statuses ``not_yet`` mean that it is not there yet.
    """

    where: str
    format: str
    path: str = ""
    hosts: tuple[str, ...] = ()
    poll_seconds: float = 2.0
    limit_seconds: float = 120.0
    not_yet: tuple[int, ...] = (202, 404)


@dataclass(frozen=True, slots=True)
class Errors:
    """What an error means: by HTTP status, and by the code at ``path`` of a JSON answer (``fine``: none)."""

    statuses: Mapping[int, Trouble]
    path: str = ""
    fine: tuple[str, ...] = ("0",)
    codes: Mapping[str, Trouble] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A speech service. ``most_chars`` per request (20–5000), ``timeout_seconds`` for each silence (1–120).

    After ``give_up_seconds`` (10–3600) nothing more is asked for a text, so that the next voice has its turn.
    """

    request: Request
    sound: Sound
    errors: Errors
    secrets: Mapping[str, Secret]
    most_chars: int
    voice: str
    speed: str | int | float
    timeout_seconds: float
    give_up_seconds: float


def read(path: Path) -> Description:
    """The description in a TOML file. Raises VoiceError (refused): unreadable, unknown key, missing, not allowed."""
    try:
        with path.open("rb") as file:
            held = file.read(MOST_FILE_BYTES + 1)
        if len(held) > MOST_FILE_BYTES:
            raise VoiceError(Trouble.REFUSED, "voices.too_large", file=path, most=MOST_FILE_BYTES)
        found = tomllib.loads(held.decode("utf-8-sig"))
    except OSError as error:
        raise VoiceError(Trouble.REFUSED, "voices.unreadable", file=path, why=error.strerror or error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise VoiceError(Trouble.REFUSED, "voices.not_toml", file=path) from None
    return _description(Table(found, path))


def _description(table: Table) -> Description:
    secrets = _secrets(table.table("secrets"), table.file.parent)
    known = {"text", "voice", "speed", *(f"secret.{name}" for name in secrets)}
    found = Description(
        request=_request(table, known),
        sound=_sound(table.table("audio", needed=True)),
        errors=_errors(table.table("errors")),
        secrets=secrets,
        most_chars=int(table.number("most_chars", 1000, 20, 5000, whole=True)),
        voice=table.text("voice", ""),
        speed=table.scalar("speed", ""),
        timeout_seconds=table.number("timeout_seconds", 20.0, 1, 120),
        give_up_seconds=table.number("give_up_seconds", 300.0, 10, 3600),
    )
    table.done()
    return found


def _secrets(table: Table, folder: Path) -> dict[str, Secret]:
    secrets = {}
    for name in table.names(r"[a-z][a-z0-9_]{0,39}"):
        one = table.table(name)
        env = one.text("env", "", r"(?!LOA_)[A-Za-z_][A-Za-z0-9_]{0,79}")  # the station's settings own LOA_
        file = one.text("file", "", r"[^\0]{1,1000}")
        if bool(env) == bool(file):
            raise wrong(table, name, 'env = "…" | file = "…"')
        one.done()
        secrets[name] = Secret(env, folder / file if file else Path())
    return secrets


def _request(table: Table, known: set[str]) -> Request:
    address = read_address(table.text("url"))
    if address is None:
        raise wrong(table, "url", "https://HOST/PATH")
    bodies = table.table("body")
    kinds = bodies.names("text|xml|json")
    if len(kinds) > 1:
        raise wrong(table, "body", "text | xml | json")
    kind = kinds[0] if kinds else ""
    body = bodies.any(kind, dict if kind == "json" else str) if kind else ""
    headers = table.table("headers").texts(_HEADER.pattern)
    query = table.table("query").texts(r"[A-Za-z0-9._~-]{1,80}")
    request = Request(table.text("method", "POST", "GET|POST|PUT"), address, headers, query, kind, body)
    _check(table, request, known)
    return request


def _check(table: Table, request: Request, known: set[str]) -> None:
    """Raises VoiceError: a placeholder that is none, a secret in the address, text nowhere, a body that is no JSON."""
    for name, value in request.headers.items():
        if name.lower() in _NOT_OURS or "\r" in value or "\n" in value:
            raise wrong(table, f"headers.{name}", "–")
    places = {
        "headers": _placeholders(dict(request.headers), table),
        "query": _placeholders(dict(request.query), table),
        "body": _placeholders(request.body, table),
    }
    allowed = {"headers": known - {"text"}, "query": {"text", "voice", "speed"}, "body": known}
    for place, used in places.items():
        if not used <= allowed[place]:
            raise wrong(table, place, ", ".join(f"{{{name}}}" for name in sorted(allowed[place])))
    if "text" not in places["query"] | places["body"]:
        raise wrong(table, "body", "{text}")


def _placeholders(template: Any, table: Table) -> set[str]:
    match template:
        case str():
            return set(PLACEHOLDER.findall(template))
        case bool() | int():
            return set()
        case float() if abs(template) < float("inf"):
            return set()
        case list():
            return set().union(*(_placeholders(each, table) for each in template))
        case dict():
            return set().union(*(_placeholders(each, table) for each in template.values()))
    raise wrong(table, "body.json", "JSON")


def _sound(table: Table) -> Sound:
    where = table.text("in", form="raw|base64|url")
    path = table.text("path", "") if where == "raw" else table.text("path", form=r"[^.\s]+(\.[^.\s]+)*")
    hosts = table.list_of("hosts", r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")
    if where == "url" and not hosts:
        raise wrong(table, "hosts", '["HOST"]')
    found = Sound(
        where=where,
        format=table.text("format", form="|".join(FORMATS)),
        path=path,
        hosts=tuple(host.lower() for host in hosts),
        poll_seconds=table.number("poll_seconds", 2.0, 0.1, 60),
        limit_seconds=table.number("limit_seconds", 120.0, 1, 600),
        not_yet=tuple(int(each) for each in table.list_of("not_yet", "[2-5][0-9][0-9]", ["202", "404"])),
    )
    table.done()
    return found


def _errors(table: Table) -> Errors:
    troubles = "|".join(Trouble)
    statuses = table.table("status")
    kinds = {int(name): Trouble(statuses.text(name, form=troubles)) for name in statuses.names("[3-5][0-9][0-9]")}
    codes = table.table("codes")
    found = Errors(
        statuses=kinds,
        path=table.text("path", ""),
        fine=tuple(table.list_of("fine", ".{0,80}", ["0"])),
        codes={name: Trouble(codes.text(name, form=troubles)) for name in codes.names(".{1,80}")},
    )
    table.done()
    return found
