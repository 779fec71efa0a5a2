"""Pages: what every page of the console costs the server, in a province of 10,000 nodes after a year.

- Every address of the app that reads is opened through the real app, as a province's administrator and as an official
  of one commune, and through the API by a token of each, on SQLite and on PostgreSQL. One request alone; no network.
- Counted is the processor time of the thread that answers (PostgreSQL works in processes of its own), and the wall's.
- Python's collector looks through the heap as rarely as in a running station (`controller.heap`).
- The floor is the emptiest page of the same app with the same session (`FLOOR`), in the same run.
- `measure_year` is the same with ten million receipts of a year beneath (`bench.year`).
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import province, tonight, year
from bench.atlas import window_of
from bench.papers import PROVINCE
from bench.postgres import NOT_INSTALLED, server
from bench.province import Size
from bench.results import Figure, Measurement
from bench.spread import percentile
from controller import bootstrap, heap
from controller.settings import Settings
from controller.store import Store
from controller.web import create_app

WHOLE = Size()
QUICK = Size(nodes=30, communes=3, people=5, bulletins=40, outcomes=200)
ROUNDS, QUICK_ROUNDS = 12, 1
QUICK_DAYS = 3
SLOW_SECONDS = 20.0  # a page is asked no longer than this for all its rounds
MOST_MS = 100.0
SHOWN = 12  # figures of single pages, the slowest first
FLOOR = "/ngoai-tuyen"
FILLED = {
    "announcement": "a000150",
    "booking": "b000150",
    "node": "loa-00001",
    "name": "loa-00001",
    "user": "u1",
    "day": "2026-11-24",
    "form": "csv",
}
LEFT_OUT = (
    "su-kien",
    "static",
    "/audio/",
    "/song-am",
    "/tieng/",
    "/chao/",
    "/ban-ghi/tep",
    "/nghe-thu",
    "/tu-dien/nghe",
)


def measure(quick: bool) -> Measurement:
    """The whole measurement."""
    return _as_in_a_station("pages", quick, 0)


def measure_year(quick: bool) -> Measurement:
    """The whole measurement, with the receipts of a year."""
    return _as_in_a_station("year", quick, QUICK_DAYS if quick else year.DAYS)


def _as_in_a_station(name: str, quick: bool, days: int) -> Measurement:
    before = gc.get_threshold()
    heap.look_rarely()
    try:
        return _measured(name, quick, days)
    finally:
        gc.set_threshold(*before)


def _measured(title: str, quick: bool, days: int) -> Measurement:
    figures: list[Figure] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder = Path(name)
        figures += _on("SQLite", Settings(state_dir=folder), quick, days)
        if not quick:
            with server() as url:
                if url is None:
                    notes.append(NOT_INSTALLED)
                else:
                    figures += _on("PostgreSQL", Settings(state_dir=folder, database_url=url), quick, days)
    size = QUICK if quick else WHOLE
    note = f"{size.nodes:,} nodes, {size.communes} communes, {size.bulletins:,} bulletins, {size.outcomes:,} outcomes"
    if days:
        notes.append(f"receipts of {days} days")
    return Measurement(title, tuple(figures), (note, *notes))


def _on(engine: str, settings: Settings, quick: bool, days: int) -> list[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    size = QUICK if quick else WHOLE
    with _opened(settings) as store:
        began = time.monotonic()
        tokens = province.fill(store, size, now)
        receipts = year.fill(store, size.communes, now, days) if days else 0
        tokens |= tonight.fill(store, [node.id for node in store.roster.nodes()], now)
        if settings.database_url:
            with store.database.writing() as connection:
                connection.exec_driver_sql("ANALYZE")  # a server does so by itself within minutes
        print(f"{engine}: filled in {time.monotonic() - began:.0f} s; {receipts:,} receipts", file=sys.stderr)
        app = create_app(window_of(settings, store))
        found = [each for who, token in tokens.items() for each in _as(who, token, app, quick)]
    return _told(engine, found)


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    store = bootstrap.open_store(settings)
    try:
        yield store
    finally:
        store.close()


Timed = tuple[str, str, list[float], list[float]]  # who, the address, milliseconds of the processor and of the wall


def _as(who: str, token: str, app: Any, quick: bool) -> Iterator[Timed]:
    client = app.test_client()
    if who.endswith("api"):
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    else:
        client.set_cookie("loa_phien", token)
    wide = (f"/lich-phat/{tonight.WIDE}", f"/api/v1/bookings/{tonight.WIDE}")
    for path in (FLOOR, *wide, *addresses(app)):
        if path == FLOOR or ("/api/" in path) is who.endswith("api"):
            yield who, path, *_spent(client, path, QUICK_ROUNDS if quick else ROUNDS)


def addresses(app: Any) -> list[str]:
    """Every address that reads, with a name of the province in each of its places."""
    found = {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or any(each in rule.rule for each in LEFT_OUT):
            continue
        own = f"{PROVINCE}:xa-00"
        values = {each: FILLED.get(each, own if each in ("area", "place") else "x") for each in rule.arguments}
        if "cum-loa/<place>" in rule.rule:
            values["place"] = "loa-00000"
        found[rule.rule] = _filled(rule.rule, values)
    return sorted(set(found.values()))


def _filled(rule: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        for kind in ("", "int:", "path:"):
            rule = rule.replace(f"<{kind}{name}>", value)
    return rule


def _spent(client: Any, path: str, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each round but the first, which warms up; none where the page is not there for them."""
    spent: list[float] = []
    waited: list[float] = []
    until = time.monotonic() + SLOW_SECONDS
    for _ in range(rounds + 1):
        began, used = time.perf_counter(), time.thread_time()
        with client.get(path) as answer:
            answer.get_data()
            spent.append((time.thread_time() - used) * 1000)
            waited.append((time.perf_counter() - began) * 1000)
            if answer.status_code >= 300:
                return [], []
        if time.monotonic() > until:
            break
    return spent[1:] or spent, waited[1:] or waited


def _told(engine: str, found: list[Timed]) -> list[Figure]:
    floors = {who: statistics.median(spent) for who, path, spent, _ in found if path == FLOOR and spent}
    floor = statistics.median(floors.values())
    pages = [(percentile(each[2], 0.95), each) for each in found if each[2] and each[1] != FLOOR]
    pages.sort(key=lambda page: page[0], reverse=True)
    for most, (who, path, spent, waited) in pages:
        told = f"{statistics.median(spent):8.1f} {most:8.1f} ms, waited {percentile(waited, 0.95):8.1f} ms"
        print(f"{engine} {who:11} {path:48} {told}", file=sys.stderr)
    late = sum(most > MOST_MS for most, _ in pages)
    waits = sum(percentile(each[3], 0.95) > MOST_MS for _, each in pages)
    figures = [
        Figure(f"{engine}: the emptiest page, median", floor, "ms"),
        Figure(f"{engine}: pages opened", len(pages), "pages"),
        Figure(f"{engine}: pages whose p95 of the processor is above {MOST_MS:.0f} ms", late, "pages", most=0),
        Figure(f"{engine}: pages whose p95 of the wall is above {MOST_MS:.0f} ms", waits, "pages"),
    ]
    for most, (who, path, spent, waited) in pages[:SHOWN]:
        name = f"{engine}: {path} ({who})"
        figures.append(Figure(f"{name}, median", statistics.median(spent), "ms"))
        figures.append(Figure(f"{name}, p95", most, "ms", most=MOST_MS))
        figures.append(Figure(f"{name}, p95 of the wall", percentile(waited, 0.95), "ms"))
        figures.append(Figure(f"{name}, median × the emptiest page", statistics.median(spent) / floor, "×"))
    return figures
