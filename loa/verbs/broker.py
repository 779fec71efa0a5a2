"""`loa broker`: the embedded broker on its own, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE, FAILED
from words import discretion, say

if TYPE_CHECKING:
    from loa.parser import Verbs

ENGINES = ("auto", "mosquitto", "nats")
LOOK_SECONDS = 0.5
OWN = "own-broker"  # in the station's folder; not ``broker``, which holds what it writes for whoever keeps one
WHOSE = "station"  # in the broker's folder: for which station it is


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("broker", "about_broker", run, "loa broker --port 1883")
    port = parser.number(0, 65535)
    parser.add_argument("--port", type=port, metavar="N", help=parser.t("port_help"))
    parser.add_argument("--engine", choices=ENGINES, default="auto", help=parser.t("engine_help"))
    folder = parser.word("dir")
    parser.add_argument("--state-dir", type=Path, metavar=folder, help=parser.t("broker_state_help"))
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Start it, say where it is, wait for the end; exit code 1 when it ends by itself."""
    from fleet.broker import EmbeddedBroker

    settings = house.settings_of(wanted)
    folder = _own_folder((wanted.state_dir or settings.state_dir / OWN).expanduser().absolute(), settings.state_dir)
    port = settings.broker_port if wanted.port is None else wanted.port
    discretion.start_log("INFO")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with EmbeddedBroker(folder, port, wanted.engine) as broker:
        address = f"{broker.host}:{broker.port}"
        print(say("loa.broker_at", wanted.language, address=address, engine=broker.engine), flush=True)
        while broker.alive() and not ended.wait(LOOK_SECONDS):
            pass
        return DONE if ended.is_set() else FAILED


def _own_folder(folder: Path, station: Path) -> Path:
    """``folder``, noted as this station's. Raises Refused where it is another station's."""
    from controller.durable import write_once

    whose = folder / WHOSE
    try:
        if not whose.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_once(whose, f"{station}\n".encode())
        held = whose.read_text("utf-8", "replace").strip()[:500]
    except OSError as wrong:
        raise house.Refused("loa.cannot_write", path=wrong.filename or folder, why=wrong.strerror or wrong) from wrong
    if held != str(station):
        raise house.Refused("loa.other_station_s_broker", path=folder, other=held, station=station)
    return folder
