"""Makers for previews: a station, its pages, and whole nodes that hear it over a link."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import makers_store as made
from flask.testing import FlaskClient
from makers_programmes import aired, asset, drawn, row, scattered, with_items, written
from makers_radio import Hand, PretendCache, PretendPlayer
from makers_station import ROOT, Radio, furnished
from makers_web import Town

from controller.store import Store
from edge_node.agent import Agent
from edge_node.report import Self
from edge_node.settings import Settings
from edge_node.wallclock import Wallclock
from schedules.calendars import Recurrence
from schedules.rulebook import Rulebook
from schedules.rulebook_text import Policy
from wire import codec
from wire.config import Limits, QuietHours
from wire.plan import BulletinClass, Level

AREAS = [made.COMMUNE, made.HAMLET, made.OTHER_COMMUNE, made.GROUP, made.PROVINCE, "loa-2"]
NODES = {"loa-1": made.HAMLET, "loa-2": made.COMMUNE, "loa-3": made.OTHER_COMMUNE}


@dataclass
class Heard:
    """A whole node, and the clock on its wall."""

    agent: Agent
    hand: Hand

    def document(self) -> bytes:
        """Its own merged plan, by start and name, in the codec's bytes."""
        jobs = self.agent.gate.jobs(self.hand.moment)
        return codec.encoded(sorted(jobs.values(), key=lambda job: (job.start, job.id))).encode()


@dataclass
class House:
    """A station with pages and nodes."""

    folder: Path
    now: datetime = made.NOW
    nodes: dict[str, Heard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        url = f"sqlite:///{self.folder}/loa.db"
        self.store = Store(url)
        self.store.migrate()
        self.radio: Radio = furnished(self.store, self.folder)
        self.town = Town(self.folder, self.now, url, fresh=False)
        self.client: FlaskClient = self.town.client(self.town.app(), "quan")

    def node(self, name: str) -> Heard:
        """The node of that name, started when first asked for; it has heard what was said by now."""
        if name not in self.nodes:
            folder, hand = self.folder / "nodes" / name, Hand(self.now)
            folder.mkdir(parents=True)
            settings = Settings(name, NODES[name], (ROOT.public.hex,), folder, clock="trust")
            clock = Wallclock(folder / "clock", trusted=True, system=hand.system())
            link = self.radio.broker.link(name, Self(name).will(self.now))
            player = PretendPlayer(hand, defaultdict(lambda: 60_000), [])
            agent = Agent(settings, link, player, PretendCache(), clock)  # type: ignore[arg-type]
            agent.start()
            self.nodes[name] = Heard(agent, hand)
        heard = self.nodes[name]
        heard.hand.turn((self.now - heard.hand.moment).total_seconds())
        for _ in range(3):  # its areas are known once its config is
            heard.agent.tick()
        return heard

    def plan(self, later: timedelta = timedelta(0)) -> None:
        """Time passes, and the station makes its plans and configs true."""
        self.now = self.town.now = self.now + later
        self.client.set_cookie("loa_phien", self.town.session("quan"))  # the one before may have ended
        self.radio.station.enrol(self.now)
        self.radio.station.plan(self.now)

    def shown(self, place: str) -> bytes:
        """The machine-readable form of the page about a place."""
        way = "cum-loa" if place in NODES else "dia-ban"
        answer = self.client.get(f"/{way}/{place}/nhung-ngay-toi.json")
        assert answer.status_code == 200
        return answer.data

    def page(self, place: str, days: int = 7) -> str:
        """The page about a place."""
        way = "cum-loa" if place in NODES else "dia-ban"
        answer = self.client.get(f"/{way}/{place}/nhung-ngay-toi?ngay={days}")
        assert answer.status_code == 200
        return answer.text

    def close(self) -> None:
        """End everything."""
        for each in self.nodes.values():
            each.agent.stop()
        self.radio.station.stop()
        self.town.store.close()
        self.store.close()


def filled(house: House, chance: Random) -> None:
    """Programmes, policies and bookings of every kind, anywhere."""
    with_items(house.store)
    house.store.programmes.apply(row())
    for area in chance.sample([made.HAMLET, made.OTHER_COMMUNE, made.PROVINCE], 2):
        house.store.programmes.apply(written(drawn(chance, area)))
    limits = Limits(sessions=(chance.randint(1, 4),) * 7, day_minutes=(chance.randint(10, 60),) * 7)
    rules = Rulebook(limits, QuietHours("20:00", "06:00"))
    since = house.now.date() + timedelta(days=chance.randint(-3, 9))
    house.store.policies.set(Policy(chance.choice(AREAS[:3]), since, rules), "u-quan", house.now)
    scattered(house.store, chance, AREAS)
    kinds: list[dict[str, Any]] = [
        {"bulletin_class": BulletinClass.EMERGENCY, "level": Level.PROVINCE, "areas": (made.PROVINCE,)},
        {"bulletin_class": BulletinClass.PRIORITY, "areas": tuple(chance.sample(AREAS, 3))},
        {"recurrence": Recurrence("FREQ=DAILY"), "areas": (made.GROUP, made.HAMLET)},
    ]
    for number, kind in enumerate(kinds, 50):
        start = house.now + timedelta(minutes=chance.randint(5, 4000))
        aired(house.store, number, asset("abc"[number % 3], chance.randint(5, 200)), start=start, **kind)
