"""The controller in parts and in trouble: web and station apart, over each database and broker; a full disk."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from makers_radio_processes import TAMTHANH, Commune
from makers_radio_visitor import Visitor
from makers_sound import until, utc_now
from postgres import Postgres

from controller import bootstrap, keys, settings
from controller.desk import Desk, Wish
from controller.roster import Area, AreaKind
from controller.store import Store, StoreError
from controller.store.rows import User, VoiceState
from fleet.crew import READY_SECONDS, Crew
from fleet.tether import Tethered
from loa.codes import FAILED
from wire.receipt import Step

TOP = Path(__file__).parent.parent
DISK_BYTES, LEFT_BYTES = 6_000_000, 400_000
# its recording takes more than is left
LONG = (
    "Ủy ban nhân dân xã thông báo lịch tiêm phòng cho trẻ em dưới năm tuổi tại trạm y tế xã vào sáng thứ bảy tuần này."
)


def program(folder: Path, verb: str, told: Mapping[str, object]) -> Tethered:
    """`loa VERB` with these settings."""
    file, log = folder / f"{verb}.toml", folder / f"{verb}.log"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items()), "utf-8")
    started = Tethered([sys.executable, "-m", "loa", verb, "--config", str(file)], folder, None, log)
    started.start()
    return started


class CrewApart(Crew):
    """Web and station are two processes."""

    station: Tethered

    def start_controller(self, settings: Mapping[str, object]) -> None:
        self.station = program(self.folder, "station", settings)
        self.controller = program(self.folder, "web", settings)
        address = (str(settings["web_host"]), int(str(settings["web_port"])))

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(address) == 0

        until(answers, READY_SECONDS)

    def stop(self) -> None:
        if hasattr(self, "station"):
            self.station.stop()
        super().stop()


@pytest.mark.parametrize(("engine", "database"), [("mosquitto", "sqlite"), ("nats", "postgresql")])
def test_an_announcement_typed_into_the_web_is_sounded_by_a_station_in_another_process(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, database: str
) -> None:
    more: dict[str, object] = {}
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        more["database_url"] = server.database()
    radio = Commune(tmp_path, nodes=1, fast=True, engine=engine, **more)
    radio.crew = radio.demo.crew = apart(radio.crew)
    try:
        radio.start()
        assert radio.crew.broker.engine == engine
        person = Visitor(radio.demo.invitation())
        assert json.loads(person.get("/suc-khoe")) == {
            "web": "ok",
            "store": "ok",
            "broker": None,
            "station_seconds": None,
        }
        job = person.announce("A lô.", TAMTHANH.removesuffix("-01").join(("lang-son:", "")))
        assert radio.outcome(job, TAMTHANH).step is Step.SOUNDED
        (part,) = radio.parts(TAMTHANH, job)
        assert part.ms == pytest.approx(radio.length_ms(job), abs=2)
        assert radio.alike(TAMTHANH, part) > 0.9
        assert f"/{TAMTHANH}" in person.get(f"/nhat-ky-phat?lich-phat={job}")
    finally:
        radio.stop()


def apart(crew: Crew) -> CrewApart:
    other = CrewApart(crew.folder)
    other.broker = crew.broker
    return other


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_station_whose_disk_is_full_says_so_lives_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    told = {"state_dir": str(small_disk / "station"), "broker_port": 1, "quiet_since": "00:00", "quiet_until": "00:00"}
    made = settings.from_values(told)
    store = bootstrap.open_store(made)
    keys.establish(keys.Keyring(made.keys_dir), store, ("*",), utc_now())
    desk = bootstrap.make_desk(made, store)
    admin = desk.open_house("quan-tri", "một câu dễ nhớ", utc_now())
    desk.add_area(Area("lang-son", "Lạng Sơn", AreaKind.PROVINCE), admin, utc_now())
    station = program(tmp_path, "station", told)
    try:
        fill(small_disk, LEFT_BYTES)
        first = desk.announce(Wish(LONG, ("lang-son",)), admin, utc_now()).announcement_id
        until(lambda: f"not_voiced announcement={first}" in said(station), READY_SECONDS)
        assert f"The disk is full at {small_disk}" in said(station)
        fill(small_disk, 0)
        with pytest.raises(StoreError, match="There is no room left"):
            announce_on_and_on(desk, admin)
        assert station.alive()
        (small_disk / "filler").unlink()
        until(lambda: voice_of(store, first) is VoiceState.DONE, READY_SECONDS)
        second = desk.announce(Wish("A lô.", ("lang-son",)), admin, utc_now()).announcement_id
        until(lambda: voice_of(store, second) is VoiceState.DONE, READY_SECONDS)
    finally:
        station.stop()
        store.close()
    assert station.exit_code == 0


def announce_on_and_on(desk: Desk, who: User) -> None:
    for _ in range(1000):
        desk.announce(Wish(LONG, ("lang-son",)), who, utc_now())


def fill(disk: Path, leave_bytes: int) -> None:
    """Let ``leave_bytes`` be free, at most."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        while (free := os.statvfs(disk)).f_bavail * free.f_frsize > leave_bytes:
            filler.write(bytes(min(64 * 1024, free.f_bavail * free.f_frsize - leave_bytes)))


def said(station: Tethered) -> str:
    return station.output.read_text("utf-8")


def voice_of(store: Store, announcement: str) -> VoiceState | None:
    held = store.announcements.get(announcement)
    return held.voice_state if held else None


def test_a_controller_that_cannot_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = {"state_dir": str(tmp_path / "station"), "broker_port": 1, "web_port": port}
        made = settings.from_values(told)
        store = bootstrap.open_store(made)
        keyless = refusal(tmp_path, told | {"web_port": 0})
        keys.establish(keys.Keyring(made.keys_dir), store, ("*",), utc_now())
        in_use = refusal(tmp_path, told)
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'f000000'")
    store.close()
    future = refusal(tmp_path, told)
    assert "station.key" in keyless
    assert f"Port {port} on 127.0.0.1 is in use" in in_use
    assert "made by a newer program (revision f000000" in future
    for sentence in (keyless, in_use, future):
        assert len(sentence.splitlines()) == 1


def refusal(folder: Path, told: Mapping[str, object]) -> str:
    """What `loa controller` says and does nothing but say."""
    file = folder / "controller.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items()), "utf-8")
    command = [sys.executable, "-m", "loa", "controller", "--config", str(file)]
    environment = {**os.environ, "LOA_LANG": "en", "LOA_LOG_LEVEL": "ERROR"}
    ended = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == FAILED
    assert ended.stdout == ""
    return ended.stderr.strip()
