"""What the desk foresees of a wish, for a terminal or a program: when it sounds, what it meets, what could be done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loa import out
from words import Said, say

if TYPE_CHECKING:
    from controller.desk import Announced, Wish
    from controller.desk.foresight import Foreseen
    from controller.desk.telling import Telling
    from controller.store.rows import User
    from loa.house import House
    from schedules.budget import Budget
    from schedules.conflicts import Conflict
    from schedules.offers import Offer


def telling(station: House, language: str, now: datetime) -> Telling:
    """The sentences of this station."""
    from controller.desk.telling import Telling

    return Telling(station.settings.zone, language, now, {area.id: area.name for area in station.store.roster.areas()})


def accepted(station: House, made: Announced, wish: Wish | None, who: User, now: datetime) -> Foreseen:
    """What a wish that the desk has taken meets; ``wish`` None: an announcement that was sent before.

    Looked at afterwards, so that nothing waits for it; and since it stands, what the look refuses is no failure.
    """
    from controller.desk.foresight import Foreseen

    assert made.booking_id
    try:
        if wish is not None:
            return station.desk.foresee(wish, who, now, made.announcement_id)
        booking = station.store.bookings.get(made.booking_id)
        return station.desk.foresee_booking(booking, now) if booking else Foreseen()
    except Said:
        return Foreseen()


def conflicts(told: Foreseen, telling: Telling) -> list[dict[str, object]]:
    """What is met as plain values, each with its sentence."""
    return [_conflict(each) | {"said": telling.conflict(each, told.estimated)} for each in told.conflicts]


def printed(told: Foreseen, telling: Telling) -> None:
    """One line for each thing that was foreseen."""
    language = telling.language
    for each in told.comings:
        print(say("loa.foreseen_coming", language, time=out.second(each, telling.zone)))
    if not told.comings:
        print(say("loa.foreseen_no_time", language))
    for met in told.conflicts:
        print(telling.conflict(met, told.estimated))
    for offer in told.offers:
        print(f"- {telling.offer(offer)}")
    if told.comings and not told.conflicts:
        print(say("loa.foreseen_clear", language))
    if told.budget:
        print(telling.budget(told.budget, told.estimated))


def facts(told: Foreseen, telling: Telling) -> dict[str, object]:
    """The same as plain values: seconds, RFC 3339, and each sentence beside what it says."""
    return {
        "comings": list(told.comings),
        "repeats": told.repeats,
        "length_seconds": told.length.total_seconds(),
        "estimated": told.estimated,
        "conflicts": conflicts(told, telling),
        "offers": [_offer(each) | {"said": telling.offer(each)} for each in told.offers],
        "budget": _budget(told.budget) if told.budget else None,
    }


def _conflict(met: Conflict) -> dict[str, object]:
    other = met.other
    facts: dict[str, object] = {"turn": met.turn.value, "at": met.at, "until": met.until}
    facts |= {"nodes": sorted(met.shared), "title": other.title, "kind": other.kind or None}
    return facts | {"starts": other.airing.start, "length_seconds": other.airing.length.total_seconds()}


def _offer(offer: Offer) -> dict[str, object]:
    days = [each.isoformat() for each in offer.days]
    return {"kind": offer.kind.value, "start": offer.start, "leave_out": days, "areas": list(offer.areas)}


def _budget(spent: Budget) -> dict[str, object]:
    return {
        "day": spent.day.isoformat(),
        "used_seconds": spent.used.total_seconds(),
        "adds_seconds": spent.adds.total_seconds(),
        "most_minutes": spent.most,
        "session_seconds": spent.session.total_seconds(),
        "session_most_minutes": spent.session_most,
    }
