"""What of a node's health somebody should look at: in sentences, the worst first, on both pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import Town
from makers_wire import NOON, health

from controller.roster import Node
from controller.store.doubles import DoubleRow
from controller.store.facts import Condition
from controller.worries import of_trust, worries
from wire.health import Modem, Relay, Storage, Vitals
from words import say


@pytest.mark.parametrize(
    ("vitals", "names"),
    [
        (Vitals(), []),
        (Vitals(throttled=0, cpu_celsius=50.0, storage=Storage(0, 0, 10, 1, read_only=False)), []),
        (Vitals(throttled=0x50005), ["undervoltage_now", "hot"]),
        (Vitals(throttled=0x50000), ["undervoltage_before", "hot_before"]),
        (Vitals(throttled=0x20002), ["hot"]),
        (Vitals(mains=False, battery=True), ["battery"]),
        (Vitals(mains=True, battery=False), []),
        (Vitals(amplifier=Relay.FAILED, audio_ok=False), ["audio", "amplifier"]),
        (Vitals(amplifier=Relay.ON, audio_ok=True), []),
        (Vitals(storage=Storage(1, 2, 90, 2, read_only=True)), ["read_only", "card_errors", "worn"]),
        (Vitals(modem=Modem("Viettel", 10, "lte", "connected")), ["modem_weak"]),
        (Vitals(modem=Modem("Viettel", 0, None, "searching"), wifi_dbm=-90), ["modem_away", "wifi_weak"]),
        (Vitals(clock_known=False, disk_used_ratio=0.95), ["clock", "full"]),
        (Vitals(clock_offset_ms=-900.0, memory_used_ratio=0.97), ["memory", "clock_off"]),
    ],
)
def test_every_measure_that_needs_somebody_is_a_worry(vitals: Vitals, names: list[str]) -> None:
    found = worries(health(vitals=vitals, refusals={}))
    assert [each.name for each in found] == names
    for each in found:
        assert say(f"web.worry_{each.name}", "vi", **each.facts) != say(f"web.worry_{each.name}", "en", **each.facts)


def test_safe_mode_stands_above_all_and_refusals_below() -> None:
    ailing = health(
        vitals=Vitals(disk_used_ratio=0.95), safe_mode=True, set_aside=("audio a",), watched=False, refusals={"late": 2}
    )
    assert [each.name for each in worries(ailing)] == ["safe_mode", "set_aside", "unwatched", "full", "refusals"]
    assert worries(None) == ()


def test_both_pages_say_it_in_sentences(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    town.wake("dong-dang-1", throttled=0x10000, modem=Modem("Viettel", 12, "lte", "connected"), mains=False)
    page, listed = client.get("/cum-loa/dong-dang-1").text, client.get("/cum-loa").text
    for sentence in ("Mất điện lưới", "đã có lúc thiếu điện áp", "Sóng 4G yếu (12 %)"):
        assert sentence in page
    assert page.index("Mất điện lưới") < page.index("Sóng 4G yếu")
    assert "Viettel · lte · 12" in page
    assert "Mất điện lưới" in listed
    assert "(và 2 điều nữa)" in listed
    town.store.close()


def standing(**changed: object) -> list[str]:
    """The worries of who a node is, a day after it was heard of last."""
    said = {"revoked_at": None, "online": False, "heard": NOON - timedelta(days=1), "until": None, "double": None}
    said |= changed
    node = Node("loa-01", "Loa", "lang-son", "0" * 64, NOON, revoked_at=said["revoked_at"])  # type: ignore[arg-type]
    told = health(certificate_until=said["until"])
    condition = Condition("loa-01", online=said["online"], presence_since=said["heard"], health=told)  # type: ignore[arg-type]
    found = list(of_trust(node, condition, said["double"], NOON))  # type: ignore[arg-type]
    for each in found:
        assert say(f"web.worry_{each.name}", "vi", **each.facts) != say(f"web.worry_{each.name}", "en", **each.facts)
    return [each.name for each in found]


def test_a_certificate_near_its_end_a_lost_a_copied_and_a_revoked_node_are_worries() -> None:
    double = DoubleRow("loa-01", "aa", "bb", "eth0", "", NOON, NOON)
    assert standing() == []
    assert standing(until=NOON + timedelta(days=15)) == []
    assert standing(until=NOON + timedelta(days=14)) == ["certificate"]
    assert standing(until=NOON) == ["certificate_over"]
    assert standing(heard=NOON - timedelta(days=7)) == ["lost"]
    assert standing(heard=NOON - timedelta(days=7), online=True) == []
    assert standing(double=double) == ["cloned"]
    assert standing(double=double, revoked_at=NOON) == ["revoked"]


def test_the_page_names_both_runs_of_a_copied_node(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle()
    client = town.client(town.app(), "quan-tri")
    town.wake("dong-dang-1")
    assert "Có thể bị sao chép" not in client.get("/cum-loa/dong-dang-1").text
    town.store.doubles.note([DoubleRow("dong-dang-1", "lan-chay-1", "lan-chay-2", "eth0", "wlan0", NOON, NOON)] * 2)
    page, listed = client.get("/cum-loa/dong-dang-1").text, client.get("/cum-loa").text
    assert "Có thể bị sao chép" in page
    assert "lan-chay-1 và lan-chay-2; eth0 / wlan0" in page
    assert "Có thể bị sao chép" in listed
    assert town.store.doubles.since(NOON)["dong-dang-1"].count == 2
    assert town.store.doubles.since(NOON + timedelta(seconds=1)) == {}
    town.store.close()
