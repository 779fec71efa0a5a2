"""`loa controller`, `loa web`, `loa station`: the station's processes, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

_PARTS = {"controller": (True, True), "web": (True, False), "station": (False, True)}


def add(verbs: Verbs) -> None:
    """Three verbs, one for each choice of parts."""
    for name in _PARTS:
        parser = verbs.add(name, f"about_{name}", run)
        house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Start, say where to look, and wait for the end."""
    from controller import bootstrap, settings

    told = settings.load(wanted.config)
    logging.basicConfig(level=told.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    web, station = _PARTS[wanted.verb]
    running = bootstrap.start(told, web=web, station=station)
    try:
        if running.server:
            _tell(say("loa.web_at", wanted.language, address=told.web_url(running.server.port)))
        if running.first_link:
            _tell(say("loa.first_link", wanted.language, link=running.first_link))
        ended.wait()
        print(say("loa.ending", wanted.language), file=sys.stderr, flush=True)
    finally:
        running.stop()
    return DONE


def _tell(line: str) -> None:
    """A line with its end in one write: the log of another thread never stands in the middle of it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
