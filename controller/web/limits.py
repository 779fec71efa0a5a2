"""How much one session and one address may ask in a quarter of an hour, more than any person does; past it 429.

- A commune's whole office sits behind one address, so an address may do what many sessions may; a stranger's requests
  are counted against his address alone, and much stricter. Audio is not counted: no emergency waits for a limit.
- A browser that was let in before is no stranger when its session is over: it is counted by itself (`guesses`), so that
  nobody in the next room keeps an officer from signing in.
- What is dear (uploads, samples of voices, codes for nodes, exports) has limits of its own, by session and by address.
- What is kept of it is bounded (`Throttle`): a flood from any number of addresses takes no more memory than one.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from flask import current_app, request
from werkzeug.exceptions import TooManyRequests

from controller.web.asking import bearer, of_api
from controller.web.doors import COOKIE, someone
from controller.web.guesses import browser, place
from controller.web.throttle import Throttle
from controller.web.window import window


class Limit(NamedTuple):
    """Requests in a quarter of an hour, all at once if need be."""

    by_session: int
    by_address: int


ANYTHING = Limit(4_000, 60_000)  # a page that polls asks 60 times
STRANGER = 1_500  # by address, without a session
CHANGE = Limit(900, 9_000)
CODE = Limit(120, 600)
UPLOAD = Limit(120, 1_200)
PIECE = Limit(3_000, 30_000)  # of a megabyte
SAMPLE = Limit(400, 4_000)
EXPORT = Limit(200, 2_000)
UNHEARD = Limit(20, 30)
DEAR = {
    **dict.fromkeys(("enrolling.invite", "enrolling.replace"), CODE),
    **dict.fromkeys(
        ("recording.small", "recording.begin", "recording.whole", "alerting.take_in", "areas.look"), UPLOAD
    ),
    "recording.piece": PIECE,
    **dict.fromkeys(("compose.hear", "compose.again", "listening.sentence", "lexicon.hear"), SAMPLE),
    **dict.fromkeys(("programme.document", "programme.policy_document"), EXPORT),
    "unheard.tell": UNHEARD,
    "reports.file": EXPORT,
    **dict.fromkeys(("week.area_document", "week.node_document"), EXPORT),
}
SAFE = ("GET", "HEAD", "OPTIONS")
UNCOUNTED = frozenset({"audio", "alive"})  # a province of nodes may sit behind one address, in an emergency
NO_PEOPLE = frozenset({"admission", "static"})  # counted by address only


def within_limits() -> None:
    """Count this request; past a limit it ends here. Raises TooManyRequests with ``Retry-After``."""
    wait = throttle().take(patience(), window().now())
    if wait > timedelta(0):
        raise TooManyRequests(retry_after=max(1, -(-wait // timedelta(seconds=1))))


def patience() -> dict[str, int]:
    """What this request counts against: key -> how often in a quarter of an hour."""
    address, endpoint = place(request.remote_addr or ""), request.endpoint or ""
    room = endpoint.partition(".")[0]
    if room in UNCOUNTED:
        return {}
    counted = {f"address {address}": ANYTHING.by_address}
    if room in NO_PEOPLE:
        return counted
    session = signed_in()
    mine = f"session {session}" if session else known()
    counted |= {mine: ANYTHING.by_session} if mine else {f"stranger {address}": STRANGER}
    limits = [(endpoint, DEAR[endpoint])] if endpoint in DEAR else []
    limits += [("change", CHANGE)] if request.method not in SAFE and endpoint != "recording.piece" else []
    for name, limit in limits:
        counted[f"{name} by {address}"] = limit.by_address
        counted |= {f"{name} of {session}": limit.by_session} if session else {}
    return counted


def signed_in() -> str:
    """The session behind this request, by a digest; empty where there is none. A forged one is none."""
    token = bearer() if of_api() else request.cookies.get(COOKIE, "")
    return sha256(token.encode()).hexdigest()[:16] if token and someone() is not None else ""


def known() -> str:
    """What a browser without a session is counted by, if it was ever let in."""
    number, _ = browser()
    return f"browser {number}" if number else ""


def throttle() -> Throttle:
    """The counters of the app that answers this request."""
    held = current_app.extensions.setdefault("limits", Throttle())
    assert isinstance(held, Throttle)
    return held
