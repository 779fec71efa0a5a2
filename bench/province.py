"""A province as it is after a year: 65 communes with hamlets, nodes, people, bulletins, programmes, and the as-run log.

- Written in bulk, by the store's own tables, the same every time. The receipts behind the log's outcomes are left out:
  no page reads them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from bench import timetable
from bench.papers import PROVINCE
from controller.rights import EVERYWHERE, Grant, Role
from controller.roster import Area, AreaKind, Node
from controller.store import Store, fact_tables, finding, tables
from controller.store.programmes import ProgrammeRow
from controller.store.rows import Announcement, AnnouncementState, BookingRow, Session, User, VoiceState
from controller.store.shapes import columns
from controller.tallies import Tallies
from schedules import timetable as papers
from schedules.calendars import Recurrence
from wire import codec
from wire.health import Health, Vitals
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Step

AT_ONCE = 20_000
ZONE = "Asia/Ho_Chi_Minh"
_WORDS = "Thông báo: Ủy ban nhân dân xã mời bà con đến họp tại nhà văn hóa thôn. " * 4


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    nodes: int = 10_000
    communes: int = 65
    people: int = 300
    bulletins: int = 3_000
    outcomes: int = 1_000_000


def commune(number: int) -> str:
    """The name of one on the wire."""
    return f"{PROVINCE}:xa-{number:02d}"


def fill(store: Store, size: Size, now: datetime) -> dict[str, str]:
    """Enter all of it. The session tokens of a province's administrator and a commune's official."""
    _areas(store, size)
    people = _people(store, size, now)
    nodes = _nodes(store, size, now)
    heard = [Presence(each, State.OFFLINE if at % 20 == 0 else State.ONLINE, "b", now, "0.1.0") for at, each in nodes]
    vitals = Vitals(cpu_celsius=51.0, load_1m=0.2, memory_used_ratio=0.3, disk_used_ratio=0.4, uptime_seconds=90_000)
    store.health.take_presence(heard, now)
    store.health.take_health([Health(each, now, "b", "0.1.0", vitals) for _, each in nodes], now)
    _bulletins(store, size, people[1], now)
    _programmes(store, size, people[1], now)
    for rows in _batches(_outcomes(size, now)):
        with store.database.writing() as connection:
            connection.execute(fact_tables.outcomes.insert(), rows)
    Tallies(store, ZONE).add_up(now)
    return {"province": _session(store, people[0], now), "commune": _session(store, people[1], now)}


def _areas(store: Store, size: Size) -> None:
    store.roster.add_area(Area(PROVINCE, "Lạng Sơn", AreaKind.PROVINCE))
    for number in range(size.communes):
        store.roster.add_area(Area(commune(number), f"Xã số {number}", AreaKind.COMMUNE))
        for hamlet in range(2 + number % 2):
            store.roster.add_area(Area(f"{commune(number)}:thon-{hamlet}", f"Thôn {hamlet}", AreaKind.HAMLET))


def _people(store: Store, size: Size, now: datetime) -> tuple[User, User]:
    """Everybody; the administrator and the official."""
    made = []
    for number in range(size.people + 2):
        area = EVERYWHERE if number == 0 else commune((number - 1) % size.communes)
        at_top = (Role.ADMINISTRATOR, Role.OPERATOR, Role.APPROVER, Role.EMERGENCY)
        roles = at_top if number == 0 else (Role.APPROVER, Role.OPERATOR) if number == 1 else (Role.EDITOR,)
        grants = tuple(Grant(f"g{number}-{role}", role, area, "u0", now) for role in roles)
        made.append(User(f"u{number}", f"can-bo-{number}", area, now, f"Cán bộ {number}", grants=grants))
        store.people.add(made[-1])
    return made[0], made[1]


def _nodes(store: Store, size: Size, now: datetime) -> list[tuple[int, str]]:
    rows = []
    for number in range(size.nodes):
        key = hashlib.sha256(f"{number}".encode()).hexdigest()  # any 32 bytes are a public key; nothing is sealed by it
        home = f"{commune(number % size.communes)}:thon-{number // size.communes % 2}"
        rows.append(columns(Node(f"loa-{number:05d}", f"Cụm loa {number}", home, key, now), "groups"))
    with store.database.wishing() as connection:
        connection.execute(tables.nodes.insert(), rows)
    return [(at, row["id"]) for at, row in enumerate(rows)]


def _bulletins(store: Store, size: Size, author: User, now: datetime) -> None:
    """One after the other over a year and the next four days; a tenth repeats daily; a hundredth awaits approval."""
    for number in range(timetable.RECORDINGS):
        store.assets.put(timetable.recording(number, now))
    some = [_announced(number, size, author, now) for number in range(size.bulletins)]
    booked = [_booked(number, size, each, now) for number, each in enumerate(some)]
    with store.database.wishing() as connection:
        connection.execute(tables.announcements.insert(), list(map(columns, some)))
        connection.execute(tables.bookings.insert(), list(map(columns, booked)))
        for each in some:
            finding.enter(connection, each)


def _announced(number: int, size: Size, author: User, now: datetime) -> Announcement:
    waits = number % 100 == 99
    at = now - timedelta(days=365) * (size.bulletins - number) / size.bulletins
    return Announcement(
        f"a{number:06d}",
        f"Thông báo số {number}",
        _WORDS,
        author.id,
        at,
        at,
        state=AnnouncementState.SUBMITTED if waits and number > size.bulletins * 0.7 else AnnouncementState.APPROVED,
        spoken=_WORDS,
        asset=timetable.sha(number),
        voice_state=VoiceState.DONE,
        approver=author.id,
    )


def _booked(number: int, size: Size, told: Announcement, now: datetime) -> BookingRow:
    again, since_now = number % 10 == 0, (number / size.bulletins - 0.95) / 0.05  # the last twentieth is to come
    start = now + timedelta(days=4) * since_now if since_now > 0 else told.created_at + timedelta(hours=1)
    return BookingRow(
        id=f"b{number:06d}",
        announcement=told.id,
        areas=(PROVINCE,) if number % 50 == 7 else (commune(number % size.communes),),
        start=start.replace(microsecond=0),
        recurrence=Recurrence("FREQ=DAILY;COUNT=400") if again else None,
        created_by=told.author,
        created_at=told.created_at,
    )


def _programmes(store: Store, size: Size, author: User, now: datetime) -> None:
    for number in range(size.communes):
        held = papers.write(papers.read(timetable.programme(commune(number), [f"a{each:06d}" for each in range(5)])))
        store.programmes.apply(ProgrammeRow(commune(number), "2026-01-01", held, author.id, now - timedelta(days=30)))


def _outcomes(size: Size, now: datetime) -> Iterator[dict[str, Any]]:
    """The oldest first: each commune's nodes end one bulletin after the other; one in fifty has missed it."""
    each_time = max(1, size.nodes // size.communes)
    jobs = size.outcomes // each_time
    for job in range(jobs):
        number, at = job % size.bulletins, now - timedelta(days=365) * (jobs - job) / jobs
        name = f"b{number:06d}:{at:%Y%m%dt%H%M%S}"
        for step in (Step.SOUNDED, Step.MISSED):
            sounded = step is Step.SOUNDED
            proof = Measured(at, at + timedelta(minutes=1), 3.5, 60_000, -20.1, -3.0, "USB Audio") if sounded else None
            reason = "" if sounded else "offline"
            body = codec.write(Receipt(1, name, step, at, at, reason=reason, measured=proof)).decode()
            row = {"job": name, "booking": f"b{number:06d}", "step": step.value, "body": body, "received_at": at}
            for place in range(each_time):
                if (place % 50 == job % 50) is not sounded:
                    node = place * size.communes + number % size.communes
                    yield row | {"node": f"loa-{node:05d}"}


def _session(store: Store, user: User, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    store.people.open_session(Session(hashed, user.id, now, now + timedelta(hours=12), "bench", now, now), now)
    return token


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    walk = iter(rows)
    while batch := list(islice(walk, AT_ONCE)):
        yield batch
