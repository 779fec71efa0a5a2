"""The tuner against real servers on the loopback, good ones and hostile ones."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import makers_streams as made
import numpy as np
import psutil
import pytest
from makers_sound import until
from makers_streams import Station, encoded
from ports import free_port

from edge_node.meter import Meter
from edge_node.tuner import calling, decoder, hls
from edge_node.tuner.calling import Caller, NoStream
from edge_node.tuner.receiver import HELD_BYTES, RATE, Patience, Receiver, Tuner

QUICK = Patience(read_seconds=0.5, pace_seconds=1.0, first_back_off=0.05, most_back_off=0.2)
FAIR = Patience(first_back_off=0.05, most_back_off=0.2)  # a stream that is to be heard has its time on a busy machine


@pytest.fixture
def station() -> Iterator[Station]:
    with made.station() as running:
        yield running


@pytest.fixture
def tuned() -> Iterator[list[Receiver]]:
    receivers: list[Receiver] = []
    yield receivers
    for each in receivers:
        each.close()


def tune(tuned: list[Receiver], url: str, private: bool = True, patience: Patience = FAIR) -> Receiver:
    tuned.append(Tuner(private, patience).tune(url))
    return tuned[-1]


def hertz(samples: np.ndarray) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))


def heard(receiver: Receiver, seconds: float = 1.0) -> np.ndarray:
    """So much of it, as floats."""
    wanted, got = round(seconds * RATE), b""
    while len(got) < wanted * 2:
        until(lambda: receiver.held)
        got += receiver.take(wanted - len(got) // 2)
    return np.frombuffer(got, np.int16) / 32768


@pytest.mark.parametrize(("form", "kind"), [("mp3", "audio/mpeg"), ("ogg", "application/ogg"), ("adts", "audio/aac")])
def test_a_stream_without_end_is_heard_as_it_is_sent(
    form: str, kind: str, station: Station, tuned: list[Receiver]
) -> None:
    receiver = tune(tuned, station.at("/live", made.endless(encoded(form), kind)))
    sound = heard(receiver, 4.0)
    assert hertz(sound[RATE:]) == pytest.approx(made.TONE_HZ, abs=2)
    assert station.asked == ["/live"]


def test_an_old_shoutcast_is_heard(station: Station, tuned: list[Receiver]) -> None:
    receiver = tune(tuned, station.at("/;stream", made.shoutcast(encoded())))
    assert hertz(heard(receiver)) == pytest.approx(made.TONE_HZ, abs=2)


def test_what_is_not_taken_is_not_fetched_without_end(station: Station, tuned: list[Receiver]) -> None:
    receiver = tune(tuned, station.at("/fast", made.once(encoded(seconds=600))))
    until(lambda: receiver.held * 2 >= HELD_BYTES)
    assert receiver.held * 2 < HELD_BYTES + 2 * decoder.BLOCK_BYTES
    receiver.take(RATE)
    until(lambda: receiver.held * 2 >= HELD_BYTES)


def test_a_stream_that_stops_is_called_again(station: Station, tuned: list[Receiver]) -> None:
    receiver = tune(tuned, station.at("/short", made.once(encoded(seconds=3))))
    sound = heard(receiver, 8.0)
    assert len(station.asked) >= 3
    assert np.sqrt(np.mean(sound**2)) > 0.1


def test_a_station_that_comes_back_is_heard_again(station: Station, tuned: list[Receiver]) -> None:
    receiver = tune(tuned, station.url + "/live")
    until(lambda: len(station.asked) >= 2)
    assert "404" in receiver.trouble
    station.at("/live", made.endless(encoded()))
    assert hertz(heard(receiver)) == pytest.approx(made.TONE_HZ, abs=2)


@pytest.mark.parametrize(
    ("programme", "why"),
    [
        (made.web_page, "no sound"),
        (made.silent, "imed out"),
        (made.once(b""), "cannot be decoded|ended"),
        (made.once(os.urandom(1 << 18), "application/octet-stream"), "cannot be decoded|ended"),
        (made.once(b"#EXTM3U\nffconcat version 1.0\nfile /etc/passwd\n"), "cannot be decoded|ended"),
        (made.once(b"ffconcat version 1.0\nfile /etc/passwd\n"), "cannot be decoded|ended"),
        (made.trickling(encoded()), "s of sound in"),
        (made.leading("file:///etc/passwd"), "not an address"),
        (made.leading("gopher://127.0.0.1/x"), "not an address"),
        (made.leading("{url}/live"), "redirects"),
        (made.leading("http://[::1/x"), "no address"),
        (
            made.once(
                b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "audio/mpegurl"
            ),
            "not an address",
        ),
        (
            made.once(
                b'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\n0.ts\n',
                "audio/mpegurl",
            ),
            "encrypted",
        ),
        (made.once(b"#EXTM3U\n" + b"#" * 300_000, "audio/mpegurl"), "more than"),
        (made.once(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive\n", "audio/mpegurl"), "playlists"),
        (made.once(b"<html>", "audio/mpegurl"), "not an HLS playlist"),
        (made.once(b"#EXTM3U\n#EXTINF:-1,Radio\nhttp://127.0.0.1/x\n", "audio/x-mpegurl"), "name the stream itself"),
        (made.dripping_head, "live: |ended|broke off"),
        (made.dripping_body, "or 1 s"),
    ],
)
def test_what_is_no_stream_gives_nothing_and_says_why(
    programme: made.Programme, why: str, station: Station, tuned: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    if programme in (made.dripping_head, made.dripping_body):  # the others answer, however busy the machine is
        monkeypatch.setattr(calling, "ANSWER_SECONDS", 1.0)
    receiver = tune(tuned, station.at("/live", programme), patience=QUICK)
    until(lambda: re.search(why, receiver.trouble))
    assert receiver.held < RATE
    until(lambda: len(station.asked) >= 2)


def test_nobody_there_is_said(tuned: list[Receiver]) -> None:
    receiver = tune(tuned, f"http://127.0.0.1:{free_port()}/live")
    until(lambda: "refused" in receiver.trouble)


def test_closing_ends_a_call_that_waits_and_its_decoder(station: Station) -> None:
    for programme in (made.silent, made.dripping_head, made.endless(encoded())):
        receiver = Tuner(True).tune(station.at("/live", programme))
        until(lambda: station.asked)
        station.asked.clear()
        receiver.close()
        until(lambda receiver=receiver: not receiver._thread.is_alive())


@pytest.mark.parametrize(("form", "live_from"), [("mpegts", 0), ("mpegts", 4), ("fmp4", 0), ("adts", 0)])
def test_an_hls_stream_is_followed_segment_by_segment(
    form: str, live_from: int, station: Station, tuned: list[Receiver], tmp_path: Path
) -> None:
    segments = made.segmented(tmp_path, form)
    head = segments.pop(0) if form == "fmp4" else b""
    station.programmes |= made.playlist(segments, live_from, head)
    receiver = tune(tuned, station.url + "/live.m3u8")
    sound = heard(receiver, 5.0)
    assert hertz(sound[RATE:]) == pytest.approx(made.TONE_HZ, abs=2)
    assert next(each for each in station.asked if each.endswith(".ts")) == f"/hls/{2 if live_from else 0}.ts"


# -- private addresses -----------------------------------------------------------------------------------------


def test_this_machine_is_not_called_unless_that_was_said(station: Station, tuned: list[Receiver]) -> None:
    receiver = tune(tuned, station.at("/live", made.endless(encoded())), private=False)
    until(lambda: "not an address" in receiver.trouble)
    assert station.asked == []


def test_a_name_that_stands_for_this_machine_is_not_called(
    station: Station, tuned: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    port = int(station.url.rpartition(":")[2])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more))
    for scheme in ("http", "https"):
        receiver = tune(tuned, f"{scheme}://radio.example:{port}/live", private=False)
        until(lambda receiver=receiver: "not on the public Internet" in receiver.trouble)
    assert station.asked == []


def test_a_name_that_stands_for_a_public_and_a_private_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    both = [(*kind, ("8.8.8.8", 80)), (*kind, ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    monkeypatch.setattr(calling, "create_connection", lambda *_: pytest.fail("it was called"))
    with pytest.raises(NoStream, match="public Internet"):
        Caller().open("http://radio.example/live")


def test_a_redirect_is_judged_as_the_address_was(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public station that leads to this machine: only its name is public here, and it is the first that is asked."""
    monkeypatch.setattr(calling, "_connected", lambda connection: socket.create_connection(place))
    place = ("127.0.0.1", int(station.url.rpartition(":")[2]))
    for target in ("http://127.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]/x", "https://nas.local/"):
        station.at("/live", made.leading(target))
        with pytest.raises(NoStream, match="not an address to relay from"):
            Caller().open("http://radio.example/live")
    assert set(station.asked) == {"/live"}


def test_a_segment_may_not_lead_to_this_machine_either(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_connected", lambda connection: socket.create_connection(place))
    place = ("127.0.0.1", int(station.url.rpartition(":")[2]))
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{station.url}/secret\n#EXT-X-ENDLIST\n"
    station.at("/live.m3u8", made.once(text.encode(), "audio/mpegurl"))
    caller = Caller()
    with pytest.raises(NoStream, match="not an address to relay from"):
        list(hls.follow(caller, caller.open("http://radio.example/live.m3u8"), threading.Event()))
    assert station.asked == ["/live.m3u8"]
    caller.close()


def test_without_the_program_the_tuner_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tuner().works
    monkeypatch.setenv("PATH", "/nowhere")
    assert not Tuner().works


def decoding_under(pid: int) -> int:
    """The process that decodes, once it is the program; bubblewrap stands around it where that works."""
    top = psutil.Process(pid)
    found = [each.pid for each in (top, *top.children(recursive=True)) if each.name() == decoder.PROGRAM]
    return found[0] if found else 0


def test_a_decoder_has_its_bounds_before_its_first_byte() -> None:
    import resource

    running = decoder.Decoder(lambda block: None)
    try:
        until(lambda: decoding_under(running._process.pid))
        pid = decoding_under(running._process.pid)
        assert resource.prlimit(pid, resource.RLIMIT_AS) == (decoder.MOST_MEMORY_BYTES,) * 2
        assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (0, 0)
        assert resource.prlimit(pid, resource.RLIMIT_CPU) == (decoder.MOST_CPU_SECONDS,) * 2
    finally:
        running.close()
    with pytest.raises(decoder.Ended):
        running.feed(b"x")


def test_nobody_is_led_from_https_to_http() -> None:
    assert calling._led("http://a.example/x", "https://b.example/y") == "https://b.example/y"
    assert calling._led("https://a.example/x", "/y") == "https://a.example/y"
    with pytest.raises(NoStream, match="from https"):
        calling._led("https://a.example/x", "http://a.example/x")


def test_a_stream_takes_no_more_than_the_data_of_the_day_allow(station: Station, tuned: list[Receiver]) -> None:
    meter = Meter()
    meter.budget_bytes = 40_000
    url = station.at("/live", made.endless(encoded()))
    tuned.append(Tuner(True, FAIR, meter).tune(url))
    until(lambda: tuned[-1].take(RATE) is not None and tuned[-1].trouble == calling.DATA_SPENT)
    assert 36_000 <= meter.reading.day_bytes <= 36_000 + calling.CHUNK_BYTES
    again = Tuner(True, FAIR, meter).tune(url)
    tuned.append(again)
    until(lambda: again.trouble)
    assert again.held == 0
