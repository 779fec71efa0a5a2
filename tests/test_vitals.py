"""What the machine says of itself: this machine, and machines made of files."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from edge_node import programs, vitals
from edge_node.programs import run
from edge_node.vitals import Senses
from edge_node.wiring import Line, Wiring
from wire import codec
from wire.health import Vitals
from wire.kernel_clock import kernel_clock


def nothing(command: list[str]) -> None:
    return None


def answering(**answers: str) -> programs.Run:
    return lambda command: answers.get(command[0])


def sysfs(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_this_machine_is_measured(tmp_path: Path) -> None:
    read = Senses(tmp_path).read(clock_known=True, audio_device="file", audio_ok=None)
    assert read.memory_rss_bytes
    assert 1_000_000 < read.memory_rss_bytes < psutil.virtual_memory().total
    assert read.memory_used_ratio is not None
    assert 0 < read.memory_used_ratio < 1
    assert read.disk_free_bytes
    assert abs(read.disk_free_bytes - psutil.disk_usage(str(tmp_path)).free) < 1 << 30
    assert read.uptime_seconds
    assert read.uptime_seconds > 0
    assert read.load_1m == pytest.approx(os.getloadavg()[0], abs=1)
    assert (read.audio_device, read.audio_ok, read.clock_known) == ("file", None, True)
    assert codec.read(Vitals, codec.write(read), 10_000) == read


def test_what_a_machine_does_not_have_is_absent_and_not_invented(tmp_path: Path) -> None:
    read = Senses(tmp_path, sys=tmp_path / "no-sys", run=nothing).read(False, None, None)
    assert (read.cpu_celsius, read.throttled, read.audio_device, read.audio_ok) == (None, None, None, None)
    assert not read.clock_known


def test_a_disk_that_is_gone_is_absent(tmp_path: Path) -> None:
    read = Senses(tmp_path / "gone", run=nothing).read(True, None, None)
    assert (read.disk_free_bytes, read.disk_used_ratio) == (None, None)


def test_the_processors_zone_is_the_temperature(tmp_path: Path) -> None:
    zones = {"class/thermal/thermal_zone0/type": "acpitz", "class/thermal/thermal_zone0/temp": "90000"}
    zones |= {"class/thermal/thermal_zone1/type": "cpu-thermal\n", "class/thermal/thermal_zone1/temp": "61350\n"}
    zones |= {"class/thermal/thermal_zone2/type": "cpu-thermal", "class/thermal/thermal_zone2/temp": "broken"}
    assert Senses(tmp_path, sys=sysfs(tmp_path, zones), run=nothing).read(True, None, None).cpu_celsius == 61.4


def test_undervoltage_is_read_from_the_firmware_or_its_program(tmp_path: Path) -> None:
    by_file = sysfs(tmp_path, {vitals.THROTTLED_FILE: "50005\n"})
    assert Senses(tmp_path, sys=by_file, run=nothing).read(True, None, None).throttled == 0x50005
    by_program = Senses(tmp_path, sys=tmp_path / "none", run=answering(vcgencmd="throttled=0x50000\n"))
    assert by_program.read(True, None, None).throttled == 0x50000
    broken = Senses(tmp_path, sys=tmp_path / "none", run=answering(vcgencmd="VCHI initialization failed"))
    assert broken.read(True, None, None).throttled is None


def test_chronys_offset_is_how_far_this_clock_is_ahead(tmp_path: Path) -> None:
    # System time in seconds: positive where the clock is slow of true time, chronyc(1)
    tracking = "C0A80101,192.168.1.1,2,1764000000.0,0.001500000,0.0002,0.0003,1.2,0.1,0.01,0.02,0.001,64.2,Normal\n"
    read = Senses(tmp_path, run=answering(chronyc=tracking)).read(True, None, None)
    assert read.clock_source == "chrony 192.168.1.1"
    assert read.clock_offset_ms == pytest.approx(-1.5)


@pytest.mark.parametrize("answer", ["", "rubbish", "a,b,c,d,not a number,e"])
def test_a_clock_program_that_answers_nonsense_does_no_harm(answer: str, tmp_path: Path) -> None:
    assert Senses(tmp_path, run=answering(chronyc=answer)).read(True, None, None).uptime_seconds


def test_the_kernel_says_whether_anybody_keeps_its_clock() -> None:
    source, offset_ms = kernel_clock()
    assert source in ("ntp", "none", None)
    assert (offset_ms is None) == (source != "ntp")


def test_programs_are_asked_once_a_minute_not_at_every_reading(tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(command: list[str]) -> None:
        asked.append(command[0])

    senses = Senses(tmp_path, sys=tmp_path, run=counting)
    for _ in range(3):
        senses.read(True, None, None)
    assert sorted(asked) == ["chronyc", "mmcli", "vcgencmd"]


def test_one_program_that_hangs_holds_up_a_reading_and_no_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "PATIENCE_SECONDS", 0.05)
    asked: list[str] = []

    def hanging(command: list[str]) -> None:
        asked.append(command[0])
        run(["sleep", "30"])

    senses = Senses(tmp_path, sys=tmp_path, run=hanging, wiring=Wiring(mains=Line("gpiochip0", 1)))
    assert senses.read(True, None, None).mains is None
    assert len(asked) == 1
    senses.read(True, None, None)
    assert len(asked) == 2, "the next reading asks the next one"


def test_a_program_that_is_absent_fails_or_hangs_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["no-such-program"]) is None
    assert run(["false"]) is None
    assert run(["echo", "hello"]) == "hello\n"
    monkeypatch.setattr(programs, "PATIENCE_SECONDS", 0.2)
    assert run(["sleep", "30"]) is None
