"""`loa bench`: the measurements of `bench/`, as ratios against a floor in the same run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loa.parser import Verbs

NAMES = (
    *(
        "announce",
        "health",
        "planning",
        "nodes",
        "speech",
        "intelligibility",
        "idle",
        "spread",
        "wear",
        "cage",
        "access",
    ),
    "map",
    "pages",
    "consoles",
    "year",
)


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("bench", "about_bench", run)
    name = parser.word("name")
    parser.add_argument("--only", action="append", choices=NAMES, metavar=name, help=parser.t("only_help"))
    parser.add_argument("--quick", action="store_true", help=parser.t("quick_help"))
    parser.takes_json()


def run(wanted: argparse.Namespace) -> int:
    """Measure, and print."""
    from bench import measure

    arguments = [part for name in wanted.only or () for part in ("--only", name)]
    return measure.main(arguments + ["--quick"] * wanted.quick + ["--json"] * wanted.json)
