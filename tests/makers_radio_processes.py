"""A small radio of real processes, any of which may be killed and started again, and ways to see what came of it."""

from __future__ import annotations

import json
import secrets
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from makers_sound import RATE, asset_of, noise, opus, utc_now

from controller import settings as told_settings
from controller.desk import Wish
from controller.roster import Node
from controller.settings import Settings
from controller.store import Store
from controller.store.facts import Outcome
from controller.store.rows import Announced, Announcement, AnnouncementState, AssetRow, BookingRow, VoiceState
from fleet.broker import EmbeddedBroker
from fleet.demo import Asked, Demo
from wire.plan import AfterCut, BulletinClass, Late
from wire.receipt import OUTCOMES, Step

FOREVER_SECONDS = 180.0  # nothing here takes that long, unless it never comes
HALF_A_SECOND = RATE // 2
TAMTHANH, DONGDANG = "tam-thanh-01", "dong-dang-01"  # the demonstration's first two nodes
DONG_DANG, TAM_THANH = "lang-son:dong-dang", "lang-son:tam-thanh"
SHORT = "A lô."


@dataclass(frozen=True)
class Part:
    """A stretch of one job on a node's reel: where on the reel (samples), where in its audio, how long (ms)."""

    job: str
    offset: int
    from_ms: int
    ms: int


class Commune:
    """The demonstration's radio, with a hand on each of its processes."""

    def __init__(self, folder: Path, nodes: int = 2, fast: bool = False, engine: str = "auto", **told: object) -> None:
        self.folder = folder
        self.demo = Demo(Asked(folder, folder / "sounded", nodes, port=0, fast=fast))
        self.crew = self.demo.crew
        self.crew.broker = EmbeddedBroker(folder / "broker", engine=engine)  # type: ignore[arg-type]
        self.demo.told |= {"now_lead_seconds": 1, **told}

    def start(self) -> None:
        self.demo.start()

    def stop(self) -> None:
        self.demo.stop()

    @property
    def store(self) -> Store:
        return self.demo.store

    @property
    def settings(self) -> Settings:
        return told_settings.from_values(self.demo.told)

    @property
    def studio(self) -> Path:
        """Where the controller's studio works."""
        return self.settings.state_dir / "studio"

    @property
    def nodes(self) -> list[Node]:
        return self.store.roster.nodes()

    # ---- processes ---------------------------------------------------------------------------------------------

    def kill_controller(self) -> None:
        assert self.crew.controller
        self.crew.controller.kill()

    def start_controller(self) -> None:
        self.crew.start_controller(self.demo.told)

    def kill_node(self, node: str) -> None:
        self.crew.nodes[node].kill()

    def online(self, node: str) -> bool | None:
        """Whether the station holds the node to be there; None before it ever spoke."""
        condition = self.demo.store.health.condition(node)
        return condition.online if condition else None

    def start_node(self, node: str) -> None:
        self.crew.start_node(tomllib.loads((self.folder / f"{node}.toml").read_text("utf-8")))

    # ---- wishes ------------------------------------------------------------------------------------------------

    def announce(self, areas: tuple[str, ...], text: str = SHORT, **more: object) -> Announced:
        """A text goes to the desk, as the web sends it."""
        return self.demo.desk.announce(Wish(text, areas, **more), self.demo.admin, utc_now())  # type: ignore[arg-type]

    def book(self, areas: tuple[str, ...], seconds: float, start: datetime | None = None, **more: object) -> str:
        """Book noise that lies on the shelf already: a walk that begins after the voice. The job."""
        return self.book_asset(areas, self.shelve(seconds), start, **more)

    def book_asset(self, areas: tuple[str, ...], asset: AssetRow, start: datetime | None = None, **more: object) -> str:
        now, admin = utc_now(), self.demo.admin.id
        emergency = more.get("bulletin_class") is BulletinClass.EMERGENCY
        text = Announcement(
            f"a{secrets.token_hex(6)}",
            "Thử",
            "thử",
            admin,
            now,
            now,
            state=AnnouncementState.APPROVED,
            asset=asset.sha256,
            voice_state=VoiceState.DONE,
        )
        booking = BookingRow(
            f"b{secrets.token_hex(6)}",
            text.id,
            areas,
            start,
            admin,
            now,
            late=Late.UNTIL_EXPIRY if emergency else Late.PLAY_LATE,
            after_cut=AfterCut.RESTART if emergency else AfterCut.RESUME,
            **more,  # type: ignore[arg-type]
        )
        self.store.announcements.create(text, booking)
        return booking.id

    def shelve(self, seconds: float, seed: int | None = None) -> AssetRow:
        """A recording that could not be mistaken for another, finished and on the shelf."""
        aside = opus(self.folder / "noise.opus", noise(seconds, secrets.randbits(32) if seed is None else seed))
        known = asset_of(aside)
        self.settings.shelf_dir.mkdir(exist_ok=True)
        aside.replace(self.settings.shelf_dir / known.sha256)
        row = AssetRow(known.sha256, known.size_bytes, int(seconds * 1000), "audio/ogg", "noise", utc_now())
        self.store.assets.put(row)
        return row

    # ---- what came of it -----------------------------------------------------------------------------------------

    def wait(self, true: Callable[[], object], seconds: float = FOREVER_SECONDS) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.03)

    def outcome(self, job: str, node: str) -> Outcome:
        """The one outcome of a job on a node, once it has come."""
        self.wait(lambda: self._outcomes(job, node))
        (found,) = self._outcomes(job, node)
        return found

    def outcomes(self, job: str) -> dict[str, str]:
        """What every node of this radio made of the job, once all have told."""
        return {node.id: self.outcome(job, node.id).step.value for node in self.nodes}

    def steps(self, job: str, node: str) -> list[str]:
        """What the node has told of the job so far, but for its audio (`fetched`, in batches)."""
        told = self.store.asrun.receipts(job, node)
        return [each.step.value for each in told if each.step is not Step.FETCHED]

    def wait_for_step(self, job: str, node: str, step: Step) -> None:
        self.wait(lambda: step.value in self.steps(job, node))

    def ended_once(self, job: str, node: str) -> bool:
        """Whether exactly one receipt of the job is an outcome."""
        return sum(each.step in OUTCOMES for each in self.store.asrun.receipts(job, node)) == 1

    def _outcomes(self, job: str, node: str) -> list[Outcome]:
        return [each for each in self.store.asrun.outcomes(job=job) if each.node == node]

    def wav(self, node: str) -> Path:
        return self.folder / "sounded" / f"{node}.wav"

    def parts(self, node: str, job: str = "") -> list[Part]:
        """What lies on the node's reel, of one job or of all."""
        cues = self.wav(node).with_suffix(".cues.jsonl")
        lines = cues.read_text("ascii").splitlines() if cues.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]
        parts = [Part(e["job"], e["offset"], e["from_ms"], e["samples"] * 1000 // RATE) for e in found]
        return [part for part in parts if job in ("", part.job)]

    def sounded_ms(self, node: str, job: str) -> int:
        return sum(part.ms for part in self.parts(node, job))

    def wait_for_sound(self, node: str, job: str, ms: int = 1) -> None:
        self.wait(lambda: self.sounded_ms(node, job) >= ms)

    def alike(self, node: str, part: Part) -> float:
        """How like the sealed audio a part of the reel is, over the worst half second of it (1: the same)."""
        asset = next(each.asset for each in self.store.bookings.list(1000) if each.booking.id == part.job)
        truth = decoded(self.settings.shelf_dir / str(asset))[part.from_ms * RATE // 1000 :]
        reel, _ = soundfile.read(self.wav(node), dtype="float32")
        return likeness(reel[part.offset : part.offset + part.ms * RATE // 1000], truth)

    def length_ms(self, job: str) -> int:
        """How long the job's audio is."""
        name = next(each.asset for each in self.store.bookings.list(1000) if each.booking.id == job)
        asset = self.store.assets.get(name or "")
        assert asset
        return asset.duration_ms

    def refusals(self, node: str) -> dict[str, int]:
        """What the node says it refused, by reason."""
        condition = self.store.health.condition(node)
        return dict(condition.health.refusals) if condition and condition.health else {}


@cache
def decoded(path: Path) -> np.ndarray:
    """An asset's samples, full scale 1."""
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    return samples


def likeness(reel: np.ndarray, truth: np.ndarray) -> float:
    """The least correlation of any half second of ``reel`` with the same stretch of ``truth``."""
    worst = 1.0
    for at in range(0, len(reel) - HALF_A_SECOND + 1, HALF_A_SECOND):
        mine, its = reel[at : at + HALF_A_SECOND], truth[at : at + HALF_A_SECOND]
        mine = mine[: len(its)]
        length = float(np.linalg.norm(mine) * np.linalg.norm(its))
        if length > 1e-3:
            worst = min(worst, float(mine @ its) / length)
    return worst


def soon(seconds: float) -> datetime:
    return utc_now() + timedelta(seconds=seconds)
