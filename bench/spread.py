"""Spread: how far apart the loudspeakers of several real nodes begin, and how soon an emergency is on them.

- Real node processes with a sound card's stand-in each, all recorded on one clock (`bench.loudspeakers`).
- Starts: every node has the same jobs; where each begins is found by cross-correlation with what it was to sound.
  Beside it a peer: as many `aplay` started in the same moment, as a line in every node's crontab would.
- Cut: an item sounds; a sealed emergency whose audio is there is published. Until its first sample is given, counted
  from before the publish; and until nothing of the item is left. On one node, as on a machine of its own; and on all.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bench.hamlet import Hamlet
from bench.loudspeakers import RATE, Loudspeakers
from bench.papers import HOME, emergency
from bench.results import Figure, Measurement
from fleet.broker import EmbeddedBroker
from wire.plan import Lane, Late

if TYPE_CHECKING:
    import numpy as np

NODES, STARTS, CUTS = 4, 30, 16
QUICK_NODES, QUICK_STARTS, QUICK_CUTS = 4, 2, 1
MOST_SPREAD_MS, MOST_CUT_MS = 10.0, 200.0
LEAD_SECONDS, STEP_SECONDS, WAIT_SECONDS = 4.0, 2.5, 30.0
ITEM_SECONDS, SHORT_SECONDS = 8.0, 1.0
PEER_ROUNDS = 10
SILENT = 0.001  # full scale 1: what is left of an item is nothing
_FADE, _BLOCK = RATE // 20, RATE // 200  # an emergency comes up for 50 ms where something sounds
_MS = RATE / 1000


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises BrokerError, NoSound where a program is not installed."""
    count, starts, cuts = (QUICK_NODES, QUICK_STARTS, QUICK_CUTS) if quick else (NODES, STARTS, CUTS)
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as made, ExitStack() as begun:
        folder = Path(made)
        speakers = begun.enter_context(Loudspeakers(folder / "sound", count))
        broker = begun.enter_context(EmbeddedBroker(folder / "broker", engine="mosquitto"))
        place = begun.enter_context(Hamlet(folder / "nodes", broker.port, count))
        for number in range(count):
            begun.enter_context(place.node(number, speakers.alsa_config(number)))
        place.await_nodes(WAIT_SECONDS)
        figures = _starts(place, speakers, starts) + _cuts(place, speakers, cuts)
        figures += _peer(place, speakers, min(starts, PEER_ROUNDS))
    note = f"{count} real node processes, each into its own sink; all sinks are channels of one recording"
    return Measurement("spread", tuple(figures), (note,))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of ``values`` (at least one) does not pass."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def of(name: str, values: Sequence[float], most: float | None = None) -> list[Figure]:
    """Median, 95 % (which carries the goal) and greatest, in milliseconds."""
    return [
        Figure(f"{name}, median of {len(values)}", statistics.median(values), "ms"),
        Figure(f"{name}, p95", percentile(values, 0.95), "ms", most=most),
        Figure(f"{name}, greatest", max(values), "ms"),
    ]


def places(needle: np.ndarray, recorded: np.ndarray) -> list[int]:
    """Where ``needle`` begins in each channel of ``recorded`` (float, (n, channels)), in samples."""
    import numpy as np

    size = 1 << (len(recorded) + len(needle)).bit_length()
    wanted = np.conj(np.fft.rfft(needle, size))
    alike = (np.fft.irfft(np.fft.rfft(channel, size) * wanted, size) for channel in recorded.T)
    return [int(np.argmax(each[: len(recorded)])) for each in alike]


def _starts(place: Hamlet, speakers: Loudspeakers, rounds: int) -> list[Figure]:
    first = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS)
    sounds = [place.sound(SHORT_SECONDS) for _ in range(rounds)]
    starts = [first + number * timedelta(seconds=STEP_SECONDS) for number in range(rounds)]
    jobs = [place.job(f"b{number}", *each) for number, each in enumerate(zip(starts, sounds, strict=True))]
    place.publish(Lane.PLAN, jobs)
    place.await_outcomes([job.id for job in jobs], LEAD_SECONDS + rounds * STEP_SECONDS + WAIT_SECONDS)
    spreads = []
    for start, sound in zip(starts, sounds, strict=True):
        found = places(sound.samples, speakers.around(start - timedelta(seconds=0.5), STEP_SECONDS))
        spreads.append((max(found) - min(found)) / _MS)
    figures = of("start: first to last loudspeaker", spreads, MOST_SPREAD_MS)
    return figures + of("start: skew that the nodes record", [abs(each) for each in place.skews_ms])


def _cuts(place: Hamlet, speakers: Loudspeakers, rounds: int) -> list[Figure]:
    alone = [_cut(place, speakers, number, [number % speakers.count]) for number in range(rounds)]
    everybody = list(range(speakers.count))
    together = [_cut(place, speakers, rounds + number, everybody) for number in range(max(1, rounds // 4))]
    firsts = [first for each in alone for first in each.begun]
    figures = of("cut, one node: published → first sample of the emergency", firsts, MOST_CUT_MS)
    rests = [first + rest for each in alone for first, rest in zip(each.begun, each.rest, strict=True)]
    figures += of("cut, one node: published → nothing left of the item", rests)
    firsts = [first for each in together for first in each.begun]
    return figures + of("cut, all at once on one machine: published → first sample", firsts)


class _Cut(NamedTuple):
    """Of every node: milliseconds to the emergency's first sample, and from there to the last of the item."""

    begun: list[float]
    rest: list[float]


def _cut(place: Hamlet, speakers: Loudspeakers, number: int, nodes: list[int]) -> _Cut:
    """One cut on ``nodes``: one of them, or all."""
    area = place.names[nodes[0]] if len(nodes) == 1 else HOME
    start, item, siren = datetime.now(UTC) + timedelta(seconds=3), place.item, place.siren
    job = place.job(f"i{number}", start, item, late=Late.SKIP)
    place.publish(Lane.PLAN, [job], area)
    time.sleep(4.5 + number % 7 * 0.037)
    asked = datetime.now(UTC)
    alarm = msgspec.structs.replace(emergency(asked), id=f"e{number}", asset=siren.asset)
    place.publish(Lane.URGENT, [alarm], area)
    place.await_outcomes([alarm.id], WAIT_SECONDS, len(nodes))
    place.publish(Lane.PLAN, [], area)
    place.publish(Lane.URGENT, [], area)
    place.await_outcomes([job.id], WAIT_SECONDS, len(nodes))
    heard = speakers.around(start - timedelta(seconds=0.5), 5.0)[:, nodes]
    items = places(item.samples[: RATE // 2], heard)
    alarms = [each - _FADE for each in places(siren.samples[_FADE:], heard)]
    waited_ms = (asked - start) / timedelta(milliseconds=1)
    firsts = [(new - old) / _MS - waited_ms for old, new in zip(items, alarms, strict=True)]
    rests = [_rest(channel[new:], siren.samples) / _MS for channel, new in zip(heard.T, alarms, strict=True)]
    return _Cut(firsts, rests)


def _rest(heard: np.ndarray, siren: np.ndarray) -> int:
    """For how many samples from the emergency's first on anything else than it is heard."""
    import numpy as np

    other = heard[: RATE // 2] - siren[: RATE // 2]
    loud = np.sqrt((other.reshape(-1, _BLOCK) ** 2).mean(axis=1)) > SILENT
    return int(np.flatnonzero(loud)[-1] + 1) * _BLOCK if loud.any() else 0


def _peer(place: Hamlet, speakers: Loudspeakers, rounds: int) -> list[Figure]:
    spreads = []
    for _ in range(rounds):
        began = datetime.now(UTC)
        running = [_aplay(place.siren.path, speakers.alsa_config(number)) for number in range(speakers.count)]
        for each in running:
            each.wait()
        time.sleep(1.0)
        found = places(place.siren.samples, speakers.around(began, (datetime.now(UTC) - began).total_seconds()))
        spreads.append((max(found) - min(found)) / _MS)
    return of("peer: as many aplay started at once, first to last", spreads)


def _aplay(path: Path, alsa_config: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(alsa_config)}
    return subprocess.Popen(["aplay", "-q", str(path)], env=environment, stderr=subprocess.DEVNULL)
