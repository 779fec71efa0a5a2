"""Makers for the web: a real store with two communes, twelve loudspeakers and four people, and an app over it."""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import soundfile
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from controller.desk import Desk, Giving, NewUser, ProofRules, SecondFactor
from controller.gauges import Gauges, Inside
from controller.keyring import Keyring
from controller.reception import Reception
from controller.rights import FIRST, Grant, Role
from controller.roster import Area, AreaKind, Node
from controller.setting_origins import Origins
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act, AssetRow, Session, User
from controller.studio import Archive, Limits, Style, make_chain
from controller.studio.peaks import Outlines
from controller.studio.sampling import Sampler
from controller.vault import Lockbox
from controller.web import Window, create_app
from wire.health import Health, Held, Vitals
from wire.plan import BulletinClass
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Receipts, Step

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # Tuesday, 12:00 in Việt Nam
PASSWORD = "một câu dễ nhớ"
FIRST_TOKEN = "first-token-of-the-tests-0123456789"
COMMUNES = {"lang-son:dong-dang": "Xã Đồng Đăng", "lang-son:tam-thanh": "Phường Tam Thanh"}
SHORT = {"lang-son:dong-dang": "Đồng Đăng", "lang-son:tam-thanh": "Tam Thanh"}
HAMLET = "lang-son:dong-dang:thon-2"
TEXT = "Thông báo: ngày 25/11/2026, UBND xã tổ chức tiêm phòng cho trẻ em lúc 8h tại trạm y tế."
VITALS = Vitals(
    cpu_celsius=51.5,
    load_1m=0.2,
    memory_used_ratio=0.31,
    disk_used_ratio=0.4,
    uptime_seconds=90_000,
)
WHOLE: dict[str, Any] = {
    "throttled": 0,
    "clock_source": "ntp",
    "clock_offset_ms": 3.2,
    "network": "wwan0 -87 dBm",
    "audio_device": "USB Audio Device: PCM2902 Audio Codec",
    "audio_ok": True,
}


class Compiled(BytecodeCache):
    """Compiled templates, kept in memory for the whole run."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Compiled()


@cache
def hashed_password() -> str:
    """The tests' password as the store keeps it: Argon2 takes its time, so it is asked once."""
    return PasswordHasher().hash(PASSWORD)


def opus(seconds: float = 1.0, pitch: float = 440.0) -> bytes:
    """A tone as Opus in Ogg, mono, 48 kHz."""
    held = io.BytesIO()
    tone = 0.2 * np.sin(2 * np.pi * pitch * np.arange(int(48_000 * seconds)) / 48_000)
    soundfile.write(held, tone, 48_000, format="OGG", subtype="OPUS")
    return held.getvalue()


@dataclass
class Town:
    """A station as the web sees it. ``now`` is turned by hand."""

    folder: Path
    now: datetime = NOON
    database_url: str = ""
    fresh: bool = True  # False: its database stands already
    rings: int = 0
    policy: SecondFactor = SecondFactor.OWN
    numbers: dict[str, int] = field(default_factory=dict)
    origins: Origins | None = None

    def __post_init__(self) -> None:
        self.settings = Settings(state_dir=self.folder, station_name="Truyền thanh Đồng Đăng")
        self.store = Store(self.database_url or f"sqlite:///{self.folder}/loa.db")
        if self.fresh:
            self.store.migrate()
        self.desk = Desk(self.store, self.settings.zone, self._ring).proving_by(
            ProofRules(policy=self.policy, lockbox=Lockbox(self.folder / "keys"))
        )
        self.settings.shelf_dir.mkdir(exist_ok=True)

    def _ring(self) -> None:
        self.rings += 1

    def app(self) -> Flask:
        """The app over this town."""
        sampler = Sampler(make_chain(("espeak",)), Style(), self.folder / "samples")
        inside = Inside(sampler.voices, True, NOON, self.moment, lambda: True, lambda: NOON)
        seen = Window(
            *(self.desk, self.store, self.settings.shelf_dir, self.settings, self.moment),
            first_key=(FIRST_TOKEN, NOON + timedelta(hours=24)),
            sampler=sampler,
            condition=Gauges(self.settings, self.store, inside).condition,
            origins=self.origins,
            outlines=Outlines(self.folder / "outlines"),
            archive=Archive(self.folder / "recordings", Limits(most_seconds=60, most_bytes=8 * 1024 * 1024)),
            roots=Keyring(self.settings.keys_dir).roots,
            receive=Reception(self.store, self.settings).receive,
        )
        made = create_app(seen)
        made.jinja_env.bytecode_cache = TEMPLATES  # each test has its own app; the templates are the same
        return made

    def moment(self) -> datetime:
        """Now."""
        return self.now

    def settle(self) -> None:
        """Areas, loudspeakers, and four people: an administrator, an approver, and an editor in each commune."""
        grants = tuple(Grant(f"g-{role}", role, "*", "u000000000001", self.now) for role in FIRST)
        self.boss = User("u000000000001", "quan-tri", "*", self.now, "Vi Thị Lan", hashed_password(), grants=grants)
        self.store.people.add_first(self.boss, Act("quan-tri", "opened the house", self.boss.id, "", self.now))
        self.settle_areas()
        self.approver = self.person("chu-tich", Role.APPROVER, "lang-son:dong-dang", "Nông Văn Thịnh")
        self.editor = self.person("van-hoa", Role.EDITOR, "lang-son:dong-dang", "Hoàng Thị Mai")
        self.stranger = self.person("tam-thanh", Role.EDITOR, "lang-son:tam-thanh", "Lý A Sìn")

    def settle_areas(self) -> None:
        """A province, two communes of six hamlets, a loudspeaker in each."""
        self.store.roster.add_area(Area("lang-son", "Tỉnh Lạng Sơn", AreaKind.PROVINCE))
        for commune, name in COMMUNES.items():
            self.store.roster.add_area(Area(commune, name, AreaKind.COMMUNE))
            for number in range(1, 7):
                self.store.roster.add_area(
                    Area(f"{commune}:thon-{number}", f"Thôn {number} {SHORT[commune]}", AreaKind.HAMLET)
                )
                self._hang(commune, number)

    def _hang(self, commune: str, number: int) -> None:
        short = commune.split(":")[1]
        name = f"{short}-{number}"
        key = f"{len(self.numbers):064x}"
        self.numbers[name] = 0
        home = f"{commune}:thon-{number}"
        self.store.roster.add_node(Node(name, f"Cụm loa {SHORT[commune]} {number}", home, key, self.now))

    def person(self, name: str, role: Role, area: str, full_name: str) -> User:
        """Somebody with the password of the tests."""
        user = self.desk.add_user(NewUser(name, Giving(role, area), full_name), self.boss, self.now)
        if role is Role.APPROVER:
            self.desk.give(name, Giving(Role.EMERGENCY, area), self.boss, self.now)
        self.store.people.set_password(user.id, hashed_password())
        found = self.store.people.get(user.id)
        assert found is not None
        return found

    def client(self, app: Flask, who: str | None = None) -> FlaskClient:
        """A browser without scripts, signed in as ``who``."""
        client = app.test_client()
        if who:
            client.set_cookie("loa_phien", self.session(who))
        return client

    def session(self, who: str) -> str:
        """The token of a new session of ``who``, without asking for the password."""
        user = self.store.people.by_name(who)
        assert user is not None
        token = secrets.token_urlsafe(32)
        hashed = hashlib.sha256(token.encode()).hexdigest()
        self.store.people.open_session(
            Session(hashed, user.id, self.now, self.now + timedelta(hours=12), "Chrome · Android", self.now, self.now),
            self.now,
        )
        return token

    def voice(self, announcement: str) -> str:
        """What the station does: a finished recording on the shelf and in the store. Its SHA-256."""
        held = self.store.announcements.get(announcement)
        assert held is not None
        sound = opus(1.0, 300 + len(held.text))
        asset = hashlib.sha256(sound).hexdigest()
        (self.settings.shelf_dir / asset).write_bytes(sound)
        self.store.assets.put(AssetRow(asset, len(sound), 1000, "audio/ogg", "espeak", self.now, -16.0, -1.5))
        assert self.store.announcements.set_voiced(announcement, held.script_hash, asset)
        return asset

    def report(self, booking: str, node: str, step: Step = Step.SOUNDED, reason: str = "", **said: Any) -> None:
        """A receipt of ``node`` reaches the store; ``said``: skew_ms, level_dbfs, asset, detail, planned_start."""
        self.numbers[node] += 1
        began, skew = said.get("planned_start", self.now), said.get("skew_ms", 12.4)
        start, end = began + timedelta(milliseconds=skew), began + timedelta(seconds=1)
        level = said.get("level_dbfs", -18.2)
        heard = step in (Step.SOUNDED, Step.PREEMPTED)
        line = Receipt(
            self.numbers[node],
            booking,
            step,
            self.now,
            began,
            asset=said.get("asset", ""),
            reason=reason,
            detail=said.get("detail", ""),
            measured=Measured(start, end, skew, *(1000, level, -3.1, "USB Audio"), *said.get("came", ()))
            if heard
            else None,
        )
        self.store.asrun.store_receipts(Receipts(node, "s1", (line,)), self.now)

    def wake(self, node: str, state: State = State.ONLINE, **changed: object) -> None:
        """``node`` says that it is there, and how it is; ``changed`` measurements differ, or are missing (None)."""
        self.store.health.take_presence([Presence(node, state, "boot-1", self.now, "0.1.0")], self.now)
        refusals = changed.pop("refusals", {})
        vitals = msgspec.structs.replace(VITALS, **changed)
        held = (Held("lang-son:dong-dang", 7, 0), Held("lang-son", 3, 1))
        health = Health(
            node, self.now, "boot-1", "0.1.0", vitals, held=held, jobs_ahead=2, audio_ready=1, refusals=refusals
        )
        self.store.health.take_health([health], self.now)

    def booked(self, client: FlaskClient, **changed: object) -> str:
        """An announcement sent through the form, whatever it meets; the booking's id."""
        answer = send(client, **{"choice": "keep"} | changed)
        assert answer.status_code == 303, answer.text
        return answer.location.split("/")[-1].split("?")[0]

    def announcement_of(self, booking: str) -> str:
        """The announcement behind a booking."""
        row = self.store.bookings.get(booking)
        assert row is not None
        return row.announcement


@cache
def settled_database() -> bytes:
    """The database of a settled town, made once for the whole run."""
    with TemporaryDirectory() as folder:
        town = Town(Path(folder))
        town.settle()
        town.store.close()
        return (Path(folder) / "loa.db").read_bytes()


@contextmanager
def settled_town(folder: Path, database: bytes = b"", policy: SecondFactor = SecondFactor.OWN) -> Iterator[Town]:
    """A settled town in ``folder``, with this ``database`` if one is given, closed with the block."""
    (folder / "loa.db").write_bytes(database or settled_database())
    town = Town(folder, fresh=False, policy=policy)
    people = town.store.people
    town.numbers = {node.id: 0 for node in town.store.roster.nodes()}
    for role, name in (
        ("boss", "quan-tri"),
        ("approver", "chu-tich"),
        ("editor", "van-hoa"),
        ("stranger", "tam-thanh"),
    ):
        setattr(town, role, people.by_name(name))
    try:
        yield town
    finally:
        town.store.close()


def form_key(client: FlaskClient, path: str = "/ngoai-tuyen") -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, f"no form key on {path}"
    return found[1]


def composed(client: FlaskClient, **changed: object) -> dict[str, object]:
    """A whole compose form, as a browser would send it: that of a draft just opened, where one is named."""
    fields: dict[str, object] = {
        "csrf_token": form_key(client),
        "key": "0" * 32,
        "text": TEXT,
        "title": "",
        "areas": ["lang-son:dong-dang"],
        "when": "at",
        "day": "2026-11-24",
        "hour": "17",
        "minute": "00",
        "bulletin_class": BulletinClass.ORDINARY.value,
    }
    opened = client.get(f"/soan/{changed['draft']}").text if changed.get("draft") else ""
    version = re.search(r'name="version" value="(\d+)"', opened)
    return fields | {"version": version[1] if version else "0"} | changed


def send(client: FlaskClient, **changed: object):  # type: ignore[no-untyped-def]
    """Send a compose form."""
    return client.post("/soan", data=composed(client, **changed))


def a_day(town: Town, app: Flask) -> str:
    """A Tuesday, ten past five in the afternoon: one of everything that pages show. The booking that has sounded."""
    approver, editor = town.client(app, "chu-tich"), town.client(app, "van-hoa")
    evening = town.booked(approver, title="Lịch tiêm phòng sởi – rubella cho trẻ em tại trạm y tế xã")
    asset = town.voice(town.announcement_of(evening))
    morning = town.booked(approver, key="4" * 32, text="Thu gom rác.", title="Thu gom rác thải", hour="16")
    town.voice(town.announcement_of(morning))
    town.booked(approver, key="1" * 32, bulletin_class="priority", day="2026-11-25", title="Họp thôn Kéo Cắng")
    town.booked(approver, key="3" * 32, bulletin_class="emergency", confirm="Xã Đồng Đăng", when="now", title="Lũ quét")
    waiting = town.booked(editor, key="2" * 32, day="2026-11-26", title="Lịch cắt điện ngày 27/11", areas=[HAMLET])
    town.voice(town.announcement_of(waiting))
    for number in range(1, 7):
        town.wake(f"tam-thanh-{number}")
    for number in range(1, 6):
        town.wake(f"dong-dang-{number}")
    town.now = NOON + timedelta(hours=4)
    for number in range(1, 7):
        town.report(morning, f"dong-dang-{number}", skew_ms=3.0 * number)
    town.now = NOON + timedelta(hours=5)
    town.report(evening, "dong-dang-1", asset=asset)
    town.report(evening, "dong-dang-2", asset=asset, skew_ms=-3.1, level_dbfs=-17.6)
    town.report(evening, "dong-dang-3", Step.MISSED, "no_audio", asset=asset, detail="media server: 404")
    town.report(evening, "dong-dang-4", Step.PREEMPTED, "outranked", asset=asset, skew_ms=1840.2)
    town.report(evening, "dong-dang-5", Step.REFUSED, "quiet_hours", asset=asset)
    town.now = NOON + timedelta(hours=5, minutes=10)
    town.wake("dong-dang-1", **WHOLE, refusals={"bad_seal": 2, "rolled_back": 1})
    town.wake("dong-dang-2", State.OFFLINE)
    town.wake("dong-dang-3", cpu_celsius=None, clock_known=False, audio_ok=False, disk_used_ratio=0.97)
    town.wake("dong-dang-4", cpu_celsius=83.2, throttled=4)
    town.store.refusals.count("bad_seal", "radio/v1/nodes/dong-dang-9/receipts", "a sentence", town.now)
    return evening
