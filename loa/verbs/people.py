"""`loa user add|link|list`: people, and the one-time links by which they choose their passwords."""

from __future__ import annotations

import argparse
import secrets
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.store.rows import User
    from loa.house import House
    from loa.parser import Verbs

ROLES = ("editor", "approver", "administrator")
ADD_EXAMPLE = """\
loa user add lan --full-name "Nông Thị Lan"
loa user add binh --role approver --area lang-son:dong-dang"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("user", "about_user"), "user_verb")
    parser = below.add("add", "about_user_add", enter, ADD_EXAMPLE)
    name = parser.word("name")
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    parser.add_argument("--role", choices=ROLES, default="editor", help=parser.t("role_help"))
    parser.add_argument("--area", default="*", metavar=parser.word("area"), help=parser.t("user_area_help"))
    parser.add_argument("--full-name", default="", metavar=name, help=parser.t("full_name_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser.takes_json()
    parser = below.add("link", "about_user_link", link)
    parser.add_argument("name", metavar=name, help=parser.t("user_name_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("list", "about_user_list", show)
    parser.takes_json()
    house.takes_config(parser)


def enter(wanted: argparse.Namespace) -> int:
    """Enter a person, and print their link. The first person becomes administrator of everything."""
    from controller.desk import NewUser
    from controller.store.rows import Role

    with house.opened(wanted) as station:
        now = house.now()
        if station.store.people.count() == 0:
            user = station.desk.open_house(wanted.name, secrets.token_urlsafe(32), now)
            acting = user
        else:
            acting = station.person(wanted.person)
            new = NewUser(wanted.name, Role(wanted.role), wanted.area, wanted.full_name)
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
        people = station.store.people.all()
    if wanted.json:
        out.as_json([{"name": each.name, "role": each.role.value, "area": each.area} for each in people])
        return DONE
    if not people:
        print(say("loa.nothing_yet", wanted.language))
    for each in people:
        print(f"{each.name}  {each.role.value}  {each.area}  {each.full_name}".rstrip())
    return DONE


def _print_link(wanted: argparse.Namespace, station: House, user: User, acting: User) -> None:
    token = station.desk.invite(user.id, acting, house.now())
    address = f"{station.settings.web_url()}/chao/{token}"
    if wanted.json:
        out.as_json({"name": user.name, "role": user.role.value, "area": user.area, "link": address})
    else:
        print(say("loa.user_link", wanted.language, name=user.name, link=address))
