"""The protocol of a player: what is asked of a loudspeaker, and what it says of itself.

- `prime` decodes ahead and arranges that the first sample leaves at ``take.at``; nobody calls "start".
- One take is on air. `prime` drops what is held at once, without a fade; `cross` and `lay_over` let it sound until
  the first sample of the new one, to the sample: there it fades out as the new one comes up, or goes on beneath it,
  quieter, until the upper one is over. What is mixed never clips.
- Numbers count what was delivered to the device (after volume and fades), never what was decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wire.errors import Reason

RATE = 48_000  # samples per second of everything that leaves a player; mono
FADE_MS = 50  # how a cut fades out unless asked otherwise
BENEATH_DB = -26.0  # how much quieter a take is while it lies beneath another

Now = Callable[[], datetime]  # aware, UTC


@dataclass(frozen=True)
class Take:
    """One part of a job to sound: the file or stream, from where, when, how loud.

    With a ``stream`` that is what sounds, for ``duration_ms`` less ``from_ms``, and the file stands in for it.
    """

    job_id: str
    path: Path | None  # None only for a relay that nothing stands in for
    at: datetime  # when the first sample leaves; past means at once
    from_ms: int = 0  # position in the file, >= 0
    volume_dbfs: float = 0.0  # attenuation, -60..0
    duration_ms: int = 0  # of the whole file, as sealed; 0 when unknown
    stream: str = ""  # the address of a relay's stream; empty for a file


@dataclass(frozen=True)
class Progress:
    """How far a take has come.

    ``energy_sum`` is the sum of the squares of the delivered samples and ``peak`` their greatest absolute value,
    full scale being 1. ``failed`` is final for bad_audio and disk_full; audio_device means that no device has been
    there for a while: the player goes on trying, and the take goes on where it was if one returns before `stop`.
    """

    job_id: str
    sounding: bool = False  # the first sample has left and the last has not
    finished: bool = False  # every sample of the file has left
    position_ms: int = 0  # in the file: from_ms + what this take sounded
    sounded_ms: int = 0
    energy_sum: float = 0.0
    samples: int = 0
    peak: float = 0.0
    started_at: datetime | None = None  # when the first sample left
    ended_at: datetime | None = None  # when the last sample so far left
    skew_ms: float = 0.0  # started_at - at; positive is late
    failed: Reason | None = None
    relayed_ms: int = 0  # of sounded_ms: how much was the stream of a relay
    fallback_ms: int = 0  # and how much was the file that stood in for it
    trouble: str = ""  # why a relay's stream was lost last
    beneath_ms: int = 0  # of sounded_ms: beneath another take, quieter


class Player(Protocol):
    """A loudspeaker. Safe to call from one thread; whatever runs in the background is the player's own matter."""

    @property
    def device(self) -> str:
        """What sounds, for receipts and health; at most 120 characters."""

    @property
    def device_ok(self) -> bool | None:
        """Whether the device works as far as known; None when it has not been needed yet."""

    @property
    def can_relay(self) -> bool:
        """Whether a stream can be decoded here; without, only what stands in for it sounds."""

    @property
    def stuck(self) -> bool:
        """Whether what runs in the background hangs or has died: nothing sounds any more in this process.

        A device that is away is not that: it is looked for, as long as a take wants it.
        """

    def prime(self, take: Take) -> None:
        """Take hold of ``take``. Returns at once; what goes wrong stands in `progress`."""

    def cross(self, take: Take) -> Progress | None:
        """Take hold of ``take``; what is on air lets go on its first sample, and its last progress is returned.

        Waits for that. If ``take`` does not begin within a second of its time, what is on air fades out all the same.
        """

    def lay_over(self, take: Take) -> None:
        """Take hold of ``take``; what is on air goes on beneath it. Returns at once."""

    def progress(self) -> Progress | None:
        """The take on air, also when it has finished or failed; None when there is none."""

    def beneath(self) -> Progress | None:
        """The take that goes on beneath the one on air; None when there is none."""

    def stop(self, fade_ms: int = FADE_MS) -> Progress | None:
        """Fade out, let go of the take on air and return its last progress. Waits for the fade (at most a second).

        The one beneath comes up and is the one on air then.
        """

    def stop_beneath(self, fade_ms: int = FADE_MS) -> Progress | None:
        """The same for the one beneath; the one on air goes on."""

    def close(self) -> None:
        """Stop without a fade and free everything. Closing twice is allowed; a closed player takes nothing."""
