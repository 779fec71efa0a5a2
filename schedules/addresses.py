"""Addresses of streams: what a station may name and a node may connect to. Pure: nobody is asked.

- http or https, a host, a port, a path: nothing that two readers of addresses would read differently, and no name or
  password, since the address travels unhidden.
- Public: neither this machine nor its own network, unless the setting ``private_relays`` says so. A name is judged when
  it is resolved, by each of its addresses (`is_public`), since what it stands for may change.
"""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from wire.plan import MAX_URL_CHARS

_URL = re.compile(
    r"https?://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?][!\$-\[\]-~]*)?"  # no quote, no hash, no backslash
)
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(0[xX][0-9A-Fa-f]*|[0-9]+)\.?")  # read by some as an IPv4 address (WHATWG, URL)
_TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last four bytes
_OWN_NAMES = ("localhost", "local", "internal", "lan", "home.arpa")


class Wrong(StrEnum):
    """Why an address is none to relay from."""

    FORM = "form"  # not an address that everybody reads alike
    PRIVATE = "private"  # this machine or its own network


def why_not(url: str, private: bool) -> Wrong | None:
    """Why nothing may be relayed from ``url``, as far as can be seen without asking; None when it may."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARS else None
    port = found["port"] if found else None
    if found is None or (port is not None and not 0 < int(port) < 65536):
        return Wrong.FORM
    host = found["host"].strip("[]").rstrip(".").lower()
    return None if private or _may_be_public(host) else Wrong.PRIVATE


def is_public(address: str) -> bool:
    """Whether a numeric IPv4 or IPv6 address belongs to the public Internet, also the one inside a translated one."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _TRANSLATED:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast


def _may_be_public(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        own = any(host == name or host.endswith(f".{name}") for name in _OWN_NAMES)
        return "." in host and not own and not _ENDS_IN_NUMBER.fullmatch(host)
    return is_public(host)
