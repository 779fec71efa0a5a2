"""How an announcement is read and how it sounds: the spoken form for the eye, its sound, what it costs in air time.

- What is seen is what airs: the author's own lexicon is in it, and of what has been voiced the words that were voiced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask import request

from controller.newsroom import Rewrite, Spoken, reason, spoken
from controller.store.rows import Announcement, VoiceFault, VoiceState
from controller.web import known
from controller.web.known import numbers
from controller.web.language import chosen, t
from controller.web.seen import Change, Line, Seen, seen
from controller.web.times import span
from controller.web.window import window
from words import Said

MOST_SHORT_CHARS = 90


def hearing(announcement: Announcement, areas: Iterable[str] = ()) -> dict[str, Any]:
    """``seen``, ``asset`` (None: no sound yet), ``fault`` and ``air``: what it costs to sound it in ``areas``."""
    asset = window().store.assets.get(announcement.asset) if announcement.asset else None
    cost = air(asset.duration_ms / 1000, areas) if asset else ""
    facts = {"seen": shown(announcement), "asset": asset, "fault": fault(announcement), "air": cost}
    return facts | {"passed_over": passed_over(announcement)}


def shown(announcement: Announcement) -> Seen:
    """The spoken form, with what is read otherwise than written."""
    return seen(read(announcement))


def read(announcement: Announcement) -> Spoken:
    """The spoken form: as it was voiced, else as it would be voiced now; of a recording nothing is read."""
    if announcement.recording:
        return Spoken("", "", (), ())
    now = _known(announcement) if request.method in known.ONLY_READS else _read_now(announcement)
    if announcement.voice_state is not VoiceState.DONE or announcement.spoken in ("", now.text):
        return now
    rewrites = tuple(Rewrite(**each) for each in announcement.spoken_rewrites)
    return replace(now, text=announcement.spoken, rewrites=rewrites)


def _known(announcement: Announcement) -> Spoken:
    at = numbers().of("lexicon", "users")
    return known.of(("read", announcement.author, announcement.text), at, lambda: _read_now(announcement))


def _read_now(announcement: Announcement) -> Spoken:
    return spoken(announcement.text, window().store.lexicon.for_author(announcement.author))


def fault(announcement: Announcement) -> str:
    """Why it has no voice, as a sentence; empty when nothing went wrong."""
    return _said(announcement.voice_error) if announcement.voice_state is VoiceState.FAILED else ""


def passed_over(announcement: Announcement) -> str:
    """Why a voice that comes before the one that read it did not; empty when the first one did."""
    return _said(announcement.voice_error) if announcement.voice_state is VoiceState.DONE else ""


def _said(wrong: VoiceFault | None) -> str:
    if wrong is None:
        return ""
    try:
        return Said(wrong.key, **wrong.facts).say(chosen())
    except (KeyError, IndexError):  # kept by a version that had other sentences
        return wrong.key


def air(seconds: float, areas: Iterable[str]) -> str:
    """What a recording of that length costs in air time: how many nodes sound it, and all their minutes together."""
    named = tuple(areas)
    if not named:
        return t("air_where")
    count = len(window().store.roster.reached(named))
    length = round(seconds)
    tongue = chosen()
    return t("air", count=count, length=span(length, tongue), total=span(count * length, tongue))


def why(code: str) -> str:
    """Why something is read as it is; a code that is newer than this page stands for itself."""
    try:
        return reason(code, chosen())
    except KeyError:
        return code


def about(change: Change) -> str:
    """A change in one line: ``7h30 → bảy giờ ba mươi phút (giờ phút)``."""
    if change.spoken == change.written:
        return f"{short(change.written)}: {why(change.why)}"
    return f"{short(change.written)} → {change.spoken or t('not_read')} ({why(change.why)})"


def short(written: str) -> str:
    """What was written, with the middle left out where it is long."""
    return written if len(written) <= MOST_SHORT_CHARS else f"{written[: MOST_SHORT_CHARS - 20]} … {written[-15:]}"


def mark(line: Line) -> str:
    """Tells a line from what stands in its place after the text was changed: 12 hex digits."""
    return hashlib.sha256(line.text.encode()).hexdigest()[:12]
