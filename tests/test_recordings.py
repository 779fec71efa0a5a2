"""What people recorded: kept, entered at the desk, and on the air as it was approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import makers_store as made
import pytest
from makers_sound_files import convert, generate, speech
from makers_station import Radio, furnished
from makers_store import COMMUNE, NOW, Bell, furnish, refused, user

from controller.desk import Desk, Draft, Wish
from controller.rights import Role
from controller.store import Store
from controller.store.rows import VoiceState
from controller.studio import Archive, Kept, Limits, RecordingError, ShelfError
from wire.plan import BulletinClass

EDITOR, APPROVER = user(), user("hoa", Role.APPROVER)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "recordings", Limits(most_seconds=60))


@pytest.fixture
def kept(archive: Archive, tmp_path: Path) -> Kept:
    return archive.keep(convert(tmp_path / "phone.m4a", "-c:a", "aac"), "tyz")


def test_what_is_kept_comes_out_as_it_was_admitted(archive: Archive, kept: Kept, tmp_path: Path) -> None:
    assert kept.language == "tyz"
    assert archive.keep(convert(tmp_path / "again.m4a", "-c:a", "aac"), "tyz") == kept
    taken = archive.take(kept.sha256, tmp_path)
    assert taken.seconds * 1000 == pytest.approx(kept.duration_ms, abs=2)
    assert taken.lufs == pytest.approx(kept.lufs, abs=0.1)
    assert [path.name for path in (tmp_path / "recordings").iterdir()] == [kept.sha256]


def test_what_is_refused_leaves_nothing_behind(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(RecordingError) as refusal:
        archive.keep(generate(tmp_path / "silent.wav", "anullsrc=d=3"))
    assert refusal.value.key == "studio.recording_silent"
    assert list((tmp_path / "recordings").iterdir()) == []


def test_a_recording_that_is_gone_or_damaged_says_so(archive: Archive, kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(ShelfError) as gone:
        archive.take("0" * 64, tmp_path)
    assert gone.value.key == "studio.recording_gone"
    with (tmp_path / "recordings" / kept.sha256).open("r+b") as content:
        content.seek(2000)
        content.write(b"another voice")
    with pytest.raises(ShelfError) as damaged:
        archive.take(kept.sha256, tmp_path)
    assert damaged.value.key == "studio.recording_damaged"


def test_one_upload_is_looked_at_at_a_time(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.studio.archive._WAIT_SECONDS", 0.05)
    with archive._one_at_a_time, pytest.raises(RecordingError) as refusal:
        archive.keep(speech())
    assert refusal.value.key == "studio.recording_busy"
    assert archive.keep(speech()).duration_ms > 1000


def test_no_folder_for_recordings_is_a_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ShelfError) as refusal:
        Archive(tmp_path / "file" / "recordings").keep(speech())
    assert "recordings" in refusal.value.say("vi")


@pytest.mark.parametrize(
    ("file_name", "shown"),
    [
        ("Họp thôn.m4a", "Họp thôn"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Thu âm\\bài 1.wav", "bài 1"),
        ("\x00\u202eđảo.mp3\n", "đảo"),
        ("", "aaaaaaaa"),
        ("a" * 500 + ".mp3", "a" * 80),
    ],
)
def test_a_file_is_called_as_its_person_called_it_on_one_short_line(store: Store, file_name: str, shown: str) -> None:
    furnish(store)
    desk = Desk(store, "Asia/Ho_Chi_Minh", Bell())
    assert desk.record(Kept("a" * 64, 1000, 5000, -20.0, "vi"), file_name, EDITOR, NOW).file_name == shown  # type: ignore[arg-type]


def test_an_announcement_of_a_recording_needs_no_text_but_the_recording(store: Store) -> None:
    furnish(store)
    desk = Desk(store, "Asia/Ho_Chi_Minh", Bell())
    row = desk.record(Kept("a" * 64, 1000, 5000, -20.0, "tyz"), "Họp thôn.m4a", EDITOR, NOW)  # type: ignore[arg-type]
    assert store.recordings.get(row.sha256) == row
    made_of = desk.announce(Wish("", (COMMUNE,), NOW + timedelta(hours=1), recording=row.sha256), EDITOR, NOW)
    held = store.announcements.get(made_of.announcement_id)
    assert held is not None
    assert (held.title, held.text, held.language, held.recording) == ("Họp thôn", "", "tyz", row.sha256)
    assert refused(desk.announce, Wish("", (COMMUNE,), recording="b" * 64), EDITOR, NOW) == "unknown_recording"
    assert refused(desk.announce, Wish("", (COMMUNE,)), EDITOR, NOW) == "empty_text"
    assert refused(desk.announce, Wish("Họp.", (COMMUNE,), times=11), EDITOR, NOW) == "bad_times"
    nobody = replace(EDITOR, disabled=True)
    assert refused(desk.record, Kept("c" * 64, 1, 1, -20.0, "vi"), "x", nobody, NOW) == "not_allowed"  # type: ignore[arg-type]


def test_whatever_decides_the_sound_lets_it_be_made_anew_and_nothing_else(store: Store) -> None:
    furnish(store)
    store.assets.put(made.asset())
    desk = Desk(store, "Asia/Ho_Chi_Minh", Bell())
    first = desk.announce(Wish("Họp thôn.", draft=True), EDITOR, NOW).announcement_id
    for draft, again in [
        (Draft("Họp thôn.", title="Khác"), False),
        (Draft("Họp thôn.", times=2), True),
        (Draft("Họp thôn.", times=2, drill=True), True),
        (Draft("Họp thôn.", times=2, drill=True, bulletin_class=BulletinClass.PRIORITY), True),
    ]:
        held = store.announcements.get(first)
        assert held is not None
        assert store.announcements.set_voiced(first, held.script_hash, made.SHA)
        newer = desk.edit(first, held.version, draft, EDITOR, NOW)
        assert (newer.voice_state is VoiceState.WAITING) is again
        if again:
            assert not store.announcements.set_voiced(first, held.script_hash, made.SHA), "an older script's sound"


@pytest.fixture
def radio(store: Store, tmp_path: Path) -> Iterator[Radio]:
    started = furnished(store, tmp_path)
    yield started
    started.station.stop()


def test_a_recording_goes_on_the_air_thrice_and_as_a_drill(radio: Radio, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings")
    radio.studio._archive = archive
    desk = Desk(radio.store, radio.settings.zone, Bell())
    row = desk.record(archive.keep(speech(), "vi"), "Chủ tịch xã.wav", APPROVER, NOW)
    wish = Wish("", (COMMUNE,), NOW + timedelta(hours=1), recording=row.sha256, times=3, drill=True)
    made_of = desk.announce(wish, APPROVER, NOW)
    assert radio.station.voice(NOW) == 1
    radio.station.plan(NOW)
    (job,) = radio.jobs().values()
    assert job.drill
    assert job.title == "Chủ tịch xã"
    assert job.asset.duration_ms > 3 * row.duration_ms
    held = radio.store.announcements.get(made_of.announcement_id)
    assert held is not None
    asset = radio.store.assets.get(str(held.asset))
    assert asset is not None
    assert asset.voice == "recording"


def test_a_recording_that_is_gone_is_said_to_its_author_and_delays_nobody(radio: Radio, tmp_path: Path) -> None:
    radio.studio._archive = Archive(tmp_path / "recordings")
    desk = Desk(radio.store, radio.settings.zone, Bell())
    row = desk.record(Kept("a" * 64, 1000, 5000, -20.0, "vi"), "mất.wav", APPROVER, NOW)  # type: ignore[arg-type]
    lost = desk.announce(Wish("", (COMMUNE,), NOW + timedelta(hours=1), recording=row.sha256), APPROVER, NOW)
    desk.announce(Wish("Mời họp.", (COMMUNE,), NOW + timedelta(hours=1)), APPROVER, NOW + timedelta(seconds=1))
    at, voiced = NOW, 0
    for _ in range(30):
        at += timedelta(minutes=2)
        voiced += radio.station.voice(at)
    assert voiced == 1
    held = radio.store.announcements.get(lost.announcement_id)
    assert held is not None
    assert held.voice_error is not None
    assert held.voice_error.key == "studio.recording_gone"
