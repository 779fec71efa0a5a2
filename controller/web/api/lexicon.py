"""The lexicon: how a place's own words are read; and how any text would be read, before it is sent."""

from __future__ import annotations

from flask import Response, abort
from pydantic import Field

from controller.newsroom import spoken
from controller.rights import Permission
from controller.store.lexicon import Reading
from controller.web import hearing, lexicon
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Cursor, Limit, Moment, Name, Text
from controller.web.api.operation import JSON, api, door, tag
from controller.web.doors import own_place, sees, who
from controller.web.window import window

TAG = tag("lexicon", "How words are read")


class Query(Asked):
    """Of which area (exactly), and with what in it, whatever the accents."""

    area: Name | None = None
    q: Name = ""
    cursor: Cursor | None = None
    limit: Limit = answers.PAGE


class Entry(Asked):
    """In ``area`` (``*``: everywhere), ``written`` is read ``spoken``."""

    area: Name
    written: Name
    spoken: Name


class Which(Asked):
    """Which reading."""

    area: Name
    written: Name


class ReadingOut(Answered):
    """A reading that was taught."""

    area: str
    written: str
    spoken: str
    taught_by: str
    taught_at: Moment


class ReadingPage(Answered):
    """Readings, by what is written."""

    items: list[ReadingOut]


class ToRead(Asked):
    """A text, as somebody of ``area`` would write it (null: of the asker's own)."""

    text: Text
    area: Name | None = Field(None, min_length=1)


class RewriteOut(Answered):
    """``text[start:end]``, in characters, was ``written`` and is read ``spoken``, because of ``why``."""

    start: int
    end: int
    written: str
    spoken: str
    why: str
    reason: str


class FlagOut(Answered):
    """``text[start:end]`` is doubtful: a person decides; ``suggestion``: what was probably meant."""

    start: int
    end: int
    written: str
    why: str
    suggestion: str


class SpokenOut(Answered):
    """How it is read aloud. Places count in ``source``: the text as it was tidied."""

    source: str
    spoken: str
    rewrites: list[RewriteOut]
    flags: list[FlagOut]


@api.get("/lexicon", tags=TAG, responses={200: ReadingPage})
@door(Permission.READ)
def list_readings(query: Query) -> Response:
    """What was taught for the areas that this token reads, above and below them."""
    after = answers.read_cursor(query.cursor, (str, str))
    found = lexicon.search(lexicon.around(), query.area or "", query.q)
    rest = [each for each in found if after is None or [each.written, each.area] > after]
    shown = rest[: query.limit]
    more = [shown[-1].written, shown[-1].area] if len(rest) > len(shown) else None
    return answers.page(ReadingPage(items=[_told(each) for each in shown]), more)


@api.put("/lexicon", tags=TAG, responses={200: ReadingOut})
@door(Permission.WRITE, takes=JSON)
def teach(body: Entry) -> Response:
    """From now on it is read so."""
    here = window()
    return answers.done(_told(here.desk.teach(body.area, body.written, body.spoken, who(), here.now())))


@api.delete("/lexicon", tags=TAG, responses={204: None})
@door(Permission.WRITE)
def forget(query: Which) -> Response:
    """It is read by the rules again, or as a larger area says."""
    here = window()
    here.desk.unteach(query.area, query.written, who(), here.now())
    return Response(status=204)


@api.post("/spoken", tags=TAG, responses={200: SpokenOut})
@door(Permission.READ, takes=JSON)
def read_aloud(body: ToRead) -> Response:
    """How a text is read: figures, dates, acronyms and a place's own words written out. Nothing is kept."""
    area = body.area or own_place()
    if not sees(area):
        abort(404)
    read = spoken(body.text, window().store.lexicon.readings(area))
    rewrites = [
        RewriteOut(**{name: getattr(each, name) for name in ("start", "end", "written", "spoken", "why")}, reason=why)
        for each in read.rewrites
        for why in [hearing.why(each.why)]
    ]
    flags = [
        FlagOut(start=each.start, end=each.end, written=each.written, why=each.why, suggestion=each.suggestion)
        for each in read.flags
    ]
    return answers.done(SpokenOut(source=read.source, spoken=read.text, rewrites=rewrites, flags=flags))


def _told(reading: Reading) -> ReadingOut:
    return ReadingOut(**vars(reading))
