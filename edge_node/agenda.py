"""The agenda: what the plans ask of this node now, put together for the decision, and the audio it will need.

- A job that is in no plan any more is withdrawn only after a short while: a booking that moves from one area to
  another leaves the first plan before it enters the second. One that is sounding is withdrawn at once.
- A job that this process meets when its deadline is past is late, whatever else it lacks.
- What a day does not take any more is judged by everything that the plans hold for it, also by what has ended.
- When documents could not be read back from disk, absence means nothing until the broker has had time to say
  them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from edge_node.cache import Cache
from edge_node.gate import Gate
from edge_node.ledger import Ledger
from edge_node.playout import Playout
from edge_node.stand_in import StandIns
from edge_node.stock import Stock, Stocktaking, take_stock
from edge_node.wallclock import Wallclock
from schedules import fetching, rulebook
from schedules.docket import Docket, Situation
from schedules.due import OnAir
from schedules.fetching import audio_file
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Asset, BulletinClass, Job

GRACE_SECONDS = 2.0
RELEARN_SECONDS = 60.0  # connected, after documents were lost
FETCH_SECONDS = 60.0
PRUNE_SECONDS = 3600.0
JUDGE_SECONDS = 60.0
PAST, AHEAD = timedelta(days=4), timedelta(days=3)  # the days that are judged; a plan forgets what is past sooner
SOON = timedelta(seconds=10)
NEXT = timedelta(hours=2)


class Agenda:
    """Reads the gate, the ledger and the cache; decides nothing."""

    def __init__(self, gate: Gate, ledger: Ledger, cache: Cache, playout: Playout, stand_ins: StandIns) -> None:
        self._gate, self._ledger, self._cache, self._playout = gate, ledger, cache, playout
        self._stand_ins, self._stock = stand_ins, Stock(ledger, cache)
        self._docket = Docket({}, {})
        self._jobs: Mapping[str, Job] | None = None  # as the docket was made of them
        self._changes = 0
        self._missing_since: dict[str, float] = {}
        self._met: dict[str, datetime] = {}  # when this process saw each job first
        self._relearn_until: float | None = None
        self._relearning = self._hides = False
        self._fetch_at = self._prune_at = self._judge_at = 0.0
        self._over: dict[str, Reason] = {}
        self.frugal = False  # safe mode: no audio is fetched that does not sound soon
        self._last: Sequence[Asset] = ()

    def changed(self) -> None:
        """Plans or config are new: fetch, and judge the days, at the next occasion."""
        self._fetch_at = self._judge_at = 0.0

    def lost_documents(self) -> None:
        """Something that was held could not be read back."""
        self._relearning = True

    def connected(self, mono: float) -> None:
        """The network is back: the broker can say again what was lost, and fetching need not wait any longer."""
        self._cache.hurry()
        self._relearn_until = self._relearn_until or mono + RELEARN_SECONDS

    def open_jobs(self, now: datetime) -> Mapping[str, Job]:
        """The jobs of the plans that have no outcome yet."""
        return self._written(now).jobs

    def situation(self, on_air: OnAir | None, now: datetime, clock: Wallclock) -> Situation:
        """Everything the decision rests on, at ``now``.

        Without a config (none came yet, or its key was revoked) nobody knows when silence is wanted here: as with the
        time unknown, emergencies only, and nothing else ends.
        """
        docket = self._written(now)
        hidden = self._hidden(docket, on_air, clock.monotonic())
        known = clock.known() and self._gate.config is not None
        config = self._gate.config or NodeConfig("unconfigured", 1, now, (), "")
        soon = docket.reached(now + SOON) if known else list(docket.jobs.values())
        near = [job for job in soon if job.start <= now + SOON]
        self._stand_ins.look(near, docket.records, config, now, clock.monotonic())
        unready, over = self._unready(soon), self._judged(config, now, clock.monotonic())
        shown = docket.without_strays(hidden) if hidden else docket
        return Situation(shown, on_air, config, now, known, unready, over)

    def is_whole(self, job: Job) -> bool:
        """Whether the job's audio on disk is, to the last bit, what was sealed. Reads the whole file.

        A relay needs none where streams can be decoded: what stands in for it sounds if it is there.
        """
        audio = audio_file(job)
        whole = audio is not None and self._cache.verified(audio) is not None
        return whole or (self._playout.can_relay if job.relay else self._stand_ins.of(job) is not None)

    def without_spoilt(self, s: Situation, job: Job) -> Situation:
        """The situation once the audio of ``job`` was found spoilt just before its start."""
        return replace(s, unready={**s.unready, job.id: self._why_not(job) or Reason.BAD_HASH})

    def longest_rest(self, most: timedelta) -> timedelta:
        """How long the walk may sleep: shorter while a withdrawal or an emergency's audio is waited for."""
        return timedelta(seconds=0.5) if self._hides or self._stand_ins.is_waiting else most

    def fetch(self, now: datetime, clock: Wallclock, last: Sequence[Asset] = ()) -> None:
        """Tell the cache what is needed, in which order and within which budgets; tell the station what is here.

        ``last``: what comes after all audio, whatever data it takes.
        """
        config, mono = self._gate.config, clock.monotonic()
        if config is None:
            return
        self._stock.tell(self.open_jobs(now), now, mono)
        if mono < self._fetch_at and last == self._last:
            return
        self._fetch_at, self._last = mono + FETCH_SECONDS, last
        jobs = list(self.open_jobs(now).values())
        if self.frugal:
            jobs = [job for job in jobs if job.start <= now + NEXT or job.bulletin_class is BulletinClass.EMERGENCY]
        self._cache.set_budget(config.disk_budget_bytes)
        self._cache.meter.budget_bytes = config.data_budget_bytes_per_day
        if clock.known():
            self._cache.meter.turn(now, config.zone)
        wanted = fetching.order(jobs, config, now)
        ceilings = {each.asset.sha256: each.ceiling_bytes for each in wanted if each.ceiling_bytes is not None}
        self._cache.want([each.asset for each in wanted], config.standby, config.media_url, ceilings, last)

    def stocktaking(self, jobs: Mapping[str, Job]) -> Stocktaking:
        """Which of ``jobs`` have their audio on disk, or need none, and what lacks."""
        return take_stock(jobs.values(), self._why_not_ahead, self._is_coming)

    def prune(self, now: datetime, mono: float) -> None:
        """Let the ledger forget what is long past, now and then."""
        if mono >= self._prune_at:
            self._prune_at = mono + PRUNE_SECONDS
            self._ledger.prune(now)

    def _written(self, now: datetime) -> Docket:
        """What plans and ledger say together; made anew when one of them has changed."""
        jobs, changes = self._gate.jobs(now), self._ledger.changes
        if jobs is not self._jobs or changes != self._changes:
            self._jobs, self._changes = jobs, changes
            self._docket = Docket(jobs, self._ledger.records)
            self._met = {name: self._met.get(name, now) for name in self._docket.jobs}
        return self._docket

    def _hidden(self, docket: Docket, on_air: OnAir | None, mono: float) -> list[str]:
        """The jobs in no plan of which nobody is to hear yet."""
        held = {job.id for job in (on_air.job, on_air.beneath) if job} if on_air else set()
        absent = [record.job for record in docket.strays if record.job not in held]
        self._missing_since = {name: self._missing_since.get(name, mono) for name in absent}
        hidden = [name for name in absent if self._is_unsure(mono) or mono - self._missing_since[name] < GRACE_SECONDS]
        self._hides = bool(hidden)
        return hidden

    def _judged(self, config: NodeConfig, now: datetime, mono: float) -> dict[str, Reason]:
        """Which jobs their days do not take, looked at again now and then."""
        if mono >= self._judge_at:
            self._judge_at = mono + JUDGE_SECONDS
            near = [job for job in self._gate.jobs(now).values() if now - PAST <= job.start <= now + AHEAD]
            self._over = rulebook.refused_jobs(near, config)
        return self._over

    def _is_unsure(self, mono: float) -> bool:
        """Whether absence from the plans means nothing yet."""
        if self._gate.config is None:
            return True
        return self._relearning and (self._relearn_until is None or mono < self._relearn_until)

    def _unready(self, soon: Iterable[Job]) -> dict[str, Reason]:
        return {job.id: why for job in soon if self._met_in_time(job) and (why := self._why_not(job))}

    def _met_in_time(self, job: Job) -> bool:
        record = self._ledger.records.get(job.id)
        return self._met[job.id] <= job.deadline or (record is not None and record.position_ms > 0)

    def _why_not(self, job: Job) -> Reason | None:
        why = self._why_not_ahead(job)
        if why is None and job.relay and not self._cache.meter.may_stream() and not self._has_fallback(job):
            return Reason.DATA_BUDGET
        return why

    def _has_fallback(self, job: Job) -> bool:
        return bool(job.relay and job.relay.fallback and self._cache.ready(job.relay.fallback))

    def _is_coming(self, job: Job) -> bool:
        file = audio_file(job)
        return file is not None and self._cache.came_bytes(file) is not None

    def _why_not_ahead(self, job: Job) -> Reason | None:
        """As `_why_not`, on a day whose data are not used up."""
        if job.relay:
            return None if self._playout.can_relay or self._has_fallback(job) else self._playout.why_no_relay
        if (job.asset and self._cache.ready(job.asset)) or self._stand_ins.of(job):
            return None
        return self._cache.why_not(job.asset) if job.asset else self._stand_ins.why_not(job)
