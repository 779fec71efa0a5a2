"""Gaps: the times of which this station knows nothing, for it was put back from a backup of before them.

- The store says up to when it knows what was taken away, and which file was written last; a backup brings that back,
  and the restore adds the gap from then to the restore itself.
- A list of revocations out of a gap says what this station does not know. One that was applied closes its part.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from controller.store import Store
from controller.store.facts import Document
from wire import codec
from wire.plan import Moment

NAME = "revocations-known"  # in the store
MOST_BYTES = 16_384
MOST_GAPS = 50  # the newest; each is a restore


class Gap(msgspec.Struct, frozen=True):
    """From just behind ``after`` up to ``until``."""

    after: Moment
    until: Moment

    def holds(self, at: datetime) -> bool:
        """Whether that moment lies in it."""
        return self.after < at <= self.until


class Known(msgspec.Struct, frozen=True):
    """``upto``: when the last list was written; ``sha256``: of that file."""

    upto: Moment
    sha256: str = ""
    gaps: tuple[Gap, ...] = ()

    def covers(self, at: datetime) -> bool:
        """Whether this station knows all that a list of that moment says."""
        return at <= self.upto and not any(each.holds(at) for each in self.gaps)


def known(store: Store) -> Known | None:
    """What the store knows, None where it never wrote a list and was never put back."""
    held = store.documents.get(NAME)
    return codec.read(Known, held.envelope, MOST_BYTES) if held else None


def restored(store: Store, made_at: datetime, now: datetime) -> None:
    """The store came out of a backup of ``made_at``."""
    held = known(store) or Known(made_at)
    _keep(store, replace(held, gaps=(*held.gaps, Gap(held.upto, now))[-MOST_GAPS:]), now)


def wrote(store: Store, sha256: str, now: datetime) -> None:
    """A list of now is about to be written: should that be cut, the file is an older one."""
    held = known(store) or Known(now)
    _keep(store, replace(held, upto=now, sha256=sha256), now)


def applied(store: Store, at: datetime, now: datetime) -> None:
    """A list of ``at`` was applied."""
    held = known(store) or Known(at)
    gaps = [replace(each, after=at) if each.holds(at) else each for each in held.gaps]
    left = tuple(each for each in gaps if each.after < each.until)
    _keep(store, replace(held, upto=max(held.upto, at), gaps=left), now)


def _keep(store: Store, told: Known, now: datetime) -> None:
    store.documents.put(Document(NAME, 1, codec.write(told), now))
