"""What is said of alarms: their titles, their members, their history. Sentences are ``alarm_`` and the cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controller.alarms.causes import REFUSED
from controller.store.alarm_rows import AlarmRow, Event, MemberRow
from controller.web import times
from controller.web.language import chosen, t, t_or
from words import say, table


def title(row: AlarmRow, names: Mapping[str, str]) -> str:
    """What is wrong, where, with how many."""
    count = row.open_members or row.all_members
    return f"{names.get(row.place, row.place)}: {of_cause(row.cause, count)}"


def of_cause(cause: str, count: int) -> str:
    """What is wrong, with how many."""
    if cause.startswith(REFUSED):
        reason = cause.removeprefix(REFUSED)
        return t("alarm_refused", count=count, what=t_or(f"reason_{reason}", reason))
    key = f"web.alarm_{cause}"
    return say(key, chosen(), count=count) if key in table(chosen()) else f"{cause} ({count})"


def name_of(cause: str) -> str:
    """The cause as a heading."""
    return t_or(f"cause_{family(cause)}", cause)


def family(cause: str) -> str:
    """The cause, or ``refused`` for every reason of refusal."""
    return "refused" if cause.startswith(REFUSED) else cause


def next_step(cause: str) -> str:
    """What to do about it."""
    return t_or(f"next_{family(cause)}", "")


def of_member(row: AlarmRow, member: MemberRow) -> str:
    """What is known of one that it is about; empty where the title says it all."""
    facts: dict[str, Any] = member.facts or {}
    if row.cause == "keys":
        return _filled(f"worry_{facts.get('worry', '')}", facts)
    if row.cause == "voice":
        return str(facts.get("title", ""))
    if row.cause == "station_stood":
        return t("alarm_stood_for", time=times.span(60.0 * int(facts.get("minutes", 0)), chosen()))
    if row.cause == "most_out":
        return of_cause("offline", int(facts.get("count", 0)))
    if row.cause == "missed":
        reason = str(facts.get("reason", ""))
        return t_or(f"reason_{reason}", reason)
    if row.cause == "unsteady":
        return t("alarm_came_back", count=facts.get("count", 0))
    if row.cause.startswith(REFUSED):
        return t("alarm_times", count=facts.get("count", 0)) if "count" in facts else ""
    return _filled(f"worry_{row.cause}", {"where": "", **facts}) if facts else ""


def _filled(key: str, facts: Mapping[str, object]) -> str:
    """The sentence with these facts; empty where it asks for others, as one of another version may."""
    try:
        return say(f"web.{key}", chosen(), **facts)
    except KeyError:
        return ""


def of_event(event: Event, people: Mapping[str, str], at: tuple[datetime, str]) -> tuple[str, str]:
    """A line of the history: what happened and who did it. ``at``: now and the zone."""
    who = people.get(event.who, event.who) or t("the_station")
    if event.what == "assigned":
        person, _, deadline = event.detail.partition(" ")
        by = _moment(deadline, at)
        name = people.get(person, t("nobody") if person == "-" else person)
        return (t("event_assigned_by", person=name, time=by) if by else t("event_assigned", person=name)), who
    if event.what == "silenced":
        until, _, reason = event.detail.partition(" ")
        return t("event_silenced", time=_moment(until, at), reason=reason), who
    if event.what in ("raised", "joined"):
        return t("event_raised" if event.what == "raised" else "event_joined", count=event.detail or "1"), who
    return t_or(f"event_{event.what}", event.what), who


def _moment(written: str, at: tuple[datetime, str]) -> str:
    try:
        return times.shown(datetime.fromisoformat(written), at[0], at[1], chosen())
    except ValueError:
        return ""
