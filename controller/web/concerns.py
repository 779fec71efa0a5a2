"""What a change concerns, and what an open page shows: who is told of what. Pure.

- A page says in its template which kinds of facts its live parts show (`data-live-of`), and whether they are drawn from
  more than its reader's own areas (`data-live-in`; ``*``: everywhere). A part that says nothing shows everything.
- A change says of which kinds it is and in which areas it lies. What is not known counts as everything, or everywhere:
  a page is rather told for nothing than left as it was.
- Areas meet when one lies in the other: a commune's page shows what its province sends, a province's what communes do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from controller.rights import EVERYWHERE
from wire.names import MAX_AREA_CHARS, lies_within

MOST_NAMED_CHARS = 50 * MAX_AREA_CHARS


class Kind(StrEnum):
    """A kind of facts that pages show."""

    AIR = "air"  # what is to sound: bulletins, bookings, inboxes, programmes, rules, plans
    HEARD = "heard"  # what loudspeakers told of it
    THERE = "there"  # which loudspeakers are there
    HEALTH = "health"  # how they are: told when there is time for it
    ALARMS = "alarms"
    SIGNS = "signs"  # the members of alarms, and what happened to them
    UNHEARD = "unheard"
    ACTS = "acts"
    STATION = "station"  # documents, settings, papers of loudspeakers
    TIME = "time"  # what changes by time alone: told when there is time for it


PATIENT = frozenset({Kind.HEALTH, Kind.TIME})
_AIR, _ALARMS, _SIGNS = frozenset({Kind.AIR}), frozenset({Kind.ALARMS}), frozenset({Kind.SIGNS})
_STATION, _ACTS = frozenset({Kind.STATION}), frozenset({Kind.ACTS})
_NOTHING: frozenset[Kind] = frozenset()

TABLES: Mapping[str, frozenset[Kind]] = {
    **dict.fromkeys(("announcements", "bookings", "inbox", "programmes", "policies", "plans", "held_back"), _AIR),
    **dict.fromkeys(("standby", "sirens", "lexicon", "alerts", "unlisted", "public_days", "cosigners_out"), _AIR),
    **dict.fromkeys(("recordings", "assets", "area_codes"), _AIR),
    **dict.fromkeys(("alarms", "alarm_silences"), _ALARMS),
    **dict.fromkeys(("alarm_members", "alarm_history"), _SIGNS),
    **dict.fromkeys(("acts", "act_head", "checkpoints"), _ACTS),
    **dict.fromkeys(("documents", "configs", "certificates", "enrolments", "settings_known", "positions"), _STATION),
    **dict.fromkeys(("other_stations", "day_tallies", "commune_states", "commune_hours", "arrivals"), _STATION),
    "unheard": frozenset({Kind.UNHEARD}),
    **dict.fromkeys(("sessions", "links", "asked", "passkeys", "code_apps", "recovery_codes"), _NOTHING),
    **dict.fromkeys(("api_tokens", "api_answers", "serials", "findable"), _NOTHING),
}
"""What pages show of the tables that have a number (`controller.store.written`); one not named is of every kind."""


@dataclass(frozen=True)
class Change:
    """Something is new. ``kinds`` None: anything; ``areas`` None: anywhere.

    ``people``: who is told wherever it lies; ``urgent``: it is of an emergency; ``sudden``: an emergency itself was
    touched, which every page says at once, whenever its turn comes.
    """

    kinds: frozenset[Kind] | None = None
    areas: frozenset[str] | None = None
    people: frozenset[str] = frozenset()
    urgent: bool = False
    sudden: bool = False

    @property
    def is_patient(self) -> bool:
        """Whether it may wait until there is time for it."""
        return self.kinds is not None and self.kinds <= PATIENT


ANYTHING = Change()


@dataclass(frozen=True)
class Interest:
    """What an open page shows. ``kinds`` None: everything; ``areas``: its reader's; ``person``: who that is.

    ``more``: areas that it shows beside these.
    """

    kinds: frozenset[Kind] | None = None
    areas: frozenset[str] = frozenset()
    person: str = ""
    more: frozenset[str] = frozenset()

    @property
    def lives_by_time(self) -> bool:
        """Whether time alone changes it."""
        return self.kinds is None or Kind.TIME in self.kinds

    def is_met_by(self, change: Change) -> bool:
        """Whether ``change`` may be seen on the page."""
        if change.kinds is not None and self.kinds is not None and not change.kinds & self.kinds:
            return False
        if change.areas is None or self.person in change.people:
            return True
        shown = self.areas | self.more
        return any(lies_within(each, own) or lies_within(own, each) for each in change.areas for own in shown)


def kinds_of(named: str) -> frozenset[Kind] | None:
    """The kinds that a page named, by commas; None (everything) for none, or one that is unknown."""
    words = named[:200].split(",")
    return frozenset(map(Kind, words)) if all(word in set(Kind) for word in words) else None


def places_of(named: str) -> frozenset[str]:
    """The areas that a page named, by blanks; everywhere for more than anybody would name."""
    return frozenset(named.split()) if len(named) <= MOST_NAMED_CHARS else frozenset({EVERYWHERE})


def own_areas(granted: Iterable[str]) -> frozenset[str]:
    """The areas that someone was granted anything in, without those that lie in another of them."""
    areas = frozenset(granted)
    return frozenset(each for each in areas if not any(other != each and lies_within(each, other) for other in areas))
