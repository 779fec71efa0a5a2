"""The watch: reads facts, has them judged, writes what has changed. One look a few seconds; it keeps what costs.

- What alarms are is in the store: a station that was killed anywhere goes on at its next look.
- Kept in memory is only what can be read again: the roster, what each node's last health says, how its last bulletin
  ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller import behind, trustbook
from controller.alarms import counting, own, signs
from controller.alarms.judging import REOPEN, Rules, Seen, Sign, judge
from controller.alarms.signs import OfNode, Patience
from controller.roster import AreaKind, Node, commune_of
from controller.settings import Settings
from controller.store import Store
from controller.store.alarm_facts import Counted, Ended, Here
from controller.store.alarm_rows import Verdict
from controller.store.facts import Condition
from controller.store.tallies import CommuneState
from controller.worries import ATTACKS, Worry, of_keys, of_trust, worries
from wire.health import Health

log = logging.getLogger(__name__)

SLOW = timedelta(minutes=1)  # between two looks at what changes slowly
RARE = timedelta(minutes=10)
OVERLAP = timedelta(minutes=1)  # read again, in case clocks or transactions crossed
VOICE_PATIENCE, VOICE_TOLD = timedelta(minutes=10), timedelta(days=1)
MOST_LOGGED = 20
_PAPERS = ("certificate", "certificate_over")
_WATCHED = frozenset(reason.value for reason in ATTACKS)


@dataclass(frozen=True)
class Surroundings:
    """What only the station knows now; ``papers`` (its own certificates that end soon) is asked rarely."""

    connected: bool
    late_ticks: tuple[str, ...] = ()
    papers: Callable[[datetime], Mapping[str, datetime]] = lambda _now: {}


@dataclass
class _Slowly:
    """What is looked at once a minute, or more rarely."""

    at: datetime | None = None
    rarely_at: datetime | None = None
    due: behind.Serials | None = None
    behind: Mapping[str, int] | None = None
    unsteady: Mapping[str, int] | None = None
    keys: tuple[Worry, ...] = ()
    papers: Mapping[str, datetime] | None = None


class Watch:
    """One station's watch over one store. One thread calls it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._rules = store, Rules(timedelta(seconds=settings.alarm_hold_seconds))
        self._grace = timedelta(seconds=settings.alarm_grace_seconds)
        self._wishes, self._nodes, self._places, self._top = -1, dict[str, Node](), dict[str, str](), "*"
        self._healths: dict[str, tuple[datetime | None, Health]] = {}
        self._troubles: dict[str, tuple[Worry, ...]] = {}
        self._counts: counting.Counts | None = None
        self._last: dict[str, Ended] = {}
        self._read_to: datetime | None = None
        self._lost_at: datetime | None = None
        self.listening_since: datetime | None = None  # since when the link to the broker stands, None: it does not
        self._stood_since: datetime | None = None
        self._judged_at: datetime | None = None
        self._slowly, self._states = _Slowly(), list[CommuneState]()

    def look(self, around: Surroundings, now: datetime) -> Verdict:
        """Judge everything as it is ``now``; what has changed is in the store when this returns. Raises StoreError."""
        self._notice(around, now)
        self._know_roster()
        here = [each for each in self._store.alarm_facts.here() if each.node in self._nodes]
        self._hear(here, now)
        self._look_slowly(here, around, now)
        found = own.once(self._signs(here, around, now))
        seen = Seen(found, frozenset(each.node for each in here if not each.online), self._is_dark(now))
        verdict = judge(seen, self._store.alarms.known(now - REOPEN), now, self._rules)
        self._write(verdict, now)
        self._count_states(here, now)
        return verdict

    # ---- what is noticed between looks -------------------------------------------------------------------------

    def _notice(self, around: Surroundings, now: datetime) -> None:
        """Since when the link stands or is gone, and how long nobody looked."""
        if around.connected:
            self._lost_at = None
            self.listening_since = self.listening_since or now
        else:
            self._lost_at, self.listening_since = self._lost_at or now, None
        before = self._judged_at or self._store.alarms.judged_at()
        self._stood_since = before if before is not None and now - before > own.STOOD else None

    def _is_dark(self, now: datetime) -> bool:
        """Whether nobody knows who is there: without a broker, and until nodes have had the time to say it again."""
        return self.listening_since is None or now - self.listening_since < self._grace

    def _know_roster(self) -> None:
        wishes = self._store.changed()
        if wishes == self._wishes:
            return
        areas = self._store.roster.areas()
        communes = frozenset(area.id for area in areas if area.kind is AreaKind.COMMUNE)
        roots = {area.id.partition(":")[0] for area in areas if area.kind is not AreaKind.GROUP}
        self._nodes = {node.id: node for node in self._store.roster.nodes() if node.revoked_at is None}
        self._places = {node.id: commune_of(node.home, communes) for node in self._nodes.values()}
        self._top, self._wishes = roots.pop() if len(roots) == 1 else "*", wishes

    def _hear(self, here: list[Here], now: datetime) -> None:
        """Read the healths and the ends of bulletins that are new."""
        facts = self._store.alarm_facts
        known = self._healths
        news = [each.node for each in here if each.heard_at and known.get(each.node, (None,))[0] != each.heard_at]
        heard_at = {each.node: each.heard_at for each in here}
        if self._counts is None:
            self._counts = facts.counted()
        grown: list[Counted] = []
        for node, health in facts.healths(news).items():
            known[node] = heard_at[node], health
            papers = of_trust(self._nodes[node], Condition(node, health=health), None, now)
            self._troubles[node] = (*worries(health), *(each for each in papers if each.name in _PAPERS))
            grown += counting.grown(health, self._counts, _WATCHED, now)
        self._counts |= {(each.node, each.reason): each for each in grown}
        facts.count(grown)
        since = self._read_to - OVERLAP if self._read_to else now - signs.MISSED_FOR
        signs.newest(facts.ended(since), self._last)
        self._read_to = now

    def _look_slowly(self, here: list[Here], around: Surroundings, now: datetime) -> None:
        slowly, store = self._slowly, self._store
        if slowly.at is not None and now - slowly.at < SLOW:
            return
        slowly.at, slowly.due = now, behind.due(store, now)
        slowly.behind = {each.node: count for each in here if (count := self._behind(each, slowly.due, now))}
        slowly.unsteady = store.alarm_facts.unsteady(now - signs.UNSTEADY_WITHIN, signs.UNSTEADY_TIMES)
        if slowly.rarely_at is None or now - slowly.rarely_at >= RARE:
            slowly.rarely_at, slowly.papers = now, around.papers(now)
            here_now = frozenset(each.name for each in store.people.all() if not each.disabled)
            slowly.keys = tuple(of_keys(trustbook.held_trust(store), now, here_now))

    def _behind(self, here: Here, due: behind.Serials, now: datetime) -> int:
        _, health = self._healths.get(here.node, (None, None))
        condition = Condition(here.node, here.online, here.since, health=health, health_received_at=here.heard_at)
        return behind.behind(self._nodes[here.node], condition, due, now)

    # ---- what is wrong now -------------------------------------------------------------------------------------

    def _signs(self, here: list[Here], around: Surroundings, now: datetime) -> Iterator[Sign]:
        lately = counting.lately(self._counts or {}, now - signs.GREW_WITHIN)
        patience = Patience(self._grace, self.listening_since or now, self._is_dark(now))
        ofs = [sign for each in here for sign in signs.of_node(self._known(each, lately), now, patience)]
        yield from ofs
        yield from signs.most_out(ofs, sum(each.online is not None for each in here), self._top)
        yield from own.of_station(self._own(around, now), self._top, now)
        refused = self._store.alarm_facts.refused(now - signs.GREW_WITHIN)
        yield from own.of_refusals(refused, self._places, self._top)
        yield from own.of_doubles(self._store.doubles.since(now - signs.GREW_WITHIN).values(), self._places)

    def _known(self, here: Here, lately: Mapping[str, Mapping[str, int]]) -> OfNode:
        name, slowly = here.node, self._slowly
        troubles = self._troubles.get(name, ()) if here.online else ()
        told = lately.get(name, {}), (slowly.unsteady or {}).get(name, 0), self._last.get(name)
        return OfNode(self._nodes[name], self._places[name], here, troubles, (slowly.behind or {}).get(name, 0), *told)

    def _own(self, around: Surroundings, now: datetime) -> own.OwnFacts:
        voiceless = self._store.alarm_facts.voiceless(now - VOICE_TOLD, now - VOICE_PATIENCE)
        ending = self._slowly.papers or {}
        told = around.late_ticks, tuple(voiceless), self._slowly.keys, ending
        return own.OwnFacts(self._lost_at, self._stood_since, *told)

    # ---- what comes of it ----------------------------------------------------------------------------------------

    def _write(self, verdict: Verdict, now: datetime) -> None:
        """Nothing is written where nothing has changed, but for the moment, once a minute."""
        changed = verdict.alarms or verdict.members or verdict.events
        if changed or self._judged_at is None or now - self._judged_at >= SLOW:
            self._store.alarms.enter(verdict, now)
            self._judged_at = now
        causes = {each.id: f"cause={each.cause} place={each.place}" for each in verdict.alarms}
        for event in verdict.events[:MOST_LOGGED]:
            log.info("alarm=%s %s %s %s", event.alarm, event.what, causes.get(event.alarm, ""), event.detail)

    def _count_states(self, here: list[Here], now: datetime) -> None:
        """How many loudspeakers of each commune are in which state."""
        counts: dict[str, dict[str, int]] = {}
        since = self.listening_since or now
        for each in here:
            state = signs.state_of(each, now, since)
            mine = counts.setdefault(self._places[each.node], dict.fromkeys(signs.STATES, 0))
            mine[state] += 1
        states = [CommuneState(area, sum(mine.values()), **mine) for area, mine in sorted(counts.items())]
        if states != self._states:
            self._store.tallies.set_states(states)
            self._states = states
