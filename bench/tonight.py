"""A province at work: plans and configs issued, something on the air everywhere just now, alarms, places on the map.

- What `bench.province` has entered is planned as a station plans it, and sealed; nothing is sent.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bench import timetable
from bench.papers import PROVINCE
from controller.desk.api_tokens import PREFIX
from controller.desk.tokens import hashed
from controller.holdings import LINES
from controller.restraint import Restraint
from controller.rights import EVERYWHERE, Role
from controller.settings import Settings
from controller.store import Store, alarm_tables, fact_tables, tables
from controller.store.alarm_rows import AlarmRow, MemberRow
from controller.store.positions import Position
from controller.store.rows import Act, Announcement, AnnouncementState, BookingRow, VoiceState
from controller.store.shapes import columns
from controller.store.tokens import TokenRow
from controller.tallies import Tallies
from schedules.planner import VALIDITY, Planner
from wire import codec, seal, topics
from wire.config import NodeConfig
from wire.plan import Plan
from wire.receipt import Receipt, Step
from wire.seal import Signer

WIDE = "b9wide"
MAPPED = 3_000
ALARMS, MEMBERS = 200, 30
AT_ONCE = 10_000


def fill(store: Store, nodes: Sequence[str], now: datetime) -> dict[str, str]:
    """All of it; tokens of programs for the province and for a commune."""
    _on_air(store, nodes, now)
    _issue(store, nodes, now)
    _alarms(store, nodes, now)
    turns = ((each, 0.9 * math.sqrt(each / MAPPED), each * 2.4) for each in range(min(MAPPED, len(nodes))))
    spots = [(nodes[each], 21.8 + away * math.cos(turn), 106.6 + away * math.sin(turn)) for each, away, turn in turns]
    store.positions.put([Position(*each, "u0", now) for each in spots])
    for _ in range(2):  # states, hours that are over, what is counted of wide jobs
        Tallies(store, "Asia/Ho_Chi_Minh").add_up(now)
    return {"api": _token(store, "u0", EVERYWHERE, now), "commune api": _token(store, "u1", f"{PROVINCE}:xa-00", now)}


def _on_air(store: Store, nodes: Sequence[str], now: datetime) -> None:
    """For the whole province, begun a moment ago; all but a few have told so."""
    words = "Thông báo của tỉnh."
    told = replace(
        Announcement("a9wide", "Thông báo toàn tỉnh", words, "u0", now, now),
        state=AnnouncementState.APPROVED,
        spoken=words,
        asset=timetable.sha(timetable.RECORDINGS - 1),
        voice_state=VoiceState.DONE,
        approver="u0",
    )
    start = now - timedelta(seconds=30)
    store.announcements.create(told, BookingRow(WIDE, told.id, (PROVINCE,), start, "u0", start))
    with store.database.writing() as connection:
        for first in range(0, len(nodes), AT_ONCE):
            rows = [row for node in nodes[first : first + AT_ONCE] for row in _told(node, told.asset or "", start)]
            connection.execute(fact_tables.receipts.insert(), rows)


def _told(node: str, asset: str, start: datetime) -> Iterator[dict[str, Any]]:
    for number, step in ((1, Step.FETCHED), (2, Step.STARTED)):
        body = codec.write(Receipt(number, WIDE, step, start, start, asset=asset)).decode()
        row = {"node": node, "stream": "tonight", "number": number, "job": WIDE, "step": step.value}
        yield row | {"at": start, "body": body, "received_at": start}


def _issue(store: Store, nodes: Sequence[str], now: datetime) -> None:
    signer = Signer.generate()
    restraint = Restraint(store, Settings())
    restraint.know(store.roster.nodes(), store.policies.all())
    store.airing.place(now)
    planned = restraint.apply(Planner().plan(store.airing.to_plan(now), now), now)
    for (area, lane), jobs in planned.items():

        def make(serial: int, place: tuple[Any, ...] = (area, lane, jobs)) -> bytes:
            area, lane, jobs = place
            return seal.seal(LINES[lane].name, codec.write(Plan(area, lane, serial, now, now + VALIDITY, jobs)), signer)

        store.plans.issue(area, lane, f"{area}/{lane}", make, now)
    listens = {each.id: each.listens for each in store.roster.nodes()}
    rows = []
    for node in nodes:
        body = codec.write(NodeConfig(node, 1, now, listens[node], "http://127.0.0.1/audio/"))
        envelope = seal.seal(topics.CONFIG.name, body, signer)
        rows.append({"node": node, "serial": 1, "digest": "x", "issued_at": now, "envelope": envelope})
    with store.database.writing() as connection:
        for first in range(0, len(rows), AT_ONCE):
            connection.execute(tables.configs.insert(), rows[first : first + AT_ONCE])


def _alarms(store: Store, nodes: Sequence[str], now: datetime) -> None:
    """One in a commune after the other, open ones and such that are over, each about thirty loudspeakers."""
    rows: list[dict[str, Any]] = []
    members: list[dict[str, Any]] = []
    size = min(MEMBERS, len(nodes))
    for number in range(ALARMS):
        began, is_open = now - timedelta(hours=number), number < ALARMS // 4
        over = None if is_open else began + timedelta(minutes=40)
        place, cause = f"{PROVINCE}:xa-{number % 65:02d}", ("offline", "silent", "temperature", "card")[number % 4]
        counts = size if is_open else 0, size
        row = AlarmRow(f"al{number:05d}", cause, place, "bad", began, began, began, *counts, cleared_at=over)
        rows.append(columns(row))
        some = (nodes[(number * 31 + each) % len(nodes)] for each in range(size))
        members += [columns(MemberRow(row.id, each, began, cleared_at=over)) for each in some]
    with store.database.writing() as connection:
        connection.execute(alarm_tables.alarms.insert(), rows)
        connection.execute(alarm_tables.alarm_members.insert(), members)


def _token(store: Store, user: str, area: str, now: datetime) -> str:
    secret = PREFIX + secrets.token_urlsafe(32)
    role = Role.OPERATOR
    row = TokenRow(f"t-{user}", user, "bench", hashed(secret), role, area, now, now + timedelta(days=30))
    store.tokens.add(row, 9, Act("bench", "made a token", user, "", now))
    return secret
