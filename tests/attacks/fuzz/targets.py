"""What is fuzzed: each reader of what strangers send, as a function of bytes that raises nothing but a found weakness.

A reader's own refusals are its answer; every other exception is a weakness, and so is a promise not kept: a refusal
changes nothing, what was written reads back the same. Used by Hypothesis (`test_fuzz`) and by atheris (`drive`).
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from makers_node import (
    COMMUNE,
    HAMLET,
    NODE,
    ROOT,
    STATION,
    T0,
    ack_topic,
    config_message,
    make_job,
    make_plan,
    plan_message,
    trust_message,
)

from controller import cap
from controller import settings as station_settings
from controller.logbook import Logbook
from controller.newsroom import spoken
from controller.roster import Area, AreaKind
from controller.studio.recordings import Limits, RecordingError, admit
from edge_node import settings as node_settings
from edge_node.gate import Admitted, Duplicate, Gate
from edge_node.players.decoding import BadAudio, Source
from edge_node.releases import bundle, statement
from edge_node.tuner import playlists
from schedules import calendars, ics, rulebook_text, timetable
from schedules.moments import BadMoment
from wire import codec, enrolment, onetime, packing, seal, topics
from wire.errors import Refusal
from wire.link import Message
from wire.release import Release
from wire.roots import RootSet
from words import Said

ZONE, DAYS = "Asia/Ho_Chi_Minh", timedelta(days=40)
KEYS = {str(STATION.public.id): STATION.public, str(ROOT.public.id): ROOT.public}
CODE_KEYS = enrolment.Keys(b"q" * 32, b"a" * 32)
REFUSED = (codec.Malformed, codec.TooBig)
KINDS = ("plan", "urgent", "config", "acks", "trust")
QUICK = Limits(work_seconds=20, most_seconds=30)


def read_codec(raw: bytes) -> None:
    """Every message of the table, and what was read writes and reads back the same."""
    for line in topics.TABLE:
        try:
            document = codec.read(line.kind, raw, line.most_bytes)
        except REFUSED:
            continue
        assert codec.read(line.kind, codec.write(document), 2 * line.most_bytes + 1000) == document


def read_seal(raw: bytes) -> None:
    """An envelope, and what is packed; nothing that was not sealed is true."""
    with contextlib.suppress(REFUSED):
        packing.unpack(raw)
    try:
        envelope = seal.unwrap(raw, topics.MOST_BYTES)
        assert seal.sealed_by(envelope, KEYS) == [] or raw in TRUE
        envelope.body()
    except REFUSED:
        return


TRUE = {raw for _, raw in (trust_message(), config_message(), plan_message(make_plan(make_job())))}


def judge_gate(raw: bytes) -> None:
    """Any bytes on every topic; and as the contents of a true seal, which is all that a stolen key could do."""
    gate = Gate(NODE, HAMLET, (ROOT.public.hex,))
    for message in (trust_message(), config_message(), plan_message(make_plan(make_job("b1")))):
        assert isinstance(gate.admit(*message, T0), Admitted)
    places = {"plan": topics.PLAN.topic(area=COMMUNE), "urgent": topics.URGENT.topic(area=COMMUNE)}
    places |= {"config": topics.CONFIG.topic(node=NODE), "acks": ack_topic(), "trust": topics.TRUST.topic()}
    for kind in KINDS:
        signer = ROOT if kind == "trust" else STATION
        for body in (raw, seal.seal(kind, raw, signer), seal.seal(kind, raw, signer, packed=True)):
            held = dict(gate._held)
            verdict = gate.admit(places[kind], body, T0)
            assert isinstance(verdict, Refusal | Duplicate | Admitted)
            if not isinstance(verdict, Admitted):
                assert dict(gate._held) == held, "what was refused has changed something"
            gate.jobs(T0)
            gate.serials()
            gate.listens_to()


def hear_logbook(raw: bytes) -> None:
    """What nodes say, at the station: sorted, or refused with a reason; nothing raises."""
    logbook = Logbook(None, lambda _: STATION.public)  # type: ignore[arg-type]
    for line in (each for each in topics.TABLE if not each.down):
        topic = line.topic(node=NODE)
        sealed = seal.seal(line.name, raw, STATION)
        for body in (raw, sealed):
            arrived = logbook._sorted([Message(topic, body)], T0)
            counts = len(arrived.refused) + len(arrived.presence) + len(arrived.health) + len(arrived.receipts)
            assert counts == 1
            for refusal in arrived.refused:  # a broad except stands there: what it caught is a weakness all the same
                assert "Error: " not in refusal.detail, refusal


def read_timetable(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    try:
        programme = timetable.read(text)
    except timetable.TimetableError as wrong:
        tell(wrong)
        return
    written = timetable.write(programme)
    assert timetable.read(written) == programme


def read_policy(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    try:
        policy = rulebook_text.read(text)
    except rulebook_text.RulebookError as wrong:
        tell(wrong)
        return
    assert rulebook_text.read(rulebook_text.write(policy)) == policy


def read_rule(raw: bytes) -> None:
    """A recurrence: finite, in its window, ascending."""
    rule = raw.decode("utf-8", "replace")
    try:
        found = calendars.starts(rule, T0, T0, T0 + DAYS, ZONE)
    except calendars.RuleError as wrong:
        tell(wrong)
        return
    assert found == sorted(set(found))
    assert all(T0 <= moment < T0 + DAYS for moment in found)


def read_ics(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    try:
        ics.read(text, T0, T0 + DAYS, ZONE)
    except (ics.IcsError, BadMoment):
        return


def read_enrolment(raw: bytes) -> None:
    """A question, an answer, a typed code: refused, for none of them was proved."""
    for read in (
        lambda: enrolment.wish_of(enrolment.read_question(raw), CODE_KEYS),
        lambda: enrolment.welcome_of(raw, b"question", CODE_KEYS),
        lambda: onetime.read(raw.decode("utf-8", "replace")),
    ):
        try:
            read()
        except (*REFUSED, enrolment.NotProved, onetime.BadCode):
            continue
    proved = codec.write(enrolment.Answer(text := raw.decode("utf-8", "replace"), _proof(text)))
    try:
        enrolment.welcome_of(proved, b"question", CODE_KEYS)
    except REFUSED:
        return


def _proof(said: str) -> str:
    return enrolment._proof(CODE_KEYS.answer, b"question", said.encode())


def read_settings(raw: bytes) -> None:
    """A settings file of either side: settings, or a sentence."""
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=".toml") as file:
        file.write(raw)
        file.flush()
        for load in (
            lambda: station_settings.load(Path(file.name), {}),
            lambda: node_settings.load(Path(file.name), {}),
            lambda: node_settings.faults(Path(file.name), {}),
        ):
            try:
                load()
            except Said as wrong:
                tell(wrong)
    try:
        given = tomllib.loads(raw.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    try:
        node_settings.make({"node": "a", "home": "b", "root_keys": ["0" * 64], "state_dir": "/x"} | given)
    except Said as wrong:
        tell(wrong)


def read_playlist(raw: bytes) -> None:
    try:
        playlists.read(raw.decode("utf-8", "replace"), "https://radio.example/live.m3u8")
    except playlists.BadPlaylist:
        return


def read_release(raw: bytes) -> None:
    """A statement under the root's seal with any contents, and a bundle of any bytes under a true hash."""
    roots = RootSet.of([ROOT.public.hex])
    here = statement.Here("1.0", "3.11", "x86_64")
    for body in (raw, seal.seal("release", raw, ROOT)):
        try:
            statement.judge(statement.opened(body, roots), here, T0)
        except statement.Refused:
            continue
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder, "bundle.tar")
        path.write_bytes(raw)
        with contextlib.suppress(bundle.BadBundle):
            bundle.unpack(path, _release(), Path(folder, "unpacked"))
        assert {each.name for each in Path(folder).iterdir()} <= {"bundle.tar", "unpacked"}


def _release() -> Release:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    return Release("1.1", "3.11", "x86_64", "0" * 64, 1000, 7, T0, later)


def read_text(raw: bytes) -> None:
    """A text that somebody typed becomes words; whatever it was, they can be spoken."""
    made = spoken(raw.decode("utf-8", "replace"))
    json.dumps(made.text)


def read_node_audio(raw: bytes) -> None:
    """A file at the node's player: sound, or it says that it is none."""
    with tempfile.NamedTemporaryFile(dir=_memory()) as file:
        file.write(raw)
        file.flush()
        try:
            source = Source(Path(file.name))
        except BadAudio:
            return
        try:
            for _ in range(20):
                if not len(source.read(48_000)):
                    break
        except BadAudio:
            return
        finally:
            source.close()


def read_recording(raw: bytes) -> None:
    """An upload at the station, through ffprobe and ffmpeg in their bounds: a recording, or a sentence."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        upload = Path(folder, "upload")
        upload.write_bytes(raw)
        try:
            made = admit(upload, Path(folder), QUICK)
        except RecordingError as wrong:
            tell(wrong)
            return
        assert 0.5 <= made.seconds <= 30


def read_cap(raw: bytes) -> None:
    """An alert: refused by name, or words that can be read, and areas that there are."""
    try:
        alert = cap.read(raw)
        judged = cap.judge(alert, T0, (), ())
    except cap.CapError as wrong:
        tell(wrong)
        return
    assert judged.expires > T0
    made = cap.words(alert, judged.expires, ZONE)
    assert made.title
    assert made.text
    areas = (Area("lang-son", "Tỉnh Lạng Sơn", AreaKind.PROVINCE), Area("lang-son:a", "Xã Đồng Đăng", AreaKind.COMMUNE))
    found = cap.match(alert.info.places if alert.info else (), areas, {"GSO=20": "lang-son"})
    assert set(found.areas) <= {"lang-son", "lang-son:a"}


def tell(wrong: Said) -> None:
    """A refusal can be said, in both languages."""
    assert wrong.say("vi")
    assert wrong.say("en")


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": read_codec,
    "seal": read_seal,
    "gate": judge_gate,
    "logbook": hear_logbook,
    "timetable": read_timetable,
    "policy": read_policy,
    "rule": read_rule,
    "ics": read_ics,
    "enrolment": read_enrolment,
    "settings": read_settings,
    "playlist": read_playlist,
    "release": read_release,
    "text": read_text,
    "cap": read_cap,
    "node-audio": read_node_audio,
    "recording": read_recording,
}
