"""Between a real station and real nodes: the broker forgets, strangers speak, files rot, keys change, nodes sleep."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_radio_processes import DONG_DANG, DONGDANG, TAM_THANH, TAMTHANH, Commune, soon
from makers_radio_stranger import URGENT, Stranger, issued, retained
from makers_sound import utc_now

from controller import keys
from wire.errors import Reason
from wire.plan import Lane
from wire.receipt import Step

TOP = Path(__file__).parent.parent
BOTH = (TAMTHANH, DONGDANG)
LATE_SECONDS = 8  # after its second an item may begin: enough for a node that is there, on a busy machine


@pytest.fixture(scope="module")
def radio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commune]:
    commune = Commune(tmp_path_factory.mktemp("air"), fast=True)
    try:
        commune.start()
        yield commune
    finally:
        commune.stop()


@pytest.fixture
def stranger(radio: Commune) -> Iterator[Stranger]:
    stranger = Stranger(radio, radio.shelve(2))
    yield stranger
    stranger.close()


def sounded_once(radio: Commune, job: str, nodes: tuple[str, ...] = BOTH) -> None:
    """On each of the nodes: one outcome, the whole audio in one piece, and nothing else in it."""
    for node in nodes:
        assert radio.outcome(job, node).step is Step.SOUNDED
        (part,) = radio.parts(node, job)
        assert (part.from_ms, part.ms) == (0, pytest.approx(radio.length_ms(job), abs=2))
        assert radio.alike(node, part) > 0.9


def test_what_a_broker_forgot_stands_again_and_nothing_sounds_twice(radio: Commune) -> None:
    before = radio.book((TAM_THANH, DONG_DANG), 2)
    sounded_once(radio, before)
    assert {DONG_DANG, TAM_THANH} <= {each.area for each in radio.store.plans.current()}
    radio.crew.broker.wipe()
    radio.wait(lambda: issued(radio).items() <= retained(radio).items())
    after = radio.announce((TAM_THANH, DONG_DANG)).booking_id
    assert after
    sounded_once(radio, after)
    sounded_once(radio, before)


def test_what_is_withdrawn_in_time_does_not_sound(radio: Commune) -> None:
    made = radio.announce(BOTH, start=soon(3600))
    job = made.booking_id
    assert job
    for node in BOTH:
        radio.wait_for_step(job, node, Step.ACCEPTED)
    radio.demo.desk.withdraw(job, radio.demo.admin, utc_now())
    assert radio.outcomes(job) == {TAMTHANH: "withdrawn", DONGDANG: "withdrawn"}
    assert [radio.parts(node, job) for node in BOTH] == [[], []]


def test_a_node_that_slept_sounds_late_what_may_be_late_and_says_what_it_missed(radio: Commune) -> None:
    radio.kill_node(DONGDANG)
    late = radio.book((TAM_THANH, DONG_DANG), 2)
    missed = radio.book((TAM_THANH, DONG_DANG), 2, late_for_seconds=LATE_SECONDS)
    sounded_once(radio, late, (TAMTHANH,))
    sounded_once(radio, missed, (TAMTHANH,))
    placed = radio.store.bookings.get(missed)
    assert placed
    assert placed.start
    radio.wait(lambda: (utc_now() - placed.start).total_seconds() > LATE_SECONDS)
    radio.start_node(DONGDANG)
    sounded_once(radio, late, (DONGDANG,))
    end = radio.outcome(missed, DONGDANG)
    assert end.step is Step.MISSED
    assert end.reason == Reason.LATE
    assert radio.parts(DONGDANG, missed) == []
    measured = radio.outcome(late, DONGDANG).measured
    assert measured
    assert measured.skew_ms > 1000


def test_rotten_audio_is_fetched_anew_or_refused_and_never_heard(radio: Commune) -> None:
    good, rotten = radio.shelve(2), radio.shelve(2)
    mended = radio.book_asset(BOTH, good, soon(10))
    copies = [radio.folder / "nodes" / node / "audio" / good.sha256 for node in BOTH]
    radio.wait(lambda: all(copy.exists() for copy in copies))
    for path in (*copies, radio.settings.shelf_dir / rotten.sha256):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    lost = radio.book_asset(BOTH, rotten, late_for_seconds=LATE_SECONDS)
    sounded_once(radio, mended)
    for node in BOTH:
        end = radio.outcome(lost, node)
        assert (end.step, end.reason) == (Step.MISSED, Reason.BAD_HASH)
        assert radio.parts(node, lost) == []
        radio.wait(lambda node=node: radio.refusals(node).get(Reason.BAD_HASH, 0) >= 2)


def test_a_node_refuses_what_strangers_say_and_goes_on(radio: Commune, stranger: Stranger) -> None:
    older = newest_plan(radio)
    before, jobs = radio.refusals(DONGDANG), {part.job for part in radio.parts(DONGDANG)}
    newer = radio.book((TAM_THANH, DONG_DANG), 2)
    sounded_once(radio, newer)
    wrong = stranger.to_a_node(older)
    stranger.say(wrong)
    assert stranger.send_a_huge_message()
    expected = Counter(reason.value for _, _, reason in wrong)
    radio.wait(lambda: Counter(radio.refusals(DONGDANG)) - Counter(before) >= expected)
    gained = Counter(radio.refusals(DONGDANG)) - Counter(before)
    assert {reason: gained[reason] for reason in expected} == expected
    after = radio.announce(BOTH).booking_id
    assert after
    sounded_once(radio, after)
    assert {part.job for part in radio.parts(DONGDANG)} - jobs == {newer, after}


def newest_plan(radio: Commune) -> bytes:
    """The plan of Đồng Đăng that the node there holds."""
    held = radio.store.plans.of(DONG_DANG, Lane.PLAN)
    assert held
    return held.envelope


def test_a_station_refuses_what_strangers_say_and_goes_on(radio: Commune, stranger: Stranger) -> None:
    before = counted(radio)
    wrong = stranger.to_the_station()
    stranger.say(each for each, _ in wrong)
    expected = Counter((each[2].value, where) for each, where in wrong)
    radio.wait(lambda: counted(radio) - before >= expected)
    assert counted(radio) - before == expected
    assert radio.store.asrun.outcomes(job="h1") == []
    condition = radio.store.health.condition(DONGDANG)
    assert condition
    assert condition.online
    sounded_once(radio, radio.book((DONGDANG,), 2), (DONGDANG,))


def counted(radio: Commune) -> Counter[tuple[str, str]]:
    return Counter({(each.reason, each.where): each.count for each in radio.store.refusals.all()})


def test_after_a_change_of_keys_nodes_believe_the_new_one_only(radio: Commune, stranger: Stranger) -> None:
    ring, pending = keys.Keyring(radio.settings.keys_dir), radio.book(BOTH, 2, soon(5))
    assert radio.crew.controller
    radio.crew.controller.stop()
    change = [sys.executable, "-m", "loa", "key", "change", "--stolen"]
    command = [*change, "--config", str(radio.folder / "controller.toml")]
    subprocess.run(command, check=True, cwd=TOP, stdout=subprocess.PIPE)  # as the operator's guide says
    radio.start_controller()
    trust = keys.held_trust(radio.store)
    assert trust
    assert [grant.public_key for grant in trust.grants] == [ring.station().public.hex]
    radio.wait(lambda: {e.health.trust_serial for e in radio.store.health.latest() if e.health} == {trust.serial})
    before = radio.refusals(DONGDANG).get(Reason.UNKNOWN_KEY, 0)
    stranger.say([(URGENT, stranger.sealed(stranger.plan()), Reason.UNKNOWN_KEY)])
    after = radio.announce(BOTH).booking_id
    assert after
    sounded_once(radio, after)
    sounded_once(radio, pending)
    radio.wait(lambda: radio.refusals(DONGDANG).get(Reason.UNKNOWN_KEY, 0) > before)
    assert [radio.parts(node, "h1") for node in BOTH] == [[], []]
