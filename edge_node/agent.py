"""The walk of a node: how a signed plan becomes proven sound. Read `tick` from top to bottom.

- A line here calls a room and does no work itself: trust is `gate`'s, the decision is `due`'s, sound is `air`'s.
- Messages wake it at once; otherwise it sleeps until the next moment at which something could change.
- It lives through anything: a broad except stands around one message and around one tick, nowhere else.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime, timedelta

from edge_node import amplifier, disk, identity, in_hand
from edge_node.agenda import Agenda
from edge_node.air import Air
from edge_node.cache import Cache
from edge_node.gate import Admitted, Gate
from edge_node.health import Measures, Reporter
from edge_node.held import Held, arrival_order
from edge_node.in_hand import LEDGER
from edge_node.keep import Keep
from edge_node.ledger import Ledger
from edge_node.lives import Lives
from edge_node.mixer import Mixer
from edge_node.outbox import Outbox
from edge_node.own_voice import OwnVoice
from edge_node.players.player import Player
from edge_node.playout import Playout
from edge_node.renewing import Renewing
from edge_node.report import Refusals, Self
from edge_node.restart import RESTART_EXIT, RestartRequest
from edge_node.settings import Settings
from edge_node.stand_in import StandIns
from edge_node.updating import Updating, Walk
from edge_node.vitals import Senses
from edge_node.wallclock import Wallclock
from edge_node.watchdog import BROKEN_EXIT, Pulse, Watchdog, status_line
from schedules.due import OnAir, Start, due, next_look
from wire.config import NodeConfig
from wire.errors import Reason, Refusal
from wire.link import Link, Message
from wire.receipt import Ack
from wire.renewal import Renewed
from wire.trust import Trust

log = logging.getLogger("loa.node.agent")

ON_AIR_SECONDS = 0.1  # between two looks at the loudspeaker: the checkpoint's interval
IDLE = timedelta(seconds=5)
MAY_COME_RIGHT = (Reason.UNKNOWN_KEY, Reason.WRONG_AREA)  # judged again once trust document or config is here


class Agent:
    """One node. Everything it keeps lies in ``settings.state_dir``."""

    def __init__(self, settings: Settings, link: Link, player: Player, cache: Cache, clock: Wallclock) -> None:
        """Raises identity.BadIdentity, keep.Sealed; OSError, sqlite3.Error: no state folder, or another node in it."""
        home = settings.state_dir
        disk.make_folder(home)
        self.itself = Self(settings.node)
        self.lives = Lives(home, self.itself.version)
        self.itself.safe_mode = self.lives.safe
        self._updating = Updating(settings, cache, clock)
        self._updating.begin()
        self.signer = identity.load_or_make(home / "node.key", Keep(settings))
        self.gate, self.held = Gate(settings.node, settings.home, settings.roots), Held(home / "held")
        self._distrusted = self.lives.replace(LEDGER, home / "ledger.sqlite")
        with self.lives.hand.holding(LEDGER):
            self.ledger = Ledger(home / "ledger.sqlite")
        self.outbox = Outbox(settings.node, self.ledger, self.signer)
        self.refusals = Refusals()
        self._renewing = Renewing(settings, self.signer, self.gate, link.wake)
        self._link, self._cache, self._clock = link, cache, clock
        cache.shun(in_hand.audio_of(self.lives.aside))
        relay = amplifier.wired(settings.wiring.amplifier, settings.amplifier_lead_seconds, clock.now, clock.monotonic)
        mixer = Mixer(settings.mixer, settings.mixer_device, settings.mixer_percent, home / "mixer")
        self._playout = Playout(player, amplifier=relay, hand=self.lives.hand, mixer=mixer)
        self._checkpoint = disk.Checkpoint(home / "on_air", clock.monotonic, or_in_memory=True)
        self._stand_ins = StandIns(cache, OwnVoice(settings.voice, settings.voice_wpm), home / "spoken", link.wake)
        self._air = Air(self.ledger, self._playout, self._checkpoint, cache, self._stand_ins)
        self._agenda = Agenda(self.gate, self.ledger, cache, self._playout, self._stand_ins)
        self._agenda.frugal = self.lives.safe
        self._senses = Senses(home, wiring=settings.wiring, frugal=self.lives.safe)
        self._reporter = Reporter(self.itself, self.gate)
        self._restart = RestartRequest(home / "restart_request")
        self._next, self.exit_code = clock.now(), 0
        self._on_air: OnAir | None = None
        self._pulse, self._watchdog = Pulse(), Watchdog(os.environ)

    def start(self) -> None:
        """Take up what the last run left, and connect."""
        self._air.recover()
        held = self.held.load()
        self._agenda.lost_documents() if self.lives.safe or self.held.unreadable else None
        for topic, raw in held:
            self._hear(Message(topic, raw), restoring=True)
        self._link.listen([(topic, 1) for topic in self.gate.listens_to()])
        self._link.start()
        self._next = self._clock.now()  # whatever was decided so far: nothing was fetched yet
        self._watchdog.ready()
        log.info("started node=%s key=%s held=%d", self.itself.node, self.signer.public.id, len(self.gate.plans()))

    def run(self, stop: threading.Event) -> int:
        """Walk until ``stop`` is set (and the link woken), a restart is asked for, or nothing helps any more.

        Returns the exit code.
        """
        self.start()
        while not stop.is_set() and not self.exit_code:
            try:
                self.tick(self.rest_seconds())
                self._live_on()
            except Exception:
                log.exception("tick_failed")
                self.lives.ailing()
                self._pulse.failed()
                stop.wait(1.0)
            if self._pulse.beyond_repair:
                return self._give_up()
        self.stop()
        return self.exit_code

    def tick(self, wait_seconds: float = 0.0) -> None:
        """One look at everything. Waits at most ``wait_seconds`` for a message first."""
        self.lives.hand.rest()
        messages = self._link.take(wait_seconds) + self._renewing.brought()
        self.lives.hand.walk()
        if self._reporter.greet(self._link, self._clock):
            self._agenda.connected(self._clock.monotonic())
        for message in sorted(messages, key=lambda each: arrival_order(each.topic)):
            self._hear(message)
        for refusal in self._link.refusals():
            self.refusals.note(refusal)
        now = self._clock.now()
        self._on_air = self._air.observe(now)
        self._decide(now)
        if self._restart.is_wanted(self._clock.monotonic()):
            self.lives.leave_safe_mode()  # an emergency on air is not cut for it, nor anything else
            self.exit_code = self.exit_code if self._on_air else RESTART_EXIT
        self._agenda.fetch(now, self._clock, self._updating.bundle)
        self.ledger.tend(self._clock.monotonic())
        self.held.tend(self._clock.monotonic())
        self.outbox.send(self._link, self._clock.monotonic())
        self._renewing.look(self._link, now, self._clock.monotonic())
        self._reporter.report(self._link, self._clock, self._measure)
        self._agenda.prune(now, self._clock.monotonic())
        self._clock.keep()

    def stop(self) -> None:
        """Fade out, say goodbye, close. The job on air goes on at the next start."""
        self._watchdog.stopping()
        self._air.stop()
        self.held.settle()
        self.ledger.flush()
        self.outbox.send(self._link, self._clock.monotonic())
        self._reporter.say_goodbye(self._link, self._clock)
        self._link.stop()
        self.lives.end()
        self.close()

    def close(self) -> None:
        """Release files and threads without a word."""
        self._playout.close()
        self._cache.close()
        self._stand_ins.close()
        self.ledger.close()
        self._checkpoint.close()
        self.lives.close()
        self._watchdog.close()

    def _live_on(self) -> None:
        """The tick went well: say so to whoever watches, and see whether safe mode is over."""
        mono = self._clock.monotonic()
        if self._pulse.beat(self._playout.moving(self._clock.now()), mono):
            self._watchdog.feed(mono)
        self._watchdog.status(status_line(self.lives.safe, self._on_air, self._link.connected()))
        self.lives.healthy(mono)
        if self.lives.is_over and not self._on_air:
            self.exit_code = RESTART_EXIT

    def _give_up(self) -> int:
        """Another process is needed, at once; what is in hand stays written."""
        log.error("beyond_repair")
        self.held.settle()
        self.ledger.flush()
        return BROKEN_EXIT

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
        self._updating.look(situation, self.gate.config, self._walk(now))
        self._next = next_look(situation, self._agenda.longest_rest(IDLE))

    def rest_seconds(self) -> float:
        """How long to wait for a message: short while something holds the loudspeaker."""
        if self._on_air:
            return ON_AIR_SECONDS
        left = self._reporter.seconds_left(self._link, self._clock.monotonic())
        idle = min(IDLE.total_seconds(), left, self._watchdog.rest_seconds)
        return min(max((self._next - self._clock.now()).total_seconds(), 0.0), idle)

    def _hear(self, message: Message, restoring: bool = False) -> None:
        if not message.payload:  # the broker keeps nothing there any more
            return
        thing = in_hand.document(message.topic, message.payload)
        if self.lives.is_aside(thing):
            self._shun(message.topic, restoring)
            return
        try:
            with self.lives.hand.holding(thing):
                self._admit(message.topic, message.payload, restoring)
                if self.lives.safe:  # so that what follows from it is known to follow from it
                    self._decide(self._clock.now())
        except Exception:
            log.exception("message_failed topic=%s", message.topic[:200])
            self.refusals.note(Refusal(Reason.MALFORMED, message.topic[:200], "it could not be handled"))
            if self.lives.safe:
                self.lives.put_aside(thing)
                self.gate.forget(message.topic)
                self._shun(message.topic, restoring=True)

    def _shun(self, topic: str, restoring: bool) -> None:
        """The process died of this document more than once."""
        self.refusals.note(Refusal(Reason.SET_ASIDE, topic[:200], "the process died of it"))
        if restoring:
            self._agenda.lost_documents()
            self.held.put_aside(topic)

    def _admit(self, topic: str, raw: bytes, restoring: bool = False) -> None:
        verdict = self.gate.admit(topic, raw, self._clock.now(), clock_known=self._clock.known(), restoring=restoring)
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
        if isinstance(admitted.document, Renewed):
            self._renewing.take(admitted.document, self._clock.now())
            return
        log.info("admitted topic=%s serial=%d", admitted.topic, admitted.document.serial)
        if not restoring:
            self.held.keep(admitted.topic, admitted.raw)
        self._agenda.changed()
        if isinstance(admitted.document, Trust):
            self._clock.relearn(self.gate.newest())
        for besides in admitted.also:
            if isinstance(besides, Admitted):
                self.refusals.excuse(Reason.UNKNOWN_KEY)  # it came before the word that vouches for it
                self._obey(besides, restoring=False)
                continue
            self.held.drop(besides.where)
            if not isinstance(admitted.document, NodeConfig):  # an area that a config no longer names is no refusal
                self.refusals.note(besides)
        if isinstance(admitted.document, NodeConfig):
            self._link.listen([(topic, 1) for topic in self.gate.listens_to()])
            if not restoring:
                self._restart.ask(admitted.document)

    def _walk(self, now: datetime) -> Walk:
        ledger = not (self.ledger.book.spoilt or self._distrusted)
        whole = bool(self.gate.trust and self.gate.config) and ledger and self.lives.unmarked
        sound = whole and self._playout.device_ok is not False
        return Walk(self._link.connected(), sound, self.gate.jobs(now), self.gate.roots, busy=not self.lives.is_calm)

    def _measure(self, now: datetime) -> Measures:
        jobs, unwritten = self._agenda.open_jobs(now), self.ledger.write_failures + self.held.write_failures
        own = {Reason.DISK_FULL.value: unwritten, **self.ledger.book.troubles()}
        own["ledger_spoilt"] = own.get("ledger_spoilt", 0) or int(self._distrusted)
        return Measures(
            vitals=self._senses.read(
                self._clock.known(), self._playout.device, self._playout.device_ok, self._playout.amplifier
            ),
            jobs_ahead=len(jobs),
            stock=self._agenda.stocktaking(jobs),
            data_used=self._cache.meter.reading,
            receipts_waiting=self.ledger.waiting(),
            refusals=self.refusals.with_others(self._cache.counts(), own),
            last_sounded=self._air.last_sounded,
            set_aside=tuple(thing[:200] for thing in self.lives.aside[-5:]),
            watched=self._watchdog.watches,
            update=self._updating.told,
            certificate_until=self._renewing.until,
        )
