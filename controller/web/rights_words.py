"""Rights in words: a role, where it counts, until when, in which hours of the week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from controller import rights
from controller.rights import DAY, EVERYWHERE, DutyHours, Grant
from controller.store.rows import User
from controller.web.language import chosen, t
from controller.web.times import day_of

WEEK = tuple(range(7))
WORKDAYS = tuple(range(5))


def role_of(grant: Grant) -> str:
    """What the person is by it."""
    return t(f"role_{grant.role.value}")


def held_now(user: User, now: datetime) -> str:
    """What somebody is now, each role once; that they may do nothing now."""
    found = dict.fromkeys(role_of(each) for each in user.grants if rights.in_force(each, now))
    return ", ".join(found) or t("no_right_now")


def place_of(grant: Grant, names: Mapping[str, str]) -> str:
    """Where it counts."""
    return t("all_areas") if grant.area == EVERYWHERE else names.get(grant.area, grant.area)


def span_of(grant: Grant, now: datetime, zone: str) -> str:
    """From when to when, the last day named where it ends with that; empty for what was always and never ends."""

    def day(at: datetime) -> str:
        return day_of(at, now, zone, chosen())

    if grant.until is not None and not rights.lasts(grant, now):
        return t("grant_ended", day=day(grant.until))
    last = "" if grant.until is None else day(grant.until - DAY / 24 / 60)
    if grant.since is not None and grant.since > now:
        return (
            t("grant_from_to", since=day(grant.since), until=last) if last else t("grant_from", since=day(grant.since))
        )
    return t("grant_until", until=last) if last else ""


def hours_of(hours: DutyHours | None) -> str:
    """The hours of the week; empty for all of them."""
    if hours is None:
        return ""
    named = ", ".join(t(f"weekday_{day}") for day in hours.days)
    days = t("every_day") if hours.days == WEEK else t("on_workdays") if hours.days == WORKDAYS else named
    return days if hours.since == hours.until == "00:00" else f"{hours.since}–{hours.until}, {days}"


def state_of(grant: Grant, now: datetime) -> str:
    """``now``, ``off`` (outside its hours), ``later`` or ``ended``."""
    if not rights.lasts(grant, now):
        return "ended"
    if grant.since is not None and grant.since > now:
        return "later"
    return "now" if rights.in_force(grant, now) else "off"
