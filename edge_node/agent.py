"""The walk of a node: how a signed plan becomes proven sound. Read `tick` from top to bottom.

- A line here calls a room and does no work itself: trust is `gate`'s, the decision is `due`'s, sound is `air`'s.
- Messages wake it at once; otherwise it sleeps until the next moment at which something could change.
- It lives through anything: a broad except stands around one message and around one tick, nowhere else.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from edge_node import disk, identity
from edge_node.agenda import Agenda
from edge_node.air import Air
from edge_node.cache import Cache
from edge_node.gate import Admitted, Gate
from edge_node.health import Measures, Reporter
from edge_node.held import Held, arrival_order
from edge_node.ledger import Ledger
from edge_node.outbox import Outbox
from edge_node.own_voice import OwnVoice
from edge_node.players.player import Player
from edge_node.playout import Playout
from edge_node.report import Refusals, Self
from edge_node.restart import RESTART_EXIT, RestartRequest
from edge_node.settings import Settings
from edge_node.stand_in import StandIns
from edge_node.vitals import Senses
from edge_node.wallclock import Wallclock
from schedules.due import OnAir, Start, due, next_look
from wire.config import NodeConfig
from wire.errors import Reason, Refusal
from wire.link import Link, Message
from wire.receipt import Ack

log = logging.getLogger("loa.node.agent")

ON_AIR_SECONDS = 0.1  # between two looks at the loudspeaker: the checkpoint's interval
IDLE = timedelta(seconds=5)
# judged again once the trust document or the config is here
MAY_COME_RIGHT = (Reason.UNKNOWN_KEY, Reason.WRONG_AREA)


class Agent:
    """One node. Everything it keeps lies in ``settings.state_dir``."""

    def __init__(self, settings: Settings, link: Link, player: Player, cache: Cache, clock: Wallclock) -> None:
        """Raises identity.BadIdentity, OSError, sqlite3.Error when the state folder cannot be used."""
        home = settings.state_dir
        self.itself = Self(settings.node)
        self.signer = identity.load_or_make(home / "node.key")
        self.gate = Gate(settings.node, settings.home, settings.root_keys)
        self.held = Held(home / "held")
        self.ledger = Ledger(home / "ledger.sqlite")
        self.outbox = Outbox(settings.node, self.ledger, self.signer)
        self.refusals = Refusals()
        self._link, self._cache, self._clock = link, cache, clock
        self._playout = Playout(player)
        self._checkpoint = disk.Checkpoint(home / "on_air")
        voice = OwnVoice(settings.voice, settings.voice_wpm)
        self._stand_ins = StandIns(cache, voice, home / "spoken", link.wake)
        self._air = Air(self.ledger, self._playout, self._checkpoint, cache, self._stand_ins)
        self._agenda = Agenda(self.gate, self.ledger, cache, self._playout, self._stand_ins)
        self._senses = Senses(home)
        self._reporter = Reporter(self.itself, self.gate)
        self._restart = RestartRequest(home / "restart_request")
        self._next = clock.now()
        self._on_air: OnAir | None = None
        self.exit_code = 0

    def start(self) -> None:
        """Take up what the last run left, and connect."""
        for topic, raw in self.held.load():
            self._admit(topic, raw, restoring=True)
        self._air.recover()
        self._link.listen(self._filters())
        self._link.start()
        log.info("started node=%s key=%s held=%d", self.itself.node, self.signer.public.id, len(self.gate.plans()))

    def run(self, stop: threading.Event) -> int:
        """Walk until ``stop`` is set (and the link woken) or a restart is asked for. Returns the exit code."""
        self.start()
        while not stop.is_set() and not self.exit_code:
            try:
                self.tick(self._rest_seconds())
            except Exception:
                log.exception("tick_failed")
                stop.wait(1.0)
        self.stop()
        return self.exit_code

    def tick(self, wait_seconds: float = 0.0) -> None:
        """One look at everything. Waits at most ``wait_seconds`` for a message first."""
        messages = self._link.take(wait_seconds)
        if self._reporter.greet(self._link, self._clock):
            self._agenda.connected(self._clock.monotonic())
        for message in sorted(messages, key=lambda each: arrival_order(each.topic)):
            self._hear(message)
        for refusal in self._link.refusals():
            self.refusals.note(refusal)
        now = self._clock.now()
        self._on_air = self._air.observe(now)
        self._agenda.fetch(now, self._clock.monotonic())
        self._decide(now)
        self.ledger.flush()
        self.outbox.send(self._link, self._clock.monotonic())
        self._reporter.report(self._link, self._clock, self._measure)
        self._agenda.prune(now, self._clock.monotonic())
        self._clock.keep()

    def stop(self) -> None:
        """Fade out, say goodbye, close. The job on air goes on at the next start."""
        self._air.stop()
        self.ledger.flush()
        self.outbox.send(self._link, self._clock.monotonic())
        self._reporter.say_goodbye(self._link, self._clock)
        self._link.stop()
        self.close()

    def close(self) -> None:
        """Release files and threads without a word."""
        self._playout.close()
        self._cache.close()
        self._stand_ins.close()
        self.ledger.close()
        self._checkpoint.close()

    def _decide(self, now: datetime) -> None:
        """Ask `due`, and let the air do it. What turns out to be spoilt on disk is asked about again."""
        situation = self._agenda.situation(self._on_air, now, self._clock)
        acts = due(situation)
        while acts and isinstance(acts[-1], Start) and not self._agenda.is_whole(acts[-1].job):
            situation = self._agenda.without_spoilt(situation, acts[-1].job)
            acts = due(situation)
        if acts:
            self._air.apply(acts, situation.config, now)
            self._on_air = self._air.observe(now)
            situation = self._agenda.situation(self._on_air, now, self._clock)
        self._next = next_look(situation, self._agenda.longest_rest(IDLE))

    def _rest_seconds(self) -> float:
        """How long to wait for a message: short while something holds the loudspeaker."""
        if self._on_air:
            return ON_AIR_SECONDS
        idle = min(IDLE.total_seconds(), self._reporter.seconds_left(self._link, self._clock.monotonic()))
        return min(max((self._next - self._clock.now()).total_seconds(), 0.0), idle)

    def _hear(self, message: Message) -> None:
        try:
            if message.payload:  # an empty one says that the broker keeps nothing there any more
                self._admit(message.topic, message.payload)
        except Exception:
            log.exception("message_failed topic=%s", message.topic[:200])
            self.refusals.note(Refusal(Reason.MALFORMED, message.topic[:200], "it could not be handled"))

    def _admit(self, topic: str, raw: bytes, restoring: bool = False) -> None:
        clock = self._clock
        verdict = self.gate.admit(topic, raw, clock.now(), clock_known=clock.known(), restoring=restoring)
        if isinstance(verdict, Refusal):
            self.refusals.note(verdict)
            if restoring:
                self._agenda.lost_documents()
                self.held.drop(topic) if verdict.reason not in MAY_COME_RIGHT else None
        elif isinstance(verdict, Admitted):
            self._obey(verdict, restoring)

    def _obey(self, admitted: Admitted, restoring: bool) -> None:
        self._clock.learn(admitted.document.issued_at)
        if isinstance(admitted.document, Ack):
            self.outbox.take(admitted.document)
            return
        log.info("admitted topic=%s serial=%d", admitted.topic, admitted.document.serial)
        if not restoring:
            self.held.keep(admitted.topic, admitted.raw)
        self._agenda.changed()
        for besides in admitted.also:
            if isinstance(besides, Admitted):
                self._obey(besides, restoring=False)
                continue
            self.held.drop(besides.where)
            if not isinstance(admitted.document, NodeConfig):  # an area that a config no longer names is no refusal
                self.refusals.note(besides)
        if isinstance(admitted.document, NodeConfig):
            self._link.listen(self._filters())
            if not restoring and self._restart.is_new(admitted.document):
                self.exit_code = RESTART_EXIT

    def _filters(self) -> list[tuple[str, int]]:
        return [(topic, 1) for topic in self.gate.listens_to()]

    def _measure(self, now: datetime) -> Measures:
        jobs = self._agenda.open_jobs(now)
        unwritten = self.ledger.write_failures + self.held.write_failures
        own = {Reason.DISK_FULL.value: unwritten, "ledger_spoilt": int(self.ledger.spoilt)}
        return Measures(
            vitals=self._senses.read(self._clock.known(), self._playout.device, self._playout.device_ok),
            jobs_ahead=len(jobs),
            audio_ready=self._agenda.ready_count(jobs),
            receipts_waiting=self.ledger.waiting(),
            refusals=self.refusals.with_others(self._cache.counts(), own),
            last_sounded=self._air.last_sounded,
        )
