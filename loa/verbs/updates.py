"""`loa node update|prove`: what installs a release on a node, and what a version shows of itself before it may run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from words import discretion

if TYPE_CHECKING:
    from loa.parser import Parser, Verbs

PREFIX, UNIT = Path("/opt/loa"), "loa-node.service"
CONFIG = Path("/etc/loa/node.toml")
EXAMPLE = "loa node update --config /etc/loa/node.toml --prefix /opt/loa --unit loa-node.service"


def add_to(below: Verbs) -> None:
    """Two verbs below `loa node`."""
    parser = below.add("update", "about_node_update", update, EXAMPLE)
    _takes_config(parser)
    folder = parser.word("dir")
    parser.add_argument("--prefix", type=Path, default=PREFIX, metavar=folder, help=parser.t("prefix_help"))
    parser.add_argument("--unit", default=UNIT, metavar=parser.word("name"), help=parser.t("unit_help"))
    _takes_config(below.add("prove", "about_node_prove", prove))


def update(wanted: argparse.Namespace) -> int:
    """Install what the node asks for, if it may be; finish what was begun. The environment's variables do not count."""
    from edge_node.releases import updater
    from edge_node.releases.machine import Machine
    from edge_node.releases.trial import Pace
    from edge_node.report import version
    from edge_node.settings import load

    discretion.start_log("INFO", form="%(levelname)s %(name)s %(message)s")
    os.umask(0o022)  # the node reads the state
    config, prefix = wanted.config.absolute(), wanted.prefix.absolute()
    for path in (config, prefix):
        updater.guarded(path)
    place = updater.Place(prefix, config, load(config, {}), version())
    with updater.alone(prefix):
        updater.open_at(place, Machine(wanted.unit), Pace()).run(house.now())
    return DONE


def prove(wanted: argparse.Namespace) -> int:
    """Print, as one line of JSON, the version and whether it could be this node."""
    from edge_node import proof
    from edge_node.settings import load

    answer = proof.answer(load(wanted.config, {}))
    out.json_line(answer)
    return DONE if answer["good"] else FAILED


def _takes_config(parser: Parser) -> None:
    parser.add_argument(
        "--config", type=Path, default=CONFIG, metavar=parser.word("file"), help=parser.t("update_config")
    )
