"""What a person at the station sees of an attack: one alarm for each reason and place, however many lies there were."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_evil import Evil
from makers_node import T0, config_message, make_config, trust_message
from makers_radio import Radio
from makers_web import Town
from makers_wire import health
from test_evil_broker import Besieged

from controller.worries import ATTACKS, worries
from wire.errors import Reason
from words import say

A_RADIO_S_OWN = {  # refused by rule or by need, with nobody at work against the node
    *(Reason.QUIET_HOURS, Reason.CLOCK_UNKNOWN, Reason.MAINTENANCE, Reason.BAD_AUDIO, Reason.NO_AUDIO),
    *(Reason.NO_STREAM, Reason.NO_DECODER, Reason.NO_VOICE, Reason.DATA_BUDGET, Reason.DISK_FULL, Reason.LATE),
    *(Reason.OUTRANKED, Reason.SESSIONS_A_DAY, Reason.SESSION_MINUTES, Reason.DAY_MINUTES, Reason.WEEKEND),
    *(Reason.SAFE_MODE, Reason.SET_ASIDE, Reason.AUDIO_DEVICE),
    Reason.NOT_ENROLLED,  # said by a station of a node
}


def test_every_reason_is_an_alarm_or_a_radio_s_own() -> None:
    assert ATTACKS.keys() | A_RADIO_S_OWN == set(Reason)
    assert ATTACKS.keys() & A_RADIO_S_OWN == set()


@pytest.mark.parametrize("reason", ATTACKS)
def test_a_hundred_thousand_refusals_for_one_reason_are_one_alarm(reason: Reason) -> None:
    (found,) = worries(health(refusals={reason.value: 100_000}))
    assert found.facts == {"count": 100_000}
    assert say(f"web.worry_{found.name}", "vi", **found.facts) != say(f"web.worry_{found.name}", "en", **found.facts)


def test_every_family_of_an_evil_broker_is_an_alarm_at_the_station_once(tmp_path: Path) -> None:
    besieged = Besieged(tmp_path)
    for family in Evil(1, T0).families:
        besieged.bring(family, 50)
    besieged.run(61, step=5)
    told = besieged.health[-1]
    besieged.die()
    names = [each.name for each in worries(told) if each.about == "refusals"]
    assert sorted(names) == sorted(f"refused_{reason}" for reason in told.refusals)
    assert len(names) >= 12


def test_what_came_before_the_word_that_vouches_for_it_alarms_nobody(tmp_path: Path) -> None:
    """A new node hears its config first: refused then, obeyed a moment later."""
    radio = Radio(tmp_path)
    radio.broker.forget()
    radio.start()
    radio.say(config_message(make_config(7)))
    radio.run(1)
    assert radio.agent.refusals.counts["unknown_key"] == 1
    radio.say(trust_message())
    radio.run(61, step=5)
    assert radio.agent.gate.config == make_config(7)
    assert radio.health[-1].refusals == {}


def test_the_node_s_page_and_the_list_say_it_in_a_sentence(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    town.wake("dong-dang-1", refusals={"bad_seal": 6993, "late": 1})
    page, listed = client.get("/cum-loa/dong-dang-1").text, client.get("/cum-loa").text
    assert page.count("6993 văn bản mang dấu giả") == 1
    assert "6993 văn bản mang dấu giả" in listed
    town.store.close()
