"""Which columns name areas, and what becomes of their rows when an area gets another name.

Every column of the schema that holds an area is here; a test walks the schema, and says of the others why they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from controller.store.alarm_tables import (
    alarm_members,
    alarm_silences,
    alarms,
    arrivals,
    commune_hours,
    commune_states,
    day_tallies,
    other_stations,
)
from controller.store.alert_tables import alerts, area_codes
from controller.store.api_tables import api_tokens
from controller.store.positions import positions
from controller.store.tables import (
    areas,
    bookings,
    enrolments,
    grants,
    held_back,
    inbox,
    lexicon,
    node_groups,
    nodes,
    policies,
    programmes,
    standby,
    users,
)
from controller.store.unheard import unheard
from controller.store.yearbook import aired_days, aired_jobs

Column = sa.Column[Any]


@dataclass(frozen=True)
class Keyed:
    """A column of the key; ``others`` is what else of the key tells two rows apart."""

    column: Column
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summed(Keyed):
    """Rows that are added up where the other name has its own: ``sums``, and of the ``longest`` the greater."""

    sums: tuple[str, ...] = ()
    longest: tuple[str, ...] = ()


PLAIN: tuple[Column, ...] = (
    *(nodes.c.home, enrolments.c.home, users.c.area, grants.c.area, area_codes.c.area),
    *(unheard.c.area, api_tokens.c.area, alarms.c.place),
)
LISTS: tuple[Column, ...] = (enrolments.c.groups, bookings.c.areas, alerts.c.areas, arrivals.c.areas)
KEYED = (  # where both have one, the target's stands
    Keyed(node_groups.c.area, ("node",)),
    Keyed(inbox.c.area, ("announcement",)),
    Keyed(standby.c.area, ("announcement",)),
    Keyed(lexicon.c.area, ("written",)),
    Keyed(held_back.c.area, ("job",)),
    Keyed(positions.c.place),
    Keyed(alarm_silences.c.place, ("cause",)),
    Keyed(alarm_members.c.member, ("alarm",)),  # a commune that is out, of an alarm of many
)
SUMMED = (
    Summed(commune_states.c.area, (), ("nodes", "online", "offline", "silent", "never")),
    Summed(commune_hours.c.area, ("hour",), ("online_seconds", "known_seconds")),
    Summed(day_tallies.c.area, ("day",), ("sounded", "missed", "otherwise", "unheard", "ahead")),
    Summed(other_stations.c.area, (), ("wired", "fm")),
    Summed(
        aired_days.c.area, ("day", "kind"), ("jobs", "jobs_sounded", "sounded", "missed", "otherwise", "longest_ms")
    ),
    Summed(aired_jobs.c.area, ("job",), ("sounded",), ("longest_ms",)),
)
WHOLE: tuple[Column, ...] = (programmes.c.area, policies.c.area)  # all of it; the target's stands if it has any
NAMING: tuple[Column, ...] = (
    *(areas.c.id, *PLAIN, *LISTS, *WHOLE),
    *(each.column for each in (*KEYED, *SUMMED)),
)

ALARMS, FIGURES = "alarms", "figures"  # several tables that people know as one thing
_SHOWN_AS = {"alarm_members": ALARMS, "alarm_silences": ALARMS, "commune_states": FIGURES, "commune_hours": FIGURES}
_SHOWN_AS |= {"day_tallies": FIGURES, "aired_days": FIGURES, "aired_jobs": FIGURES, "arrivals": FIGURES}


def shown_as(table: str) -> str:
    """As what people are told of the rows of a table."""
    return _SHOWN_AS.get(table, table)
