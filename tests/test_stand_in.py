"""An emergency's words on a machine that is short of threads, and with what nobody foresaw: the siren does for them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from makers_emergency import spoken_emergency
from makers_node import T0, make_asset, make_config
from makers_radio import PretendCache

from edge_node.own_voice import OwnVoice
from edge_node.stand_in import AGAIN_SECONDS, SIREN_ALONE, StandIns

SIREN = make_asset("siren")
CONFIG = make_config(standby=(SIREN,), siren=SIREN.sha256)


class Desk:
    """The stand-ins of a node that waits for one emergency's audio."""

    def __init__(self, folder: Path) -> None:
        self.woken = threading.Event()
        self.made = StandIns(PretendCache(), OwnVoice(), folder / "spoken", self.woken.set)  # type: ignore[arg-type]
        self.job = spoken_emergency(asset=None)

    def look(self, mono: float) -> None:
        self.made.look([self.job], {}, CONFIG, T0, mono)


def test_without_a_thread_the_siren_sounds_and_the_words_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", none)
        desk.look(100.0)
        desk.look(200.0)
    sound = desk.made.of(desk.job)
    assert sound
    assert sound.detail == SIREN_ALONE
    desk.look(201.0 + AGAIN_SECONDS)
    assert desk.woken.wait(60)
    desk.made.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_foresaw_in_the_voice_leaves_the_siren(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)

    def speak(voice: OwnVoice, text: str, target: Path) -> None:
        raise KeyError("nobody foresaw it")

    monkeypatch.setattr(OwnVoice, "speak", speak)
    desk.look(100.0)
    desk.look(200.0)
    assert desk.woken.wait(60)
    sound = desk.made.of(desk.job)
    assert sound
    assert sound.detail == SIREN_ALONE
    desk.made.close()
