"""`loa node add|replace|revoke|codes|list`, at the station: nodes are entered, and one-time codes are given out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.store.facts import Condition
    from loa.house import House
    from loa.parser import Parser, Verbs
    from wire.onetime import Code

ADD_EXAMPLE = """\
loa node add loa-01 --home lang-son:dong-dang:thon-1 --name "Loa nhà văn hóa"
loa node add loa-01 --home lang-son:dong-dang:thon-1 --key 64_HEX"""


def add(below: Verbs) -> None:
    """The verbs under ``loa node``, and what they take."""
    _takes_enrolment(below.add("add", "about_node_add", enter, ADD_EXAMPLE))
    parser = below.add("replace", "about_node_replace", replace, "loa node replace loa-01")
    parser.add_argument("node", metavar=parser.word("node"), help=parser.t("node_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("revoke", "about_node_revoke", revoke, "loa node revoke loa-01")
    parser.add_argument("node", metavar=parser.word("node"), help=parser.t("node_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("codes", "about_node_codes", codes, "loa node codes --take-back KMW")
    parser.add_argument("--take-back", metavar=parser.word("code"), help=parser.t("take_back_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("list", "about_node_list", show)
    parser.takes_json()
    house.takes_config(parser)


def enter(wanted: argparse.Namespace) -> int:
    """Give a one-time code for a new node; with its key, enter it at once or replace its key and places."""
    from controller.desk import Enrolment

    with house.opened(wanted) as station:
        enrolment = Enrolment(wanted.node, wanted.name or wanted.node, wanted.home, wanted.key, tuple(wanted.groups))
        who = station.person(wanted.person)
        if not wanted.key:
            return _tell(wanted, station, station.desk.invite_node(enrolment, who, house.now()))
        node = station.desk.enrol(enrolment, who, house.now())
        if wanted.json:
            out.as_json({"node": node.id, "home": node.home})
        else:
            print(say("loa.node_enrolled", wanted.language, node=node.id, home=node.home))
    return DONE


def replace(wanted: argparse.Namespace) -> int:
    """Give a one-time code for another device in the place of a known node."""
    with house.opened(wanted) as station:
        code = station.desk.replace_node(wanted.node, station.person(wanted.person), house.now())
        return _tell(wanted, station, code)


def revoke(wanted: argparse.Namespace) -> int:
    """Shut a node out at once."""
    with house.opened(wanted) as station:
        node = station.desk.revoke_node(wanted.node, station.person(wanted.person), house.now())
    if wanted.json:
        out.as_json({"node": node.id})
    else:
        print(say("loa.node_revoked", wanted.language, node=node.id))
    return DONE


def codes(wanted: argparse.Namespace) -> int:
    """Print the codes that are open, by their first letters; take one back."""
    with house.opened(wanted) as station:
        now = house.now()
        if wanted.take_back:
            station.desk.take_back_code(wanted.take_back[:3].upper(), station.person(wanted.person), now)
        rows, zone = station.store.enrolments.waiting(now), station.settings.zone
    if wanted.json:
        out.as_json([{"code": each.code, "node": each.node, "until": each.expires_at} for each in rows])
        return DONE
    if not rows:
        print(say("loa.nothing_yet", wanted.language))
    for each in rows:
        print(f"{each.code}…  {each.node}  {each.home}  {out.second(each.expires_at, zone)}  {each.name}")
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print every enrolled node, whether it is online, and when it last sounded."""
    with house.opened(wanted) as station:
        conditions = {each.node: each for each in station.store.health.latest()}
        sounded, zone = station.store.asrun.last_sounded(), station.settings.zone
        nodes, lost = station.store.roster.nodes(), station.without_time()
    if wanted.json:
        rows: list[Mapping[str, object]] = []
        for node in nodes:
            known = conditions.get(node.id)
            state: dict[str, object] = {"online": known.online if known else None, "last_sounded": sounded.get(node.id)}
            state |= _stock(known) | {"clock_known": node.id not in lost if known and known.health else None}
            rows.append({"node": node.id, "name": node.name, "home": node.home, **state})
        out.as_json(rows)
        return DONE
    if not nodes:
        print(say("loa.nothing_yet", wanted.language))
    for node in nodes:
        known = conditions.get(node.id)
        online = say(f"loa.node_{'online' if known and known.online else 'offline'}", wanted.language)
        stock = f"{known.health.audio_ready}/{known.health.jobs_ahead}" if known and known.health else "–"
        print(f"{node.id}  {node.home}  {online}  {stock}  {out.second(sounded.get(node.id), zone)}  {node.name}")
        if node.id in lost:
            print("  " + say("loa.node_without_time", wanted.language, node=node.id))
    return DONE


def _stock(known: Condition | None) -> dict[str, object]:
    """Of how many jobs ahead a node has the audio, which it lacks, and what data it used; None where it never said."""
    health = known.health if known else None
    if health is None:
        return dict.fromkeys(("jobs_ahead", "audio_ready", "lacking", "data_used_day_bytes", "data_used_month_bytes"))
    lacking = [{"job": each.job, "why": each.reason or "coming"} for each in health.lacking or ()]
    told: dict[str, object] = {"jobs_ahead": health.jobs_ahead, "audio_ready": health.audio_ready}
    told |= {"lacking": lacking if health.lacking is not None else None}
    used = {"data_used_day_bytes": health.data_used_day_bytes, "data_used_month_bytes": health.data_used_month_bytes}
    return told | used


def _tell(wanted: argparse.Namespace, station: House, code: Code) -> int:
    """The code, and the line to type under the pole."""
    row = station.store.enrolments.get(code.name)
    until = row.expires_at if row else None
    if wanted.json:
        out.as_json({"node": wanted.node, "code": code.shown(), "until": until})
        return DONE
    line = f"sudo loa node enrol {code.shown()} --station {station.settings.web_url()}"
    facts = {"code": code.shown(), "line": line, "until": out.second(until, station.settings.zone)}
    print(say("loa.node_code", wanted.language, node=wanted.node, **facts))
    return DONE


def _takes_enrolment(parser: Parser) -> None:
    area, name = parser.word("area"), parser.word("name")
    parser.add_argument("node", metavar=parser.word("node"), help=parser.t("node_help"))
    parser.add_argument("--home", required=True, metavar=area, help=parser.t("home_help"))
    parser.add_argument("--key", default="", metavar=parser.word("key"), help=parser.t("node_key_help"))
    parser.add_argument("--name", metavar=name, help=parser.t("node_name_help"))
    parser.add_argument(
        "--group", action="append", default=[], dest="groups", metavar=area, help=parser.t("group_help")
    )
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
