"""`loa migrate`: the database brought to the shape that this program knows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("migrate", "about_migrate", run)
    house.takes_config(parser)
    parser.takes_json()


def run(wanted: argparse.Namespace) -> int:
    """Migrate, and say so."""
    with house.opened(wanted) as station:
        revision = station.store.database.revision()
    if wanted.json:
        out.as_json({"revision": revision})
    else:
        print(say("loa.migrated", wanted.language, revision=revision))
    return DONE
