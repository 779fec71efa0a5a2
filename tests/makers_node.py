"""Makers of what a node is fed: jobs, plans, configs, trust, keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from wire import codec, seal
from wire.config import NodeConfig, QuietHours
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Late, Level, Plan, Relay
from wire.seal import Signer
from wire.topics import ACKS, CONFIG, PLAN, TRUST, URGENT
from wire.trust import Grant, Trust

T0 = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 10:00 in Viet Nam
COMMUNE = "lang-son:dong-dang"
HAMLET = f"{COMMUNE}:thon-1"
NODE = "loa-01"
ROOT, STATION = Signer(b"r" * 32), Signer(b"s" * 32)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def make_asset(name: str = "a", duration_ms: int = 10_000, size_bytes: int = 1000) -> Asset:
    return Asset((name.encode().hex() + "0" * 64)[:64], size_bytes, duration_ms, "audio/ogg", f"{name}.ogg")


def make_job(job_id: str = "b1", start: datetime = T0, **changed: object) -> Job:
    late_for = changed.pop("late_for", 1800)
    job = Job(
        id=job_id,
        title="Bản tin",
        bulletin_class=BulletinClass.ORDINARY,
        level=Level.COMMUNE,
        start=start,
        deadline=start + timedelta(seconds=late_for),  # type: ignore[arg-type]
        late=Late.PLAY_LATE,
        after_cut=AfterCut.RESUME,
        asset=make_asset(),
    )
    return msgspec.structs.replace(job, **changed)


def make_relay(job_id: str = "r1", start: datetime = T0, seconds: float = 60, **changed: object) -> Job:
    """A relay job, as the planner gives it: it may begin until shortly before its end."""
    facts: dict[str, object] = {"url": "https://radio.example/live", "fallback": None}
    facts |= {name: changed.pop(name) for name in list(facts) if name in changed}
    relay = Relay(duration_ms=round(seconds * 1000), **facts)  # type: ignore[arg-type]
    late_for = changed.pop("late_for", max(0.0, seconds - 5))
    return make_job(job_id, start, **{"asset": None, "relay": relay, "late_for": late_for, **changed})


def make_emergency(job_id: str = "e1", start: datetime = T0, **changed: object) -> Job:
    return make_job(job_id, start, **{"bulletin_class": BulletinClass.EMERGENCY, "late": Late.UNTIL_EXPIRY, **changed})


def make_config(serial: int = 1, issued_at: datetime = T0, **changed: object) -> NodeConfig:
    areas = (HAMLET, COMMUNE, "lang-son")
    config = NodeConfig(NODE, serial, issued_at, areas, "http://127.0.0.1:1/", quiet_hours=QuietHours())
    return msgspec.structs.replace(config, **changed)


def make_plan(*jobs: Job, area: str = COMMUNE, serial: int = 1, issued_at: datetime = T0, **changed: object) -> Plan:
    plan = Plan(area, Lane.PLAN, serial, issued_at, issued_at + timedelta(days=15), jobs)
    return msgspec.structs.replace(plan, **changed)


def make_grant(
    signer: Signer = STATION,
    areas: tuple[str, ...] = ("lang-son",),
    up_to: BulletinClass = BulletinClass.EMERGENCY,
    around: datetime = T0,
) -> Grant:
    return Grant(signer.public.hex, areas, up_to, around - timedelta(days=100), around + timedelta(days=300))


def make_trust(*grants: Grant, serial: int = 1, **changed: object) -> Trust:
    around: datetime = changed.get("issued_at", T0)  # type: ignore[assignment]
    trust = Trust(serial, T0, T0 + timedelta(days=365), grants or (make_grant(around=around),))
    return msgspec.structs.replace(trust, **changed)


def sealed(kind: str, document: msgspec.Struct, signer: Signer = STATION) -> bytes:
    return seal.seal(kind, codec.write(document), signer)


def trust_message(*grants: Grant, **changed: object) -> tuple[str, bytes]:
    return TRUST.topic(), sealed("trust", make_trust(*grants, **changed), ROOT)


def config_message(config: NodeConfig | None = None, signer: Signer = STATION) -> tuple[str, bytes]:
    return CONFIG.topic(node=NODE), sealed("config", config or make_config(), signer)


def plan_message(plan: Plan, signer: Signer = STATION) -> tuple[str, bytes]:
    """The plan on its area's topic, in its own lane."""
    line = URGENT if plan.lane is Lane.URGENT else PLAN
    return line.topic(area=plan.area), sealed(line.name, plan, signer)


def ack_topic() -> str:
    return ACKS.topic(node=NODE)
