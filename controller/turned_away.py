"""Who was turned away: wrong passwords and codes, tries that came too often, acts without the right; in the audit log.

- A decision not to let somebody stands there like one to do so, folded (`controller.folding`): nobody fills the disk.
- A name that nobody has is never written down: it may be a password in the wrong field.
- Where it came from is what the web says (`PLACE`); at the command line there is none.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import datetime
from threading import Lock

from controller.folding import Folding, Line
from controller.store import Store, StoreError
from controller.store.rows import Act

log = logging.getLogger(__name__)

PLACE: ContextVar[str] = ContextVar("place", default="")
WHO = "desk"  # who decided
NOBODY = "unknown name"
WRONG_PASSWORD, WRONG_PROOF, TOO_OFTEN = "wrong password", "wrong proof", "tried too often"
NO_RIGHT, BAD_LINK, NO_FACTOR = "refused for want of right", "refused a link", "refused without second factor"
WRONG_WORDS = "wrong passphrase"
KINDS = (WRONG_PASSWORD, WRONG_PROOF, TOO_OFTEN, NO_RIGHT, BAD_LINK, NO_FACTOR, WRONG_WORDS)
KIND_OF = {  # by the key of the sentence that says no
    "desk.wrong_password": WRONG_PASSWORD,
    "desk.wrong_proof": WRONG_PROOF,
    "desk.passkey_refused": WRONG_PROOF,
    "desk.bad_link": BAD_LINK,
    "desk.factor_needed": NO_FACTOR,
    "desk.not_allowed": NO_RIGHT,
    "desk.not_your_area": NO_RIGHT,
    "desk.not_your_person": NO_RIGHT,
    "desk.beyond_your_time": NO_RIGHT,
    "desk.own_announcement": NO_RIGHT,
    "desk.own_wide": NO_RIGHT,
    "desk.token_beyond": NO_RIGHT,
    "keys.no_cosigner": NO_RIGHT,
    "keys.second_wrong": WRONG_WORDS,
    "keys.second_closed": TOO_OFTEN,
}
MOST_DETAIL = 200


class TurnedAway:
    """The book over one store. Safe from any thread; what cannot be written is logged and no page fails by it."""

    def __init__(self, store: Store) -> None:
        self._store, self._folding, self._lock = store, Folding(), Lock()

    def note(self, kind: str, who: str, detail: str, now: datetime) -> None:
        """Once more. ``who``: a name that somebody has, else anything: it is looked up and not kept."""
        known = self._known(who)
        told = " ".join(filter(None, (detail, f"from={PLACE.get()}" if PLACE.get() else "")))[:MOST_DETAIL]
        with self._lock:
            lines = self._folding.note(kind, known, told, now)
        self._write(lines, now)

    def look(self, now: datetime) -> None:
        """Write what is due."""
        with self._lock:
            lines = self._folding.due(now)
        self._write(lines, now)

    def close(self, now: datetime) -> None:
        """Write what is left."""
        with self._lock:
            lines = self._folding.rest()
        self._write(lines, now)

    def _known(self, who: str) -> str:
        try:
            found = self._store.people.by_name(who) if 0 < len(who) <= 64 and who.isprintable() else None
        except StoreError:
            return NOBODY
        return found.name if found else NOBODY

    def _write(self, lines: list[Line], now: datetime) -> None:
        try:
            for line in lines:
                self._store.acts.add(Act(WHO, line.kind, line.who, _told(line), now))
        except StoreError as wrong:
            log.warning("turned_away_not_written lines=%d why=%s", len(lines), wrong)


def _told(line: Line) -> str:
    many = f"count={line.count} since={line.since.isoformat(timespec='seconds')}" if line.count > 1 else ""
    return " ".join(filter(None, (many, line.detail)))
