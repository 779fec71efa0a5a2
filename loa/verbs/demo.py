"""`loa demo`: the whole radio on this machine; with ``--once``, one announcement through it and its proof."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from loa import out, texts
from loa.codes import DONE, ENDED, NOT_EVERYWHERE
from words import say

if TYPE_CHECKING:
    from controller.store.facts import Outcome
    from controller.store.rows import AssetRow
    from fleet.demo import Demo
    from loa.parser import Verbs

LOOK_SECONDS = 0.5
MOST_NODES = 200  # as fleet/demo.py has it, which is not imported for the help


def add(verbs: Verbs) -> None:
    """The verb and what it takes."""
    parser = verbs.add("demo", "about_demo", run, "loa demo\nloa demo --once --text-file thong-bao.txt --out wav")
    parser.add_argument("--once", action="store_true", help=parser.t("once_help"))
    parser.add_argument("--text-file", metavar=parser.word("file"), type=Path, help=parser.t("text_file_help"))
    count, port = parser.number(1, MOST_NODES), parser.number(0, 65535)
    parser.add_argument("--nodes", type=count, default=12, metavar="N", help=parser.t("nodes_help", most=MOST_NODES))
    parser.add_argument("--out", metavar=parser.word("dir"), type=Path, help=parser.t("out_help"))
    parser.add_argument("--port", type=port, metavar="N", help=parser.t("demo_port_help"))
    parser.add_argument("--fast", action="store_true", help=parser.t("fast_help"))
    parser.takes_json()


def run(wanted: argparse.Namespace) -> int:
    """Start, announce, and either tell the proof or stay until Ctrl-C."""
    from controller.desk import rules
    from fleet.demo import Asked, Demo

    began = time.monotonic()
    text = texts.read(wanted.text_file, wanted.language) if wanted.text_file else say("loa.demo_text", "vi")
    rules.text(text)  # refused before anything is started
    port = wanted.port if wanted.port is not None else 0 if wanted.once else 8080
    with ExitStack() as ends:
        for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background job is born ignoring it
            ends.callback(signal.signal, number, signal.signal(number, signal.default_int_handler))
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="loa-demo-", ignore_cleanup_errors=True)))
        demo = Demo(Asked(folder, wanted.out or folder / "sounded", wanted.nodes, port, wanted.fast))
        ends.callback(_end, demo, wanted.language)
        try:
            _tell(wanted, "loa.demo_starting", nodes=wanted.nodes)
            demo.start()
            _tell(wanted, "loa.demo_ready", seconds=time.monotonic() - began)
            if not wanted.once:
                _say_where(demo, wanted.language)
            everywhere = _one_through(demo, wanted, text, began)
            if not wanted.once:
                _tell(wanted, "loa.demo_stays")
                while True:
                    demo.crew.check()
                    threading.Event().wait(LOOK_SECONDS)
        except KeyboardInterrupt:
            return ENDED if wanted.once else DONE
        return DONE if everywhere else NOT_EVERYWHERE


def _one_through(demo: Demo, wanted: argparse.Namespace, text: str, began: float) -> bool:
    """One announcement through; whether every node sounded it."""
    from loa.verbs.asrun import outcome_line
    from wire.receipt import Step

    made = demo.announce(text)
    asset = demo.wait_for_voice(made)
    _tell(wanted, "loa.demo_voiced", seconds=asset.duration_ms / 1000, sha=asset.sha256[:12])
    zone = str(demo.told.get("zone", "Asia/Ho_Chi_Minh"))
    outcomes = demo.wait_for_outcomes(
        made, asset, lambda each: print(outcome_line(each, zone, wanted.language), file=sys.stderr, flush=True)
    )
    sounded = {each.node for each in outcomes if each.step is Step.SOUNDED}
    everywhere = sounded >= set(demo.expected())
    kept = demo.asked.out if wanted.out or not wanted.once else say("loa.demo_not_kept", wanted.language)
    _tell(wanted, "loa.demo_told", sounded=len(sounded), nodes=wanted.nodes, out=kept)
    if wanted.json:
        silent = [{"node": node, "outcome": None} for node in demo.expected() if node not in {e.node for e in outcomes}]
        facts: dict[str, object] = {"announcement": made.announcement_id, "job": made.booking_id}
        facts |= {"text_characters": len(text), "asset": _asset_facts(asset), "everywhere": everywhere}
        facts |= {"seconds_since_start": round(time.monotonic() - began, 1)}
        nodes = [_node_facts(each, asset) | {"wav": _wav(demo, wanted, each.node)} for each in outcomes]
        out.as_json(facts | {"nodes": nodes + silent})
    return everywhere


def _asset_facts(asset: AssetRow) -> dict[str, object]:
    facts: dict[str, object] = {"sha256": asset.sha256, "seconds": asset.duration_ms / 1000, "voice": asset.voice}
    return facts | {"bytes": asset.size_bytes, "lufs": asset.lufs, "peak_dbtp": asset.peak_dbtp}


def _wav(demo: Demo, wanted: argparse.Namespace, node: str) -> str | None:
    """Where what a node sounded lies; None where nothing is kept."""
    return str(demo.asked.out / f"{node}.wav") if wanted.out or not wanted.once else None


def _node_facts(outcome: Outcome, asset: AssetRow) -> dict[str, object]:
    measured = outcome.measured
    return {
        "node": outcome.node,
        "outcome": outcome.step.value,
        "reason": outcome.reason or None,
        "job": outcome.job,
        "asset_sha256": outcome.asset,
        "asset_seconds": asset.duration_ms / 1000,
        "planned_start": outcome.planned_start,
        "actual_start": measured.started_at if measured else None,
        "skew_ms": measured.skew_ms if measured else None,
        "sounded_seconds": measured.sounded_ms / 1000 if measured else None,
        "level_dbfs": measured.level_dbfs if measured else None,
        "peak_dbfs": measured.peak_dbfs if measured else None,
    }


def _say_where(demo: Demo, language: str) -> None:
    print(say("loa.web_at", language, address=demo.address), flush=True)
    print(say("loa.first_link", language, link=demo.invitation()), flush=True)
    print(say("loa.demo_where", language, sounds=demo.asked.out, logs=demo.crew.folder / "logs"), flush=True)


def _tell(wanted: argparse.Namespace, key: str, **facts: object) -> None:
    """Progress, beside the result: on standard error."""
    print(say(key, wanted.language, **facts), file=sys.stderr, flush=True)


def _end(demo: Demo, language: str) -> None:
    """End all that was started, and let nobody interrupt that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print(say("loa.ending", language), file=sys.stderr, flush=True)
    demo.stop()
