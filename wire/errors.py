"""Refusals: why something that arrived was not obeyed.

- A refusal is a value, not an exception: it is counted, logged and shown under its reason code.
- Codes are stable; `docs/wire.md` lists every one and the build fails when one is missing.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Why a message or a job was refused. The value is the code on the wire and on the screen."""

    TOO_BIG = "too_big"  # more bytes than its topic allows
    MALFORMED = "malformed"  # not an envelope, not JSON, not this kind of document, nested too deep
    WRONG_KIND = "wrong_kind"  # a sealed document of another kind than its topic carries
    UNKNOWN_KEY = "unknown_key"  # sealed by a key that the trust document does not name
    BAD_SEAL = "bad_seal"  # the signature does not fit the bytes
    TOO_FEW_ROOTS = "too_few_roots"  # sealed by fewer roots than must agree
    NOT_COSIGNED = "not_cosigned"  # a wide emergency without the seal of a second person
    KEY_EXPIRED = "key_expired"  # the key may not seal any more (or not yet)
    WRONG_AREA = "wrong_area"  # the document or its key is not for this area
    WRONG_CLASS = "wrong_class"  # a job above the class that its key or lane may carry, or a config of such a key
    WRONG_TIME = "wrong_time"  # a job whose own times contradict each other
    ROLLED_BACK = "rolled_back"  # an older serial than the one held
    FORKED = "forked"  # the serial held, with other bytes
    EXPIRED = "expired"  # past its valid_until
    FROM_THE_FUTURE = "from_the_future"  # issued later than this clock can believe
    UNKNOWN_TOPIC = "unknown_topic"  # a topic that is not in the table
    INBOX_FULL = "inbox_full"  # it arrived faster than it could be taken in
    NOT_ENROLLED = "not_enrolled"  # a node that the roster does not know
    QUIET_HOURS = "quiet_hours"  # a job other than an emergency inside quiet hours
    CLOCK_UNKNOWN = "clock_unknown"  # the node does not know the time: emergencies only
    MAINTENANCE = "maintenance"  # the node is in maintenance mode
    BAD_HASH = "bad_hash"  # the fetched audio is not the audio that was sealed
    BAD_AUDIO = "bad_audio"  # the audio fits its hash but cannot be decoded
    NO_AUDIO = "no_audio"  # the audio could not be had before the deadline
    NO_STREAM = "no_stream"  # what a relay was to sound could not be had, nor what sounds in its place
    NO_DECODER = "no_decoder"  # the node has no program that decodes a relay
    NO_VOICE = "no_voice"  # an emergency's text came without audio, and the node cannot speak it itself
    DATA_BUDGET = "data_budget"  # not fetched, or not called up: the day's data are kept for what matters more
    DISK_FULL = "disk_full"  # no room for the audio, even after evicting all that may go
    LATE = "late"  # the deadline passed before it could begin
    OUTRANKED = "outranked"  # others held the loudspeaker until the deadline
    SESSIONS_A_DAY = "sessions_a_day"  # it would be one session more than the day has
    SESSION_MINUTES = "session_minutes"  # its session would last longer than one may
    DAY_MINUTES = "day_minutes"  # more minutes than the day has
    WEEKEND = "weekend"  # not of a class that sounds on this weekend day
    SAFE_MODE = "safe_mode"  # the node is in safe mode and calls up no stream
    SET_ASIDE = "set_aside"  # the process died of it more than once: it is not taken up any more
    AUDIO_DEVICE = "audio_device"  # the sound card could not be opened or vanished


class Refusal(msgspec.Struct, frozen=True):
    """A refusal: its reason, where it happened (a topic or a job) and the facts in one sentence."""

    reason: Reason
    where: str
    detail: str = ""
