"""Playout: what was decided, carried to the player; what the player says, turned into proof.

- Volume comes from the config in force at the start (`schedules.policy`).
- What a job sounded is summed over all its parts: before a pause (remembered here) and before a crash (given
  back with `carry` from what the agent wrote down).
- One job is on air; one that ducks may lie beneath it, and has the loudspeaker again when the upper one is let go.
- It decides nothing: `schedules.due` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_node import in_hand
from edge_node.amplifier import Amplifier
from edge_node.in_hand import SURE_MS, InHand
from edge_node.mixer import Mixer
from edge_node.players.player import FADE_MS, Player, Progress, Take
from edge_node.tally import Tally, added, measured
from edge_node.watchdog import Moving
from schedules import policy
from wire.config import NodeConfig
from wire.errors import Reason
from wire.health import Relay
from wire.plan import BulletinClass, Job
from wire.receipt import Measured

STUCK = Moving("", 0)  # no job: it moves for none
NOWHERE = "none:"  # no address that anybody calls up: what stands in for the relay sounds, and is accounted as that


@dataclass(frozen=True)
class Sound:
    """What is played for a job: its file, a relay's stream, or what stands in for its file.

    ``name`` is what ledger and receipts say of it; ``path`` None only for a relay that nothing stands in for. What is
    not ``whole`` is no outcome when it is over.
    """

    name: str
    path: Path | None
    duration_ms: int
    whole: bool = True
    detail: str = ""  # for the receipt


@dataclass(frozen=True)
class Heard:
    """The state of a job that the player holds."""

    job: Job
    sounding: bool
    finished: bool
    position_ms: int  # where in the asset to go on after a pause or a crash
    tally: Tally
    failed: Reason | None = None
    trouble: str = ""  # why a relay's stream was lost last
    sound: Sound = Sound("", None, 0)


class Playout:
    """The one way to the player. Not thread-safe: the agent's walk calls it."""

    def __init__(
        self,
        player: Player,
        *,
        amplifier: Amplifier | None = None,
        hand: InHand | None = None,
        mixer: Mixer | None = None,
    ) -> None:
        """``hand``: where it is written what sounds; a strict one (safe mode) calls up no stream."""
        self._player, self._amplifier, self._hand, self._mixer = player, amplifier or Amplifier(), hand, mixer
        self._from_ms, self._proved = 0, True
        self._at = datetime.max.replace(tzinfo=UTC)
        self._on: _Held | None = None
        self._under: _Held | None = None
        self._earlier: dict[str, Tally] = {}  # parts before the one now on air, by job

    @property
    def device(self) -> str:
        """The player's device, for health."""
        return self._player.device

    @property
    def device_ok(self) -> bool | None:
        """Whether the device works, for health; None when not needed yet."""
        return self._player.device_ok

    @property
    def can_relay(self) -> bool:
        """Whether the player can decode a stream, and may."""
        return self.why_no_relay is None

    @property
    def why_no_relay(self) -> Reason | None:
        """Why no stream is called up."""
        if self._hand and self._hand.strict:
            return Reason.SAFE_MODE
        return None if self._player.can_relay else Reason.NO_DECODER

    @property
    def amplifier(self) -> Relay | None:
        """The amplifier's relay, for health; None where none is wired."""
        return self._amplifier.state

    def moving(self, now: datetime) -> Moving | None:
        """What shows whether the player comes on. None: nothing is to move. One that is stuck stands at one place,
        whatever it is given; a device that is away is its own word for why it does not move."""
        if self._player.stuck:
            return STUCK
        progress = self._player.progress()
        if progress is None or self._on is None:
            return None
        waits = now < self._at or progress.finished
        excused = waits or progress.failed is not None or self._player.device_ok is False
        return Moving(progress.job_id, progress.position_ms, excused)

    def begin(self, job: Job, sound: Sound, at: datetime, from_ms: int, config: NodeConfig) -> None:
        """Prime the player with ``job``: its sample at ``from_ms`` leaves at ``at``. Replaces what was held."""
        self.stop(0)
        self._player.prime(self._put_on(_Held(job, sound, config), at, from_ms))

    def cross(self, job: Job, sound: Sound, at: datetime, from_ms: int, config: NodeConfig) -> Heard | None:
        """The same, but what is on air lets go on the first sample of ``job``; its last state."""
        left = self._on
        return self._let_go(self._player.cross(self._put_on(_Held(job, sound, config), at, from_ms)), left)

    def lay_over(self, job: Job, sound: Sound, at: datetime, from_ms: int, config: NodeConfig) -> None:
        """The same, but what is on air goes on beneath."""
        self._under = self._on
        self._player.lay_over(self._put_on(_Held(job, sound, config), at, from_ms))

    def observe(self) -> Heard | None:
        """The job on air (also when finished or failed, until `cut`), or None."""
        progress = self._player.progress()
        self._amplifier.look(progress is not None)
        if progress:
            self._prove(progress)
        return self._heard(progress, self._on)

    def beneath(self) -> Heard | None:
        """The job beneath it, or None."""
        return self._heard(self._player.beneath(), self._under)

    def cut(self, fade_ms: int = FADE_MS, job_id: str = "") -> Heard | None:
        """Take the loudspeaker from what is on air, or from ``job_id`` if that is held; its last state.

        Also how a finished job is let go.
        """
        if self._under and self._under.job.id == job_id:
            left, self._under = self._under, None
            return self._let_go(self._player.stop_beneath(fade_ms), left)
        if self._on is None or job_id not in ("", self._on.job.id):
            return None
        left, self._on, self._under = self._on, self._under, None
        heard = self._let_go(self._player.stop(fade_ms), left)
        if self._hand:
            self._hand.hush()
        self._proved = True
        self._set_mixer()
        return heard

    def stop(self, fade_ms: int = FADE_MS) -> list[Heard]:
        """Take the loudspeaker from everything; the last states."""
        under = self.cut(fade_ms, self._under.job.id) if self._under else None
        return [heard for heard in (self.cut(fade_ms), under) if heard]

    def carry(self, job_id: str, tally: Tally) -> None:
        """Give back what a job had sounded before this process started."""
        self._earlier[job_id] = tally

    def measured(self, job_id: str) -> Measured | None:
        """What a job sounded over all its parts, on air or not; None when nothing of it has sounded."""
        held = {heard.job.id: heard.tally for heard in (self.observe(), self.beneath()) if heard}
        return measured(held.get(job_id) or self._earlier.get(job_id, Tally()), self.device)

    def forget(self, job_id: str) -> None:
        """The job has ended: its parts are no longer needed."""
        self._earlier.pop(job_id, None)

    def close(self) -> None:
        """Close the player, let go of the amplifier, and leave the sound card as it was."""
        self._player.close()
        self._amplifier.close()
        if self._mixer:
            self._mixer.close()

    def _put_on(self, held: _Held, at: datetime, from_ms: int) -> Take:
        """It is what holds the loudspeaker from now on; what the player is to be given."""
        self._on = held
        self._set_mixer()
        self._take_in_hand(held.sound, from_ms)
        self._at = self._amplifier.on(at)
        return held.take(self._at, from_ms, silent=self.why_no_relay is Reason.SAFE_MODE)

    def _take_in_hand(self, sound: Sound, from_ms: int) -> None:
        self._from_ms, self._proved = from_ms, self._hand is None or sound.path is None
        if self._hand and sound.path:
            self._hand.sound(in_hand.audio(sound.path.name))

    def _prove(self, progress: Progress) -> None:
        """What has sounded for a while, or to its end, does no harm."""
        sounded = progress.finished or progress.position_ms - self._from_ms >= SURE_MS
        if self._hand and sounded and not self._proved:
            self._proved = True
            self._hand.proved()

    def _set_mixer(self) -> None:
        """The sound card is open while an emergency is on air, whatever its mute."""
        if self._mixer is None:
            return
        if self._on and self._on.job.bulletin_class is BulletinClass.EMERGENCY:
            self._mixer.open_up()
        else:
            self._mixer.put_back()

    def _let_go(self, progress: Progress | None, held: _Held | None) -> Heard | None:
        heard = self._heard(progress, held)
        if heard:
            self._earlier[heard.job.id] = heard.tally
        return heard

    def _heard(self, progress: Progress | None, held: _Held | None) -> Heard | None:
        if progress is None or held is None:
            return None
        tally = added(self._earlier.get(held.job.id, Tally()), progress, held.job.start + held.offset)
        told = progress.sounding, progress.finished, progress.position_ms, tally, progress.failed, progress.trouble
        return Heard(held.job, *told, sound=held.sound)


class _Held:
    """A job that the player was given."""

    def __init__(self, job: Job, sound: Sound, config: NodeConfig) -> None:
        self.job, self.sound, self._config = job, sound, config
        self.offset = timedelta(milliseconds=config.offset_ms)  # of this node, part of the planned start

    def take(self, at: datetime, from_ms: int, silent: bool) -> Take:
        """What the player is to sound from ``at`` on; ``silent``: no stream is called up."""
        volume = policy.volume_dbfs(self.job.bulletin_class, at, self._config)
        stream = "" if self.job.relay is None else NOWHERE if silent else self.job.relay.url
        return Take(self.job.id, self.sound.path, at, from_ms, volume, self.sound.duration_ms, stream)
