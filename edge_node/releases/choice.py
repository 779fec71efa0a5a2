"""The choice: which of the releases that a config names is meant for this machine, and how it stands. Pure.

- Those for other machines are nothing to this one; of its own the highest serial counts.
- What the updater has dealt with is over, until a statement with a higher serial comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edge_node.releases import statement
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.statement import Here, Refused
from wire import codec
from wire.release import Release, Update, UpdateState
from wire.roots import RootSet
from wire.seal import Envelope

_STATES = {
    Phase.BUILDING: UpdateState.BUILDING,
    Phase.BUILT: UpdateState.READY,
    Phase.TRIAL: UpdateState.TRIAL,
    Phase.RETURNING: UpdateState.TRIAL,
    Phase.DONE: UpdateState.INSTALLED,
}


@dataclass(frozen=True)
class Meant:
    """The release for this machine, and its statement as it was sealed; else why there is none, if one was refused."""

    release: Release | None = None
    raw: bytes = b""
    refused: Update | None = None


def meant(envelopes: Iterable[Envelope], roots: RootSet, here: Here) -> Meant:
    """What of ``envelopes`` is for this machine."""
    found = Meant()
    for envelope in envelopes:
        raw = codec.write(envelope)
        try:
            release = statement.opened(raw, roots)
        except Refused as wrong:
            found = found if found.release else Meant(refused=told(wrong))
            continue
        mine = (release.python, release.machine) == (here.python, here.machine)
        if mine and (found.release is None or release.serial > found.release.serial):
            found = Meant(release, raw)
    return found


def standing(release: Release, state: Progress | None, here: Here, now: datetime) -> Update:
    """How it stands. FETCHING: it is to be made; whether its bundle is here is another question.

    ``state``: the updater's, None when there is no updater.
    """
    dealt = state.serial if state else 0
    if state and release.serial == dealt and not _is_postponed(state):
        if state.phase is Phase.FAILED:
            return _about(release, UpdateState.ROLLED_BACK if state.ran else UpdateState.FAILED, state)
        return _about(release, _STATES.get(state.phase, UpdateState.FAILED), state)
    if not dealt and release.version == here.version:
        return _about(release, UpdateState.INSTALLED)  # by whoever set this machine up
    if release.serial != dealt:
        try:
            statement.judge(release, Here(here.version, here.python, here.machine, dealt), now)
        except Refused as wrong:
            return told(wrong)
    return _about(release, UpdateState.FETCHING, state if release.serial == dealt else None)


def told(wrong: Refused) -> Update:
    """A refusal, for health."""
    about = wrong.release
    facts = (about.version, about.serial) if about else ("", 0)
    return Update(UpdateState.REFUSED, *facts, wrong.hitch.value, str(wrong)[:200])


def _is_postponed(state: Progress) -> bool:
    """Whether it was given up for a reason that passes: it is to be made again."""
    return state.phase is Phase.BUILDING and bool(state.reason)


def _about(release: Release, how: UpdateState, state: Progress | None = None) -> Update:
    why = (state.reason, state.detail[:200]) if state else ("", "")
    return Update(how, release.version, release.serial, *why)
