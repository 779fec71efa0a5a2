"""The embedded broker: real processes, real users, real access rules."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from makers_wire import eventually

from fleet import broker as broker_room
from fleet import mosquitto
from fleet.broker import BrokerError, EmbeddedBroker
from fleet.wanted import Access
from wire import topics
from wire.link import Message
from wire.mqtt import MqttLink

ROOT = Path(__file__).parent.parent
ENGINES = ("mosquitto", "nats")
PARENT = """
import sys
from pathlib import Path
from fleet.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), int(sys.argv[2]), engine=sys.argv[3])
broker.start()
print(broker.pid, broker.port, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=ENGINES)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "state", engine=request.param) as broker:
        yield broker


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def parent(state: Path, port: int, engine: str) -> tuple[subprocess.Popen[bytes], int, int]:
    """A process that runs a broker: (it, the broker's pid, the broker's port)."""
    command = [sys.executable, "-c", PARENT, str(state), str(port), engine]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    pid, port = map(int, process.stdout.readline().split())
    return process, pid, port


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broker_dies_with_its_parent_even_of_kill_9_and_its_port_is_free_again(engine: str, tmp_path: Path) -> None:
    first, pid, port = parent(tmp_path, 0, engine)
    with first:
        assert not gone(pid)
        first.kill()
    second, again, same = parent(tmp_path, port, engine)
    with second:
        assert same == port
        assert gone(pid)
        second.kill()
    eventually(lambda: gone(again))


def test_a_broker_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    thread = threading.Thread(target=broker.start)
    thread.start()
    thread.join()
    eventually(lambda: not thread.is_alive())
    assert broker.alive()
    with socket.create_connection((broker.host, broker.port), timeout=5):
        pass
    broker.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to lose")
def test_a_broker_started_by_root_is_not_root(running: EmbeddedBroker) -> None:
    process = psutil.Process(running.pid)
    allowed = {pwd.getpwnam(name).pw_uid for name in ("mosquitto", "nobody")}
    assert {*process.uids()} <= allowed
    assert 0 not in process.gids()
    status = Path(f"/proc/{running.pid}/status").read_text()
    assert "Groups:\t\n" in status.replace(" ", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees past a closed folder")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_broker_lives_in_a_folder_whose_parents_are_closed_to_it(engine: str, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedBroker(closed / "state", engine=engine) as broker:  # type: ignore[arg-type]
        publish_kept(broker, "radio/v1/trust", b"kept")
        broker.stop()
        broker.start()
        assert first_of(broker, "radio/v1/trust") == Message("radio/v1/trust", b"kept", retained=True)


def test_it_listens_on_this_machine_alone(running: EmbeddedBroker) -> None:
    listening = [known for known in psutil.Process(running.pid).net_connections("tcp") if known.status == "LISTEN"]
    assert {known.laddr.ip for known in listening} == {"127.0.0.1"}
    assert running.port in {known.laddr.port for known in listening}
    assert running.port not in (1883, 4222)


def test_what_is_retained_outlives_a_stop_and_not_a_wipe(running: EmbeddedBroker) -> None:
    publish_kept(running, "radio/v1/trust", b"kept")
    port = running.port
    running.stop()
    assert not running.alive()
    running.start()
    assert running.port == port
    assert first_of(running, "radio/v1/trust").payload == b"kept"
    running.wipe()
    assert running.port == port
    publish_kept(running, "radio/v1/areas/x/plan", b"new")
    assert first_of(running, "radio/v1/#").payload == b"new"


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_room, "PORT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError) as refused:
            EmbeddedBroker(tmp_path, port).start()
    assert refused.value.key == "broker.port_in_use"
    assert str(port) in refused.value.say("vi")
    assert str(port) in refused.value.say("en")


def test_a_machine_without_any_broker_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in broker_room.ENGINES.values():
        monkeypatch.setattr(module, "find", lambda: None)
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        EmbeddedBroker(tmp_path)
    with pytest.raises(BrokerError, match="nats is not installed"):
        EmbeddedBroker(tmp_path, engine="nats")


def test_without_mosquitto_nats_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert EmbeddedBroker(tmp_path).engine == "mosquitto"
    monkeypatch.setattr(mosquitto, "find", lambda: None)
    assert EmbeddedBroker(tmp_path).engine == "nats"


def test_a_broker_that_dies_at_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosquitto, "configure", lambda wanted: ["-c", "there-is-no-such.conf"])
    with pytest.raises(BrokerError) as refused:
        EmbeddedBroker(tmp_path, engine="mosquitto").start()
    assert refused.value.key == "broker.died"
    assert "there-is-no-such.conf" in str(refused.value)


def test_a_program_that_is_none_is_a_broker_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "mosquitto"
    broken.write_text("not a program")
    broken.chmod(0o755)
    monkeypatch.setattr(mosquitto, "find", lambda: str(broken))
    monkeypatch.setattr(mosquitto, "version", lambda program: "0")
    with pytest.raises(BrokerError, match="ended right after"):
        EmbeddedBroker(tmp_path / "state", engine="mosquitto").start()


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands here")
    with pytest.raises(BrokerError) as refused:
        EmbeddedBroker(tmp_path / "state").start()
    assert refused.value.key == "broker.cannot_start"


def test_its_version_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "fleet.broker"), EmbeddedBroker(tmp_path, engine="mosquitto") as broker:
        assert broker.version[0].isdigit()
        assert f"version={broker.version}" in caplog.text


def test_stopping_twice_and_starting_twice_change_nothing(running: EmbeddedBroker) -> None:
    pid = running.pid
    running.start()
    assert running.pid == pid
    running.stop()
    running.stop()
    assert gone(pid)


def test_no_file_of_a_password_is_open_to_all(tmp_path: Path) -> None:
    access = Access(topics.access_rules("station", []), {"station": "s"})
    with EmbeddedBroker(tmp_path, access=access) as broker:
        mode = (tmp_path / broker.engine / "passwords").stat().st_mode
        assert mode & 0o007 == 0
        assert "s" not in (tmp_path / broker.engine / "passwords").read_text().split(":")[1].split("$")


def publish_kept(broker: EmbeddedBroker, topic: str, payload: bytes) -> None:
    link = MqttLink("writer", broker.host, broker.port)
    link.start()
    eventually(link.connected)
    assert link.publish(topic, payload, retain=True, qos=1)
    link.stop()  # waits for the broker's word
    assert first_of(broker, topic).payload == payload  # NATS gives its word before it has kept what is retained


def first_of(broker: EmbeddedBroker, wanted: str) -> Message:
    """What a reader is told first; NATS, just started, may tell the first reader nothing, so others come after it."""
    got: list[Message] = []

    def told() -> bool:
        link = MqttLink("reader", broker.host, broker.port, clean=True)
        link.listen([(wanted, 1)])
        link.start()
        until = time.monotonic() + 4
        while not got and time.monotonic() < until:
            got.extend(link.take(0.2))
        link.stop()
        return bool(got)

    eventually(told, 40)
    return got[0]


def test_the_child_is_told_to_end_and_not_only_killed(running: EmbeddedBroker) -> None:
    child = running._child
    assert child is not None
    running.stop()
    assert child.exit_code in (0, -signal.SIGTERM)
