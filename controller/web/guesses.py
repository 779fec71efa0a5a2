"""Who may try a password or a code now: by name, by address, and by browsers that were let in before.

- A name is tried by strangers only so often, wherever they sit; so is every address, whatever names it tries.
- A browser that was once let in as somebody is counted by itself: no flood of strangers, from the next room or from
  everywhere, keeps people out who come in as they always do (OWASP, "device cookies").
- Passwords are hashed by few at once and few may wait for it, so a flood cannot hold every thread of the server.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore, Semaphore

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from controller.turned_away import TOO_OFTEN
from controller.web.throttle import Throttle
from controller.web.window import window

TRIES_BY_PERSON = 6  # one name from one address, and one known browser
TRIES_BY_NAME = 30
TRIES_BY_ADDRESS = 40  # a whole office may sit behind one
PASSKEYS_BY_ADDRESS = 120
PASSWORD, CODE = "", "code "  # what tries are counted of, each by itself
HASHED_AT_ONCE = 2  # Argon2 takes 64 MiB each
MOST_WAITING = 8
COOKIE = "loa_quen"
YEAR_SECONDS = 365 * 24 * 3600


class Turnstile:
    """Lets few hash at once; ``__call__`` gives False when too many wait already."""

    def __init__(self, at_once: int = HASHED_AT_ONCE, waiting: int = MOST_WAITING) -> None:
        self._places = Semaphore(at_once + waiting)
        self._hashing = BoundedSemaphore(at_once)

    @contextmanager
    def __call__(self) -> Iterator[bool]:
        """A turn: True once it has come, False when there is none to be had now."""
        if not self._places.acquire(blocking=False):
            yield False
            return
        try:
            with self._hashing:
                yield True
        finally:
            self._places.release()


class Guesses:
    """The app's count of tries and its turnstile."""

    def __init__(self) -> None:
        self.throttle = Throttle()
        self.turn = Turnstile()

    def take(self, name: str, kind: str = PASSWORD) -> timedelta:
        """Count a try of this request at ``name``'s password or code; how long to wait if it may not be made."""
        here, now = window(), window().now()
        wait = self.throttle.take(patience(name, kind), now)
        if wait:
            here.desk.turned_away.note(TOO_OFTEN, name, f"of={kind.strip() or 'password'}", now)
        return wait

    def right(self, name: str, kind: str = PASSWORD) -> None:
        """The try that was counted was right."""
        keys = patience(name, kind)
        self.throttle.give_back(keys, window().now())
        self.throttle.forget(key for key, most in keys.items() if most == TRIES_BY_PERSON)


def guesses() -> Guesses:
    """The guesses of the app that answers this request."""
    held = current_app.extensions["guesses"]
    assert isinstance(held, Guesses)
    return held


def patience(name: str, kind: str = PASSWORD) -> dict[str, int]:
    """What a try of this request counts against: key -> tries at once. Right passwords forgive no wrong codes."""
    plain, address = name.casefold(), place(request.remote_addr or "")
    browser = known_as(plain)
    if browser:
        return {f"{kind}browser {browser} {plain}": TRIES_BY_PERSON}
    return {
        f"{kind}person {address} {plain}": TRIES_BY_PERSON,
        f"{kind}name {plain}": TRIES_BY_NAME,
        f"{kind}address {address}": TRIES_BY_ADDRESS,
    }


def too_many_asked() -> bool:
    """Whether this address asks to be asked for passkeys, or answers, too often; a known browser counts for itself."""
    asking, now = browser()[0] or place(request.remote_addr or ""), window().now()
    waits = bool(guesses().throttle.take({f"passkeys {asking}": PASSKEYS_BY_ADDRESS}, now))
    if waits:
        window().desk.turned_away.note(TOO_OFTEN, "", "of=passkey", now)
    return waits


def place(address: str) -> str:
    """What counts as one address: an IPv4 address, or the 64-bit network of an IPv6 one: one house holds it all."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    return str(IPv6Network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def known_as(name: str) -> str:
    """This browser's number if it was let in as ``name`` before, else nothing."""
    number, names = browser()
    return number if name in names else ""


def browser() -> tuple[str, list[str]]:
    """This browser's number and as whom it was let in before; empty for one that never was."""
    try:
        number, names = serializer().loads(request.cookies.get(COOKIE, "")[:2000])
    except (BadSignature, TypeError, ValueError):
        return "", []
    return str(number), names


def remember(answer: Response, name: str) -> None:
    """Let this browser be known as ``name`` from now on; the last four names are kept."""
    number, names = browser()
    number = number or secrets.token_hex(8)
    kept = [name.casefold(), *(each for each in names if each != name.casefold())][:4]
    answer.set_cookie(
        COOKIE,
        serializer().dumps([number, kept]),
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path="/",
    )


def serializer() -> URLSafeSerializer:
    """Signs what a browser keeps; a cookie of another purpose is no such cookie."""
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="loa known browser")
