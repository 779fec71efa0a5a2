"""Health: how many messages a second the logbook takes, on SQLite and on PostgreSQL, by itself and behind a broker.

- By itself: batches as large as the station meets them, handed over one after the other.
- Behind a broker: a process of nodes publishes at a steady rate; a rate is kept when nothing is lost, and nothing is
  still to be stored one second after the last was sent.
- Against the same messages written into a plain table by a consumer that does nothing else.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.plain_table import PlainTable, PostgresTable, SqliteTable
from bench.postgres import NOT_INSTALLED, server
from bench.reporters import message
from bench.results import Figure, Measurement
from bench.streams import NODES, BareStream, LinkStream, Stream, flow
from controller.logbook import Logbook
from controller.store import Store
from fleet.broker import EmbeddedBroker
from wire import codec, topics
from wire.link import Message
from wire.seal import PublicKey

GOAL_RATE = 8000.0
BATCH = 800  # what comes in 0.1 s, the station's `hear` tick, at the goal's rate
ROUNDS, QUICK_ROUNDS = 40, 2
RATES = (8000, 10_000, 12_000, 14_000, 16_000, 20_000, 25_000, 30_000)
STEP_SECONDS, SUSTAINED_SECONDS, QUICK_SECONDS = 6.0, 60.0, 0.5
Take = Callable[[list[Message]], object]


def measure(quick: bool) -> Measurement:
    """The whole measurement. Raises BrokerError where mosquitto is not installed."""
    figures: list[Figure] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder = Path(name)
        with _books(f"sqlite:///{folder / 'loa.db'}", SqliteTable(folder / "plain.db")) as (logbook, table):
            figures += _alone("SQLite", logbook, table, quick)
            figures += _behind_a_broker("SQLite", folder, logbook, table, quick)
        if not quick:
            with server() as database:
                if database is None:
                    notes.append(NOT_INSTALLED)
                else:
                    figures += _on_postgres(folder, database)
    return Measurement("health", tuple(figures), tuple(notes))


def _on_postgres(folder: Path, database: str) -> list[Figure]:
    with _books(database, PostgresTable(database)) as (logbook, table):
        figures = _alone("PostgreSQL", logbook, table, False)
        return figures + _behind_a_broker("PostgreSQL", folder, logbook, table, False)


@contextmanager
def _books(url: str, table: PlainTable) -> Iterator[tuple[Take, Take]]:
    """(the logbook's take, the plain table's), over two databases of one kind."""
    store = Store(url)
    store.migrate()
    key = PublicKey(bytes(32))
    logbook = Logbook(store, lambda _: key)
    try:
        yield (
            lambda messages: logbook.take(messages, datetime.now(UTC)),
            lambda messages: table.add([each.payload for each in messages]),
        )
    finally:
        store.close()
        table.close()


def _alone(engine: str, logbook: Take, table: Take, quick: bool) -> list[Figure]:
    spent: dict[str, list[float]] = {"logbook": [], "plain": []}
    cpu: list[float] = []
    for number in range(QUICK_ROUNDS if quick else ROUNDS):
        batch = _batch(number)
        before = time.process_time()
        spent["logbook"].append(_seconds(logbook, batch))
        cpu.append(time.process_time() - before)
        spent["plain"].append(_seconds(table, batch))
    took, plain = (BATCH / statistics.median(spent[name]) for name in ("logbook", "plain"))
    core = BATCH / statistics.median(cpu)
    return [
        Figure(f"{engine}: logbook by itself", took, "messages/s", least=GOAL_RATE),
        Figure(f"{engine}: logbook by itself, of one core's time", core, "messages/s"),
        Figure(f"{engine}: plain table by itself", plain, "messages/s"),
        Figure(f"{engine}: plain / logbook", plain / took, "x"),
    ]


def _behind_a_broker(engine: str, folder: Path, logbook: Take, table: Take, quick: bool) -> list[Figure]:
    rates: Sequence[int] = (500,) if quick else RATES
    seconds = QUICK_SECONDS if quick else STEP_SECONDS
    with EmbeddedBroker(folder / engine, engine="mosquitto") as broker:
        with closing(BareStream(broker.port)) as plain:
            most_plain = _most_kept(plain, table, rates, seconds)
        with closing(LinkStream(broker.port)) as link:
            most = _most_kept(link, logbook, rates, seconds)
            rate = 500 if quick else int(GOAL_RATE)
            found = flow(link, logbook, rate, QUICK_SECONDS if quick else SUSTAINED_SECONDS)
    kept = found.stored / found.seconds if found.kept else 0.0
    return [
        Figure(f"{engine}: behind a broker, highest rate kept", most, "messages/s", least=GOAL_RATE),
        Figure(f"{engine}: plain table behind it, highest rate kept", most_plain, "messages/s"),
        Figure(f"{engine}: sustained for {found.seconds:.0f} s", kept, "messages/s", least=GOAL_RATE * 0.99),
        Figure(f"{engine}: of these lost", found.sent - found.stored, "messages", most=0),
        Figure(f"{engine}: longest from said to stored", found.longest_lag_seconds, "s"),
        Figure(f"{engine}: share of one core meanwhile", found.cpu_share * 100, "%"),
    ]


def _most_kept(stream: Stream, take: Take, rates: Sequence[int], seconds: float) -> float:
    """The highest of ``rates`` that is kept, each tried twice; 0 when none is."""
    most = 0.0
    for rate in rates:
        if not any(flow(stream, take, rate, seconds).kept for _ in range(2)):
            break
        most = rate
    return most


def _batch(number: int) -> list[Message]:
    """One round's messages, of nodes that take turns."""
    now = datetime.now(UTC)
    said = [message((number * BATCH + each) % NODES, now) for each in range(BATCH)]
    return [Message(topics.HEALTH.topic(node=each.node), codec.write(each)) for each in said]


def _seconds(take: Take, batch: list[Message]) -> float:
    began = time.perf_counter()
    take(batch)
    return time.perf_counter() - began
