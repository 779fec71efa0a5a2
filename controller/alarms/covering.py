"""What explains what: a parent cause covers its children, which are kept, counted and shown beneath it. Pure.

- Without a broker nobody knows who is there: what is known of presence only is covered.
- Where most of all loudspeakers are gone, each commune's loss is part of that.
- Who is gone explains what else is wrong with exactly those: what they missed, that they lag, what they last said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from controller.alarms.causes import OF_PRESENCE, Source, cause_of
from controller.store.alarm_rows import AlarmRow

GONE = ("offline", "silent")
_RANK = ("broker", "most_out", *GONE)


def cover(alarms: Iterable[AlarmRow], members: Mapping[str, set[str]]) -> dict[str, str]:
    """The parent of each open alarm that has one. ``members``: the open ones of each alarm. There are no circles."""
    parents: dict[str, list[AlarmRow]] = defaultdict(list)
    known = list(alarms)
    for each in known:
        parents[each.cause].append(each)
    under: dict[str, str] = {}
    for each in known:
        parent = _parent(each, parents, members)
        if parent is not None:
            under[each.id] = parent.id
    return under


def _parent(alarm: AlarmRow, parents: Mapping[str, list[AlarmRow]], members: Mapping[str, set[str]]) -> AlarmRow | None:
    if alarm.cause in OF_PRESENCE and parents["broker"]:
        return parents["broker"][0]
    if alarm.cause in GONE and parents["most_out"]:
        return parents["most_out"][0]
    if cause_of(alarm.cause).source is Source.STATION or alarm.cause in _RANK:
        return None
    whom = members.get(alarm.id, set())
    for cause in GONE:
        for each in parents[cause]:
            if each.place == alarm.place and whom <= members.get(each.id, set()):
                return each
    return None
