"""The agent and a release: what it fetches, when it asks and lets itself be restarted, and how it proves itself."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from makers_node import ROOT, STATION, T0, after, make_asset, make_config, make_emergency, make_job
from makers_radio import Radio
from makers_release import bundle, envelope, statement

from edge_node import lives
from edge_node.gate import Gate
from edge_node.ledger import Ledger
from edge_node.releases import progress, signs
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.trial import MOST_STARTS, Pace, Trial
from edge_node.updating import LEASE_SECONDS
from wire import codec
from wire.errors import Reason
from wire.plan import BulletinClass, Job, Lane
from wire.release import Hitch, Release, Update, UpdateState

CONTENT = bundle("9.1")
NEW = statement(CONTENT, "9.1", 7)


class Node(Radio):
    """A node that runs from the environment ``a`` of a prefix with an updater."""

    serial = 1

    def name(self, *releases: Release, signer: object = None) -> None:
        """The next config names these releases."""
        Node.serial += 1
        sealed = tuple(envelope(each, signer or ROOT) for each in releases)  # type: ignore[arg-type]
        self.configure(make_config(Node.serial, self.hand.now(), releases=sealed))

    def says(self, **changed: object) -> Progress:
        """The updater's state."""
        state = msgspec.structs.replace(Progress(serial=7, version="9.1", target="b", previous="a"), **changed)
        progress.save(self.prefix, state)
        return state

    @property
    def prefix(self) -> Path:
        return self.folder / "opt"

    def file(self, name: str) -> bytes | None:
        path = self.folder / "update" / name
        return path.read_bytes() if path.exists() else None

    def leased(self) -> bool:
        raw = self.file(signs.LEASE)
        lease = codec.read(signs.Lease, raw, 1000) if raw else None
        return signs.holds(lease, signs.boot(), self.hand.monotonic())

    def sign(self) -> signs.Sign | None:
        raw = self.file(signs.SIGN)
        return codec.read(signs.Sign, raw, 1000) if raw else None

    @property
    def told(self) -> Update | None:
        return self.agent._updating.told


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    (tmp_path / "opt" / "a").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "opt" / "a"))
    node = Node(tmp_path)
    progress.save(node.prefix, Progress())
    node.start()
    return node


def standing(node: Node) -> tuple[str, str]:
    assert node.told
    return node.told.state, node.told.reason


def test_a_release_is_fetched_last_asked_for_in_free_air_and_told(node: Node) -> None:
    node.cache.missing[NEW.sha256] = Reason.NO_AUDIO
    node.plan(make_job(start=after(3600)))
    node.run(3, 1)
    node.name(NEW)
    node.run(3, 1)
    assert standing(node) == (UpdateState.FETCHING, "")
    assert [asset.sha256 for asset in node.cache.last] == [NEW.sha256]
    assert NEW.sha256 not in node.cache.wanted
    assert node.file(signs.REQUEST) is None
    node.cache.missing.clear()
    node.run(65, 1)
    assert standing(node) == (UpdateState.WAITING, "")
    assert codec.read(type(envelope(NEW)), node.file(signs.REQUEST) or b"", 9000) == envelope(NEW)
    assert node.health[-1].update == node.told
    assert not node.leased()


@pytest.mark.parametrize("job", [make_job(start=after(600)), make_job(start=after(-5)), make_emergency(late_for=7200)])
def test_nothing_is_asked_for_while_the_air_is_taken_or_soon_will_be(node: Node, job: Job) -> None:
    urgent = job.bulletin_class is BulletinClass.EMERGENCY
    node.plan(job, lane=Lane.URGENT if urgent else Lane.PLAN)
    node.run(1)
    node.name(NEW)
    node.run(5, 0.5)
    assert standing(node) == (UpdateState.WAITING, Hitch.AIR_TAKEN)
    assert node.file(signs.REQUEST) is None


def test_without_an_updater_it_is_told_that_there_is_none(node: Node) -> None:
    progress.place(node.prefix).unlink()
    node.name(NEW)
    node.run(5, 1)
    assert standing(node) == (UpdateState.WAITING, Hitch.NO_UPDATER)
    assert node.file(signs.REQUEST) is None


def test_a_lease_is_given_while_something_is_to_be_switched_to_and_the_air_stays_free(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.BUILDING)
    node.run(10, 1)
    assert not node.leased()
    node.says(phase=Phase.BUILT)
    node.run(4, 1)
    assert node.leased()
    assert standing(node) == (UpdateState.READY, "")
    node.plan(make_job(start=node.hand.now() + (after(299) - T0)))
    node.run(3, 1)
    assert not node.leased()


def test_what_begins_unforeseen_takes_the_lease_back_at_once(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.BUILT)
    node.run(4, 1)
    assert node.leased()
    node.urgent(make_emergency(start=node.hand.now()))
    node.agent.tick()  # one look is enough
    assert not node.leased()
    assert node.file(signs.LEASE) is None


def test_no_lease_reaches_into_a_job_that_was_known(node: Node) -> None:
    """Whenever a lease holds, nothing of the plans begins for as long as a bad version may take to go away."""
    node.name(NEW)
    node.says(phase=Phase.BUILT)
    starts = [after(offset) for offset in (400, 1000, 1100, 2500)]
    node.plan(*(make_job(f"b{n}", start, asset=make_asset(f"f{n}", 90_000)) for n, start in enumerate(starts)))
    leased = 0
    for _ in range(300):
        node.run(10, 5)
        if node.leased():
            leased += 1
            ahead = [(start - node.hand.now()).total_seconds() for start in starts if start > node.hand.now()]
            assert min(ahead, default=10_000) > 300 - 2 - LEASE_SECONDS
            assert node.player.progress() is None
    assert leased > 100


def test_on_trial_it_gives_signs_and_calls_itself_well_after_its_time(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.TRIAL, target="a", previous="b", healthy_seconds=60.0, beat_seconds=5.0)
    node.run(10, 1)
    first = node.sign()
    assert first
    assert (first.environment, first.healthy, first.free) == ("a", False, True)
    assert not node.leased()
    assert standing(node) == (UpdateState.TRIAL, "")
    node.run(62, 1)
    last = node.sign()
    assert last
    assert (last.healthy, last.process) == (True, first.process)


def test_without_a_broker_or_with_a_spoilt_ledger_it_is_not_well(node: Node) -> None:
    node.says(phase=Phase.TRIAL, target="a", previous="b", healthy_seconds=10.0)
    node.broker.drop(node.link)
    node.run(30, 1)
    assert (sign := node.sign())
    assert not sign.healthy
    node.restart()
    node.run(20, 1)
    assert (sign := node.sign())
    assert sign.healthy
    node.agent.ledger.book.spoilt = True
    node.run(20, 1)
    assert (sign := node.sign())
    assert not sign.healthy


def test_while_the_other_waits_for_its_trial_it_says_that_it_is_here_and_may_be_restarted(
    node: Node,
) -> None:
    node.name(NEW)
    node.says(phase=Phase.TRIAL)
    node.run(6, 1)
    assert (sign := node.sign())
    assert sign.environment == "a"
    assert node.leased()


def test_on_trial_its_word_of_free_air_is_taken_back_as_soon_as_something_begins(node: Node) -> None:
    node.says(phase=Phase.TRIAL, target="a", previous="b", beat_seconds=30.0)
    node.run(10, 1)
    assert (sign := node.sign())
    assert sign.free
    node.urgent(make_emergency(start=node.hand.now()))
    node.agent.tick()  # one look is enough
    assert (sign := node.sign())
    assert (sign.free, sign.healthy) == (False, False)


@pytest.mark.parametrize(
    ("release", "signer", "hitch"),
    [
        (NEW, STATION, Hitch.UNKNOWN_KEY),
        (statement(CONTENT, "0.0.1", 9), None, Hitch.DOWNGRADE),
        (statement(CONTENT, "9.1", 9, valid_until=after(-1)), None, Hitch.EXPIRED),
    ],
)
def test_what_is_refused_is_told_and_not_fetched(node: Node, release: Release, signer: object, hitch: Hitch) -> None:
    node.name(release, signer=signer)
    node.run(70, 1)
    assert standing(node) == (UpdateState.REFUSED, hitch)
    assert node.cache.last == []
    assert node.file(signs.REQUEST) is None
    update = node.health[-1].update
    assert update
    assert update.reason == hitch


def test_a_release_for_others_is_nothing_to_it(node: Node) -> None:
    node.name(statement(CONTENT, "9.1", 9, machine="riscv64"))
    node.run(70, 1)
    assert node.told is None
    assert node.health[-1].update is None


@pytest.mark.parametrize("spoilt", [b"", b"{", b"\xff", b'{"phase":"dancing"}'])
def test_a_state_that_cannot_be_read_is_as_none(node: Node, spoilt: bytes) -> None:
    progress.place(node.prefix).write_bytes(spoilt)
    node.name(NEW)
    node.run(5, 1)
    assert standing(node) == (UpdateState.WAITING, Hitch.NO_UPDATER)


def test_a_folder_that_cannot_be_written_to_stops_no_walk(node: Node) -> None:
    (node.folder / "update").write_bytes(b"a file where the folder should be")
    node.name(NEW)
    node.says(phase=Phase.BUILT)
    node.plan(make_job(start=after(400)))
    node.run(420, 1)
    assert node.steps("b1")[-1] == "sounded"


def test_a_lease_of_the_run_before_is_gone_with_it(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.BUILT)
    node.run(4, 1)
    assert node.leased()
    node.die()
    node.new_node()
    assert node.file(signs.LEASE) is None


def test_an_update_that_was_cut_off_is_asked_for_again(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.BUILDING)  # and the power cut took request and updater
    node.run(5, 1)
    assert standing(node) == (UpdateState.BUILDING, "")
    assert node.file(signs.REQUEST)
    (node.folder / "update" / signs.REQUEST).unlink()
    node.run(890, 5)
    assert node.file(signs.REQUEST) is None
    node.run(20, 5)
    assert node.file(signs.REQUEST)


def test_a_trial_that_nobody_watches_is_called_to_mind(node: Node) -> None:
    node.name(NEW)
    node.says(phase=Phase.TRIAL, target="a", previous="b")
    node.run(5, 1)
    assert node.file(signs.REQUEST)


@pytest.mark.parametrize("phase", [Phase.DONE, Phase.FAILED])
def test_what_is_over_is_asked_for_no_more(node: Node, phase: Phase) -> None:
    node.name(NEW)
    node.says(phase=phase)
    node.run(70, 1)
    assert node.file(signs.REQUEST) is None
    assert node.cache.last == []


def test_a_version_that_dies_of_a_plan_at_its_start_is_counted_and_never_called_well(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start shows, though it dies before its first look; the one that does without the plan has proven nothing."""
    state = node.says(phase=Phase.TRIAL, target="a", previous="b", since=0.0, boot=signs.boot(), healthy_seconds=10.0)
    trial, admit = Trial(state, Pace()), Gate.admit
    node.plan(make_job(start=after(3600)))
    node.run(1)

    def dying(gate: Gate, topic: str, *rest: object, **named: object) -> object:
        if topic.endswith("lang-son:dong-dang/plan"):
            raise KeyboardInterrupt
        return admit(gate, topic, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Gate, "admit", dying)
    for _ in range(lives.DEATHS):
        node.die()
        monkeypatch.setattr("edge_node.updating.BOOT_ID", f"process {node.hand.seconds}")
        node.new_node()
        with pytest.raises(KeyboardInterrupt):
            node.start()
        assert (sign := node.sign())
        assert (sign.process, sign.healthy, sign.free) == (f"process {node.hand.seconds}", False, False)
        assert trial.look(sign, node.hand.monotonic()) is None
        node.hand.turn(10)
    node.restart()
    node.run(60, 1)
    assert len(node.agent.lives.aside) == 1
    assert not node.agent.lives.safe
    assert (sign := node.sign())
    assert (sign.healthy, sign.free) == (False, True)


def test_a_version_that_lost_its_ledger_or_is_in_safe_mode_is_not_well(node: Node) -> None:
    node.says(phase=Phase.TRIAL, target="a", previous="b", healthy_seconds=10.0)
    node.agent._distrusted = True
    node.run(30, 1)
    assert (sign := node.sign())
    assert not sign.healthy
    node.restart()
    node.run(30, 1)
    assert (sign := node.sign())
    assert sign.healthy
    node.agent.lives.safe = True
    node.run(30, 1)
    assert (sign := node.sign())
    assert not sign.healthy


def test_one_that_dies_of_its_ledger_is_counted_too(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    state = node.says(phase=Phase.TRIAL, target="a", previous="b", since=0.0, boot=signs.boot())
    trial, verdict = Trial(state, Pace()), None

    def dying(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "__init__", dying)
    for number in range(MOST_STARTS + 1):
        assert verdict is None
        monkeypatch.setattr("edge_node.updating.BOOT_ID", f"process {number}")
        with pytest.raises(KeyboardInterrupt):
            node.new_node()
        verdict = trial.look(node.sign(), node.hand.monotonic())
    assert verdict
    assert verdict.hitch is Hitch.CRASHED


@pytest.mark.parametrize("phase", [Phase.TRIAL, Phase.RETURNING])
def test_what_is_taken_back_still_says_whether_the_air_is_free(node: Node, phase: Phase) -> None:
    node.says(phase=phase, target="a", previous="b")
    node.plan(make_job(start=after(60)))
    node.run(10, 1)
    assert (sign := node.sign())
    assert (sign.environment, sign.free) == ("a", False)
    node.run(180, 1)
    assert (sign := node.sign())
    assert sign.free


def test_who_is_not_on_trial_gives_no_sign_at_its_start(node: Node) -> None:
    node.says(phase=Phase.BUILT)
    node.restart()
    assert node.sign() is None


def into_safe_mode(node: Node) -> None:
    for _ in range(lives.SHORT_LIVES):
        node.restart()
    assert node.agent.lives.safe


def live(node: Node, seconds: float) -> None:
    """As `Agent.run` walks."""
    end = node.hand.monotonic() + seconds
    while node.hand.monotonic() < end:
        node.run(5, 5)
        node.agent._live_on()


def test_in_safe_mode_an_update_is_let_in_once_ten_minutes_have_gone_well(node: Node) -> None:
    node.cache.missing[NEW.sha256] = Reason.NO_AUDIO
    into_safe_mode(node)
    node.name(NEW)
    live(node, lives.CALM_SECONDS - 60)
    assert standing(node) == (UpdateState.FETCHING, "")
    assert node.cache.last == [], "fetched in the first minutes"
    live(node, 120)
    assert [asset.sha256 for asset in node.cache.last] == [NEW.sha256]
    assert node.file(signs.REQUEST) is None
    node.cache.missing.clear()
    live(node, 10)
    assert node.file(signs.REQUEST)
    node.says(phase=Phase.BUILT)
    live(node, 10)
    assert node.leased()
    assert node.agent.lives.safe


def test_in_safe_mode_nothing_is_asked_for_or_leased_before_ten_minutes_in_a_row(node: Node) -> None:
    into_safe_mode(node)
    node.name(NEW)
    for bad in (True, False):
        live(node, lives.CALM_SECONDS - 60)
        assert node.file(signs.REQUEST) is None
        node.agent.lives.ailing() if bad else None
    node.says(phase=Phase.BUILT)
    live(node, 30)
    assert not node.leased()
    live(node, 60)
    assert node.leased()
    node.agent.lives.ailing()
    node.agent.tick()  # one look is enough
    assert not node.leased()


def test_in_safe_mode_too_an_update_waits_for_free_air(node: Node) -> None:
    into_safe_mode(node)
    node.name(NEW)
    node.plan(make_job(start=node.hand.now() + (after(lives.CALM_SECONDS + 600) - T0)))
    live(node, lives.CALM_SECONDS + 60)
    assert standing(node) == (UpdateState.WAITING, Hitch.AIR_TAKEN)
    assert node.file(signs.REQUEST) is None
    live(node, 1200)
    assert node.file(signs.REQUEST)
