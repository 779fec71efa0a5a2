"""`loa node budget`: how much data loudspeakers on a metered line may use a day."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

BYTES_A_MB = 1_000_000
MOST_MB = 9_999_999
STATION = "station"


def add(verbs: Verbs) -> None:
    """The verb and what it takes; ``verbs``: those of `loa node`."""
    parser = verbs.add("budget", "about_node_budget", run, "loa node budget lang-son:dong-dang 50")
    parser.add_argument("place", metavar=parser.word("place"), help=parser.t("place_help"))
    parser.add_argument("megabytes", metavar="MB", help=parser.t("budget_help"))
    parser.takes_json()
    house.takes_person(parser)
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Let a node, or all that hang in a place now, have their own budget; ``station``: the station's again."""
    given = _bytes(wanted.megabytes)
    with house.opened(wanted) as station:
        nodes = station.desk.set_data_budget(wanted.place, given, station.person(wanted.person), house.now())
    if wanted.json:
        out.as_json({"nodes": [node.id for node in nodes], "data_budget_bytes_per_day": given})
    else:
        print(say("loa.budget_set", wanted.language, count=len(nodes), budget=wanted.megabytes))
    return DONE


def _bytes(text: str) -> int | None:
    if text == STATION:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MOST_MB and len(text) < 9):
        raise house.Refused("loa.bad_budget", given=text[:40], most=MOST_MB)
    return int(text) * BYTES_A_MB
