"""`loa demo`, as whoever tries the radio first meets it: what it says, sounds and leaves, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from makers_radio_processes import HALF_A_SECOND, SHORT, likeness
from makers_sound import RATE, until

from controller.bootstrap import style_of
from controller.newsroom import spoken
from controller.settings import Settings
from controller.studio import Shelf, Studio, make_chain
from fleet.demo import STATION_NAME
from loa.codes import DONE, ENDED, FAILED, NOT_UNDERSTOOD
from wire.plan import BulletinClass
from words import say

TOP = Path(__file__).parent.parent
ARTICLE = TOP / "tests" / "data" / "articles" / "bai-dong-dang.txt"
NODE_FACTS = {"node", "outcome", "job", "asset_sha256", "asset_seconds", "planned_start", "actual_start", "skew_ms"}
NODE_FACTS |= {"sounded_seconds", "level_dbfs"}
MOST_SECONDS = 300.0  # all at once on a busy machine; what comes, comes sooner


class Demonstration:
    """One `loa demo`, whose every trace lies below ``folder``."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.out = folder, folder / "out"
        (folder / "tmp").mkdir(parents=True)
        environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "LOA_LANG": "en"}
        command = [sys.executable, "-m", "loa", "demo", "--out", str(self.out), *arguments]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(command, cwd=TOP, env=environment, stdout=out, stderr=err)

    def says(self, words: str) -> bool:
        assert self.process.poll() is None, self.sentences()
        return words in (self.folder / "stderr").read_text("utf-8")

    def end(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self.process.wait(MOST_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def result(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "stdout").read_text("utf-8"))
        return found

    def sentences(self) -> list[str]:
        return (self.folder / "stderr").read_text("utf-8").splitlines()

    def others(self) -> list[int]:
        """Processes that it started and that still run: they work in its temporary folder, or name it."""
        return [
            process.pid for process in psutil.process_iter() if process.pid != self.process.pid and self._owns(process)
        ]

    def _owns(self, process: psutil.Process) -> bool:
        mine = str(self.folder / "tmp")
        try:
            return process.cwd().startswith(mine) or any(mine in each for each in process.cmdline())
        except psutil.Error:
            return False

    def left_nothing(self) -> bool:
        return self.others() == [] and list((self.folder / "tmp").iterdir()) == []


Begin = Callable[..., Demonstration]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[Demonstration] = []

    def make(*arguments: str) -> Demonstration:
        begun.append(Demonstration(tmp_path / str(len(begun)), *arguments))
        return begun[-1]

    yield make
    for each in begun:
        each.kill()


Several = dict[str, Demonstration]


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """All that take long, at once; the first one in real time, with three nodes."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "short.txt").write_text(SHORT, "utf-8")
    wanted = {
        "short": ("--once", "--nodes", "3", "--json", "--text-file", str(folder / "short.txt")),
        "article": ("--once", "--nodes", "1", "--fast", "--json", "--text-file", str(ARTICLE)),
        "interrupted": ("--nodes", "1", "--port", "0", "--text-file", str(ARTICLE)),
        "killed": ("--nodes", "1", "--port", "0", "--text-file", str(ARTICLE)),
    }
    several = {name: Demonstration(folder / name, *arguments) for name, arguments in wanted.items()}
    yield several
    for each in several.values():
        each.kill()


def test_ctrl_c_ends_all_of_it_also_when_pressed_again_and_again(running: Several) -> None:
    demo = running["interrupted"]
    until(lambda: demo.says("Every node is connected"), MOST_SECONDS)
    demo.process.send_signal(signal.SIGINT)
    until(lambda: demo.sentences()[-1] == say("loa.ending", "en"), MOST_SECONDS)
    for number in (signal.SIGTERM, signal.SIGINT):
        demo.process.send_signal(number)
    assert demo.end() == DONE
    assert demo.left_nothing()
    assert "Traceback" not in "\n".join(demo.sentences())


def test_whatever_it_started_ends_with_it_even_of_kill_9(running: Several) -> None:
    demo = running["killed"]
    until(lambda: demo.says("Every node is connected"), MOST_SECONDS)
    assert len(demo.others()) >= 3  # broker, controller, node
    demo.kill()
    until(lambda: demo.others() == [], MOST_SECONDS)


def test_a_demonstration_told_to_end_while_it_starts_ends(begin: Begin) -> None:
    demo = begin("--nodes", "1", "--once")
    until(demo.others, MOST_SECONDS)
    demo.process.terminate()
    assert demo.end() == ENDED
    assert demo.left_nothing()
    assert "Traceback" not in "\n".join(demo.sentences())


def test_what_cannot_be_is_one_sentence_and_leaves_nothing(begin: Begin, tmp_path: Path) -> None:
    broken, taken = tmp_path / "broken.txt", socket.create_server(("127.0.0.1", 0))
    broken.write_bytes(b"\xff\xfe\x00 not UTF-8")
    port = str(taken.getsockname()[1])
    wrong = {
        "cannot be read": ("--text-file", str(tmp_path / "nowhere.txt")),
        "not UTF-8": ("--text-file", str(broken)),
        "200": ("--nodes", "0"),
        f"port {port}": ("--port", port),
        "65535": ("--port", "65536"),
        "cannot be put into": ("--out", str(broken)),
    }
    tried = {words: begin("--once", *arguments) for words, arguments in wrong.items()}
    with taken:
        for words, each in tried.items():
            assert each.end() in (FAILED, NOT_UNDERSTOOD)
            assert words in each.sentences()[-1]
            assert "Traceback" not in "\n".join(each.sentences())
            assert each.left_nothing()


def test_once_through_is_proved_by_json_and_by_every_wav(running: Several, tmp_path: Path) -> None:
    demo = running["short"]
    assert demo.end() == DONE
    nodes = demo.result()["nodes"]
    assert isinstance(nodes, list)
    style = style_of(Settings(station_name=STATION_NAME))
    studio = Studio(Shelf(tmp_path / "shelf"), make_chain(["espeak"]), tmp_path / "work", style)
    made = studio.produce(spoken(SHORT).text, BulletinClass.ORDINARY)
    truth, _ = soundfile.read(made.path, dtype="float32")
    assert [each["node"] for each in nodes] == ["dong-dang-01", "tam-thanh-01", "tam-thanh-02"]
    for each in nodes:
        assert each.keys() >= NODE_FACTS
        assert (each["outcome"], each["asset_sha256"]) == ("sounded", made.sha256)
        assert each["asset_seconds"] == each["sounded_seconds"] == pytest.approx(made.duration_ms / 1000)
        skew = datetime.fromisoformat(each["actual_start"]) - datetime.fromisoformat(each["planned_start"])
        assert each["skew_ms"] == pytest.approx(skew.total_seconds() * 1000, abs=0.1)
        heard, rate = soundfile.read(demo.out / f"{each['node']}.wav", dtype="float32")
        assert (rate, len(heard)) == (RATE, len(truth))
        assert likeness(heard, truth) > 0.99
        assert each["level_dbfs"] == pytest.approx(20 * np.log10(np.sqrt(np.mean(heard**2))), abs=0.2)
    assert demo.left_nothing()


def test_a_whole_article_sounds_from_its_first_to_its_last_sample(running: Several) -> None:
    demo = running["article"]
    assert demo.end() == DONE
    result = demo.result()
    (node,) = result["nodes"]  # type: ignore[misc]
    assert result["text_characters"] == len(ARTICLE.read_text("utf-8"))
    info = soundfile.info(demo.out / f"{node['node']}.wav")
    assert info.frames / RATE == pytest.approx(node["asset_seconds"], abs=0.001)
    assert node["sounded_seconds"] == node["asset_seconds"]
    assert node["asset_seconds"] > 300
    assert demo.left_nothing()


def test_two_recordings_are_not_held_for_alike() -> None:
    one, other = (np.random.default_rng(seed).standard_normal(4 * HALF_A_SECOND) for seed in (1, 2))
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(one, other) < 0.2
    assert likeness(np.concatenate([one[:HALF_A_SECOND], other[HALF_A_SECOND:]]), one) < 0.2
