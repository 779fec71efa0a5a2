"""Ducking: an item that an emergency does not pause. It goes on beneath, quieter, and comes back. Pure.

- Only an emergency cuts in, so only beneath an emergency does anything lie, and never more than one item.
- An emergency does not duck: what a higher one cuts into begins again afterwards, as without.
- What has lain beneath for more than half of the time it sounded was not heard: that is no SOUNDED.
"""

from __future__ import annotations

from wire.errors import Reason
from wire.plan import BulletinClass, Job
from wire.receipt import Step


def ducks(job: Job) -> bool:
    """Whether the job goes on beneath an emergency that cuts in."""
    return job.duck and job.bulletin_class is not BulletinClass.EMERGENCY


def outcome(beneath_ms: int, sounded_ms: int) -> tuple[Step, Reason | None]:
    """How a job has ended whose last sample has left, ``beneath_ms`` of ``sounded_ms`` beneath an emergency."""
    return (Step.PREEMPTED, Reason.OUTRANKED) if beneath_ms * 2 > sounded_ms else (Step.SOUNDED, None)
