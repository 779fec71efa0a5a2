"""What stands in for an emergency's audio on a node: its text in the node's own voice, or the siren alone. Names; pure.

- The name stands in ledger and receipts where the SHA-256 of a file would, so that nobody takes it for the file.
- A text in the node's voice is the whole job. The siren alone is not: nobody has heard yet what it is about.
"""

from __future__ import annotations

import hashlib

from wire.plan import BulletinClass, Job

SIREN_MS, MS_A_CHARACTER = 10_000, 70
_SPOKEN, _SIREN = "spoken-", "siren-"


def may(job: Job) -> bool:
    """Whether something may stand in for this job's audio: an emergency with words of its own."""
    return job.bulletin_class is BulletinClass.EMERGENCY and job.relay is None and bool(job.spoken.strip())


def estimated_ms(job: Job) -> int:
    """About how long such a job sounds, spoken by a node: siren, and the text twice."""
    return SIREN_MS + 2 * len(job.spoken) * MS_A_CHARACTER if may(job) else 0


def spoken_name(job: Job) -> str:
    """The job's text in a node's own voice; another text has another name."""
    return f"{_SPOKEN}{_digest(job)}"


def siren_name(job: Job) -> str:
    """The siren, sounded for this job's text."""
    return f"{_SIREN}{_digest(job)}"


def is_spoken(audio: str) -> bool:
    """Whether ``audio`` names what a node speaks itself."""
    return audio.startswith(_SPOKEN)


def is_siren(audio: str) -> bool:
    """Whether ``audio`` names a siren without words."""
    return audio.startswith(_SIREN)


def stands_in(audio: str, job: Job) -> bool:
    """Whether ``audio`` names what may stand in for this very job, as it says now."""
    return may(job) and audio in (spoken_name(job), siren_name(job))


def _digest(job: Job) -> str:
    return hashlib.sha256(f"{job.drill}\n{job.spoken}".encode()).hexdigest()[:32]
