"""The station of the screenshots: a real one over a broker in this process, a week of two communes told by the hour.

- Everything that people wish goes through the desk, voiced and planned by the station; loudspeakers only say what real
  ones would. Names, days and keys are fixed, so that a picture changes only when a page does.
- Nothing here is for a station that serves anybody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from controller import bootstrap, keyring, keys
from controller.condition import Part, judge
from controller.condition_facts import ClockFacts, Room
from controller.desk import Desk, Giving, NewUser, Wish
from controller.gauges import Gauges, Inside
from controller.rights import FIRST, Grant, Role
from controller.roster import Area, AreaKind, Node, reached
from controller.settings import Settings
from controller.store import Store
from controller.store.rows import Act, Session, User
from controller.studio import Archive
from controller.studio.peaks import Outlines
from controller.web import Window
from schedules.relays import Source
from wire.health import Health, Held, Vitals
from wire.loopback import Loopback
from wire.plan import Lane
from wire.presence import Presence, State
from wire.receipt import Measured, Receipt, Receipts, Step

HOUR = timedelta(hours=1)
BEGINS = datetime(2026, 11, 17, 1, 0, tzinfo=UTC)  # Tuesday, 8:00 in Việt Nam
TODAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
WATCHED = TODAY + 8 * HOUR - timedelta(minutes=10)  # alarms are judged from here on; steps of an hour would be one
PROVINCE, COMMUNE, OTHER = "lang-son", "lang-son:dong-dang", "lang-son:tam-thanh"
COMMUNES = {COMMUNE: ("Xã Đồng Đăng", "Thôn"), OTHER: ("Phường Tam Thanh", "Khối")}
HAMLETS = {
    COMMUNE: ("Kéo Cắng", "Nà Pàn", "Bản Chu", "Pác Mòong", "Khơ Đa", "Hoàng Văn Thụ"),
    OTHER: ("Văn Miếu", "Quảng Tiên", "Hoà Bình", "Cửa Nam", "Nhị Thanh", "Tam Giáo"),
}
WELL = Vitals(
    cpu_celsius=51.5,
    throttled=0,
    load_1m=0.2,
    memory_used_ratio=0.31,
    disk_used_ratio=0.4,
    uptime_seconds=642_000,
    clock_source="ntp",
    clock_offset_ms=3.2,
    network="wwan0 -87 dBm",
    audio_device="USB Audio Device: PCM2902 Audio Codec",
    audio_ok=True,
)
VOV = Source("VOV1", "https://radio.example/vov1", "Đài Tiếng nói Việt Nam, VOV1")


@dataclass
class ShotTown:
    """The station, what it knows, and the hour that it is there. ``now`` is turned by `until`."""

    folder: Path
    now: datetime = BEGINS
    numbers: dict[str, int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.settings = Settings(
            state_dir=self.folder,
            station_name="Truyền thanh Đồng Đăng",
            public_log=True,
            public_bulletins=True,
            relays=(VOV,),
        )
        self.store: Store = bootstrap.open_store(self.settings)
        self.desk: Desk = bootstrap.make_desk(self.settings, self.store)
        self._keep_keys()
        self.station = bootstrap.make_station(self.settings, self.store, Loopback().link("station"))
        self.station.start(self.now)

    def _keep_keys(self) -> None:
        """Keys out of their names: worth nothing, and the same in every picture."""
        self.settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (keys.ROOT, keys.STATION):
            path = self.settings.keys_dir / f"{name}.key"
            path.write_text(hashlib.sha256(f"screenshots {name}".encode()).hexdigest())
            path.chmod(0o600)
        keys.establish(keyring.of(self.settings), self.store, ("*",), self.now)

    def close(self) -> None:
        """The station ends."""
        self.station.stop()
        self.store.close()

    def window(self) -> Window:
        """What its pages see."""
        return Window(
            *(self.desk, self.store, self.settings.shelf_dir, self.settings, lambda: self.now, lambda: self.now),
            sampler=bootstrap.make_sampler(self.settings),
            outlines=Outlines(self.folder / "outlines"),
            archive=Archive(self.settings.recordings_dir),
            broker=lambda: True,
            roots=keyring.of(self.settings).roots,
            condition=self.condition,
            receive=bootstrap.make_reception(self.settings, self.store).receive,
        )

    def condition(self, now: datetime) -> tuple[Part, ...]:
        """Its parts as they are read, but for what the machine that takes the pictures says of itself."""
        inside = Inside(self.station.studio.voices, True, BEGINS, lambda: now, lambda: True, lambda: BEGINS)
        found = Gauges(self.settings, self.store, inside).read(now)
        room, clock = Room("state", "/var/lib/loa", 41_200_000_000, 62_700_000_000), ClockFacts("ntp", 0.4)
        return judge(replace(found, rooms=[room], clock=clock, database=("sqlite", 184_300_000)), now)

    # --- who and what there is ---

    def settle(self) -> None:
        """Areas, a loudspeaker in each hamlet, and people; the first of them gives the others their rights."""
        grants = tuple(Grant(f"g-{role}", role, "*", "u000000000001", self.now) for role in FIRST)
        self.boss = User("u000000000001", "lan.vi", "*", self.now, "Vi Thị Lan", grants=grants)
        self.store.people.add_first(self.boss, Act("lan.vi", "opened the house", self.boss.id, "", self.now))
        self.store.roster.add_area(Area(PROVINCE, "Tỉnh Lạng Sơn", AreaKind.PROVINCE))
        for commune, (name, kind) in COMMUNES.items():
            self.store.roster.add_area(Area(commune, name, AreaKind.COMMUNE))
            for number, hamlet in enumerate(HAMLETS[commune], 1):
                home = f"{commune}:thon-{number}"
                self.store.roster.add_area(Area(home, f"{kind} {hamlet}", AreaKind.HAMLET))
                node = f"{commune.split(':')[1]}-{number}"
                key = hashlib.sha256(node.encode()).hexdigest()
                self.store.roster.add_node(Node(node, f"Cụm loa {kind} {hamlet}", home, key, self.now))
        self.chief = self._person("thinh.nong", "Nông Văn Thịnh", COMMUNE, Role.APPROVER, Role.EMERGENCY)
        self.editor = self._person("mai.hoang", "Hoàng Thị Mai", COMMUNE, Role.EDITOR)
        self.other = self._person("sin.ly", "Lý A Sìn", OTHER, Role.APPROVER)
        self.keeper = self._person("hung.be", "Bế Văn Hùng", PROVINCE, Role.OPERATOR)

    def _person(self, name: str, full_name: str, area: str, role: Role, *more: Role) -> User:
        user = self.desk.add_user(NewUser(name, Giving(role, area), full_name), self.boss, self.now)
        self.store.people.set_password(user.id, "none: nobody signs in by it")
        for each in more:
            self.desk.give(name, Giving(each, area), self.boss, self.now)
        return self.store.people.get(user.id) or user

    def signed_in(self, who: User, device: str) -> str:
        """The token of a new session of ``who``."""
        token = secrets.token_urlsafe(32)
        hashed = hashlib.sha256(token.encode()).hexdigest()
        session = Session(hashed, who.id, self.now, self.now + 12 * HOUR, device, self.now, self.now)
        self.store.people.open_session(session, self.now)
        return token

    # --- how time goes ---

    def until(self, moment: datetime) -> None:
        """Time goes on by the hour, and at last to ``moment``: loudspeakers report, the station works."""
        while self.now < moment:
            step = HOUR if self.now < WATCHED else timedelta(minutes=5)
            self.now = min(self.now + step, moment)
            self.report_health()
            self.work()

    def work(self) -> None:
        """One round of all that the station does."""
        station = self.station
        for act in (station.voice_emergencies, station.voice, station.plan, station.settle, station.lapse):
            act(self.now)
        if self.now >= WATCHED:
            station.judge(self.now)
        station.add_up(self.now)

    def report_health(self) -> None:
        """Every loudspeaker that is there says that it is well, and up to date."""
        there = [each for each in sorted(self._nodes()) if each not in self.away]
        said = [Presence(each, State.ONLINE, "boot-1", self.now, "0.1.0") for each in there]
        self.store.health.take_presence(said, self.now)
        plans = self.store.plans.held()
        homes = {node.id: node.home for node in self.store.roster.nodes()}
        trust = self.store.documents.get(keys.TRUST_NAME)
        reports = []
        for each in there:
            config = self.store.plans.config(each)
            told = Health(each, self.now, "boot-1", "0.1.0", WELL, lacking=(), jobs_ahead=9, audio_ready=9)
            serials = {"config_serial": config.serial if config else 0, "trust_serial": trust.serial if trust else 0}
            reports.append(structs.replace(told, held=held(plans, homes[each]), **serials))
        self.store.health.take_health(reports, self.now)

    def _nodes(self) -> list[str]:
        return [node.id for node in self.store.roster.nodes()]

    def leaves(self, node: str) -> None:
        """A loudspeaker loses its connection."""
        self.away.add(node)
        self.store.health.take_presence([Presence(node, State.OFFLINE, "boot-1", self.now, "0.1.0")], self.now)

    # --- what is aired ---

    def announce(self, title: str, text: str, who: User, start: datetime | None, *areas: str) -> str:
        """An announcement as ``who`` sends it; its booking."""
        key = hashlib.sha256(f"{title} {start}".encode()).hexdigest()[:32]
        wish = Wish(text, areas or (who.area,), start, title, idempotency_key=key)
        made = self.desk.announce(wish, who, self.now)
        self.work()
        held = self.store.announcements.get(made.announcement_id)
        if held and held.asset and made.booking_id:
            for node in reached(self.store.roster.nodes(), wish.areas):
                self.has(node.id, made.booking_id, held.asset)
        self.now += timedelta(minutes=1)  # what was written first stands first
        return made.booking_id or ""

    def has(self, node: str, job: str, sha256: str) -> None:
        """A loudspeaker says that it has the audio of a job."""
        self._say(node, Receipt(1, job, Step.FETCHED, self.now, self.now, sha256))

    def relayed(self, node: str, job: str, since: datetime, until: datetime) -> None:
        """A loudspeaker says that it relayed a station."""
        length = int((until - since).total_seconds() * 1000)
        took = Measured(since, until, 6.0, length, -18.4, -3.1, "USB Audio", relayed_ms=length)
        self._say(node, Receipt(1, job, Step.SOUNDED, until, since, measured=took))

    def _say(self, node: str, receipt: Receipt) -> None:
        """The next line of a loudspeaker's log."""
        self.numbers[node] = self.numbers.get(node, 0) + 1
        line = structs.replace(receipt, number=self.numbers[node])
        self.store.asrun.store_receipts(Receipts(node, "s1", (line,)), self.now)

    def sounded(self, booking: str, *nodes: str, step: Step = Step.SOUNDED, reason: str = "") -> None:
        """Loudspeakers say that it ended so, when it was to begin."""
        row = self.store.bookings.get(booking)
        assert row is not None
        assert row.start is not None
        held = self.store.announcements.get(row.announcement)
        assert held is not None
        sound = self.store.assets.get(held.asset or "")
        length = sound.duration_ms if sound else 30_000
        for place, node in enumerate(nodes):
            began = row.start + timedelta(milliseconds=4 + 3 * place)
            end = began + timedelta(milliseconds=length)
            level = -17.2 - 0.3 * place
            took = Measured(began, end, 4.0 + 3 * place, length, level, -3.1, "USB Audio")
            line = Receipt(
                *(1, booking, step, end, row.start),
                asset=held.asset or "",
                reason=reason,
                measured=took if step in (Step.SOUNDED, Step.PREEMPTED) else None,
            )
            self._say(node, line)


def held(plans: Mapping[tuple[str, Lane], int], home: str) -> tuple[Held, ...]:
    """What a loudspeaker holds that is up to date."""
    areas = (home, home.rpartition(":")[0], PROVINCE)
    return tuple(Held(area, plans.get((area, Lane.PLAN), 0), plans.get((area, Lane.URGENT), 0)) for area in areas)
