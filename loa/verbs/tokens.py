"""`loa token add|list|end`: tokens by which programs act for a person."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from loa.house import Refused
from words import say

if TYPE_CHECKING:
    from controller.store.rows import User
    from controller.store.tokens import TokenRow
    from loa.parser import Verbs

ROLES = ("viewer", "editor", "approver", "operator", "administrator")
EXAMPLE = """\
loa token add so-lieu --as lan --role viewer --area lang-son --until 2027-06-30"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("token", "about_token"), "token_verb")
    parser = below.add("add", "about_token_add", make, EXAMPLE)
    parser.add_argument("name", metavar=parser.word("name"), help=parser.t("token_name_help"))
    parser.add_argument("--role", choices=ROLES, default="viewer", help=parser.t("token_role_help"))
    parser.add_argument("--area", default="*", metavar=parser.word("area"), help=parser.t("token_area_help"))
    parser.add_argument("--until", required=True, metavar=parser.word("time"), help=parser.t("token_until_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("list", "about_token_list", show)
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("end", "about_token_end", end)
    parser.add_argument("token", metavar=parser.word("name"), help=parser.t("token_id_help"))
    house.takes_person(parser)
    house.takes_config(parser)


def make(wanted: argparse.Namespace) -> int:
    """Make a token for the person who acts, and print its secret, this once."""
    from controller.desk import Lending
    from controller.rights import Role
    from schedules import moments

    with house.opened(wanted) as station:
        now = house.now()
        try:
            until = moments.read(wanted.until, now, station.settings.zone)
        except moments.BadMoment as wrong:
            raise Refused(wrong.key, **wrong.facts) from None
        lending = Lending(wanted.name, Role(wanted.role), wanted.area, until)
        person = station.person(wanted.person)
        row, secret = station.desk.make_token(lending, person, now)
    if wanted.json:
        out.as_json(_facts(person, row) | {"secret": secret})
    else:
        print(say("loa.token_made", wanted.language, name=row.name, person=person.name, secret=secret))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print the tokens of the person who acts, and of those whom they answer for."""
    from schedules.moments import local

    with house.opened(wanted) as station:
        zone = station.settings.zone
        found = station.desk.tokens(station.person(wanted.person), house.now())
    if wanted.json:
        out.as_json([_facts(*each) for each in found])
        return DONE
    if not found:
        print(say("loa.nothing_yet", wanted.language))
    for owner, row in found:
        used = f"{local(row.used_at, zone):%Y-%m-%d %H:%M}" if row.used_at else "-"
        over = say("loa.token_is_over", wanted.language) if row.ended_at else ""
        span = f"{local(row.until, zone):%Y-%m-%d %H:%M}"
        print("  ".join(filter(None, [row.id, owner.name, row.name, row.role.value, row.area, span, used, over])))
    return DONE


def end(wanted: argparse.Namespace) -> int:
    """Let a token open nothing any more."""
    with house.opened(wanted) as station:
        row = station.desk.end_token(wanted.token, station.person(wanted.person), house.now())
    print(say("loa.token_ended", wanted.language, name=row.name))
    return DONE


def _facts(owner: User, row: TokenRow) -> dict[str, object]:
    facts: dict[str, object] = {"token": row.id, "person": owner.name, "name": row.name, "role": row.role.value}
    facts |= {"area": row.area, "made": row.made_at, "until": row.until, "used": row.used_at, "ended": row.ended_at}
    return facts
