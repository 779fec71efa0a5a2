"""Consoles: 200 open pages on one process of the console; something happens, and each that it concerns shows it.

- A console is what `live.js` is: a stream for what its page says that it shows, and at each event its live parts again
  (its bar alone, where nothing else of it is concerned) on a connection of its own. Real sockets, the server a process
  of its own, a province of 10,000 nodes.
- Two crowds: one sort of official, half of them on the home page; and a province as it is, three officials of each
  commune and five operators of the province.
- Three events: a bulletin of one commune, which concerns that commune's pages and the province's; one of the whole
  province, which concerns all of them; and an emergency of the whole province, which every page says before its turn.
- Told: from the commit of a wish until the event is heard, and until the fresh page has arrived.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from bench import province, timetable, tonight
from bench.child import Child, open_files
from bench.open_pages import WIDE, Console, listen, opened
from bench.province import Size
from bench.results import Figure, Measurement
from bench.spread import percentile
from controller import bootstrap
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Session
from wire.plan import BulletinClass

COMMUNES, QUICK_COMMUNES = 65, 3
EVENTS, QUICK_EVENTS = 3, 1
WHOLE, QUICK = Size(outcomes=100_000), Size(nodes=30, communes=3, people=20, bulletins=100, outcomes=200)
OFFICIALS = ("/", "/ke-hoach", "/", "/canh-bao")
EACH_COMMUNE, AT_THE_TOP = ("/", "/lich", "/ke-hoach"), ("/tong-quan", "/canh-bao", "/cum-loa", "/tong-quan", "/")
BOSS = 0  # of the province
IDLE_SECONDS, LONGEST_SECONDS = 15.0, 60.0
MOST_HEARD_MS = 2000.0


@dataclass
class Seen:
    """What came of the events of one sort, in seconds; ``asked``: how many should have heard, ``others``: did too."""

    asked: int = 0
    others: int = 0
    said: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    spent: float = 0.0  # of the server's processor, for one event


Crowd = Sequence[tuple[int, str]]  # user and page


def measure(quick: bool) -> Measurement:
    """The whole measurement, on SQLite."""
    open_files()
    size = QUICK if quick else WHOLE
    communes = QUICK_COMMUNES if quick else COMMUNES
    now = datetime.now(UTC).replace(microsecond=0)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        store = bootstrap.open_store(Settings(state_dir=Path(folder)))
        try:
            province.fill(store, size, now)
            tonight.fill(store, [node.id for node in store.roster.nodes()], now)
            for name, crowd in crowds(communes, quick):
                with Child("bench.console_server", folder) as child:
                    port = int(child.hear()["port"])
                    figures += _measured(name, store, _opened(store, crowd, size, port, now), quick)
        finally:
            store.close()
    return Measurement("consoles", tuple(figures))


def crowds(communes: int, quick: bool) -> Iterable[tuple[str, Crowd]]:
    """Users and pages: as they were always measured, and as a province is."""
    count = 5 if quick else 200
    yield "officials", [(each + 1, OFFICIALS[each % len(OFFICIALS)]) for each in range(count)]
    many = [(each + 1, page) for number, page in enumerate(EACH_COMMUNE) for each in _turn(number, communes)]
    yield "province", [*many, *((BOSS, page) for page in AT_THE_TOP)]


def _turn(number: int, communes: int) -> range:
    return range(number * communes, (number + 1) * communes)


def _opened(store: Store, crowd: Crowd, size: Size, port: int, now: datetime) -> list[Console]:
    communes = size.communes
    return [
        Console(port, _session(store, f"u{user}", now), page, None if user == BOSS else (user - 1) % communes, communes)
        for user, page in crowd
    ]


def _measured(name: str, store: Store, consoles: Sequence[Console], quick: bool) -> list[Figure]:
    found = asyncio.run(_watched(store, consoles, quick))
    return [Figure(f"{name}: {each.name}", each.value, each.unit, each.most, each.least) for each in found]


def _session(store: Store, user: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    user = user if store.people.get(user) else "u1"
    store.people.open_session(Session(hashed, user, now, now + timedelta(hours=12), "bench", now, now), now)
    return token


async def _watched(store: Store, consoles: Sequence[Console], quick: bool) -> list[Figure]:
    for each in consoles:
        await opened(each)
    tasks = [asyncio.create_task(listen(each)) for each in consoles]
    await asyncio.sleep(1.0 if quick else IDLE_SECONDS)
    process = _server_of(consoles[0].port)
    idle = await _busy(process, 1.0 if quick else IDLE_SECONDS)
    count = QUICK_EVENTS if quick else EVENTS
    local = [10 + each for each in range(count)]
    figures = [Figure("open", len(consoles), "pages"), Figure("processor while nothing happens", idle * 100, "%")]
    wide = [WIDE + 50 * each for each in range(2 * count)]
    for name, bulletins, is_emergency in (
        ("a commune's", local, False),
        ("the province's", wide[:count], False),
        ("an emergency's", wide[count:], True),
    ):
        seen = Seen()
        for bulletin in bulletins:
            await _happened(store, consoles, seen, bulletin, is_emergency)
        figures += _told(name, seen, count, is_emergency)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    spent = [each * 1000 for console in consoles for each in console.spent]
    return [
        *figures,
        Figure("one page meanwhile, median", percentile(spent, 0.5), "ms"),
        Figure("one page meanwhile, p95", percentile(spent, 0.95), "ms"),
        Figure("memory of the server", process.memory_info().rss / 1e6, "MB"),
        Figure("its threads", process.num_threads(), "threads"),
    ]


async def _happened(
    store: Store, consoles: Sequence[Console], seen: Seen, bulletin: int, is_emergency: bool = False
) -> None:
    wanted = [each for each in consoles if each.is_concerned(bulletin)]
    process = _server_of(consoles[0].port)
    used, at = _spent(process), time.monotonic()
    for each in consoles:
        each.asked = at
    edited = BulletinClass.EMERGENCY if is_emergency else BulletinClass.ORDINARY
    timetable.edit(store, bulletin, datetime.now(UTC), edited)
    while time.monotonic() < at + LONGEST_SECONDS and not all(each.shown > at for each in wanted):
        await asyncio.sleep(0.01)
    seen.spent += _spent(process) - used
    await asyncio.sleep(1.0)
    seen.asked += len(wanted)
    seen.others += sum(each.heard > at for each in consoles if each not in wanted)
    seen.said += [each.said - at for each in wanted if each.said > at]
    seen.heard += [each.heard - at for each in wanted if each.heard > at]
    seen.shown += [each.shown - at for each in wanted if each.shown > at]


def _told(name: str, seen: Seen, count: int, is_emergency: bool) -> list[Figure]:
    heard, shown, said = ([each * 1000 for each in some] for some in (seen.heard, seen.shown, seen.said))
    cried: list[Figure] = []
    if is_emergency:
        cried.append(Figure(f"{name}, said on the screen, of all", len(said) / seen.asked, "of 1", least=1.0))
    if said:
        cried.append(Figure(f"{name} → said on the screen, median", percentile(said, 0.5), "ms"))
        cried.append(Figure(f"{name} → said on the screen, p95", percentile(said, 0.95), "ms", most=MOST_HEARD_MS))
    return [
        *cried,
        Figure(f"{name} event concerns", seen.asked / count, "pages"),
        Figure(f"{name}, heard, of all that it concerns", len(heard) / seen.asked, "of 1", least=1.0),
        Figure(f"{name}, told to others meanwhile", seen.others / count, "pages"),
        Figure(f"{name} → heard, median", percentile(heard, 0.5), "ms"),
        Figure(f"{name} → heard, p95", percentile(heard, 0.95), "ms", most=MOST_HEARD_MS),
        Figure(f"{name} → fresh page there, median", percentile(shown, 0.5), "ms"),
        Figure(f"{name} → fresh page there, p95", percentile(shown, 0.95), "ms"),
        Figure(f"{name}, processor of the server until then", seen.spent / count * 1000, "ms"),
    ]


def _server_of(port: int) -> psutil.Process:
    mine = psutil.Process().children(recursive=True)
    return next(each for each in mine if any(held.laddr.port == port for held in each.net_connections("tcp")))


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _busy(process: psutil.Process, seconds: float) -> float:
    before = _spent(process)
    await asyncio.sleep(seconds)
    return (_spent(process) - before) / seconds
