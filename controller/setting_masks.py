"""Settings as a person may see them: secrets masked, addresses without what lets one in, long values cut. Pure.

- Passwords are not shown at all. Of an address the user, the query and the fragment are masked: tokens stand there.
- Of a key in a token only what names it is shown; a PIN that stands in the URI is not.
"""

from __future__ import annotations

import re

SECRETS = ("broker_password", "database_url")
ADDRESSES = ("web_host", "web_origin", "web_names", "broker_host", "broker_for_nodes", "media_url", "relays")
KEY_NAMES = ("token", "object", "module-path", "pin-source")  # of a pkcs11 URI, as `controller.token` reads it
MASK = "***"
MOST_SHOWN = 200  # characters

_USER = re.compile(r"://\S*@")  # up to the last @: what a password has in it
_BARE = re.compile(r"(?<!\S)(?!\S*://)\S*@")  # a host with a user, without a scheme
_QUERY = re.compile(r"([?#])[^\s,]+")
_PART = re.compile(r"([;?&:]|^)([^;?&:=]+)=([^;?&]*)")


def shown(name: str, value: object) -> str:
    """The value of the setting ``name`` on one line, at most ``MOST_SHOWN`` characters."""
    if name in SECRETS:
        return MASK if value else ""
    text = _USER.sub(f"://{MASK}@", written(value))
    if name in ADDRESSES:
        text = _QUERY.sub(rf"\1{MASK}", _BARE.sub(f"{MASK}@", text))
    if name == "station_key":
        text = _PART.sub(lambda part: part[0] if part[2] in KEY_NAMES else f"{part[1]}{part[2]}={MASK}", text)
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:MOST_SHOWN])


def written(value: object) -> str:
    """As it would stand in the environment: lists by commas, ``true`` and ``false``."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
