"""Hostile media at the station's own entrance: bombs, headers that lie, lists dressed as sound."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest
from makers_sound_files import convert, generate

from controller.studio import Limits, RecordingError, ShelfError, admit, loudness
from controller.studio.archive import Archive
from controller.studio.decoding import decode
from controller.studio.voice import VoiceError

KEY = "the secret of the station"


def refusal(upload: Path, limits: Limits | None = None) -> str:
    with pytest.raises(RecordingError) as refused:
        admit(upload, upload.parent, limits)
    return refused.value.key.removeprefix("studio.recording_")


def wav(rate: int = 8000, channels: int = 1, bits: int = 16, promised: int = 16_000, content: int = 16_000) -> bytes:
    """A WAV by its header alone."""
    frame = channels * bits // 8
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    data = struct.pack("<4sI", b"data", promised) + b"\x11\x22" * (content // 2)
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (wav(rate=1), {"format"}),
        (wav(rate=0), {"format"}),
        (wav(rate=4_000_000_000), {"format"}),
        (wav(channels=1000), {"format"}),
        (wav(channels=65_535), {"format"}),
        (wav(channels=0), {"format"}),
        (wav(bits=64), {"format"}),
        (wav(promised=0xFFFFFFF0), {"cut_off", "format", "clipped"}),
        (wav(promised=0x7FFFFFF0, content=200), {"cut_off", "format", "too_short"}),
        (wav(content=0, promised=0), {"format", "too_short"}),
    ],
    ids=["1 Hz", "0 Hz", "4 GHz", "1000 channels", "65535 channels", "none", "64 bits", "4 GB", "2 GB", "nothing"],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes, reason: set[str]) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    assert refusal(tmp_path / "a.wav") in reason


@pytest.mark.parametrize(
    ("name", "options"), [("bomb.mp3", ["-b:a", "8k", "-ar", "8000"]), ("bomb.flac", ["-c:a", "flac"])]
)
def test_ten_hours_in_a_small_file_are_stopped_at_the_limit(tmp_path: Path, name: str, options: list[str]) -> None:
    hour = generate(tmp_path / name, "anullsrc=r=8000:cl=mono:d=600", *options)
    if name.endswith(".mp3"):  # frames follow each other: ten hours are sixty times ten minutes
        hour.write_bytes(hour.read_bytes() * 60)
    bounds = Limits(most_seconds=120)
    assert refusal(hour, bounds) == "too_long"
    assert (tmp_path / "recording.wav").stat().st_size <= 123 * 96_000


def lists(target: str) -> dict[str, bytes]:
    """Lists that name ``target``, as players follow them."""
    return {
        "m3u": f"#EXTM3U\n#EXTINF:5,x\n{target}\n".encode() * 3,
        "hls": f'#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:5,\n{target}\n'
        "#EXT-X-ENDLIST\n".encode(),
        "ffconcat": f"ffconcat version 1.0\nfile '{target}'\nduration 5\n".encode(),
        "dash": f'<?xml version="1.0"?><MPD type="static"><Period><AdaptationSet mimeType="audio/mp4"><Representation>'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>".encode(),
        "pls": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n".encode(),
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\na={target}\n".encode(),
    }


@pytest.mark.parametrize("kind", lists(""))
def test_a_list_dressed_as_sound_gives_nothing(tmp_path: Path, kind: str) -> None:
    """Neither a file of the station's nor a request to what listens on it."""
    key = tmp_path / "keys" / "station.key"
    key.parent.mkdir()
    key.write_text(KEY)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        for target in (f"file://{key}", str(key), f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp3"):
            upload = tmp_path / "song.mp3"
            upload.write_bytes(lists(target)[kind])
            assert refusal(upload) in {"format", "video"}
            with pytest.raises(VoiceError):
                decode(upload, tmp_path / "answer.wav", "http:x")
            upload.write_bytes(lists(target)[kind])
            with pytest.raises(loudness.FfmpegFailed):  # what lies in the archive was made by a child, and is judged so
                loudness.measure(upload)
        with pytest.raises(TimeoutError):
            listener.accept()
    made = [path for path in tmp_path.rglob("*") if path.is_file() and path != key]
    assert [path for path in made if KEY.encode() in path.read_bytes()] == []


def test_an_upload_that_is_a_link_is_no_way_to_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "a.mp3").symlink_to(tmp_path / "key")
    assert refusal(tmp_path / "a.mp3") == "format"


def test_the_station_takes_the_next_upload_after_an_attack(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings", Limits(most_seconds=60, work_seconds=20))
    (tmp_path / "bad.wav").write_bytes(wav(channels=1000))
    with pytest.raises(RecordingError):
        archive.keep(tmp_path / "bad.wav")
    kept = archive.keep(convert(tmp_path / "good.mp3", "-b:a", "64k"))
    (tmp_path / "recordings" / kept.sha256).write_bytes(wav(channels=1000))
    with pytest.raises(ShelfError):  # and what lies there is checked against its name before anything decodes it
        archive.take(kept.sha256, tmp_path)
