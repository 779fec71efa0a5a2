"""What fuzzing begins with: for each target some true examples, so that what is made of them comes far."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from makers_evil import Evil
from makers_node import STATION, T0
from makers_release import bundle
from makers_wire import EVERY, release, travelling
from targets import CODE_KEYS

from wire import codec, enrolment
from wire.seal import Signer

TOP = Path(__file__).parents[3]
POLICY = b'[policy]\narea = "lang-son"\n\n[quiet]\nsince = "21:00"\nuntil = "05:00"\n'
ICS = b"""BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261124T030000Z
DTSTART;TZID=Asia/Ho_Chi_Minh:20261125T050000\r\nDURATION:PT15M\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=9
EXDATE:20261201T220000Z\r\nSUMMARY:Th\xc3\xb4ng b\xc3\xa1o\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""
RULES = (
    b"FREQ=WEEKLY;BYDAY=MO,WE",
    b"RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=5",
    b"FREQ=YEARLY;BYSETPOS=-1;BYDAY=FR;BYMONTH=1,2",
    b"LUNAR:1,15",
    b"LUNAR:TET-1",
    b"DATES:20261125,20261201",
    b"FREQ=DAILY;UNTIL=20261224T000000Z;INTERVAL=2",
)
NODE = b'node = "loa-01"\nhome = "lang-son"\nroot_keys = ["' + b"0" * 64 + b'"]\nstate_dir = "/x"\nmixer_percent = 80\n'
STATION_SETTINGS = b'web_port = 8080\nvoice_chain = ["espeak"]\n[relays]\nvov1 = "https://vov.example/1"\n'
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:6,\na.ts\n#EXTINF:6,\nb.ts\n"
TEXT = "UBND xã thông báo: 7h30 ngày 20/11/2026 cắt điện 3,5 km, giá 1.200.000đ/m2, ĐT 0912 345 678 (TT-BTTTT)."

TOKENS = (
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"\\u0000",
        b"\\ud800",
        b"null",
        b"-1",
        b"1e999",
        b"9" * 40,
        b"NaN",
        b"\0",
        b"\xff",
    ),
    *(b"\n", b"=", b";", b":", b",", "ệ".encode(), b"\xed\xa0\x80", b"0" * 20, b"true", b"' '", b"\r\n ", b"../"),
    *(b"9999-12-31T23:59:59Z", b"0001-01-01T00:00:00Z", b"2026-11-24T03:00:00+23:59", b"24:00", b"20261399"),
)

FOUND = (  # what fuzzing has found once: target and bytes
    ("rule", b"FREQ=YEARLY;BYSETPOS=-1;BYDAY=20261399FR;BYMONTH=1,2"),
    ("rule", b"FREQ=MONTHLY;BYDAY=MO,20FR"),
    ("rule", b"FREQ=YEARLY;BYDAY=54MO"),
    ("ics", ICS.replace(b"BYDAY=MO,WE", b"BYDAY=MO,20FR").replace(b"WEEKLY", b"MONTHLY")),
    ("settings", NODE + b"health_seconds = 1e999\n"),
    ("settings", NODE.replace(b"80", b"1e999")),
)


@cache
def audio() -> tuple[bytes, ...]:
    """A second and a half of sound in each format that is taken."""
    samples = (np.sin(np.arange(48_000 * 3 // 2) / 30) * 0.3).astype(np.float32)
    made = []
    for form, kind in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "OPUS"), ("OGG", "VORBIS"), ("MP3", None)):
        out = io.BytesIO()
        soundfile.write(
            out, samples[:: 1 if form != "MP3" else 2], 48_000 if form != "MP3" else 24_000, kind, format=form
        )
        made.append(out.getvalue())
    return tuple(made)


def seeds(target: str) -> tuple[bytes, ...]:
    """Examples for one target, at least one."""
    plain = tuple(codec.write(each) for each in EVERY.values())
    evil = Evil(1, T0)
    asked = enrolment.ask(enrolment.Wish("0" * 64, STATION.public.hex, "x"), "KMW", CODE_KEYS, Signer(b"n" * 32))
    found: dict[str, tuple[bytes, ...]] = {
        "codec": plain,
        "seal": tuple(travelling(name) for name in EVERY),
        "gate": (*plain, *(codec.write(evil.plan()) for _ in range(3))),
        "logbook": plain,
        "timetable": tuple(path.read_bytes() for path in sorted((TOP / "schedules/samples").glob("*.toml"))[:8]),
        "policy": (POLICY,),
        "rule": RULES,
        "ics": (ICS.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),),
        "enrolment": (asked, b"KMW7-QX3P-94TR-HZ2N"),
        "settings": (NODE, STATION_SETTINGS),
        "playlist": (PLAYLIST,),
        "release": (codec.write(release()), bundle("1.1")),
        "text": (TEXT.encode(),),
        "cap": tuple(path.read_bytes() for path in sorted((TOP / "tests/golden/cap").glob("*.xml"))),
        "node-audio": audio(),
        "recording": audio(),
    }
    return found[target]
