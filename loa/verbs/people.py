"""`loa user add|grant|withdraw|link|list|leave|return|forget-factor`: people, their rights, their one-time links."""

from __future__ import annotations

import argparse
import secrets
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from loa.house import Refused
from words import say

if TYPE_CHECKING:
    from controller.desk import Giving
    from controller.rights import Grant
    from controller.store.rows import User
    from loa.house import House
    from loa.parser import Parser, Verbs

ROLES = ("viewer", "editor", "approver", "emergency", "operator", "administrator")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ADD_EXAMPLE = """\
loa user add lan --full-name "Nông Thị Lan"
loa user add binh --role approver --area lang-son:dong-dang"""
GRANT_EXAMPLE = """\
loa user grant binh --role emergency --area lang-son:dong-dang --hours 18:00-06:00
loa user grant mai --role approver --area lang-son --from 2026-12-01 --to 2026-12-16"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("user", "about_user"), "user_verb")
    parser = below.add("add", "about_user_add", enter, ADD_EXAMPLE)
    name = parser.word("name")
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    _takes_right(parser)
    parser.add_argument("--full-name", default="", metavar=name, help=parser.t("full_name_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser.takes_json()
    parser = below.add("grant", "about_user_grant", give, GRANT_EXAMPLE)
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    _takes_right(parser)
    house.takes_person(parser)
    house.takes_config(parser)
    parser.takes_json()
    parser = below.add("withdraw", "about_user_withdraw", take)
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    parser.add_argument("grant", metavar=parser.word("name"), help=parser.t("user_grant_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("link", "about_user_link", link)
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("list", "about_user_list", show)
    parser.takes_json()
    house.takes_config(parser)
    for verb, act in (("leave", leave), ("return", readmit), ("forget-factor", forget_factor)):
        parser = below.add(verb, f"about_user_{verb.replace('-', '_')}", act)
        parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
        house.takes_person(parser)
        house.takes_config(parser)


def _takes_right(parser: Parser) -> None:
    """The options of what a person may do: which role, where, for what time."""
    parser.add_argument("--role", choices=ROLES, default="editor", help=parser.t("role_help"))
    parser.add_argument("--area", default="*", metavar=parser.word("area"), help=parser.t("user_area_help"))
    parser.add_argument("--from", dest="since", metavar=parser.word("time"), help=parser.t("right_from_help"))
    parser.add_argument("--to", dest="until", metavar=parser.word("time"), help=parser.t("right_to_help"))
    parser.add_argument("--hours", metavar="HH:MM-HH:MM", help=parser.t("right_hours_help"))
    parser.add_argument("--days", metavar="mon,tue", help=parser.t("right_days_help"))


def give(wanted: argparse.Namespace) -> int:
    """Give a person one more right."""
    with house.opened(wanted) as station:
        giving = _giving(wanted, station)
        grant = station.desk.give(wanted.name, giving, station.person(wanted.person), house.now())
        line = _line(grant, station.settings.zone)
    if wanted.json:
        out.as_json({"name": wanted.name, **_facts(grant)})
    else:
        print(say("loa.right_given", wanted.language, name=wanted.name, grant=line))
    return DONE


def take(wanted: argparse.Namespace) -> int:
    """Let a right of a person end now."""
    with house.opened(wanted) as station:
        grant = station.desk.take(wanted.name, wanted.grant, station.person(wanted.person), house.now())
        line = _line(grant, station.settings.zone)
    print(say("loa.right_withdrawn", wanted.language, name=wanted.name, grant=line))
    return DONE


def leave(wanted: argparse.Namespace) -> int:
    """Let a person in no more, wherever they are signed in."""
    with house.opened(wanted) as station:
        user = station.desk.dismiss(wanted.name, station.person(wanted.person), house.now())
    print(say("loa.user_left", wanted.language, name=user.name))
    return DONE


def readmit(wanted: argparse.Namespace) -> int:
    """Let a person who had left come in again, by a new link."""
    with house.opened(wanted) as station:
        user = station.desk.readmit(wanted.name, station.person(wanted.person), house.now())
    print(say("loa.user_returned", wanted.language, name=user.name))
    return DONE


def forget_factor(wanted: argparse.Namespace) -> int:
    """Leave a person nothing but the password, after phone and recovery codes were lost."""
    with house.opened(wanted) as station:
        user = station.desk.forget_factors(wanted.name, station.person(wanted.person), house.now())
    print(say("loa.user_factor_forgotten", wanted.language, name=user.name))
    return DONE


def enter(wanted: argparse.Namespace) -> int:
    """Enter a person, and print their link. The first person becomes administrator of everything."""
    from controller.desk import NewUser

    with house.opened(wanted) as station:
        now = house.now()
        if station.store.people.count() == 0:
            user = station.desk.open_house(wanted.name, secrets.token_urlsafe(32), now)
            acting = user
        else:
            acting = station.person(wanted.person)
            new = NewUser(wanted.name, _giving(wanted, station), wanted.full_name)
            user = station.desk.add_user(new, acting, now)
        _print_link(wanted, station, user, acting)
    return DONE


def link(wanted: argparse.Namespace) -> int:
    """Print a new link for somebody who is there already."""
    with house.opened(wanted) as station:
        user = station.person(wanted.name)
        _print_link(wanted, station, user, station.person(wanted.person))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print everybody."""
    with house.opened(wanted) as station:
        people, zone = station.store.people.all(), station.settings.zone
    if wanted.json:
        out.as_json([_person(each) for each in people])
        return DONE
    if not people:
        print(say("loa.nothing_yet", wanted.language))
    for each in people:
        left = say("loa.user_is_gone", wanted.language) if each.disabled else ""
        print(f"{each.name}  {each.area}  {each.full_name}  {left}".rstrip())
        for grant in each.grants:
            print(f"  {_line(grant, zone)}")
    return DONE


def _giving(wanted: argparse.Namespace, station: House) -> Giving:
    """The right that was typed. Raises Said."""
    from controller.desk import Giving
    from controller.rights import Role
    from schedules import moments

    zone, now = station.settings.zone, house.now()
    try:
        since = moments.read(wanted.since, now, zone) if wanted.since else None
        until = moments.read(wanted.until, now, zone) if wanted.until else None
    except moments.BadMoment as wrong:
        raise Refused(wrong.key, **wrong.facts) from None
    return Giving(Role(wanted.role), wanted.area, since, until, _hours(wanted))


def _hours(wanted: argparse.Namespace) -> tuple[tuple[int, ...], str, str] | None:
    """Days and hours as they were typed; the desk judges the hours. Raises Refused."""
    if not wanted.hours and not wanted.days:
        return None
    named = wanted.days.split(",") if wanted.days else DAYS
    strange = [each for each in named if each not in DAYS]
    if strange:
        raise Refused("loa.strange_day", day=strange[0][:20], days=", ".join(DAYS))
    since, _, until = (wanted.hours or "00:00-00:00").partition("-")
    return tuple(DAYS.index(each) for each in named), since, until


def _line(grant: Grant, zone: str) -> str:
    """``g1f…  approver  lang-son  2026-12-01 00:00 – 2026-12-16 00:00  18:00–06:00 mon,tue``."""
    from schedules.moments import local

    ends = [f"{local(each, zone):%Y-%m-%d %H:%M}" if each else "" for each in (grant.since, grant.until)]
    span = f"{ends[0]} – {ends[1]}".strip() if any(ends) else ""
    days = ",".join(DAYS[day] for day in grant.hours.days) if grant.hours else ""
    hours = f"{grant.hours.since}–{grant.hours.until} {days}" if grant.hours else ""
    return "  ".join(filter(None, [grant.id, grant.role.value, grant.area, span, hours]))


def _person(user: User) -> dict[str, object]:
    facts: dict[str, object] = {"name": user.name, "area": user.area, "left": user.disabled}
    return facts | {"grants": [_facts(each) for each in user.grants]}


def _facts(grant: Grant) -> dict[str, object]:
    facts: dict[str, object] = {"grant": grant.id, "role": grant.role.value, "area": grant.area}
    facts |= {"since": grant.since, "until": grant.until}
    hours = grant.hours
    days = [DAYS[day] for day in hours.days] if hours else []
    return facts | {"hours": {"days": days, "since": hours.since, "until": hours.until} if hours else None}


def _print_link(wanted: argparse.Namespace, station: House, user: User, acting: User) -> None:
    token = station.desk.invite(user.id, acting, house.now())
    address = f"{station.settings.web_url()}/chao/{token}"
    if wanted.json:
        out.as_json(_person(user) | {"link": address})
    else:
        print(say("loa.user_link", wanted.language, name=user.name, link=address))
