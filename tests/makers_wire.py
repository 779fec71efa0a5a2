"""Makers of everything that travels: one full example of every message, the keys that seal them, waiting for a wish."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from wire import codec, cosigned, seal, topics
from wire.config import Limits, NodeConfig, QuietHours, VolumeBand
from wire.health import Health, Held, Lacking, Vitals
from wire.live import LiveFrame
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Late, Level, Plan, Relay
from wire.presence import Presence, State
from wire.receipt import Ack, Measured, Receipt, Receipts, Step
from wire.release import KIND, MOST_STATEMENT_BYTES, Release, Update
from wire.renewal import Renewal, Renewed
from wire.seal import Signer
from wire.trust import Cosigner, Grant, Trust

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # 12:00 in Việt Nam
AREA, NODE = "lang-son:dong-dang:thon-1", "loa-01"
ROOT, STATION, NODE_KEY = Signer(b"\x01" * 32), Signer(b"\x02" * 32), Signer(b"\x03" * 32)
COSIGNER = Signer(b"\x04" * 32)


def asset(**changed: object) -> Asset:
    made = Asset("ab" * 32, 48_000, 12_000, "audio/ogg", "media/" + "ab" * 32 + ".ogg")
    return msgspec.structs.replace(made, **changed)


def job(**changed: object) -> Job:
    made = Job(
        id="b0123456789ab",
        title="Lịch cắt điện",
        bulletin_class=BulletinClass.ORDINARY,
        level=Level.COMMUNE,
        start=NOON + timedelta(hours=5),
        deadline=NOON + timedelta(hours=6),
        late=Late.PLAY_LATE,
        after_cut=AfterCut.RESUME,
        asset=asset(),
        spoken="Ủy ban nhân dân xã thông báo lịch cắt điện.",
    )
    return msgspec.structs.replace(made, **changed)


def relayed(**changed: object) -> Job:
    """A relay of a quarter of an hour, and what sounds when there is none."""
    relay = Relay("https://radio.example/vov1.mp3", 900_000, asset(sha256="cd" * 32))
    return job(id="p0123456789ab", title="Tiếp sóng VOV1", asset=None, spoken="", relay=relay, **changed)


def plan(*jobs: Job, **changed: object) -> Plan:
    made = Plan(AREA, Lane.PLAN, 7, NOON, NOON + timedelta(days=15), jobs or (job(), relayed()))
    return msgspec.structs.replace(made, **changed)


def urgent(**changed: object) -> Plan:
    alarm = job(
        id="e0123456789ab",
        title="Lũ quét",
        bulletin_class=BulletinClass.EMERGENCY,
        level=Level.PROVINCE,
        start=NOON,
        deadline=NOON + timedelta(hours=3),
        late=Late.UNTIL_EXPIRY,
        after_cut=AfterCut.RESTART,
    )
    in_words = msgspec.structs.replace(alarm, id="e1123456789ab", asset=None, spoken="Lũ quét đang về.")
    agreed = cosigned.cosign(msgspec.structs.replace(in_words, id="e2123456789ab"), ("lang-son",), COSIGNER)
    return plan(alarm, in_words, agreed, lane=Lane.URGENT, serial=2, **changed)


def release(**changed: object) -> Release:
    made = Release("0.2.0", "3.11", "aarch64", "ef" * 32, 30_000_000, 5, NOON, NOON + timedelta(days=365))
    return msgspec.structs.replace(made, **changed)


def config(**changed: object) -> NodeConfig:
    made = NodeConfig(
        node=NODE,
        serial=3,
        issued_at=NOON,
        areas=(AREA, "lang-son:dong-dang", "lang-son"),
        media_url="http://127.0.0.1:8080/media/",
        quiet_hours=QuietHours(),
        volumes=(VolumeBand("06:00", -6.0), VolumeBand("21:00", -18.0)),
        offset_ms=-20,
        data_budget_bytes_per_day=50_000_000,
        standby=(asset(),),
        siren=asset().sha256,
        limits=Limits(10, (2,) * 7, (30,) * 7, (45, 45, 45, 45, 45, 60, None)),
        releases=(seal.unwrap(seal.seal(KIND, codec.write(release()), ROOT), MOST_STATEMENT_BYTES),),
    )
    return msgspec.structs.replace(made, **changed)


def trust(**changed: object) -> Trust:
    grant = Grant(
        STATION.public.hex, ("lang-son",), BulletinClass.EMERGENCY, NOON, NOON + timedelta(days=400), "trạm Lạng Sơn"
    )
    second = Cosigner(COSIGNER.public.hex, "Nguyễn Thị Hoa", ("lang-son",), NOON, NOON + timedelta(days=400))
    made = Trust(1, NOON, NOON + timedelta(days=400), (grant,), (second,), 2)
    return msgspec.structs.replace(made, **changed)


def presence(**changed: object) -> Presence:
    return msgspec.structs.replace(Presence(NODE, State.ONLINE, "4f1c", NOON, "0.1.0"), **changed)


def health(**changed: object) -> Health:
    measured = Vitals(
        cpu_celsius=51.5, throttled=0, load_1m=0.25, memory_used_ratio=0.5, disk_free_bytes=10**9, clock_source="ntp"
    )
    made = Health(NODE, NOON, "4f1c", "0.1.0", measured, 3, 1, (Held(AREA, 7, 2),), 4, 4, 0, {"bad_seal": 1}, NOON)
    made = msgspec.structs.replace(made, update=Update("trial", "0.2.0", 5))
    lacking = (Lacking("b0123456789ab", "data_budget"), Lacking("b0123456789ac"))
    made = msgspec.structs.replace(
        made, lacking=lacking, data_used_day_bytes=12_000_000, data_used_month_bytes=340_000_000
    )
    return msgspec.structs.replace(made, **changed)


def receipt(number: int = 1, step: Step = Step.ACCEPTED, **changed: object) -> Receipt:
    return msgspec.structs.replace(Receipt(number, "b0123456789ab", step, NOON, NOON), **changed)


def receipts(*each: Receipt, **changed: object) -> Receipts:
    proof = Measured(NOON, NOON + timedelta(seconds=12), 1.5, 12_000, -17.25, -1.5, "file", samples=576_000)
    both = (receipt(1), receipt(2, Step.SOUNDED, asset="ab" * 32, measured=proof))
    return msgspec.structs.replace(Receipts(NODE, "s0123456789ab", each or both), **changed)


def ack(**changed: object) -> Ack:
    return msgspec.structs.replace(Ack(NODE, "s0123456789ab", 2, NOON), **changed)


def renewal(**changed: object) -> Renewal:
    request = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n"
    return msgspec.structs.replace(Renewal(NODE, NOON, request), **changed)


def renewed(**changed: object) -> Renewed:
    pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    return msgspec.structs.replace(Renewed(NODE, NOON, pem, (pem,)), **changed)


def live_frame(**changed: object) -> LiveFrame:
    made = LiveFrame("lang-son:dong-dang", "b0123456789ab", 0, NOON, (b"\xf8\xff\xfe", b"\xf8\x00"))
    return msgspec.structs.replace(made, **changed)


EVERY: dict[str, msgspec.Struct] = {  # by the name of its line in the table of topics
    "plan": plan(),
    "urgent": urgent(),
    "live": live_frame(),
    "config": config(),
    "trust": trust(),
    "presence": presence(),
    "health": health(),
    "receipts": receipts(),
    "acks": ack(),
    "renewal": renewal(),
    "certificate": renewed(),
}
SIGNERS = {"trust": ROOT, "receipts": NODE_KEY, "renewal": NODE_KEY}  # the station seals the others


def travelling(name: str) -> bytes:
    """The example of one line as it travels: sealed where the table says so."""
    line = next(line for line in topics.TABLE if line.name == name)
    payload = codec.write(EVERY[name])
    return seal.seal(name, payload, SIGNERS.get(name, STATION)) if line.sealed else payload


def eventually(wish: Callable[[], object], most_seconds: float = 60.0) -> None:
    """Wait until ``wish`` holds."""
    until = time.monotonic() + most_seconds
    while not wish():
        assert time.monotonic() < until, "what was waited for did not come"
        time.sleep(0.01)
