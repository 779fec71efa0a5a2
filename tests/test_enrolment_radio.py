"""A node comes in by a one-time code and sounds, dies, and another takes its place: real web, broker and processes."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from makers_enrolment import HOME, Commune, eventually, in_1970, utc_now

from controller.desk import Wish
from edge_node import disk
from fleet import mosquitto
from wire.mqtt import MqttLink, Tls
from wire.receipt import Step

pytestmark = pytest.mark.skipif(
    mosquitto.find() is None, reason="mosquitto is not installed: apt-get install mosquitto"
)


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    with Commune(tmp_path) as made:
        yield made


def sounded(commune: Commune, text: str) -> str:
    """Announce it now, and wait until the node has sounded it; the booking."""
    made = commune.desk.announce(Wish(text, (HOME,)), commune.boss, utc_now())
    eventually(lambda: [o for o in commune.store.asrun.outcomes(job=made.booking_id) if o.step is Step.SOUNDED])
    return made.booking_id


def tls(commune: Commune, device: str) -> Tls:
    state = commune.folder / device / "state"
    return Tls(
        ca_certs=str(state / "broker-ca.pem"), certfile=str(state / "broker.pem"), keyfile=str(state / "broker.key")
    )


def test_a_node_enrols_and_sounds_and_another_takes_its_place(commune: Commune) -> None:
    code = commune.code()
    told, before = commune.enrol(code.shown().lower(), "first", fake=in_1970()), utc_now()
    assert told.returncode == 0, told.stderr.decode()
    bound = datetime.fromisoformat(disk.read_record(commune.folder / "first" / "state" / "clock").decode())
    assert timedelta(0) <= before - bound <= timedelta(minutes=2)  # the station's time, as the answer proved it
    assert "loa-01" in told.stdout.decode()
    settings = tomllib.loads((commune.folder / "first" / "node.toml").read_text())
    assert (settings["node"], settings["home"], settings["player"]) == ("loa-01", HOME, "file")
    assert "broker_password" not in settings
    state = commune.folder / "first" / "state"
    for secret in ("node.key", "broker.key"):
        assert stat.S_IMODE((state / secret).stat().st_mode) == 0o600
    assert not (state / "enrolling").exists()
    access = commune.settings.broker_dir / "access"
    eventually(lambda: "user loa-01" in access.read_text())
    commune.take_over()
    assert f"Broker: 127.0.0.1:{commune.broker_port} lets the node in" in commune.checked("first")
    commune.run("first", fake=in_1970())  # certificates have begun for a node that does not know the time
    eventually(lambda: commune.online("loa-01"))
    commune.kill("first")
    eventually(lambda: not commune.online("loa-01"))
    commune.run("first")
    eventually(lambda: commune.online("loa-01"))
    before = commune.store.roster.node("loa-01")
    first = sounded(commune, "Bản tin thứ nhất.")
    commune.kill("first")

    replacement = commune.desk.replace_node("loa-01", commune.boss, utc_now())
    told = commune.enrol(replacement.shown(), "second")
    assert told.returncode == 0, told.stderr.decode()
    node = commune.store.roster.node("loa-01")
    assert before
    assert node
    assert node.public_key != before.public_key
    assert (node.name, node.home, node.enrolled_at) == (before.name, before.home, before.enrolled_at)
    revoked = commune.settings.broker_dir / "revoked.pem"
    handed = commune.folder / "etc" / "broker" / "revoked.pem"
    eventually(lambda: revoked.read_bytes() != handed.read_bytes())
    commune.take_over()
    commune.run("second")
    second = sounded(commune, "Bản tin thứ hai.")
    told_of = {outcome.job.split(":")[0]: outcome.step for outcome in commune.store.asrun.outcomes(area="loa-01")}
    assert told_of == {first: Step.SOUNDED, second: Step.SOUNDED}
    assert [each for each in commune.store.refusals.all() if each.reason == "forked"] == []

    old = MqttLink("loa-01", "127.0.0.1", commune.broker_port, tls=tls(commune, "first"))
    old.start()
    eventually(lambda: old._attempt >= 2)
    assert old.connections() == 0
    old.stop()
    assert commune.nodes["second"].poll() is None
