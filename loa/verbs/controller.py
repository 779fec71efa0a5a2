"""`loa controller`, `loa web`, `loa station`: the station's processes, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE
from loa.verbs import web_certificate
from words import discretion, say

if TYPE_CHECKING:
    from loa.parser import Verbs

_PARTS = {"controller": (True, True), "web": (True, False), "station": (False, True)}


def add(verbs: Verbs) -> None:
    """Three verbs, one for each choice of parts; below ``web`` its certificate."""
    for name in _PARTS:
        parser = verbs.add(name, f"about_{name}", run)
        file = parser.word("file")
        parser.add_argument("--passphrase-file", type=Path, metavar=file, help=parser.t("start_passphrase_help"))
        house.takes_config(parser)
        if name == "web":
            web_certificate.add(parser)


def run(wanted: argparse.Namespace) -> int:
    """Start, say where to look, and wait for the end."""
    from controller import bootstrap, heap, passphrases, settings

    passphrases.name_file(wanted.passphrase_file)
    told, origins = settings.read(wanted.config)
    discretion.start_log(told.log_level.upper(), told.secrets())
    discretion.leave_no_core()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    web, station = _PARTS[wanted.verb]
    heap.look_rarely()
    running = bootstrap.start(told, web=web, station=station, origins=origins)
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
