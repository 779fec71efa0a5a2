"""The tuner on a machine that is short of threads, before a decoder that is stuck, and with what nobody foresaw."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import makers_streams as made
import psutil
import pytest
from makers_sound import until
from makers_streams import Station, encoded
from test_tuner import FAIR, decoding_under, heard, station, tune, tuned

from edge_node.tuner import decoder, hls
from edge_node.tuner.calling import Answer, Caller, NoStream
from edge_node.tuner.decoder import Decoder, Ended
from edge_node.tuner.receiver import RATE, Receiver

__all__ = ["station", "tuned"]


def poor_in(name: str, times: int) -> Callable[[threading.Thread], None]:
    """How threads start on a machine that has none for ``name`` the first ``times``."""
    real, left = threading.Thread.start, [times]

    def start(thread: threading.Thread) -> None:
        if thread.name == name and left[0]:
            left[0] -= 1
            raise RuntimeError("can't start new thread")
        real(thread)

    return start


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


def test_a_decoder_without_a_thread_leaves_no_process_and_the_stream_is_called_again(
    station: Station, tuned: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = children()
    monkeypatch.setattr(threading.Thread, "start", poor_in("relay-decoder", 2))
    with pytest.raises(OSError, match="can't start new thread"):
        Decoder(lambda block: None)
    assert children() <= before  # others of before may have ended
    receiver = tune(tuned, station.at("/live", made.endless(encoded())))
    heard(receiver)
    assert len(station.asked) == 2


def test_what_nobody_foresaw_ends_one_call_and_not_the_receiver(
    station: Station, tuned: list[Receiver], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, wrong = Caller.open, [KeyError("nobody foresaw it"), RuntimeError("can't start new thread")]

    def opened(caller: Caller, url: str) -> Answer:
        if wrong:
            raise wrong.pop(0)
        return real(caller, url)

    monkeypatch.setattr(Caller, "open", opened)
    heard(tune(tuned, station.at("/live", made.endless(encoded()))))
    assert caplog.text.count("Traceback") == 2


def test_a_receiver_without_a_thread_gives_nothing_and_says_why(
    station: Station, tuned: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", poor_in("relay-receiver", 1))
    receiver = tune(tuned, station.url + "/live")
    assert receiver.trouble == "can't start new thread"
    assert receiver.take(RATE) == b""
    receiver.close()


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(decoder, "_LOOK_SECONDS", 0.05)


def stopped() -> Decoder:
    """A decoder that does nothing any more."""
    made_ = Decoder(lambda block: None)
    until(lambda: decoding_under(made_._process.pid))
    os.kill(decoding_under(made_._process.pid), signal.SIGSTOP)
    return made_


@pytest.mark.usefixtures("stuck")
@pytest.mark.parametrize("more", [True, False])
def test_a_decoder_that_is_stuck_is_ended(more: bool) -> None:
    made_ = stopped()
    try:
        with pytest.raises(Ended):
            made_.feed(b"x" * (1 << 20)) if more else made_.finish()
        assert made_._process.poll() is not None
    finally:
        made_.close()


def test_a_decoder_that_somebody_holds_up_is_not_stuck() -> None:
    held, go = threading.Event(), threading.Event()

    def take(block: bytes) -> None:
        held.set()
        assert go.wait(60)

    made_ = Decoder(take)
    try:
        made_.feed(encoded(seconds=10))
        assert held.wait(60)
        made_._moved_at = float("-inf")  # for ever
        made_._see_that_it_moves()
        go.set()
        made_.finish()
    finally:
        go.set()
        made_.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_decoder_whose_samples_nobody_can_take_takes_nothing_more() -> None:
    def take(block: bytes) -> None:
        raise MemoryError

    made_ = Decoder(take)
    try:
        with pytest.raises(Ended):
            made_.feed(encoded(seconds=600))
    finally:
        made_.close()


def test_playlists_that_name_playlists_without_end_leave_no_answer_open(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.at("/live.m3u8", made.once(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/live.m3u8\n", "audio/mpegurl"))
    real, opened, closed = Caller.open, list[Answer](), list[Answer]()
    close = Answer.close

    def counted(caller: Caller, url: str) -> Answer:
        opened.append(real(caller, url))
        return opened[-1]

    def shut(answer: Answer) -> None:
        closed.append(answer)
        close(answer)

    monkeypatch.setattr(Caller, "open", counted)
    monkeypatch.setattr(Answer, "close", shut)
    caller = Caller(private=True)
    with pytest.raises(NoStream, match="playlists"):
        list(hls.follow(caller, caller.open(station.url + "/live.m3u8"), threading.Event()))
    assert opened == closed
    caller.close()


def test_the_bound_on_what_is_stuck_lies_above_what_a_stream_may_take() -> None:
    assert 2 * FAIR.pace_seconds < decoder.STUCK_SECONDS
