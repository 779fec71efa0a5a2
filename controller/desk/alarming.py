"""Alarms at the desk: somebody takes one on, gives it to somebody until a day, or keeps it quiet for a while.

- An operator's right in the alarm's place. Nothing is kept quiet for good, and nothing without a reason.
- What is cleared is over: there is nothing left to take on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from controller.desk import reach
from controller.desk.wishes import DeskError
from controller.rights import Permission, may
from controller.roster import AreaKind
from controller.store import Store
from controller.store.alarm_rows import AlarmRow, Event, Silence
from controller.store.rows import Act, User
from controller.store.tallies import OtherStations

LONGEST_SILENCE = timedelta(days=7)
FARTHEST_DEADLINE = timedelta(days=90)
MOST_REASON_CHARS = 300
MOST_STATIONS = 999


class Alarming:
    """The part of the desk where alarms are answered for."""

    _store: Store

    def take_on(self, alarm_id: str, who: User, now: datetime) -> None:
        """Acknowledge an alarm: ``who`` has seen it and sees to it. Once is enough. Raises DeskError."""
        alarm = self._open_alarm(alarm_id, who, now)
        if alarm.acknowledged_at is not None:
            return
        changes: dict[str, object] = {"acknowledged_by": who.name, "acknowledged_at": now}
        self._care(
            alarm,
            changes,
            Event(alarm.id, now, "acknowledged", who.name),
            Act(who.name, "acknowledged an alarm", alarm.place, _about(alarm), now),
        )

    def hand_over(self, alarm_id: str, person: str, deadline: datetime | None, who: User, now: datetime) -> None:
        """Give an alarm to somebody (a user's id; empty: to nobody) who is to mend it by ``deadline``, or take it on.

        Whoever gets it must be able to see it. Raises DeskError.
        """
        alarm = self._open_alarm(alarm_id, who, now)
        chosen = self._store.people.get(person) if person else None
        if person and (chosen is None or chosen.disabled or not may(chosen, Permission.READ, alarm.place, now)):
            raise DeskError("desk.unknown_user", user=person[:80])
        if deadline is not None and not now < deadline <= now + FARTHEST_DEADLINE:
            raise DeskError("desk.bad_deadline", days=FARTHEST_DEADLINE.days)
        changes: dict[str, object] = {"assignee": chosen.id if chosen else None, "deadline": deadline}
        if alarm.acknowledged_at is None:
            changes |= {"acknowledged_by": who.name, "acknowledged_at": now}
        told = " ".join((chosen.name if chosen else "-", deadline.isoformat(timespec="minutes") if deadline else "-"))
        event = Event(alarm.id, now, "assigned", who.name, told)
        act = Act(who.name, "assigned an alarm", alarm.place, f"{_about(alarm)} to={told}", now)
        self._care(alarm, changes, event, act)

    def keep_quiet(self, alarm_id: str, until: datetime, reason: str, who: User, now: datetime) -> None:
        """Let nobody be told of this cause in this place until then, a week at most. Raises DeskError."""
        alarm = self._known_alarm(alarm_id, who, now)
        said = " ".join(reason.split())
        if not said or len(said) > MOST_REASON_CHARS or not said.isprintable():
            raise DeskError("desk.no_silence_reason", most=MOST_REASON_CHARS)
        if not now < until <= now + LONGEST_SILENCE:
            raise DeskError("desk.bad_silence", days=LONGEST_SILENCE.days)
        silence = Silence(alarm.cause, alarm.place, now, until, said, who.name)
        told = f"{until.isoformat(timespec='minutes')} {said}"
        event = Event(alarm.id, now, "silenced", who.name, told)
        act = Act(who.name, "silenced an alarm", alarm.place, f"{_about(alarm)} until={told}", now)
        self._store.alarms.keep_quiet(silence, event, act)

    def speak_again(self, alarm_id: str, who: User, now: datetime) -> None:
        """End a silence before its time. Raises DeskError."""
        alarm = self._known_alarm(alarm_id, who, now)
        held = self._store.alarms.silences(now).get((alarm.cause, alarm.place))
        if held is None:
            return
        act = Act(who.name, "ended a silence", alarm.place, _about(alarm), now)
        self._store.alarms.keep_quiet(replace(held, until=now), Event(alarm.id, now, "unsilenced", who.name), act)

    def tell_of_stations(self, area: str, wired: int, fm: int, who: User, now: datetime) -> None:
        """How many stations of a commune are not on this system, by kind. Raises DeskError."""
        reach.place(self._store, area, who, Permission.EQUIP, now)
        known = self._store.roster.area(area)
        if known is None or known.kind is not AreaKind.COMMUNE:
            raise DeskError("desk.unknown_area", area=area[:80])
        if not (0 <= wired <= MOST_STATIONS and 0 <= fm <= MOST_STATIONS):
            raise DeskError("desk.bad_stations", most=MOST_STATIONS)
        act = Act(who.name, "told of other stations", area, f"wired={wired} fm={fm}", now)
        self._store.tallies.set_other_stations(OtherStations(area, wired, fm, who.name, now), act)

    def _known_alarm(self, alarm_id: str, who: User, now: datetime) -> AlarmRow:
        """The alarm, where ``who`` may do something about it."""
        reach.need(who, Permission.EQUIP, now)
        alarm = self._store.alarms.get(alarm_id)
        if alarm is None:
            raise DeskError("desk.unknown_alarm")
        reach.need(who, Permission.EQUIP, now, alarm.place)
        return alarm

    def _open_alarm(self, alarm_id: str, who: User, now: datetime) -> AlarmRow:
        alarm = self._known_alarm(alarm_id, who, now)
        if alarm.cleared_at is not None:
            raise DeskError("desk.alarm_over")
        return alarm

    def _care(self, alarm: AlarmRow, changes: dict[str, object], event: Event, act: Act) -> None:
        if not self._store.alarms.care(alarm.id, changes, event, act):
            raise DeskError("desk.alarm_over")


def _about(alarm: AlarmRow) -> str:
    return f"cause={alarm.cause} alarm={alarm.id}"
