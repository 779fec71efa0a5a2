"""An alarm over the whole street: a real broker, a real station, a real node that is killed and comes back."""

from __future__ import annotations

from pathlib import Path

from makers_radio_processes import DONG_DANG, DONGDANG, TAMTHANH, Commune


def test_a_node_that_is_killed_is_an_alarm_until_it_is_back(tmp_path: Path) -> None:
    radio = Commune(tmp_path, fast=True, alarm_grace_seconds=2, alarm_hold_seconds=1)
    try:
        radio.start()
        radio.wait(lambda: radio.online(DONGDANG) and radio.online(TAMTHANH))  # or the other were an alarm too
        radio.kill_node(DONGDANG)
        radio.wait(radio.store.alarms.open)
        (alarm,) = radio.store.alarms.open()
        assert (alarm.cause, alarm.place, alarm.state) == ("offline", DONG_DANG, "raised")
        assert [each.member for each in radio.store.alarms.members(alarm.id, 9)] == [DONGDANG]
        assert radio.online(DONGDANG) is False
        radio.start_node(DONGDANG)
        radio.wait(lambda: not radio.store.alarms.open())
        cleared = radio.store.alarms.get(alarm.id)
        assert cleared is not None
        assert cleared.state == "cleared"
        assert radio.online(DONGDANG)
    finally:
        radio.stop()
