"""The air: what was decided becomes sound, and what sounded becomes receipts. Between `due`, ledger and playout.

- Written down before it is done: a job is ON_AIR in the ledger before the player hears of it; its outcome stands
  in the ledger before the player lets go. So a crash anywhere repeats at most one checkpoint's worth of sound.
- One job gives way to another on the other's first sample: it is fading out while that comes up, or goes on beneath.
- The checkpoint follows the loudspeaker several times a second; it is read once, at the start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from edge_node.cache import Cache
from edge_node.disk import Checkpoint
from edge_node.ledger import Ledger, Word
from edge_node.playout import Heard, Playout, Sound
from edge_node.stand_in import StandIns
from edge_node.tally import Tally
from schedules import ducking, relays
from schedules.due import Accept, Act, Cut, End, OnAir, Phase, Start
from schedules.situation import audio_of
from wire import codec
from wire.config import NodeConfig
from wire.errors import Reason
from wire.plan import Job
from wire.receipt import Step

log = logging.getLogger("loa.node.air")

_MOST_TALLY_BYTES = 4096


class Mark(msgspec.Struct, frozen=True):
    """The checkpoint's content: the job on air, how far it is, what it has sounded; and the one beneath."""

    job: str
    asset: str
    position_ms: int
    tally: Tally
    beneath: Mark | None = None


class Air:
    """The one way to the loudspeaker."""

    def __init__(
        self, ledger: Ledger, playout: Playout, checkpoint: Checkpoint, cache: Cache, stand_ins: StandIns
    ) -> None:
        self._ledger, self._playout, self._checkpoint = ledger, playout, checkpoint
        self._cache, self._stand_ins = cache, stand_ins
        self._begins: dict[str, Step] = {}  # by job: the receipt to write when the first sample has left
        self.last_sounded: datetime | None = None

    def recover(self) -> None:
        """After a start: what was on air when the process before ended, and what paused jobs have sounded."""
        raw = self._checkpoint.load()
        if raw:
            self._recover_mark(raw)
        for job, record in self._ledger.records.items():
            if record.phase is not Phase.ENDED:
                self._carry(job, self._ledger.tally(job))

    def observe(self, now: datetime) -> OnAir | None:
        """What holds the loudspeaker. Writes down what has begun, finished or failed since."""
        for each in (self._playout.observe(), self._playout.beneath()):
            if each:
                self._see(each, now)
        heard, beneath = self._playout.observe(), self._playout.beneath()
        if heard is None:
            return None
        self._mark(heard, beneath)
        return OnAir(heard.job, heard.sounding, beneath.job if beneath else None)

    def apply(self, acts: Iterable[Act], config: NodeConfig, now: datetime) -> None:
        """Do what `due` decided, in its order."""
        acts = list(acts)
        with self._ledger.together():
            for act in acts:
                if isinstance(act, Accept):
                    self._ledger.accept(act.job, now)
        gives_way = next((act for act in acts if isinstance(act, Cut) and act.gives_way), None)
        for act in acts:
            if isinstance(act, Cut) and act is not gives_way:
                self._cut(act, self._playout.cut(job_id=act.job), now)
        with self._ledger.together():
            for act in acts:
                if isinstance(act, End):
                    self._end(act, now)
        for act in acts:
            if isinstance(act, Start):
                self._start(act, gives_way, config, now)

    def stop(self) -> None:
        """The process ends: fade out; the job goes on at the next start."""
        for heard in self._playout.stop():
            if not heard.finished:
                self._ledger.heard(heard.job.id, heard.position_ms, codec.write(heard.tally))

    def _see(self, heard: Heard, now: datetime) -> None:
        """Write down what has become of a job that is held, and let go of what is over."""
        if heard.sounding or heard.finished or heard.tally.samples:
            self._write_beginning(heard, now)
        if heard.finished and not heard.sound.whole:
            self._word_to_come(heard, now)
            return
        step, reason = _result(heard, now)
        if step:
            self._end(End(heard.job.id, step, reason), now, _detail(heard))
            self._let_go(heard.job.id)

    def _start(self, act: Start, gives_way: Cut | None, config: NodeConfig, now: datetime) -> None:
        sound = self._sound(act.job)
        if sound is None:  # vanished since it was verified: decided anew at the next tick
            return
        self._begins[act.job.id] = Step.RESUMED if self._ledger.tally(act.job.id) else Step.STARTED
        self._ledger.on_air(act.job, act.from_ms, sound.name)
        told = act.job, sound, act.at, act.from_ms, config
        if gives_way:
            self._cut(gives_way, self._playout.cross(*told), now)
        elif self._playout.observe():
            self._playout.lay_over(*told)
        else:
            self._playout.begin(*told)
        log.info("primed job=%s at=%s from_ms=%d %s", act.job.id, act.at.isoformat(), act.from_ms, sound.detail)

    def _sound(self, job: Job) -> Sound | None:
        """What is played for the job: its own audio where that is there, else what stands in for it."""
        audio = job.relay.fallback if job.relay else job.asset
        path = self._cache.ready(audio) if audio else None
        if path or job.relay:
            return Sound(audio_of(job), path, relays.length_ms(job))
        return self._stand_ins.of(job)

    def _word_to_come(self, heard: Heard, now: datetime) -> None:
        """The siren has sounded, and nobody knows what for: the job waits for its words."""
        word = Word(reason=Reason.NO_VOICE, detail=heard.sound.detail, measured=self._playout.measured(heard.job.id))
        self._ledger.paused(heard.job.id, heard.position_ms, codec.write(heard.tally), now, word)
        log.warning("siren_alone job=%s", heard.job.id)
        self._let_go(heard.job.id)

    def _cut(self, act: Cut, heard: Heard | None, now: datetime) -> None:
        """Write down what has become of a job that was cut; ``heard`` is its last state."""
        record = self._ledger.records[act.job]
        position = heard.position_ms if heard else record.position_ms
        tally = codec.write(heard.tally) if heard and heard.tally.samples else self._ledger.tally(act.job)
        if heard and heard.tally.samples:
            self._write_beginning(heard, now)
        if heard and heard.job.relay and not heard.tally.samples:
            position = 0  # its time has gone by, and nothing of it was heard
        log.info("cut job=%s then=%s reason=%s position_ms=%d", act.job, act.then, act.reason, position)
        if heard and ((heard.finished and heard.sound.whole) or act.then is Step.SOUNDED):
            self._end(End(act.job, *_outcome(heard)), now, _detail(heard))
        elif act.then is None:
            self._ledger.released(act.job, position, tally)
        elif act.then is Step.PAUSED:
            self._ledger.paused(act.job, position, tally, now)
        else:
            self._end(End(act.job, act.then, act.reason), now, heard.sound.detail if heard else "")
        self._let_go(act.job)

    def _end(self, act: End, now: datetime, trouble: str = "") -> None:
        word = Word(reason=act.reason or "", detail=trouble, measured=self._playout.measured(act.job))
        if self._ledger.end(act.job, act.step, now, word):
            log.info("ended job=%s step=%s reason=%s", act.job, act.step, act.reason or "-")
            if act.step is Step.SOUNDED:
                self.last_sounded = now
        self._playout.forget(act.job)

    def _let_go(self, job: str) -> None:
        self._playout.cut(0, job)
        if self._ledger.records[job].phase is Phase.ENDED:
            self._playout.forget(job)
        self._begins.pop(job, None)
        try:
            if self._playout.observe() is None:
                self._checkpoint.clear()
        except OSError as wrong:
            log.debug("checkpoint_not_cleared error=%s", wrong)

    def _write_beginning(self, heard: Heard, now: datetime) -> None:
        step = self._begins.pop(heard.job.id, None)
        if step:
            self._ledger.began(heard.job.id, step, now)

    def _mark(self, heard: Heard, beneath: Heard | None) -> None:
        if not heard.tally.samples and beneath is None:
            return
        mark = _mark_of(heard)
        if beneath:
            mark = msgspec.structs.replace(mark, beneath=_mark_of(beneath))
        try:
            self._checkpoint.save(codec.write(mark))
        except OSError as wrong:
            log.debug("checkpoint_not_saved error=%s", wrong)

    def _carry(self, job: str, raw: bytes) -> None:
        try:
            self._playout.carry(job, codec.read(Tally, raw, _MOST_TALLY_BYTES)) if raw else None
        except codec.Malformed as wrong:
            log.warning("tally_spoilt job=%s error=%s", job, wrong)

    def _recover_mark(self, raw: bytes) -> None:
        try:
            mark = codec.read(Mark, raw, _MOST_TALLY_BYTES)
        except codec.Malformed as wrong:
            log.warning("checkpoint_spoilt error=%s", wrong)
            return
        for each in (mark, mark.beneath):
            record = self._ledger.records.get(each.job) if each and each.tally.samples else None
            if each and record and record.phase is Phase.ON_AIR and record.asset == each.asset:
                self._ledger.heard(each.job, each.position_ms, codec.write(each.tally))
                log.info("recovered job=%s position_ms=%d", each.job, each.position_ms)


def _mark_of(heard: Heard) -> Mark:
    return Mark(heard.job.id, heard.sound.name, heard.position_ms, heard.tally)


def _detail(heard: Heard) -> str:
    return heard.trouble or heard.sound.detail


def _result(heard: Heard, now: datetime) -> tuple[Step | None, Reason | None]:
    """How the job on air has ended, if it has. A lost device is waited for until the job's last moment."""
    if heard.finished:
        return _outcome(heard)
    last = heard.job.deadline + timedelta(milliseconds=heard.position_ms)
    if heard.job.relay:
        last = relays.end(heard.job.relay, heard.job.start)
    if heard.failed is None or (heard.failed is Reason.AUDIO_DEVICE and now <= last):
        return None, None
    return Step.INTERRUPTED if heard.tally.samples else Step.REFUSED, heard.failed


def _outcome(heard: Heard) -> tuple[Step, Reason | None]:
    """How a job has ended whose last sample has left. A relay has sounded when half of its time was not silence."""
    told = ducking.outcome(heard.tally.beneath_ms, heard.tally.sounded_ms)
    if heard.job.relay is None or told[1]:
        return told
    heard_ms = heard.tally.relayed_ms + heard.tally.fallback_ms
    if not heard_ms:
        return Step.MISSED, Reason.NO_STREAM
    return (Step.SOUNDED, None) if heard_ms * 2 >= heard.tally.sounded_ms else (Step.INTERRUPTED, Reason.NO_STREAM)
