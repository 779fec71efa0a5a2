"""The Update Framework's list of attacks (TUF 1.0, §1.5.2), by name, against what nodes are to run and against audio.

Of releases the station, the broker and the media server are the attacker's: only the root says what runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from makers_evil import EVIL
from makers_media import MediaServer, dripping, endless, other, stalling, status, truncated
from makers_node import ROOT, STATION
from makers_release import MACHINE, NOW, PYTHON, bundle, envelope, members, sealed, statement, tar
from makers_sound import until
from makers_updater import CONTENT, NEW, World
from test_cache import IMPATIENCE, MakeCache, fetched, make, put, server

from edge_node.releases import bundle as bundles
from edge_node.releases import choice
from edge_node.releases.bundle import BadBundle
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.statement import Here, Refused, judge, opened
from wire.errors import Reason
from wire.release import MOST_STATEMENT_BYTES, Hitch, UpdateState
from wire.roots import RootSet

__all__ = ["make", "server"]  # fixtures
ROOTS = RootSet.of([ROOT.public.hex])
HERE = Here("1.0", PYTHON, MACHINE, 3)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A node with an updater, to which something is offered; in the end it runs what it ran."""
    world = World(tmp_path)
    yield world
    assert (world.home.current, world.runs, world.machine.restarts) == ("a", "a", 0)
    assert not (world.home.prefix / "b").exists()


def hitch(call: Callable[[], object]) -> Hitch:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.hitch


# --- releases ---------------------------------------------------------------------------------------------------


def test_tuf_arbitrary_installation_of_a_release(world: World) -> None:
    """Not the station's word, nor anybody's but the root's; and not other bytes under the root's word."""
    for by in (STATION, EVIL):
        world.home.offer(CONTENT, NEW, by)
        world.update()
        assert world.home.progress == Progress()
    world.home.offer(CONTENT, NEW)
    (world.home.state / "audio" / NEW.sha256).write_bytes(bundle("6.6.6"))
    world.update()
    assert world.home.progress.reason == Hitch.NO_BUNDLE


def test_tuf_rollback_of_a_release() -> None:
    older = statement(CONTENT, "0.9", 9)
    assert hitch(lambda: judge(older, HERE, NOW)) is Hitch.DOWNGRADE
    for serial in (1, 3):
        assert hitch(lambda serial=serial: judge(statement(CONTENT, "1.1", serial), HERE, NOW)) is Hitch.OLD_SERIAL
    back = statement(CONTENT, "0.9", 2, roll_back=True)
    assert hitch(lambda: judge(back, HERE, NOW)) is Hitch.OLD_SERIAL, "a sealed way back is used once"


def test_tuf_freeze_of_a_release_ends_with_its_validity(world: World) -> None:
    world.home.offer(CONTENT, statement(CONTENT, "1.1", 7, valid_until=NOW - timedelta(seconds=1)))
    world.update()
    assert world.home.progress == Progress()


def test_tuf_freeze_of_a_release_is_told_by_the_node_s_own_word() -> None:
    """A config that names an old release is the station's; a node says the serial that it has dealt with."""
    stood = Progress(phase=Phase.DONE, serial=9, version="1.2")
    update = choice.standing(statement(CONTENT, "1.1", 7), stood, HERE, NOW)
    assert (update.state, update.reason) == (UpdateState.REFUSED, Hitch.OLD_SERIAL)


def test_tuf_fast_forward_of_a_release_needs_the_root() -> None:
    """A serial beyond all is the root's to give, or nobody's; what a station says of serials counts nothing."""
    assert hitch(lambda: opened(sealed(statement(CONTENT, "1.1", 2**62), STATION), ROOTS)) is Hitch.UNKNOWN_KEY
    found = choice.meant([envelope(statement(CONTENT, "1.1", 2**62), STATION), envelope(NEW)], ROOTS, HERE)
    assert found.release == NEW


def test_tuf_mix_and_match_of_releases() -> None:
    """The seal of one statement over another's words. A bundle is one file under one hash: it has no parts to mix."""
    one, two = envelope(NEW), envelope(statement(CONTENT, "9.9", 99))
    mixed = msgspec.structs.replace(one, signatures=two.signatures)
    assert hitch(lambda: opened(msgspec.json.encode(mixed), ROOTS)) is Hitch.BAD_SEAL


@pytest.mark.parametrize(
    "more",
    [
        "evil @ https://evil.example/evil.whl",
        "--index-url https://evil.example",
        "--find-links https://evil.example",
        "-r /etc/passwd",
        "-e .",
        "evil==1.0",
    ],
)
def test_tuf_extraneous_dependencies_of_a_release(tmp_path: Path, more: str) -> None:
    """Even under a true hash a bundle names nothing from elsewhere, and nothing without the sum of its wheel.

    What it names and does not bring pip does not find: it has no index (`test_updater_real`).
    """
    parts = members("1.1")
    listed = parts["requirements.txt"].decode()
    content = tar({**parts, "requirements.txt": f"{more}\n{listed}".encode()})
    (tmp_path / "bundle.tar").write_bytes(content)
    with pytest.raises(BadBundle):
        bundles.unpack(tmp_path / "bundle.tar", statement(content, "1.1", 7), tmp_path / "unpacked")


def test_tuf_wrong_installation_of_a_release_for_another_machine() -> None:
    for changed in ({"machine": "riscv64"}, {"python": "3.99"}):
        assert hitch(lambda changed=changed: judge(statement(CONTENT, "1.1", 7, **changed), HERE, NOW)) is (
            Hitch.OTHER_MACHINE
        )


def test_tuf_endless_data_as_a_statement_is_refused_unread() -> None:
    assert hitch(lambda: opened(b"{" * (MOST_STATEMENT_BYTES + 1), ROOTS)) is Hitch.MALFORMED


def test_tuf_key_compromise_of_the_station_makes_no_code_run(world: World) -> None:
    """All that a station has: its key, the config, the shelf. It offers its own and signs in the root's name."""
    forged = sealed(statement(bundle("6.6.6"), "6.6.6", 99), STATION)
    named = forged.replace(STATION.public.id.encode(), ROOT.public.id.encode())
    assert hitch(lambda: opened(named, ROOTS)) is Hitch.BAD_SEAL
    for raw in (forged, named):
        (world.home.state / "update" / "request").write_bytes(raw)
        world.update()
    assert world.home.progress == Progress()


# --- audio ------------------------------------------------------------------------------------------------------


def test_tuf_arbitrary_installation_of_audio(server: MediaServer, make: MakeCache) -> None:
    """Other audio of the very same length: refused, and the true one is fetched after it."""
    asset = put(server, "a", other(b"\x07" * 200_000))
    cache = make()
    fetched(cache, server, asset)
    assert cache.counts()[Reason.BAD_HASH] == 1
    ready = cache.verified(asset)
    assert ready
    assert hashlib.sha256(ready.read_bytes()).hexdigest() == asset.sha256


def test_tuf_mix_and_match_of_audio(server: MediaServer, make: MakeCache) -> None:
    """The first half of one file and the second of another, joined over a resume."""
    stranger = hashlib.shake_128(b"b").digest(200_000)
    asset = put(server, "a", truncated(100_000), other(stranger))
    cache = make()
    fetched(cache, server, asset)
    ready = cache.verified(asset)
    assert ready
    assert hashlib.sha256(ready.read_bytes()).hexdigest() == asset.sha256


def test_tuf_endless_data_as_audio(server: MediaServer, make: MakeCache, tmp_path: Path) -> None:
    asset = put(server, "a", endless, endless)
    cache = make()
    fetched(cache, server, asset)
    assert sum(file.stat().st_size for file in (tmp_path / "audio").rglob("*") if file.is_file()) < 2 * 200_000


@pytest.mark.parametrize("slow", [stalling(1000), dripping])
def test_tuf_slow_retrieval_of_audio(
    server: MediaServer, make: MakeCache, slow: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What drips or stalls is given up, and what else is wanted comes meanwhile."""
    monkeypatch.setattr("test_cache.PATIENCE", IMPATIENCE)
    slow_one, quick_one = put(server, "slow", slow, slow, slow), put(server, "quick")
    cache = make()
    cache.want([slow_one, quick_one], media_url=server.url)
    until(lambda: cache.ready(quick_one))
    server.release.set()
    until(lambda: cache.ready(slow_one))


def test_tuf_malicious_mirror_of_audio_is_not_believed_that_there_is_none(server: MediaServer, make: MakeCache) -> None:
    """404, 403, 410, a redirect in a circle: it is asked again until the deadline, and the plan says what lacks."""
    asset = put(server, "a", *[status(code) for code in (404, 403, 410, 500)], status(302, Location="/a"))
    cache = make()
    cache.want([asset], media_url=server.url)
    until(lambda: cache.counts().get(Reason.NO_AUDIO))
    assert cache.why_not(asset) is Reason.NO_AUDIO
    until(lambda: cache.ready(asset))


def test_tuf_wrong_installation_of_true_audio_in_another_s_place(server: MediaServer, make: MakeCache) -> None:
    """A true file of the same station, where another was asked for."""
    one, two = put(server, "one"), put(server, "two")
    server.behaviours["/one"] = [other(server.files["/two"])]
    cache = make()
    fetched(cache, server, one, two)
    assert cache.counts()[Reason.BAD_HASH] == 1
    for asset in (one, two):
        ready = cache.verified(asset)
        assert ready
        assert hashlib.sha256(ready.read_bytes()).hexdigest() == asset.sha256
