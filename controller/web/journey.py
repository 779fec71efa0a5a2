"""How far a broadcast has come, in four legs: let on the air, voiced, lying on the loudspeakers, sounded. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from controller.readiness import Readiness
from controller.store.rows import AnnouncementState, BookingView, VoiceState
from controller.web.reading import Progress

DONE, DOING, AHEAD, FAILED = "done", "doing", "ahead", "failed"


@dataclass(frozen=True)
class Leg:
    """``name``: approved, voiced, fetched or sounded; ``state``: done, doing, ahead or failed.

    ``count`` of ``of`` loudspeakers are through; ``of`` is 0 where none are counted. ``now``: how many sound just now.
    """

    name: str
    state: str
    count: int = 0
    of: int = 0
    now: int = 0


def legs(view: BookingView, ready: Readiness | None, heard: Progress | None, begun: int = 0) -> tuple[Leg, ...]:
    """The legs of a booking: ``heard`` once it began, ``begun`` the nodes that told a beginning; none withdrawn."""
    approved = view.announcement_state is AnnouncementState.APPROVED
    first = Leg("approved", DONE if approved else DOING)
    voice = {VoiceState.DONE: DONE, VoiceState.FAILED: FAILED}.get(view.voice_state, DOING if approved else AHEAD)
    return first, Leg("voiced", voice), _fetched(approved and voice == DONE, ready, heard), _sounded(heard, begun)


def _fetched(may_come: bool, ready: Readiness | None, heard: Progress | None) -> Leg:
    if ready is not None and ready.expected:
        return Leg("fetched", DONE if not ready.lacking else DOING, ready.ready, ready.expected)
    if heard is not None and heard.sounded:
        return Leg("fetched", DONE)
    return Leg("fetched", DOING if may_come else AHEAD)


def _sounded(heard: Progress | None, begun: int) -> Leg:
    if heard is None:
        return Leg("sounded", AHEAD)
    over = heard.sounded + heard.ended
    state = DOING if heard.waiting else (DONE if heard.sounded else FAILED)
    return Leg("sounded", state, heard.sounded, heard.expected, max(0, begun - over))
