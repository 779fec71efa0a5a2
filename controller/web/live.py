"""Live pages: any number of open pages (up to a cap) hear that something changed which they show.

- The event says of which kinds it is. A page fetches itself again and swaps what differs, so nothing is rendered twice:
  its live parts alone, and only what waits in the bar where the event is of nothing else that it shows.
- Past the cap the answer is 503 and the page falls back to polling.
- A stream ends when its viewer leaves, after an hour, or at once when the server stops.
- Where the server can keep a connection open (`controller.web.viewers`), an open page holds a place and no worker: the
  one thread of the `hub` speaks to all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

from flask import Blueprint, Flask, Response, current_app, g, render_template, request

from controller.web.concerns import Interest, kinds_of, own_areas, places_of
from controller.web.doors import COOKIE, door, who
from controller.web.hub import Hub
from controller.web.streams import OPENING, Stream

STAY = "loa.stay"  # in a request's environment: what lets its connection stay open
AGAIN = "page"  # what an open page that asks for itself again says in X-Live

pages = Blueprint("live", __name__)


def hub_of(app: Flask) -> Hub:
    """The app's hub."""
    hub = app.extensions["hub"]
    assert isinstance(hub, Hub)
    return hub


def version() -> int:
    """What a page is made from: as it was when the request came, before anything was read."""
    return int(g.get("live_version", 0))


def areas_of_reader() -> frozenset[str]:
    """Where whoever is signed in was granted anything, at whatever hours."""
    return own_areas((who().area, *(grant.area for grant in who().grants)))


def asks_again() -> bool:
    """Whether an open page asks for itself, and needs no more than its live parts."""
    return request.method == "GET" and request.headers.get("X-Live") == AGAIN


@pages.before_app_request
def began() -> None:
    """Every request: what its page is made from; and that a page asks for itself again."""
    hub = hub_of(current_app)
    if request.cookies.get(COOKIE):
        hub.begin()
    g.live_version = hub.version
    if asks_again():
        hub.turns.begin()
        g.live_began = thread_time()


@pages.teardown_app_request
def ended(_wrong: BaseException | None) -> None:
    """A page that asked for itself again has its answer."""
    at = g.pop("live_began", None)
    if at is None:
        return
    hub = hub_of(current_app)
    hub.answered(thread_time() - at)
    if g.get("user") is not None:
        hub.know(who().id, areas_of_reader())


@pages.get("/so-viec")
@door()
def counts() -> str:
    """How much waits behind each page of the bar: for an open page that nothing else has changed on."""
    return render_template("counts.html")


@pages.get("/su-kien")
@door()
def events() -> Response:
    """The stream of changes (server-sent events): of the kinds ``ve``, in own areas and ``noi`` (``*``: anywhere)."""
    gone = request.environ.get("waitress.client_disconnected", lambda: False)
    more = places_of(request.args.get("noi", ""))
    interest = Interest(kinds_of(request.args.get("ve", "")), areas_of_reader(), who().id, more)
    stream = hub_of(current_app).open(gone, request.args.get("tu", 0, int), interest)
    if stream is None:
        return Response(status=503, headers={"Retry-After": "15"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stay: Callable[[Stream], None] | None = request.environ.get(STAY)
    if stay is not None and request.method == "GET":
        stay(stream)
        return Response(iter([OPENING]), mimetype="text/event-stream", headers=headers)
    return Response(stream, mimetype="text/event-stream", headers=headers)
