"""`loa inbox list|place|decline|order`: a commune decides over what comes from above."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from loa import house, out
from loa.codes import DONE
from schedules import moments
from words import say

if TYPE_CHECKING:
    from loa.house import House
    from loa.parser import Verbs

PLACE_EXAMPLE = """\
loa inbox place a3f9c2d41b07 lang-son:dong-dang --at "25/11/2026 05:30" --as mai
loa inbox decline a3f9c2d41b07 lang-son:dong-dang --reason "Đã phát hôm qua" --as mai"""
ORDER_EXAMPLE = "loa inbox order b51c0a b77e2f --first own --as mai"


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("inbox", "about_inbox"), "inbox_verb")
    parser = below.add("list", "about_inbox_list", show)
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    for name, act, about in (("place", place, "about_inbox_place"), ("decline", decline, "about_inbox_decline")):
        parser = below.add(name, about, act, PLACE_EXAMPLE)
        parser.add_argument("announcement", metavar=parser.word("name"), help=parser.t("inbox_announcement_help"))
        parser.add_argument("area", metavar=parser.word("area"), help=parser.t("inbox_area_help"))
        if name == "place":
            parser.add_argument("--at", metavar=parser.word("time"), help=parser.t("inbox_at_help"))
        else:
            text = parser.word("text")
            parser.add_argument("--reason", required=True, metavar=text, help=parser.t("inbox_reason_help"))
        house.takes_person(parser)
        house.takes_config(parser)
    parser = below.add("order", "about_inbox_order", order, ORDER_EXAMPLE)
    parser.add_argument("own", metavar=parser.word("name"), help=parser.t("inbox_own_help"))
    parser.add_argument("above", metavar=parser.word("name"), help=parser.t("inbox_above_help"))
    parser.add_argument("--first", choices=("own", "above"), required=True, help=parser.t("inbox_first_help"))
    house.takes_person(parser)
    house.takes_config(parser)


def show(wanted: argparse.Namespace) -> int:
    """Print what waits for a person's decision, and what clashes."""
    with house.opened(wanted) as station:
        who = station.person(wanted.person)
        waiting = [_waiting(station, each.announcement, each.area) for each in station.desk.inbox(who, house.now())]
        clashes: list[dict[str, Any]] = [
            {"own": each.own.id, "above": each.above.id, "at": each.at, "decide_by": each.decide_by, "first": first}
            for each in station.desk.clashes(who, house.now())
            for first in ["own" if each.own_first else "above"]
        ]
        zone = station.settings.zone
    if wanted.json:
        out.as_json({"waiting": waiting, "clashes": clashes})
        return DONE
    if not waiting and not clashes:
        print(say("loa.nothing_yet", wanted.language))
    for facts in waiting:
        by = moments.local(facts["deadline"], zone)
        print(say("loa.inbox_line", wanted.language, **{**facts, "deadline": f"{by:%H:%M %d/%m/%Y}"}))
        if facts["wished"] is not None:
            at = moments.local(facts["wished"], zone)
            key = "loa.inbox_wished_again" if facts["rule"] else "loa.inbox_wished"
            print(say(key, wanted.language, at=f"{at:%H:%M %d/%m/%Y}"))
    for clash in clashes:
        by = moments.local(clash["decide_by"], zone)
        print(say("loa.clash_line", wanted.language, **{**clash, "decide_by": f"{by:%H:%M %d/%m/%Y}"}))
    return DONE


def place(wanted: argparse.Namespace) -> int:
    """Give a bulletin from above its time."""
    with house.opened(wanted) as station:
        now, who = house.now(), station.person(wanted.person)
        start = moments.read(wanted.at, now, station.settings.zone) if wanted.at is not None else None
        booking = station.desk.place(wanted.announcement, wanted.area, start, who, now)
        print(say("loa.announced", wanted.language, announcement=wanted.announcement, job=booking.id))
    return DONE


def decline(wanted: argparse.Namespace) -> int:
    """It will not sound here."""
    with house.opened(wanted) as station:
        who = station.person(wanted.person)
        station.desk.decline(wanted.announcement, wanted.area, wanted.reason, who, house.now())
        print(say("loa.inbox_declined", wanted.language, area=wanted.area))
    return DONE


def order(wanted: argparse.Namespace) -> int:
    """Which of two priority items that clash goes first."""
    with house.opened(wanted) as station:
        who = station.person(wanted.person)
        station.desk.order(wanted.own, wanted.above, wanted.first == "own", who, house.now())
        print(say("loa.inbox_ordered", wanted.language))
    return DONE


def _waiting(station: House, announcement: str, area: str) -> dict[str, Any]:
    from controller.store.rows import BookingState

    item, held = station.store.inbox.get(announcement, area), station.store.announcements.get(announcement)
    assert item
    assert held
    offered = (each for each in station.store.bookings.of(announcement) if each.state is BookingState.OFFERED)
    offer = next(offered, None)
    rule = offer.recurrence.rule if offer and offer.recurrence else None
    facts: dict[str, Any] = {"announcement": announcement, "area": area, "deadline": item.deadline}
    facts |= {"wished": offer.start if offer else None, "rule": rule, "times": held.times, "drill": held.drill}
    return facts | {"title": held.title, "level": held.level.value}
