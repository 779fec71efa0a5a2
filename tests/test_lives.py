"""What follows from how earlier processes ended: short lives, what was in hand, safe mode and the way out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node import disk, in_hand, lives
from edge_node.in_hand import LEDGER, InHand
from edge_node.lives import Lives, Past, begin, recall

PLAN = in_hand.document("radio/v1/areas/lang-son/plan", b"{}")


def life(folder: Path, machine: str = "m1", version: str = "1") -> Lives:
    return Lives(folder, version, machine)


def die(one: Lives) -> None:
    one.close()


def test_four_short_lives_in_a_row_lead_to_safe_mode(tmp_path: Path) -> None:
    for _ in range(lives.SHORT_LIVES):
        one = life(tmp_path)
        assert not one.safe
        one.healthy(0.0)
        one.healthy(lives.LIFE_SECONDS - 1)
        die(one)
    assert life(tmp_path).safe
    assert life(tmp_path).safe, "and the next one is no other"


def test_a_life_that_lasted_or_ended_by_itself_breaks_the_row(tmp_path: Path) -> None:
    for _ in range(lives.SHORT_LIVES * 2):
        die(life(tmp_path))
        die(life(tmp_path))
        one = life(tmp_path)
        one.healthy(0.0)
        one.healthy(lives.LIFE_SECONDS)
        die(one)
    for _ in range(lives.SHORT_LIVES * 2):
        one = life(tmp_path)
        assert not one.safe
        one.end()
        die(one)


def test_health_is_counted_from_the_last_bad_tick(tmp_path: Path) -> None:
    one = life(tmp_path)
    one.healthy(0.0)
    one.ailing()
    one.healthy(lives.LIFE_SECONDS)
    assert recall(tmp_path).short == 1
    one.healthy(lives.LIFE_SECONDS * 2)
    assert recall(tmp_path).short == 0


def test_safe_mode_is_left_after_hours_of_health_or_by_a_request(tmp_path: Path) -> None:
    for way in ("hours", "request"):
        for _ in range(lives.SHORT_LIVES):
            die(life(tmp_path))
        one = life(tmp_path)
        assert one.safe
        assert not one.is_over
        one.healthy(5.0)
        if way == "hours":
            one.healthy(4.0 + lives.SAFE_SECONDS)
            assert not one.is_over
            one.healthy(5.0 + lives.SAFE_SECONDS)
        else:
            one.leave_safe_mode()
        assert one.is_over
        assert one.safe, "to the end of this life"
        one.end()
        die(one)
        one = life(tmp_path)
        assert not one.safe
        one.end()
        die(one)


def test_another_version_starts_with_a_clean_sheet(tmp_path: Path) -> None:
    for _ in range(lives.SHORT_LIVES + 1):
        one = life(tmp_path)
        one.hand._put(PLAN)
        die(one)
    assert life(tmp_path).aside == (PLAN,)
    newer = life(tmp_path, version="2")
    assert not newer.safe
    assert newer.aside == ()


def test_what_was_in_hand_at_two_deaths_is_set_aside(tmp_path: Path) -> None:
    for _ in range(lives.DEATHS):
        one = life(tmp_path)
        assert not one.is_aside(PLAN)
        one.hand._put(PLAN)
        die(one)
    for _ in range(lives.DEATHS):
        one = life(tmp_path)
        one.hand.sound(in_hand.audio("f00d"))
        die(one)
    one = life(tmp_path)
    assert one.aside == (PLAN, in_hand.audio("f00d"))
    assert in_hand.audio_of(one.aside) == {"f00d"}


def test_a_success_between_two_deaths_takes_the_blame_away(tmp_path: Path) -> None:
    for _ in range(4):
        one = life(tmp_path)
        one.hand._put(PLAN)
        die(one)
        one = life(tmp_path)
        with one.hand.holding(PLAN):
            pass
        die(one)
    assert life(tmp_path).aside == ()


def test_a_death_together_with_the_machine_is_nobodys_fault(tmp_path: Path) -> None:
    for boot in range(4):
        one = life(tmp_path, machine=f"m{boot}")
        one.hand.sound(in_hand.audio("f00d"))
        die(one)
    one = life(tmp_path, machine="m9")
    assert one.aside == ()
    assert one.safe, "but it is a loop"


def test_what_sounds_is_to_blame_only_while_the_walk_rests(tmp_path: Path) -> None:
    hand = life(tmp_path).hand
    told: list[str] = []
    hand.harmless = told.append

    def held() -> str:
        return InHand(tmp_path / "in_hand").before

    with hand.holding(PLAN):
        assert held() == PLAN
        hand.sound("audio a")
        assert held() == "audio a"
    assert held() == "audio a", "to the end of the tick that primed it"
    with hand.holding(LEDGER):
        assert held() == LEDGER
    assert held() == "audio a", "whatever else that tick still works on"
    hand.rest()
    hand.walk()
    assert held() == ""
    hand.rest()
    assert held() == "audio a"
    hand.proved()
    assert held() == ""
    assert told == [PLAN, LEDGER, "audio a"]
    hand.strict = True
    hand.sound("audio b")
    hand.proved()
    assert held() == "audio b"
    hand.hush()
    hand.rest()
    assert held() == ""


def test_an_exception_is_no_death(tmp_path: Path) -> None:
    for _ in range(3):
        one = life(tmp_path)
        with pytest.raises(OSError, match="full"), one.hand.holding(LEDGER):
            raise OSError("full")
        die(one)
    assert life(tmp_path).aside == ()


@pytest.mark.parametrize("rubbish", [b"", b"{", b'{"short": "many"}', b"\xff" * 100, b"[" * 400_000])
def test_a_spoilt_record_is_none(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "lives").write_bytes(rubbish)
    (tmp_path / "in_hand").write_bytes(rubbish[:50])
    one = life(tmp_path)
    assert not one.safe
    die(one)
    assert recall(tmp_path).short == 1


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "write", full)
    blocked = tmp_path / "file"
    blocked.write_text("")
    one = Lives(blocked / "below", "1", "m")
    with one.hand.holding(PLAN):
        one.healthy(0.0)
    one.end()
    one.close()
    assert InHand(blocked / "below" / "in_hand").before == ""


def test_what_the_disk_refused_is_written_when_it_takes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for _ in range(lives.SHORT_LIVES - 1):
        die(life(tmp_path))
    one = life(tmp_path)
    one.healthy(0.0)
    with monkeypatch.context() as refusing:
        refusing.setattr(disk, "write", full)
        one.healthy(lives.LIFE_SECONDS)
    one.healthy(lives.LIFE_SECONDS + lives.AGAIN_SECONDS)
    die(one)
    assert recall(tmp_path).short == 0
    assert not life(tmp_path).safe


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=40))
def test_no_history_sets_aside_what_was_not_held_at_two_deaths(history: list[tuple[str, bool]]) -> None:
    past = Past("1", "m")
    for at in range(len(history)):
        held, reboot = history[at]
        past = begin(past, held, "1", f"m{at}" if reboot else past.machine)
        mine = [held for held, booted in history[: at + 1] if not booted]
        for thing in past.aside:
            assert mine.count(thing) >= lives.DEATHS
        assert past.safe == (at >= lives.SHORT_LIVES)
    assert len(past.deaths) <= lives.MOST_ASIDE
