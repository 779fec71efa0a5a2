"""`loa broker`: the embedded broker on its own, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from loa.codes import DONE, FAILED
from words import say

if TYPE_CHECKING:
    from loa.parser import Verbs

ENGINES = ("auto", "mosquitto", "nats")
LOOK_SECONDS = 0.5
STATE_DIR = Path("~/.local/share/loa/broker")


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("broker", "about_broker", run, "loa broker --port 1883")
    port = parser.number(0, 65535)
    parser.add_argument("--port", type=port, default=1883, metavar="N", help=parser.t("port_help"))
    parser.add_argument("--engine", choices=ENGINES, default="auto", help=parser.t("engine_help"))
    folder = parser.word("dir")
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, metavar=folder, help=parser.t("broker_state_help"))


def run(wanted: argparse.Namespace) -> int:
    """Start it, say where it is, wait for the end; exit code 1 when it ends by itself."""
    from fleet.broker import EmbeddedBroker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with EmbeddedBroker(wanted.state_dir.expanduser(), wanted.port, wanted.engine) as broker:
        address = f"{broker.host}:{broker.port}"
        print(say("loa.broker_at", wanted.language, address=address, engine=broker.engine), flush=True)
        while broker.alive() and not ended.wait(LOOK_SECONDS):
            pass
        return DONE if ended.is_set() else FAILED
