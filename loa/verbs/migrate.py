"""`loa migrate`: the database brought to the shape that this program knows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    house.takes_config(verbs.add("migrate", "about_migrate", run))


def run(wanted: argparse.Namespace) -> int:
    """Migrate, and say so."""
    with house.opened(wanted) as station:
        print(say("loa.migrated", wanted.language, revision=station.store.database.revision()))
    return DONE
