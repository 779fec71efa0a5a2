"""`loa area add|list|code|import|move`: the area tree."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from loa.verbs import area_moves
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

KINDS = ("province", "district", "commune", "hamlet", "group")
ADD_EXAMPLE = """\
loa area add lang-son "Tỉnh Lạng Sơn"
loa area add lang-son:dong-dang "Xã Đồng Đăng\""""
CODE_EXAMPLE = "loa area code lang-son GSO=20 ISO3166-2=VN-09"


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("area", "about_area"), "area_verb")
    parser = below.add("add", "about_area_add", enter, ADD_EXAMPLE)
    parser.add_argument("id", metavar=parser.word("area"), help=parser.t("area_id_help"))
    parser.add_argument("name", metavar=parser.word("name"), help=parser.t("area_name_help"))
    parser.add_argument("--kind", choices=KINDS, help=parser.t("area_kind_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("code", "about_area_code", code, CODE_EXAMPLE)
    parser.add_argument("id", metavar=parser.word("area"), help=parser.t("area_id_help"))
    parser.add_argument("codes", nargs="*", metavar=parser.word("code"), help=parser.t("area_codes_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    area_moves.add(below)
    parser = below.add("list", "about_area_list", show)
    parser.takes_json()
    house.takes_config(parser)


def enter(wanted: argparse.Namespace) -> int:
    """Enter an area; without a kind, by its depth: province, commune, hamlet."""
    from controller.roster import Area, AreaKind

    kind = wanted.kind or ("province", "commune", "hamlet")[min(wanted.id.count(":"), 2)]
    with house.opened(wanted) as station:
        area = Area(wanted.id, wanted.name, AreaKind(kind))
        entered = station.desk.add_area(area, station.person(wanted.person), house.now())
        print(say("loa.area_added", wanted.language, area=entered.id, name=entered.name))
    return DONE


def code(wanted: argparse.Namespace) -> int:
    """Let an area be known to alerts by these official codes, and no others."""
    with house.opened(wanted) as station:
        codes = station.desk.set_codes(wanted.id, wanted.codes, station.person(wanted.person), house.now())
        print(say("loa.area_coded", wanted.language, area=wanted.id, codes=", ".join(codes) or "–"))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print the tree."""
    with house.opened(wanted) as station:
        areas, codes = station.store.roster.areas(), station.store.alerts.codes()
    if wanted.json:
        known = {area.id: sorted(code for code, place in codes.items() if place == area.id) for area in areas}
        rows = ({"id": each.id, "name": each.name, "kind": each.kind.value, "codes": known[each.id]} for each in areas)
        out.as_json(list(rows))
        return DONE
    if not areas:
        print(say("loa.nothing_yet", wanted.language))
    for area in areas:
        print(f"{'  ' * area.id.count(':')}{area.id}  {area.name}")
    return DONE
