"""Signs: what of the facts is wrong, where, and since when. Pure; nothing is guessed of what is absent.

- Of a node in maintenance nobody is told that it is away or that it missed something: somebody is at work on it.
- A bulletin that was missed cannot be made good: the sign goes when the node sounds again, or after `MISSED_FOR`.
- A counter that only grows is a sign for as long as it has grown lately.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.alarms.causes import CAUSES, REFUSED
from controller.alarms.judging import Sign
from controller.roster import Node
from controller.store.alarm_facts import Ended, Here
from controller.store.facts import SILENT_AFTER
from controller.worries import Worry
from wire.errors import Reason
from wire.receipt import Step

NEVER_AFTER = timedelta(days=1)
MISSED_FOR = timedelta(days=1)
GREW_WITHIN = timedelta(hours=1)
UNSTEADY_WITHIN, UNSTEADY_TIMES = timedelta(hours=1), 6
MUTE_DBFS = -60.0  # as loud as nothing at all
MOST_OUT_SHARE, LEAST_OUT, LEAST_COMMUNES = 0.5, 10, 2
BY_RULE = frozenset({Reason.QUIET_HOURS, Reason.MAINTENANCE, Reason.OUTRANKED, Reason.SAFE_MODE})  # no fault of theirs
STATES = ("online", "offline", "silent", "never")


@dataclass(frozen=True)
class Patience:
    """``grace``: how long a node may be away untold. ``listening_since``: when the link to the broker last came up.

    ``dark``: nobody knows who is there, or not yet again.
    """

    grace: timedelta
    listening_since: datetime
    dark: bool = False


@dataclass(frozen=True)
class OfNode:
    """What is known of a node. ``place``: its commune; ``grew``: reasons that it counted lately, and how often ever."""

    node: Node
    place: str
    here: Here
    troubles: tuple[Worry, ...] = ()
    behind: int = 0
    grew: Mapping[str, int] = field(default_factory=dict)
    unsteady: int = 0
    last: Ended | None = None  # how the last bulletin ended


def state_of(here: Here, now: datetime, listening_since: datetime | None = None) -> str:
    """``online``, ``offline``, ``silent`` (online, but no health for minutes) or ``never`` (it never spoke).

    While nobody listened nobody was silent: ``listening_since``.
    """
    if here.online is None:
        return "never"
    if not here.online:
        return "offline"
    heard = max(filter(None, (here.heard_at, here.since, listening_since)), default=None)
    return "silent" if heard is None or now - heard > SILENT_AFTER else "online"


def of_node(known: OfNode, now: datetime, patience: Patience) -> Iterator[Sign]:
    """Everything that is wrong with one node."""
    node, place = known.node, known.place
    if not node.maintenance:
        yield from () if patience.dark else _presence(known, now, patience)
        yield from _air(known, now)
    for worry in known.troubles:
        if worry.name in CAUSES:
            yield Sign(worry.name, place, node.id, known.here.heard_at or now, worry.facts)
    if known.behind:
        yield Sign("behind", place, node.id, now, {"count": known.behind})
    for reason, count in known.grew.items():
        if f"{REFUSED}{reason}" in CAUSES:
            yield Sign(f"{REFUSED}{reason}", place, node.id, now, {"count": count})


def _presence(known: OfNode, now: datetime, patience: Patience) -> Iterator[Sign]:
    node, here, place = known.node, known.here, known.place
    state = state_of(here, now, patience.listening_since)
    if state == "offline" and here.since is not None and now - here.since >= patience.grace:
        yield Sign("offline", place, node.id, here.since)
    elif state == "silent":
        yield Sign("silent", place, node.id, here.heard_at or here.since or now)
    elif state == "never" and now - node.enrolled_at >= NEVER_AFTER:
        yield Sign("never", place, node.id, node.enrolled_at)
    if known.unsteady >= UNSTEADY_TIMES:
        yield Sign("unsteady", place, node.id, now - UNSTEADY_WITHIN, {"count": known.unsteady})


def _air(known: OfNode, now: datetime) -> Iterator[Sign]:
    last = known.last
    if last is None or now - last.received_at >= MISSED_FOR:
        return
    cause = verdict_of(last)
    if cause in ("missed", "mute"):
        facts: dict[str, object] = {"job": last.receipt.job, "reason": last.receipt.reason}
        yield Sign(cause, known.place, known.node.id, last.receipt.planned_start, facts)


def verdict_of(ended: Ended) -> str:
    """``sounded``, ``mute`` (said to sound, but silence was measured), ``missed``, or empty where it proves nothing."""
    receipt = ended.receipt
    if receipt.step is Step.SOUNDED and receipt.measured is not None:
        level = receipt.measured.level_dbfs
        return "mute" if level is None or level < MUTE_DBFS else "sounded"
    if receipt.step is Step.SOUNDED:
        return "sounded"
    fault = receipt.step in (Step.MISSED, Step.REFUSED) and receipt.reason not in BY_RULE
    return "missed" if fault else ""


def newest(ends: Iterable[Ended], held: dict[str, Ended]) -> None:
    """Let ``held`` have the last telling end of each node, by when it was planned."""
    for each in ends:
        before = held.get(each.node)
        if verdict_of(each) and (before is None or before.receipt.planned_start <= each.receipt.planned_start):
            held[each.node] = each


def most_out(signs: Iterable[Sign], total: int, top: str) -> Iterator[Sign]:
    """One sign for all, where most of ``total`` loudspeakers that ever spoke are gone, in several communes."""
    gone = [sign for sign in signs if sign.cause in ("offline", "silent")]
    by_commune = Counter(sign.place for sign in gone)
    if len(gone) < LEAST_OUT or len(by_commune) < LEAST_COMMUNES or len(gone) <= total * MOST_OUT_SHARE:
        return
    since: dict[str, datetime] = defaultdict(lambda: gone[0].since)
    for sign in gone:
        since[sign.place] = min(since[sign.place], sign.since)
    for commune, count in by_commune.items():
        yield Sign("most_out", top, commune, since[commune], {"count": count})
