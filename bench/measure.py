"""Every measurement, one after the other, and what came of it as text or as JSON.

- A measurement that lacks a program here says which, and the others go on.
- ``quick`` looks whether everything still works: its numbers mean nothing and have no goals.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from bench import (
    access,
    announce,
    atlas,
    cage,
    consoles,
    health,
    idle,
    intelligibility,
    nodes,
    pages,
    planning,
    speech,
    spread,
    wear,
)
from bench.results import Measurement, Results, machine
from words import Said

MEASUREMENTS: dict[str, Callable[[bool], Measurement]] = {
    "announce": announce.measure,
    "health": health.measure,
    "planning": planning.measure,
    "nodes": nodes.measure,
    "speech": speech.measure,
    "intelligibility": intelligibility.measure,
    "idle": idle.measure,
    "spread": spread.measure,
    "wear": wear.measure,
    "cage": cage.measure,
    "access": access.measure,
    "map": atlas.measure,
    "pages": pages.measure,
    "consoles": consoles.measure,
    "year": pages.measure_year,
}


def run(only: Iterable[str] = (), quick: bool = False) -> Results:
    """The measurements named in ``only``, all when it is empty. Raises KeyError for a name that is none."""
    wanted = list(dict.fromkeys(only)) or list(MEASUREMENTS)
    about = machine()
    return Results(about, tuple(_measured(name, MEASUREMENTS[name], quick) for name in wanted))


def _measured(name: str, measure: Callable[[bool], Measurement], quick: bool) -> Measurement:
    try:
        found = measure(quick)
    except Said as wrong:
        return Measurement(name, notes=(f"not measured: {wrong.say('en')}",))
    if not quick:
        return found
    return replace(found, figures=tuple(replace(each, most=None, least=None) for each in found.figures))


def main(arguments: list[str]) -> int:
    """``[--json] [--quick] [--only NAME]…``; 0 when every goal that was measured is met, else 1."""
    parser = argparse.ArgumentParser(prog="loa bench", description="Measures, and compares with floors and peers.")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--quick", action="store_true", help="only whether it still works; the numbers mean nothing")
    parser.add_argument("--only", action="append", default=[], choices=MEASUREMENTS, help="one measurement")
    wanted = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.ERROR)
    results = run(wanted.only, wanted.quick)
    print(json.dumps(results.as_plain(), ensure_ascii=False, indent=2) if wanted.json else results.as_text())
    met = [figure.met for each in results.measurements for figure in each.figures]
    return 1 if False in met else 0
