"""`loa place FILE.csv`: where areas and nodes stand, for the map."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

EXAMPLE = """\
loa place vi-tri.csv
  id,latitude,longitude
  lang-son:dong-dang,21.9463,106.6965
  dong-dang-1,21.9501,106.7012"""


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("place", "about_place", run, EXAMPLE)
    parser.add_argument("file", metavar=parser.word("file"), help=parser.t("place_file_help"))
    house.takes_person(parser)
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Enter them, all or none."""
    from controller.desk.locating import MOST_FILE_BYTES

    if wanted.file == "-":
        content = sys.stdin.buffer.read(MOST_FILE_BYTES + 1)
    else:
        with Path(wanted.file).open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    with house.opened(wanted) as station:
        count = station.desk.locate_all(content, station.person(wanted.person), house.now())
    print(say("loa.placed", wanted.language, count=count))
    return DONE
