"""Conflicts: what a broadcast meets on the loudspeakers that it asks for, and who then waits for whom. Pure.

- It decides nothing itself: the node's own decision (`simulation`) is walked twice, without the broadcast and with it.
- Whoever sounds otherwise than before is in conflict with it, also what it only pushes back in the queue.
- Loudspeakers that hear the same things are one loudspeaker; what differs between them is told apart.
- A conflict is advice. An emergency is told what it cuts, and is never held up.
- The order of two priority items of different levels is another matter: `schedules.clashes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from schedules import precedence, relays
from schedules.booking import SKIP_GRACE
from schedules.programme import Kind
from schedules.rulebook import Airing
from schedules.simulation import Stretch, simulate
from wire.config import NodeConfig, QuietHours
from wire.plan import AfterCut, Asset, BulletinClass, Job, Late, Level, Relay

NEAR = timedelta(hours=3)  # what begins so long before a broadcast may still be in its way
AFTERWARDS = timedelta(hours=3)  # how long after it its queue is followed
WAITS_FOR = timedelta(minutes=30)
NO_QUIET = QuietHours("00:00", "00:00")

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Broadcast:
    """Something that has the air, or asks for it: ``airing`` on the loudspeakers ``reach``.

    It may begin until ``waits_for`` after its start. ``kind``: what it is in a slot of a programme, if it is.
    """

    airing: Airing
    title: str
    reach: frozenset[str]
    level: Level = Level.COMMUNE
    drill: bool = False
    waits_for: timedelta = WAITS_FOR
    kind: str = ""
    duck: bool = False
    counts: bool = True  # whether the rules of places count it

    @property
    def end(self) -> datetime:
        """When it is over, if it need not wait."""
        return self.airing.start + self.airing.length

    @property
    def job(self) -> Job:
        """As the node knows it."""
        airing, length_ms = self.airing, round(self.airing.length / timedelta(milliseconds=1))
        live = self.kind == Kind.RELAY and length_ms > 0
        return Job(
            id=airing.id,
            title=self.title,
            bulletin_class=airing.bulletin_class,
            level=self.level,
            start=airing.start,
            deadline=airing.start + self.waits_for,
            late=Late.SKIP if self.waits_for <= SKIP_GRACE else Late.PLAY_LATE,
            after_cut=AfterCut.RESUME,
            asset=None if live else Asset("0" * 64, 1, length_ms, "audio/ogg", ""),
            relay=Relay("https://relay.invalid/", length_ms) if live else None,
            drill=self.drill,
            duck=self.duck,
        )


class Turn(StrEnum):
    """Who waits."""

    WAITS = "waits"  # what is wanted waits for the other one
    MISSED = "missed"  # it would have to wait for longer than it can
    FIRST = "first"  # the other one waits for it
    TAKES = "takes"  # the other one waits for nobody: it would not sound
    ALIKE = "alike"  # one after the other, of the same rank and start
    CUTS = "cuts"  # it is an emergency
    IS_CUT = "is_cut"  # the other one is
    DUCKS = "ducks"  # it is an emergency, and the other one goes on beneath it
    IS_DUCKED = "is_ducked"  # the other one is, and this one goes on beneath


@dataclass(frozen=True)
class Conflict:
    """``wanted`` meets ``other`` on ``shared``; whoever waits begins, or goes on, at ``until``."""

    wanted: Broadcast
    other: Broadcast
    shared: frozenset[str]
    turn: Turn
    until: datetime

    @property
    def at(self) -> datetime:
        """The moment at which they meet."""
        return max(self.wanted.airing.start, self.other.airing.start)


def conflicts(wanted: Broadcast, held: Iterable[Broadcast], zone: str, quiet: QuietHours = NO_QUIET) -> list[Conflict]:
    """Everything that ``wanted`` meets among ``held``, by time."""
    since, until = wanted.airing.start - NEAR, wanted.end + AFTERWARDS
    near = [each for each in held if since < each.end and each.airing.start < until and each.reach & wanted.reach]
    found: dict[tuple[str, Turn], Conflict] = {}
    for nodes, heard in _alike(wanted.reach, near).items():
        for met in _met(wanted, heard, nodes, NodeConfig("foreseen", 1, since, (), "", zone, quiet)):
            known = found.get((met.other.airing.id, met.turn))
            shared, later = (known.shared | nodes, max(known.until, met.until)) if known else (nodes, met.until)
            found[met.other.airing.id, met.turn] = replace(met, shared=shared, until=later)
    return sorted(found.values(), key=lambda each: (each.at, each.other.airing.id))


def busy(
    reach: frozenset[str], held: Iterable[Broadcast], window: Span, zone: str, quiet: QuietHours = NO_QUIET
) -> list[Span]:
    """When some loudspeaker of ``reach`` sounds in ``window``, by start, as a node would sound it."""
    near = [each for each in held if window[0] < each.end and each.airing.start < window[1] and each.reach & reach]
    config = NodeConfig("foreseen", 1, window[0], (), "", zone, quiet)
    found = [_heard(heard, config) for heard in _alike(reach, near).values()]
    return sorted({(each.since, each.until) for some in found for spans in some.values() for each in spans})


def _alike(reach: frozenset[str], held: Sequence[Broadcast]) -> dict[frozenset[str], list[Broadcast]]:
    """The loudspeakers that hear the same of ``held``, those that hear something."""
    heard: dict[str, tuple[int, ...]] = {
        node: tuple(number for number, each in enumerate(held) if node in each.reach) for node in reach
    }
    groups: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for node, numbers in heard.items():
        groups[numbers].add(node)
    return {frozenset(nodes): [held[each] for each in numbers] for numbers, nodes in groups.items() if numbers}


def _met(wanted: Broadcast, held: list[Broadcast], nodes: frozenset[str], config: NodeConfig) -> list[Conflict]:
    alone, together = _heard(held, config), _heard([*held, wanted], config)
    mine = together.get(wanted.airing.id, [])
    found = []
    for other in held:
        before, after = alone.get(other.airing.id, []), together.get(other.airing.id, [])
        in_the_way = any(each.since < wanted.end and wanted.airing.start < each.until for each in before)
        if before and (in_the_way or _spans(before) != _spans(after)):
            turn, until = _turn(wanted, other, mine, after)
            found.append(Conflict(wanted, other, nodes, turn, until))
    return found


def _turn(wanted: Broadcast, other: Broadcast, mine: list[Stretch], theirs: list[Stretch]) -> tuple[Turn, datetime]:
    """Who waits, and until when, out of what both sound together."""
    if not mine:
        return Turn.MISSED, other.end
    if not theirs:
        return Turn.TAKES, mine[-1].until
    for turn, stretches in ((Turn.DUCKS, theirs), (Turn.IS_DUCKED, mine)):
        if any(each.beneath for each in stretches):
            last = stretches[-1]
            return turn, last.until if last.beneath else last.since
    rivals = precedence.rank(wanted.job) == precedence.rank(other.job)
    if rivals and wanted.airing.start == other.airing.start:
        return Turn.ALIKE, max(mine[-1].until, theirs[-1].until)
    if len(theirs) > 1 and wanted.airing.bulletin_class is BulletinClass.EMERGENCY:
        return Turn.CUTS, theirs[-1].since
    if len(mine) > 1 and other.airing.bulletin_class is BulletinClass.EMERGENCY:
        return Turn.IS_CUT, mine[-1].since
    if theirs[0].since < mine[0].since:
        return Turn.WAITS, mine[0].since
    return Turn.FIRST, theirs[0].since


def _heard(held: Iterable[Broadcast], config: NodeConfig) -> Mapping[str, list[Stretch]]:
    """What a loudspeaker that holds all of ``held`` sounds, by name."""
    jobs = {each.airing.id: each.job for each in held}
    if not jobs:
        return {}
    since = min(job.start for job in jobs.values()).astimezone(UTC)
    until = max(job.deadline for job in jobs.values()) + sum((_length(job) for job in jobs.values()), timedelta(0))
    heard: dict[str, list[Stretch]] = defaultdict(list)
    for each in simulate(jobs, config, since, until).stretches:
        heard[each.job.id].append(each)
    return heard


def _length(job: Job) -> timedelta:
    return timedelta(milliseconds=relays.length_ms(job))


def _spans(stretches: list[Stretch]) -> list[Span]:
    return [(each.since, each.until) for each in stretches]
