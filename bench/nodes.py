"""The pages of loudspeakers: what the server spends on one, with 10,000 of them, on SQLite and on PostgreSQL.

- The list's page against the floor: a bare count over the same three tables, on the same connection.
- One loudspeaker's page, with a year of what it did and 90 days of health, an hour a row.
- Processor time of the thread that answers, and the wall's; the database of PostgreSQL works in processes of its own.
"""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.postgres import NOT_INSTALLED, server
from bench.results import Figure, Measurement
from controller import bootstrap
from controller.rights import FIRST, Grant
from controller.roster import Area, AreaKind
from controller.settings import Settings
from controller.store import Store
from controller.store.fact_tables import MEASUREMENTS, health_hours, outcomes
from controller.store.finding import plain
from controller.store.rows import Session, User
from controller.store.tables import nodes
from controller.studio import Archive
from controller.studio.peaks import Outlines
from controller.web import Window, create_app
from wire import codec
from wire.health import Health, Vitals
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Step

NODES, COMMUNES, YEAR_DAYS, JOBS_A_DAY, HEALTH_DAYS = 10_000, 65, 365, 20, 90
QUICK_NODES, QUICK_DAYS = 60, 3
LOOKS, QUICK_LOOKS = 15, 2
MOST_MS = 100.0
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
FLOOR = (
    "SELECT count(*), count(presence.node), count(health.node) FROM nodes"
    " LEFT JOIN presence ON presence.node = nodes.id LEFT JOIN health ON health.node = nodes.id"
)
LIST, ONE = "/cum-loa", "/cum-loa/n-00000?khoang=90"
TOKEN = "t" * 43
INSERTED_AT_ONCE = 2000


def measure(quick: bool) -> Measurement:
    """The whole measurement."""
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        figures = _on("SQLite", Settings(state_dir=Path(name)), "", quick)
    if not quick:
        with server() as database, tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
            if database is None:
                notes.append(NOT_INSTALLED)
            else:
                figures += _on("PostgreSQL", Settings(state_dir=Path(name)), database, quick)
    return Measurement("nodes", tuple(figures), tuple(notes))


def _on(database: str, settings: Settings, url: str, quick: bool) -> list[Figure]:
    store = Store(url or settings.store_url)
    store.migrate()
    try:
        _fill(store, QUICK_NODES if quick else NODES)
        _live(store, QUICK_DAYS if quick else YEAR_DAYS, QUICK_DAYS if quick else HEALTH_DAYS)
        if url:
            with store.database.writing() as connection:
                connection.exec_driver_sql("ANALYZE")
        return _looked(database, settings, store, QUICK_LOOKS if quick else LOOKS)
    finally:
        store.close()


def _looked(database: str, settings: Settings, store: Store, looks: int) -> list[Figure]:
    window = Window(
        *(bootstrap.make_desk(settings, store), store, settings.shelf_dir, settings, lambda: NOW),
        sampler=bootstrap.make_sampler(settings),
        outlines=Outlines(settings.state_dir / "outlines"),
        archive=Archive(settings.recordings_dir),
        receive=bootstrap.make_reception(settings, store).receive,
    )
    client = create_app(window).test_client()
    client.set_cookie("loa_phien", TOKEN)

    def page(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.status

    def count() -> None:
        with store.database.reading() as connection:
            connection.exec_driver_sql(FLOOR).all()

    listed, one, floor = (_spent(work, looks) for work in (lambda: page(LIST), lambda: page(ONE), count))
    return [
        Figure(f"{database}: the list, processor", listed[0], "ms", most=MOST_MS),
        Figure(f"{database}: the list, wall, median of {looks}", listed[1], "ms"),
        Figure(f"{database}: a bare count over the same tables, wall", floor[1], "ms"),
        Figure(f"{database}: the list × the bare count", listed[1] / floor[1], "×"),
        Figure(f"{database}: one loudspeaker, processor", one[0], "ms", most=MOST_MS),
        Figure(f"{database}: one loudspeaker, wall, median of {looks}", one[1], "ms"),
    ]


def _spent(work: Callable[[], object], looks: int) -> tuple[float, float]:
    """Milliseconds of processor and of the wall, each the median; the first look does not count."""
    work()
    found = []
    for _ in range(looks):
        began, wall = time.thread_time(), time.perf_counter()
        work()
        found.append((1000 * (time.thread_time() - began), 1000 * (time.perf_counter() - wall)))
    return statistics.median(each[0] for each in found), statistics.median(each[1] for each in found)


def _fill(store: Store, count: int) -> None:
    """The province: its communes, a person, and nodes of which one in 37 is away."""
    grants = tuple(Grant(f"g-{role}", role, "*", "u-1", NOW) for role in FIRST)
    store.people.add_first(User("u-1", "ban", "*", NOW, "Người xem", "", grants=grants))
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    store.people.open_session(Session(hashed, "u-1", NOW, NOW + timedelta(hours=12), "bench", NOW, NOW), NOW)
    store.roster.add_area(Area("tinh", "Tỉnh", AreaKind.PROVINCE))
    for number in range(COMMUNES):
        store.roster.add_area(Area(f"tinh:xa-{number}", f"Xã Số {number}", AreaKind.COMMUNE))
    names = [f"n-{number:05}" for number in range(count)]
    _insert(store, nodes, [_node(number, name) for number, name in enumerate(names)])
    begun = NOW - timedelta(days=30)
    store.health.take_presence([Presence(name, State.ONLINE, "b", begun, "0.1.0") for name in names], begun)
    gone = [Presence(name, State.OFFLINE, "b", NOW, "0.1.0") for name in names[5::37]]
    store.health.take_presence(gone, NOW - timedelta(hours=1))
    store.health.take_health([Health(name, NOW, "b", "0.1.0", Vitals(cpu_celsius=50.0)) for name in names], NOW)


def _node(number: int, name: str) -> dict[str, Any]:
    shown = f"Cụm loa Thôn Đồng {number}"
    row = {"id": name, "name": shown, "home": f"tinh:xa-{number % COMMUNES}", "public_key": f"{number:064x}"}
    row |= {"words": plain(f"{shown} {name}")}
    return row | {"enrolled_at": NOW, "offset_ms": 0, "quiet": None, "volumes": [], "maintenance": False}


def _live(store: Store, days: int, health_days: int) -> None:
    """What the first node has been through."""
    node = "n-00000"
    starts = [
        NOW - timedelta(days=day, minutes=30 * number) for day in range(1, days + 1) for number in range(JOBS_A_DAY)
    ]
    _insert(store, outcomes, [_outcome(node, start, number) for number, start in enumerate(starts)])
    hours = [NOW - timedelta(hours=number) for number in range(1, health_days * 24)]
    _insert(store, health_hours, [_hour(node, hour) for hour in hours])


def _outcome(node: str, start: datetime, number: int) -> dict[str, Any]:
    measured = Measured(start, start + timedelta(minutes=1), 4.0, 60_000, -18.0, -3.0, "USB Audio")
    line = Receipt(number + 1, f"b{number:012}", Step.SOUNDED, start, start, measured=measured)
    told = {"job": line.job, "node": node, "booking": line.job, "step": line.step.value}
    return told | {"body": codec.write(line).decode(), "received_at": start + timedelta(minutes=2)}


def _hour(node: str, hour: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {"node": node, "hour": hour, "count": 60}
    for name in MEASUREMENTS:
        row |= {f"{name}_count": 60, f"{name}_least": 0.4, f"{name}_most": 0.6, f"{name}_sum": 30.0}
    return row


def _insert(store: Store, table: Any, rows: list[dict[str, Any]]) -> None:
    with store.database.writing() as connection:
        for first in range(0, len(rows), INSERTED_AT_ONCE):
            connection.execute(table.insert(), rows[first : first + INSERTED_AT_ONCE])
