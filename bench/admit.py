"""What a node pays to believe a plan: `Gate.admit`, the seal's check in it, of one emergency plan after another."""

from __future__ import annotations

import hashlib
import statistics
import time
from datetime import UTC, datetime, timedelta

from edge_node.gate import Admitted, Gate
from wire import codec, seal, topics
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Late, Level, Plan
from wire.seal import Signer
from wire.trust import Grant, Trust

HOME = "lang-son:dong-dang"


def admit_milliseconds(times: int) -> float:
    """The median of ``times`` admissions, each of a plan with one serial more."""
    now, root, station = datetime.now(UTC), Signer.generate(), Signer.generate()
    gate = Gate("loa-1", HOME, (root.public.hex,))
    until = now + timedelta(days=9)
    grant = Grant(station.public.hex, ("lang-son",), BulletinClass.EMERGENCY, now - timedelta(days=1), until)
    trust = seal.seal(topics.TRUST.name, codec.write(Trust(1, now, until, (grant,))), root)
    assert isinstance(gate.admit(topics.TRUST.topic(), trust, now), Admitted)
    topic = topics.URGENT.topic(area="loa-1")
    spent = []
    for serial in range(1, times + 1):
        plan = Plan("loa-1", Lane.URGENT, serial, now, until, (emergency(now),))
        raw = seal.seal(topics.URGENT.name, codec.write(plan), station)
        began = time.perf_counter()
        verdict = gate.admit(topic, raw, now)
        spent.append(time.perf_counter() - began)
        assert isinstance(verdict, Admitted), verdict
    return statistics.median(spent) * 1000


def emergency(now: datetime) -> Job:
    """A job as the station plans it."""
    sha256 = hashlib.sha256(b"finished").hexdigest()
    return Job(
        id="b0123456789ab",
        title="Khẩn cấp: lũ quét đang về",
        bulletin_class=BulletinClass.EMERGENCY,
        level=Level.COMMUNE,
        start=now,
        deadline=now + timedelta(hours=6),
        late=Late.UNTIL_EXPIRY,
        after_cut=AfterCut.RESTART,
        asset=Asset(sha256, 48_000, 12_000, "audio/ogg", sha256),
        spoken="Khẩn cấp, lũ quét đang về. Bà con thôn Một di chuyển ngay lên nhà văn hóa xã.",
    )
