"""Documents that nodes are fed with: a trust document, and a job as the station plans it."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from wire import codec, seal, topics
from wire.plan import AfterCut, Asset, BulletinClass, Job, Late, Level
from wire.seal import Signer
from wire.trust import Grant, Trust

PROVINCE = "lang-son"
HOME = f"{PROVINCE}:dong-dang"
VALIDITY = timedelta(days=30)


def trust(root: Signer, station: Signer, now: datetime) -> bytes:
    """The root's word that ``station`` may say anything in the province."""
    since, until = now - timedelta(days=1), now + VALIDITY
    grant = Grant(station.public.hex, (PROVINCE,), BulletinClass.EMERGENCY, since, until)
    return seal.seal(topics.TRUST.name, codec.write(Trust(1, now, until, (grant,))), root)


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
