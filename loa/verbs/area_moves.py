"""`loa area import|move`: official units come in; an area goes elsewhere with all in it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.gazetteer import Plan
    from loa.parser import Verbs

MOST_SHOWN = 30
IMPORT_EXAMPLE = """\
loa area import vietnamadminunits-1.0.4-py3-none-any.whl --province 20 --dry-run
loa area import vietnamadminunits-1.0.4-py3-none-any.whl --province 20 --former"""
MOVE_EXAMPLE = """\
loa area move lang-son:dong-dang:thon-1 --to lang-son:ky-lua --dry-run
loa area move lang-son:dong-dang:thon-1 --to lang-son:ky-lua --name "Thôn Đồng Đăng 1"
loa area move lang-son:dong-dang --into lang-son:ky-lua"""


def add(below: Verbs) -> None:
    """The verbs and what they take."""
    parser = below.add("import", "about_area_import", bring_in, IMPORT_EXAMPLE)
    parser.add_argument("file", metavar=parser.word("file"), type=Path, help=parser.t("area_import_file_help"))
    parser.add_argument("--province", required=True, metavar="20", help=parser.t("area_province_help"))
    parser.add_argument("--structure", choices=("2025", "before"), default="2025", help=parser.t("area_structure_help"))
    parser.add_argument("--former", action="store_true", help=parser.t("area_former_help"))
    parser.add_argument("--dry-run", action="store_true", help=parser.t("area_dry_run_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)
    parser = below.add("move", "about_area_move", move, MOVE_EXAMPLE)
    parser.add_argument("id", metavar=parser.word("area"), help=parser.t("area_id_help"))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar=parser.word("area"), help=parser.t("area_to_help"))
    where.add_argument("--into", metavar=parser.word("area"), help=parser.t("area_into_help"))
    parser.add_argument(
        "--name", dest="called", metavar=parser.word("name"), default="", help=parser.t("area_called_help")
    )
    parser.add_argument("--dry-run", action="store_true", help=parser.t("area_dry_run_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


def bring_in(wanted: argparse.Namespace) -> int:
    """Bring in a province's units, or say what that would do."""
    from controller import gazetteer
    from controller.gazetteer import Structure

    held = gazetteer.read(wanted.file, wanted.province)
    with house.opened(wanted) as station:
        ask = station.desk.foresee_units if wanted.dry_run else station.desk.enter_units
        person = station.person(wanted.person)
        plan = ask(held, Structure(wanted.structure), wanted.former, person, house.now())
    _told(plan, wanted)
    return DONE


def _told(plan: Plan, wanted: argparse.Namespace) -> None:
    from controller.gazetteer import State

    if wanted.json:
        rows = [
            {"id": e.area.id, "name": e.area.name, "kind": e.area.kind.value, "code": e.code, "state": e.state.value}
            for e in plan.found
        ]
        out.as_json(rows)
        return
    changed = [each for each in plan.found if each.state is not State.UNTOUCHED]
    for each in changed[:MOST_SHOWN]:
        key = "loa.area_would_rename" if each.state is State.RENAMED else "loa.area_would_enter"
        print(say(key, wanted.language, area=each.area.id, name=each.area.name, was=each.was, code=each.code))
    if len(changed) > MOST_SHOWN:
        print(say("loa.area_more", wanted.language, count=len(changed) - MOST_SHOWN))
    counts = {each.value: len(plan.of(each)) for each in State} | {"located": plan.located}
    print(say("loa.area_foreseen" if wanted.dry_run else "loa.area_imported", wanted.language, **counts))


def move(wanted: argparse.Namespace) -> int:
    """Move an area with all in it, or say what that would change."""
    from controller.desk.districting import Relocation

    merge = wanted.into is not None
    goes = Relocation(wanted.id, wanted.into if merge else wanted.to, merge, wanted.called)
    with house.opened(wanted) as station:
        ask = station.desk.foresee_move if wanted.dry_run else station.desk.move_area
        done = ask(goes, station.person(wanted.person), house.now())
    if wanted.json:
        rows = {"names": done.names, "called": done.called, "changed": done.changed, "dropped": done.dropped}
        out.as_json({key: dict(held) for key, held in rows.items()})
        return DONE
    for old, new in done.names.items():
        print(f"{old} → {new}")
    for new, name in done.called.items():
        print(say("loa.area_called", wanted.language, area=new, name=name))
    for table, count in done.changed.items():
        print(say("loa.area_changes", wanted.language, what=say(f"loa.moved_{table}", wanted.language), count=count))
    for table, count in done.dropped.items():
        print(say("loa.area_drops", wanted.language, what=say(f"loa.moved_{table}", wanted.language), count=count))
    print(say("loa.area_would_move" if wanted.dry_run else "loa.area_moved", wanted.language, area=wanted.id))
    return DONE
