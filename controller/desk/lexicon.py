"""The lexicon at the desk: people teach how the words of their place are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.newsroom import MOST_ENTRY_CHARS, has_words, one_line
from controller.rights import Permission
from controller.store import Store
from controller.store.lexicon import Reading
from controller.store.rows import Act, User

MOST_ENTRIES = 2000
LEAST_CHARS = 2  # a lone letter stands in too many words' places


class Lexicon:
    """The part of the desk where readings are taught: by whoever writes there."""

    _store: Store
    _bell: Callable[[], None]

    def teach(self, area: str, written: str, spoken: str, who: User, now: datetime) -> Reading:
        """From now on ``written`` is read ``spoken`` in ``area`` (``*``: everywhere). Raises DeskError."""
        reach.place(self._store, area, who, Permission.WRITE, now)
        reading = Reading(area, _written(written), _words(spoken), who.id, now)
        act = Act(who.name, "taught", area, f"{reading.written} = {reading.spoken}", now)
        if not self._store.lexicon.teach(reading, MOST_ENTRIES, act):
            raise DeskError("desk.too_many_readings", most=MOST_ENTRIES)
        self._bell()
        return reading

    def unteach(self, area: str, written: str, who: User, now: datetime) -> None:
        """Forget a reading; one that is not known stays so. Raises DeskError."""
        reach.place(self._store, area, who, Permission.WRITE, now)
        entry = one_line(written)[: MOST_ENTRY_CHARS + 1]
        if self._store.lexicon.unteach(area, entry, Act(who.name, "untaught", area, entry, now)):
            self._bell()


def teachable(written: str) -> bool:
    """Whether a reading can be taught for what is ``written`` so: a word, not only figures or signs."""
    entry = one_line(written)
    whole = entry[:1].isalnum() and entry[-1:].isalnum() and any(char.isalpha() for char in entry)
    return whole and LEAST_CHARS <= len(entry) <= MOST_ENTRY_CHARS


def _written(text: str) -> str:
    if not teachable(text):
        raise DeskError("desk.bad_written", least=LEAST_CHARS, most=MOST_ENTRY_CHARS)
    return one_line(text)


def _words(text: str) -> str:
    reading = one_line(text)
    if not has_words(reading) or len(reading) > MOST_ENTRY_CHARS:
        raise DeskError("desk.bad_reading", most=MOST_ENTRY_CHARS)
    return reading
