"""The plan: what an area must sound in the days ahead, complete, numbered, sealed.

- One struct serves both lanes: ``plan`` holds every class, ``urgent`` emergencies only.
- A job is one broadcast; the same job may stand in the plans of several areas and is one job (its id).
- A job that is no longer in any valid plan of the node is withdrawn: that is how cancelling works.
- ``start``, ``deadline`` and the audio's hash are inside the seal: the network can change none of them. Of a relay
  only the address is sealed: what a stream says is not.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.names import MAX_AREA_CHARS, SLUG
from wire.seal import Signature

# A bare $ would also stand before a last line break; this end is the end, in Python and in JSON Schema.
END = r"$(?!\n)"
Name = Annotated[str, Meta(pattern=rf"^{SLUG}(?::{SLUG})*{END}", max_length=MAX_AREA_CHARS)]
Sha256 = Annotated[str, Meta(pattern=f"^[0-9a-f]{{64}}{END}")]
Moment = Annotated[datetime, Meta(tz=True)]

MAX_JOBS = 4000
MAX_AUDIO_BYTES = 64 * 1024 * 1024
MAX_AUDIO_MS = 4 * 3600 * 1000
MAX_SPOKEN_CHARS = 5000
MAX_URL_CHARS = 500


class BulletinClass(StrEnum):
    """Bulletin class (loại bản tin), Circular 39/2020."""

    ORDINARY = "ordinary"  # thông thường
    PRIORITY = "priority"  # ưu tiên: ahead of the ordinary
    EMERGENCY = "emergency"  # khẩn cấp: cuts in at once, quiet hours or not


class Level(StrEnum):
    """Who speaks: the administrative level a bulletin comes from."""

    CENTRAL = "central"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"


class Late(StrEnum):
    """What to do with a job that could not begin at its second. The deadline is the last moment to begin."""

    SKIP = "skip"  # a short grace, then missed
    PLAY_LATE = "play_late"  # any time until the deadline
    UNTIL_EXPIRY = "until_expiry"  # emergencies: as soon as possible until the deadline


class AfterCut(StrEnum):
    """What becomes of a job that a higher one cut into."""

    RESUME = "resume"  # goes on where it was cut, while its deadline allows
    RESTART = "restart"  # begins again
    DROP = "drop"  # ends as pre-empted


class Lane(StrEnum):
    """The two documents of an area."""

    PLAN = "plan"  # every class, the days ahead
    URGENT = "urgent"  # emergencies only; small, so that it is read first


class Asset(msgspec.Struct, frozen=True):
    """A finished audio file, pinned: what does not fit hash and length is not played."""

    sha256: Sha256
    size_bytes: Annotated[int, Meta(ge=1, le=MAX_AUDIO_BYTES)]
    duration_ms: Annotated[int, Meta(ge=1, le=MAX_AUDIO_MS)]
    media_type: Annotated[str, Meta(max_length=60)]  # audio/ogg (Opus) or audio/mpeg
    url: Annotated[str, Meta(max_length=500)]  # http(s), absolute, or a path below the config's media_url


class Relay(msgspec.Struct, frozen=True):
    """Another station's programme, sounded as it is sent (tiếp sóng): over at start + duration, whenever it began."""

    url: Annotated[
        str, Meta(pattern=rf"^https?://[!-~]+{END}", max_length=MAX_URL_CHARS)
    ]  # HTTP, Icecast, or HLS (.m3u8)
    duration_ms: Annotated[int, Meta(ge=1, le=MAX_AUDIO_MS)]
    fallback: Asset | None = None  # sounds in its place while the stream cannot be had


class Cosigned(msgspec.Struct, frozen=True):
    """A second person's word on a job: for which areas, and their seals over it (see `wire/cosigned.py`)."""

    areas: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=64)]
    seals: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=4)]


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a plan: one broadcast (lệnh phát), of an asset or of a relay, never of both.

    An emergency may have neither: its text is ready before its audio, and the next plan brings that. What has its
    default value is left out: an urgent plan is to pass where little passes.
    """

    id: Name
    title: Annotated[str, Meta(max_length=200)]
    bulletin_class: BulletinClass
    level: Level
    start: Moment
    deadline: Moment
    late: Late
    after_cut: AfterCut
    asset: Asset | None = None
    spoken: Annotated[str, Meta(max_length=MAX_SPOKEN_CHARS)] = ""  # for a node that must speak it itself
    drill: bool = False
    before: Annotated[tuple[Name, ...], Meta(max_length=8)] = ()  # bookings of equal class that it goes ahead of
    relay: Relay | None = None  # a node that does not know relays sees a job without audio: missed, no_audio
    duck: bool = False  # goes on beneath an emergency, quieter; a node that does not know it does ``after_cut``
    cosigned: Cosigned | None = None  # of a wide emergency; a node that does not know it asks for none


class Plan(msgspec.Struct, frozen=True):
    """The plan of one area in one lane."""

    area: Name
    lane: Lane
    serial: Annotated[int, Meta(ge=1)]
    issued_at: Moment
    valid_until: Moment
    jobs: Annotated[tuple[Job, ...], Meta(max_length=MAX_JOBS)] = ()
