"""The cage, attacked from within: whoever owns a decoder owns nothing else. Real children, on each wall by itself."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import cage
from cage import Bounds, Cage, Ended, Hung, Protection, door

FULL = cage.protection()
# what other machines have: no bubblewrap, and neither that nor Landlock
LEVELS = {"full": FULL, "files": Protection(False, FULL.landlock, FULL.filtered)}
SMALL = Bounds(memory_bytes=1 << 29, cpu_seconds=1, file_bytes=1 << 20, answer_bytes=1 << 20)


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each level that this machine has."""
    if LEVELS[request.param].level != request.param:
        pytest.skip(f"this machine has no {request.param}")
    monkeypatch.setattr(door, "protection", lambda: LEVELS[request.param])
    return str(request.param)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A station's state, with a folder to work in inside of it."""
    for name in ("keys", "studio", "studio/making-1", "shelf"):
        (tmp_path / name).mkdir()
    (tmp_path / "keys" / "station.key").write_text("the secret of the station")
    return tmp_path


def attack(state: Path, code: str, limit_seconds: float = 60.0) -> Ended:
    """What becomes of ``code``, run as a decoder is."""
    upload = state / "upload.mp3"
    upload.write_bytes(b"an upload")
    place = Cage((upload,), state / "studio" / "making-1", SMALL)
    before = f"import os, sys, ctypes, socket\nstate = {str(state)!r}\n"
    return cage.run([sys.executable, "-I", "-c", before + code], limit_seconds, place, "words")


def test_it_reads_its_input_and_writes_in_its_folder(state: Path, level: str) -> None:
    ended = attack(
        state, "open(state + '/studio/making-1/out', 'w').write(open(state + '/upload.mp3').read() + input())"
    )
    assert (ended.code, ended.said) == (0, "")
    assert (state / "studio" / "making-1" / "out").read_text() == "an uploadwords"


@pytest.mark.parametrize(
    "code",
    [
        "print(open(state + '/keys/station.key').read())",
        "print(os.listdir(state + '/keys'))",
        "print(open('/etc/passwd').read())",
        "print(open(f'/proc/{os.getppid()}/environ', 'rb').read())",
        "print(open('/proc/self/root' + state + '/keys/station.key').read())",
        "os.symlink(state + '/keys/station.key', state + '/studio/making-1/out')",
        "os.link(state + '/keys/station.key', state + '/studio/making-1/out')",
        "open(state + '/keys/station.key', 'w')",
        "open(state + '/shelf/planted', 'w')",
        "open(state + '/upload.mp3', 'w')",
        "open('/usr/lib/planted', 'w')",
        "open('/planted', 'w')",
        "os.rename(state + '/keys', state + '/studio/making-1/keys')",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.create_connection(('127.0.0.1', 1883))",
        "os.fork()",
        "os.posix_spawn('/bin/sh', ['sh', '-c', 'true'], {})",
        "os.system('true') and sys.exit('no shell')",
        "os.kill(os.getppid(), 9)",
        "os.kill(-1, 9)",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "ctypes.CDLL(None).unshare(0x10000000) and sys.exit('no namespace')",
        "ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) and sys.exit('no tracing')",
        "ctypes.CDLL(None).chroot(b'/usr') and sys.exit('no root of its own')",
        "open(state + '/studio/making-1/out', 'wb').write(bytes(3 << 20))",
        "bytearray(1 << 30)",
    ],
)
def test_it_gets_no_further(state: Path, level: str, code: str) -> None:
    ended = attack(state, code)
    assert ended.code != 0
    assert b"secret" not in ended.wrote
    assert "secret" not in ended.said
    assert (state / "keys" / "station.key").read_text() == "the secret of the station"
    assert not (state / "shelf" / "planted").exists()
    assert (state / "upload.mp3").read_bytes() == b"an upload"


def test_a_bomb_of_forks_makes_no_process(state: Path, level: str) -> None:
    bomb = (
        "made = 0\nfor _ in range(200):\n try: os.fork() or os._exit(0); made += 1\n except OSError: pass\nprint(made)"
    )
    assert attack(state, bomb).wrote == b"0\n"


def test_nothing_is_inherited(state: Path, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_BROKER_PASSWORD", "a secret of the environment")
    kept = os.open(state / "keys" / "station.key", os.O_RDONLY)
    os.set_inheritable(kept, True)
    try:
        ended = attack(state, f"print(sorted({{*os.environ}} - {{'PWD'}}))\nprint(os.read({kept}, 10))")
    finally:
        os.close(kept)
    assert ended.wrote.decode().splitlines() == ["['HOME', 'LANG', 'PATH', 'TMPDIR']"]
    assert "Bad file descriptor" in ended.said


def test_what_runs_for_ever_is_ended(state: Path, level: str) -> None:
    with pytest.raises(Hung):
        attack(state, "import time; time.sleep(600)", limit_seconds=0.5)
    assert attack(state, "while True: pass").code == -9  # its own seconds are over
    with pytest.raises(Hung):
        attack(state, "while True: sys.stdout.write('x' * 100_000)")
    assert len(attack(state, "sys.stderr.write('x' * 1_000_000)").said) <= door.MOST_SAID_BYTES


def test_many_small_files_are_too_much_as_well(state: Path, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_SPARE_BYTES", 4 << 20)
    many = "for number in range(10**6): open(f'{state}/studio/making-1/{number}', 'wb').write(bytes(1 << 19))"
    with pytest.raises(Hung):
        attack(state, f"import time\n{many}; time.sleep(0.01)")


def test_it_dies_with_whoever_started_it(state: Path, level: str) -> None:
    """The station is killed in the middle: no decoder is left behind."""
    mark = state / "studio" / "making-1" / "alive"
    beat = f"import time\nwhile True: open({str(mark)!r}, 'a').write('.'); time.sleep(0.02)"
    starter = (
        "import sys, cage, pathlib, subprocess\nfrom cage import door, Cage, Protection\n"
        f"door.protection = lambda: {LEVELS[level]!r}\n"
        f"door.start([sys.executable, '-I', '-c', {beat!r}], "
        f"Cage(writes=pathlib.Path({str(mark.parent)!r})), subprocess.DEVNULL).wait()"
    )
    parent = door.subprocess.Popen([sys.executable, "-c", starter])
    until(mark.exists)
    parent.kill()
    parent.wait()
    until(lambda: not grows(mark))


def test_all_of_it_is_in_the_group_that_is_killed(level: str) -> None:
    """And in no terminal's session: also what has just been forked, and knows nothing yet of who is to end it."""
    process = door.start(["cat"], Cage(), door.subprocess.PIPE)
    try:
        process.stdin.write(b"up")
        assert process.stdout.read(2) == b"up"
        everybody = [process.pid, *(each.pid for each in psutil.Process(process.pid).children(recursive=True))]
        assert {(os.getpgid(pid), os.getsid(pid)) for pid in everybody} == {(process.pid, process.pid)}
        assert len(everybody) == (3 if level == "full" else 1)
    finally:
        cage.end(process)
        process.stdin.close()
        process.stdout.close()


def test_one_that_is_ended_as_it_begins_leaves_nobody_behind(level: str) -> None:
    """Whoever still had its output open would be waited for without end, as a relay once was."""
    for number in range(60):
        process = door.start(["cat"], Cage(), door.subprocess.PIPE)
        time.sleep(number / 4000)  # bubblewrap forks within these
        cage.end(process)
        assert select.select([process.stdout], [], [], 60)[0], number
        assert process.stdout.read() == b""
        process.stdin.close()
        process.stdout.close()


def test_where_the_first_of_it_ends_alone_the_others_are_ended_too(level: str) -> None:
    """As where the kernel, short of memory, takes just that one, so early that nobody is to die with it yet."""
    for number in range(60):
        process = door.start(["cat"], Cage(), door.subprocess.PIPE)
        time.sleep(number / 2000)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert cage.end(process) == -signal.SIGKILL
        assert select.select([process.stdout], [], [], 60)[0], number
        assert process.stdout.read() == b""
        process.stdin.close()
        process.stdout.close()


def test_one_whose_first_ends_alone_is_not_waited_for(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = door.start

    def robbed(*given: Any) -> door.subprocess.Popen[bytes]:
        process = start(*given)
        time.sleep(robbed_after)
        process.kill()
        return process

    monkeypatch.setattr(door, "start", robbed)
    for number in range(16):
        robbed_after = number / 1000
        assert cage.run(["sleep", "600"], 300, Cage()).code == -signal.SIGKILL


def test_a_machine_without_a_thread_to_give_is_left_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(RuntimeError):
        cage.run(["sleep", "600"], 300, Cage())
    assert [each for each in psutil.Process().children() if "600" in each.cmdline()] == []


def grows(path: Path) -> bool:
    before = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size > before


def until(met, seconds: float = 60.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_without_any_wall_the_bounds_still_stand(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old kernel: what is left is time, memory and files, and that is said."""
    monkeypatch.setattr(door, "protection", lambda: Protection(False, 0, False))
    assert attack(state, "bytearray(1 << 30)").code != 0
    assert attack(state, "open(state + '/studio/making-1/out', 'wb').write(bytes(3 << 20))").code != 0
    assert [Protection(False, 0, False).level, Protection(False, 0, True).level] == ["bounds", "partly"]
    assert [Protection(False, 3, True).level, Protection(True, 0, True).level] == ["files", "full"]


def test_bubblewrap_that_does_not_work_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a distribution forbids namespaces: the next wall is used, and the log says which."""
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = door.protection.__wrapped__()
    assert (found.bubblewrap, found.landlock, found.filtered) == (False, FULL.landlock, FULL.filtered)


def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(cage.NotInstalled):
        cage.run(["no-such-program"], 1.0, Cage())


def test_the_station_is_not_called_by_a_decoder(state: Path, level: str) -> None:
    """A listener on this machine, as a broker is: nothing arrives."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        assert attack(state, f"socket.create_connection(('127.0.0.1', {port}))").code != 0
        with pytest.raises(TimeoutError):
            listener.accept()
