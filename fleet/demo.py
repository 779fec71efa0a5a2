"""The demonstration: a whole radio on this machine, and one announcement through all of it.

The order is the order of life: places and keys → broker → controller → nodes → everybody holds their config →
the text goes to the desk → voiced, planned, published, fetched, sounded → every node has told its outcome.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller import bootstrap, clock, keys, settings
from controller.desk import Announced, Desk, Enrolment, Wish
from controller.roster import Area, AreaKind, nodes_under
from controller.store import Store
from controller.store.facts import Outcome
from controller.store.rows import Announcement, AssetRow, User, VoiceState
from edge_node import identity
from fleet.broker import HOST
from fleet.crew import LOOK_SECONDS, Crew, CrewError
from fleet.ports import can_listen, free_port
from fleet.village import COMMUNES, PROVINCE, posts
from words import Said

STATION_NAME = "Đài truyền thanh mẫu – Lạng Sơn"
MOST_NODES = 200
MOST_PORT = 65535
JOINED_SECONDS = 120.0  # until every node has connected and holds its config
VOICED_SECONDS = 600.0
MARGIN_SECONDS = 90.0  # past the end of the sound, until every outcome has come in


class DemoError(Said):
    """The demonstration cannot go on."""


@dataclass(frozen=True)
class Asked:
    """What the demonstration shall be. ``port`` 0: any free one."""

    folder: Path
    out: Path  # where the nodes' WAV files grow
    nodes: int = 12
    port: int = 8080
    fast: bool = False


class Demo:
    """A radio with its two communes, from start to stop."""

    def __init__(self, asked: Asked) -> None:
        """Raises DemoError for a port that cannot be had, SettingsError, BrokerError when there is no broker."""
        if not 1 <= asked.nodes <= MOST_NODES:
            raise DemoError("fleet.node_count", most=MOST_NODES)
        if not 0 <= asked.port <= MOST_PORT:
            raise DemoError("fleet.bad_port", port=asked.port, most=MOST_PORT)
        if asked.port and not can_listen(asked.port, HOST):
            raise DemoError("fleet.port_in_use", port=asked.port)
        self.asked = asked
        self.crew = Crew(asked.folder)
        self.told: dict[str, object] = {
            "state_dir": str(asked.folder / "station"),
            "station_name": STATION_NAME,
            "web_host": HOST,
            "web_port": asked.port or free_port(),
            "public_bulletins": True,
            "quiet_since": "00:00",  # a demonstration is heard at any hour
            "quiet_until": "00:00",
            "health_seconds": 5,
        }
        self.store: Store
        self.desk: Desk
        self.admin: User

    @property
    def address(self) -> str:
        """The web's address."""
        return f"http://{self.told['web_host']}:{self.told['web_port']}"

    def start(self) -> None:
        """Start everything; every node holds its config when this returns. Raises Said."""
        self._clear_out()
        self.crew.broker.start()
        self.told["broker_port"] = self.crew.broker.port
        made = settings.from_values(self.told)
        self.store = bootstrap.open_store(made)
        self.desk = bootstrap.make_desk(made, self.store)
        root = self._furnish(made)
        self.crew.start_controller(self.told)
        for post in posts(self.asked.nodes):
            self.crew.start_node(self._node_settings(post.node, post.hamlet, root))
        self._wait_until(self._all_joined, JOINED_SECONDS, "fleet.not_joined")

    def stop(self) -> None:
        """End everything that was started. Idempotent."""
        self.crew.stop()
        if hasattr(self, "store"):
            self.store.close()

    def invitation(self) -> str:
        """A link that lets the administrator in, once."""
        return f"{self.address}/chao/{self.desk.invite(self.admin.id, self.admin, clock.now())}"

    def announce(self, text: str) -> Announced:
        """Send ``text`` to both communes, now. Raises DeskError."""
        return self.desk.announce(Wish(text, tuple(id_ for id_, _, _ in COMMUNES)), self.admin, clock.now())

    def wait_for_voice(self, made: Announced) -> AssetRow:
        """The finished audio. Raises the sentence by which the station gave up, or CrewError."""
        self._wait_until(lambda: self._voiced(made).asset is not None, VOICED_SECONDS, "fleet.not_voiced")
        asset = self.store.assets.get(self._voiced(made).asset or "")
        assert asset
        return asset

    def wait_for_outcomes(self, made: Announced, asset: AssetRow, heard: Callable[[Outcome], None]) -> list[Outcome]:
        """What every node made of it, as far as it was told in time; each is also given to ``heard`` at once."""
        seconds = MARGIN_SECONDS + (0 if self.asked.fast else asset.duration_ms / 1000)
        told: dict[str, Outcome] = {}
        until = time.monotonic() + seconds
        while len(told) < self.asked.nodes and time.monotonic() < until:
            for outcome in self.store.asrun.outcomes(job=made.booking_id, limit=MOST_NODES):
                if outcome.node not in told:
                    told[outcome.node] = outcome
                    heard(outcome)
            self.crew.check()
            time.sleep(LOOK_SECONDS)
        return [told[node] for node in sorted(told)]

    def _clear_out(self) -> None:
        """Make room for what will sound: a node goes on at the end of a WAV, and that of a run before is not ours."""
        try:
            self.asked.out.mkdir(parents=True, exist_ok=True)
            for post in posts(self.asked.nodes):
                for ending in (".wav", ".cues.jsonl"):
                    (self.asked.out / f"{post.node}{ending}").unlink(missing_ok=True)
        except OSError as wrong:
            raise DemoError("fleet.bad_out", folder=self.asked.out, why=wrong.strerror or wrong) from wrong

    def _furnish(self, made: settings.Settings) -> str:
        """Keys, an administrator, areas and enrolled nodes; the root's public key."""
        now = clock.now()
        keys.establish(keys.Keyring(made.keys_dir), self.store, ("*",), now)
        self.admin = self.desk.open_house("quan-tri", secrets.token_urlsafe(24), now)
        self.desk.add_area(Area(*PROVINCE, AreaKind.PROVINCE), self.admin, now)
        for area, name, _ in COMMUNES:
            self.desk.add_area(Area(area, name, AreaKind.COMMUNE), self.admin, now)
        for post in posts(self.asked.nodes):
            self.desk.add_area(Area(post.hamlet, post.hamlet_name, AreaKind.HAMLET), self.admin, now)
            home = self.asked.folder / "nodes" / post.node
            home.mkdir(parents=True, exist_ok=True)
            public = identity.load_or_make(home / "node.key").public.hex
            self.desk.enrol(Enrolment(post.node, post.name, post.hamlet, public), self.admin, now)
        root = keys.Keyring(made.keys_dir).root()
        assert root
        return root.hex

    def _node_settings(self, node: str, home: str, root: str) -> dict[str, object]:
        return {
            "node": node,
            "home": home,
            "root_keys": [root],
            "state_dir": str(self.asked.folder / "nodes" / node),
            "broker_port": self.crew.broker.port,
            "player": "file",
            "out_wav": str(self.asked.out.absolute() / f"{node}.wav"),
            "fast": self.asked.fast,
            "clock": "trust",
        }

    def _all_joined(self) -> bool:
        holding = [each for each in self.store.health.latest() if each.online and each.health]
        return sum(1 for each in holding if each.health and each.health.config_serial) >= self.asked.nodes

    def _voiced(self, made: Announced) -> Announcement:
        held = self.store.announcements.get(made.announcement_id)
        assert held
        if held.voice_error and held.voice_state is VoiceState.FAILED:
            raise DemoError(held.voice_error.key, **held.voice_error.facts)
        return held

    def _wait_until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
        until = time.monotonic() + seconds
        while not true():
            self.crew.check()
            if time.monotonic() > until:
                raise CrewError(otherwise, seconds=int(seconds), folder=self.crew.folder / "logs")
            time.sleep(LOOK_SECONDS)

    def expected(self) -> list[str]:
        """The nodes that the announcement reaches."""
        return [node.id for node in nodes_under(self.store.roster.nodes(), [area for area, _, _ in COMMUNES])]
