"""A node that holds no config: none came yet, or its key was revoked."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_node import (
    COMMUNE,
    NODE,
    after,
    config_message,
    make_config,
    make_emergency,
    make_grant,
    make_job,
    make_plan,
    plan_message,
    trust_message,
)
from makers_radio import Radio

from edge_node.restart import RESTART_EXIT
from wire.plan import Lane
from wire.receipt import Step
from wire.seal import Signer
from wire.topics import CONFIG


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def test_a_node_without_a_config_waits_for_it_and_sounds_emergencies_only(radio: Radio) -> None:
    radio.plan(make_job("b0", start=after(600)))
    radio.urgent(make_emergency("e0", start=after(600)))
    radio.start()
    radio.run(1)
    new = Signer(b"n" * 32)
    radio.say(trust_message(make_grant(new), serial=2))  # the config was the old key's: it is gone
    radio.say(plan_message(make_plan(make_job(start=after(3)), area=NODE), new))
    radio.run(4)
    assert radio.agent.gate.config is None
    assert radio.stretches("b1") == []
    radio.say(plan_message(make_plan(make_emergency(start=after(5)), area=NODE, lane=Lane.URGENT), new))
    radio.run(2)
    assert "started" in radio.steps("e1")
    assert Step.REFUSED not in radio.steps("b1")
    radio.say(config_message(make_config(serial=9), new))
    radio.run(40)
    assert radio.outcome("b1").step is Step.SOUNDED


def test_emergencies_of_the_home_and_above_are_heard_without_any_config(radio: Radio) -> None:
    radio.urgent(make_emergency("e0", start=after(600)))  # its audio comes while the config is here
    radio.start()
    radio.run(1)
    new = Signer(b"n" * 32)
    radio.say(trust_message(make_grant(new, areas=("lang-son",)), serial=2))
    radio.run(1)
    for name, area in (("e1", "lang-son"), ("e2", COMMUNE)):
        radio.say(
            plan_message(make_plan(make_emergency(name, start=after(3)), area=area, lane=Lane.URGENT, serial=9), new)
        )
    radio.say(plan_message(make_plan(make_job("b1", start=after(3)), area=COMMUNE), new))
    radio.run(40)
    assert radio.agent.gate.config is None
    assert [radio.outcome(name).step for name in ("e1", "e2")] == [Step.SOUNDED, Step.SOUNDED]
    assert radio.steps("b1") == []


def test_an_emergency_on_air_goes_on_when_the_config_goes(radio: Radio) -> None:
    radio.urgent(make_emergency("e1", start=after(1)))
    radio.start()
    radio.run(4)
    radio.agent.gate.forget(CONFIG.topic(node=NODE))
    radio.run(1)
    assert radio.agent.gate.config is None
    radio.run(20)
    assert radio.outcome("e1").step is Step.SOUNDED


def test_a_restart_that_is_asked_for_waits_for_what_is_on_air(radio: Radio) -> None:
    radio.urgent(make_emergency("e1", start=after(1)))
    radio.start()
    radio.run(4)
    radio.configure(make_config(7, restart_request="now"))
    radio.run(1)
    assert radio.agent.exit_code == 0
    radio.run(20)
    assert radio.outcome("e1").step is Step.SOUNDED
    assert radio.agent.exit_code == RESTART_EXIT
