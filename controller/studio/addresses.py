"""Addresses a speech service may be asked at: HTTPS, plain HTTP on this machine only, nothing that two readers of URLs
would read differently (user names, backslashes, spaces, letters outside ASCII)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-\[\]-~]{0,4000})?"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """An address; ``place`` is its host, with the port where that is not the scheme's own."""

    url: str
    place: str


def read_address(url: str) -> Address | None:
    """The address, or None where it is none that may be asked."""
    found = _URL.fullmatch(url)
    if not found:
        return None
    scheme, host = found["scheme"], found["host"].lower()
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536 or (scheme == "http" and not _here(host)) or "#" in url:
        return None
    place = host if port == _PORTS[scheme] else f"{host}:{port}"
    return Address(f"{scheme}://{place}{found['path'] or '/'}", place)


def _here(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
