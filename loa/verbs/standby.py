"""`loa standby prepare|keep|drop|list`: announcements that lie on every node of an area before they are needed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.store.standby import KeptView
    from loa.parser import Parser, Verbs

PREPARE_EXAMPLE = 'loa standby prepare "Lũ quét đang về. Bà con lên nhà văn hóa." --class emergency --times 2'
EXAMPLE = """\
loa standby keep a0123456789ab lang-son:dong-dang
loa standby list
loa standby drop a0123456789ab lang-son:dong-dang"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("standby", "about_standby"), "standby_verb")
    parser = below.add("prepare", "about_standby_prepare", prepare, PREPARE_EXAMPLE)
    parser.add_argument("text", metavar=parser.word("text"), help=parser.t("text_help"))
    house.takes_class(parser, "class_help")
    house.takes_manner(parser)
    parser.add_argument("--title", default="", metavar=parser.word("text"), help=parser.t("title_help"))
    house.takes_person(parser)
    house.takes_config(parser)
    for name, run in (("keep", keep), ("drop", drop)):
        parser = below.add(name, f"about_standby_{name}", run, EXAMPLE if name == "keep" else "")
        _takes_what(parser)
        house.takes_person(parser)
        house.takes_config(parser)
    parser = below.add("list", "about_standby_list", show)
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


def _takes_what(parser: Parser) -> None:
    parser.add_argument("announcement", metavar=parser.word("name"), help=parser.t("standby_what_help"))
    parser.add_argument("area", metavar=parser.word("place"), help=parser.t("standby_area_help"))


def prepare(wanted: argparse.Namespace) -> int:
    """Enter an announcement that is placed nowhere yet."""
    from controller.desk import Draft
    from controller.store.rows import AnnouncementState
    from wire.plan import BulletinClass

    kind = BulletinClass(wanted.bulletin_class)
    draft = Draft(wanted.text, wanted.title, kind, times=wanted.times, drill=wanted.drill)
    with house.opened(wanted) as station:
        made = station.desk.prepare(draft, station.person(wanted.person), house.now())
    approved = made.state is AnnouncementState.APPROVED
    key = "loa.standby_prepared" if approved else "loa.standby_waits"
    print(say(key, wanted.language, announcement=made.id))
    return DONE


def keep(wanted: argparse.Namespace) -> int:
    """Have every node of an area keep it."""
    with house.opened(wanted) as station:
        person = station.person(wanted.person)
        station.desk.keep_ready(wanted.announcement, wanted.area, person, house.now())
    print(say("loa.standby_kept", wanted.language, announcement=wanted.announcement, area=wanted.area))
    return DONE


def drop(wanted: argparse.Namespace) -> int:
    """Let the nodes of an area forget it."""
    with house.opened(wanted) as station:
        person = station.person(wanted.person)
        station.desk.keep_no_longer(wanted.announcement, wanted.area, person, house.now())
    print(say("loa.standby_dropped", wanted.language, announcement=wanted.announcement[:80], area=wanted.area))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print what is kept where, and the siren."""
    with house.opened(wanted) as station:
        kept = station.desk.kept_ready(station.person(wanted.person), house.now())
        siren = station.store.standby.look().siren
    if wanted.json:
        out.as_json({"siren": siren.sha256 if siren else None, "kept": [_facts(each) for each in kept]})
        return DONE
    seconds = f"{siren.duration_ms / 1000:.0f}" if siren else ""
    key = "loa.standby_siren" if siren else "loa.standby_no_siren"
    print(say(key, wanted.language, **({"seconds": seconds} if siren else {})))
    not_ready = say("loa.standby_not_ready", wanted.language)
    for each in kept:
        length = f"{each.asset.duration_ms / 1000:.0f} s" if each.asset else not_ready
        kind = say(f"loa.class_{each.bulletin_class.value}", wanted.language)
        print(f"{each.area}  {each.announcement}  {kind}  {length}  {each.title}")
    return DONE


def _facts(kept: KeptView) -> dict[str, object]:
    facts: dict[str, object] = {"area": kept.area, "announcement": kept.announcement, "title": kept.title}
    facts |= {"class": kept.bulletin_class.value, "asset": kept.asset.sha256 if kept.asset else None}
    return facts | {"kept_at": kept.kept_at}
