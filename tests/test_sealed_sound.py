"""Nothing is decoded on a node that was not hashed as a sealed plan names it: each way to the decoder, tried."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from makers_node import T0, make_config, make_emergency
from makers_sound import RATE, asset_of, heard, noise, opus, utc_now, wav
from test_players_file import play

from edge_node import mixing, stand_in
from edge_node.cache import Cache
from edge_node.own_voice import OwnVoice
from edge_node.players import decoding
from edge_node.players.decoding import BadAudio, NotSealed, Source
from edge_node.players.file_player import FilePlayer
from edge_node.stand_in import StandIns
from wire.errors import Reason

TOP = Path(__file__).parent.parent
# every way to a decoder on a node; a new one is entered here, and tried below
DECODES = {
    "edge_node/players/decoding.py": "audio of plans and standby sounds: hashed; own voice and test tone: made here",
    "edge_node/tuner/decoder.py": "relays: their own rule, in the cage",
    "edge_node/mixing.py": "own voice: what espeak-ng made here of a sealed text",
    "edge_node/own_voice.py": "the same, its length",
    "edge_node/tone.py": "the test tone: made here",
}


def racked(folder: Path, path: Path) -> Path:
    """``path`` as it lies in a cache."""
    folder.mkdir(exist_ok=True)
    return path.rename(folder / hashlib.sha256(path.read_bytes()).hexdigest())


def test_every_way_to_a_decoder_is_known() -> None:
    found = set()
    for path in (TOP / "edge_node").rglob("*.py"):
        names = {each.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) for each in _imports(node)}
        if names & {"soundfile", "wave", "cage"}:
            found.add(str(path.relative_to(TOP)))
    writers = {"edge_node/players/reel.py", "edge_node/checkup/sound.py"}
    assert found - writers == DECODES.keys()


def _imports(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import) else []


@pytest.mark.parametrize("make", [wav, opus])
def test_what_is_exchanged_or_rewritten_after_the_hash_is_not_heard(tmp_path: Path, make: Callable[..., Path]) -> None:
    """The file is swapped, and its very bytes are overwritten, once it is open: what was hashed is what sounds."""
    true, false = noise(1.0, seed=1), noise(1.0, seed=2)
    path = racked(tmp_path / "audio", make(tmp_path / "true", true))
    other = make(tmp_path / "false", false).read_bytes()
    wanted = Source(path).read(2 * RATE)
    source = Source(path)
    with path.open("r+b") as file:  # the same inode
        file.write(other)
    path.unlink()
    path.write_bytes(other)
    assert np.array_equal(source.read(2 * RATE), wanted)
    source.close()
    with pytest.raises(NotSealed):
        Source(path)


def test_a_large_file_is_read_from_what_was_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MOST_HELD_BYTES", 1000)
    path = racked(tmp_path / "audio", wav(tmp_path / "true", noise(1.0)))
    wanted = Source(path).read(2 * RATE)
    source = Source(path)
    path.unlink()
    wav(tmp_path / "false.wav", noise(1.0, seed=2)).rename(path)
    assert np.array_equal(source.read(2 * RATE), wanted)
    with pytest.raises(NotSealed):
        Source(path)


def test_links_pipes_and_folders_by_the_name_of_audio_are_not_opened(tmp_path: Path) -> None:
    true = wav(tmp_path / "true", noise(0.2))
    name = tmp_path / hashlib.sha256(true.read_bytes()).hexdigest()
    for make in (lambda: name.symlink_to(true), lambda: os.mkfifo(name), name.mkdir):
        make()
        with pytest.raises(BadAudio):
            Source(name)
        name.rmdir() if name.is_dir() and not name.is_symlink() else name.unlink()


def test_a_file_that_cannot_be_decoded_leaves_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 40)
    path = racked(tmp_path / "audio", tmp_path / "noise")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(BadAudio):
            Source(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_exchanged_file_is_told_as_such_and_nothing_of_it_sounds(tmp_path: Path) -> None:
    """Between the hash before the play and the opening by the player's own thread."""
    asset = asset_of(wav(tmp_path / "true", noise(1.0)))
    path = racked(tmp_path / "audio", tmp_path / "true")
    cache = Cache(tmp_path / "audio")
    assert cache.verified(asset) == path
    wav(tmp_path / "false.wav", noise(1.0, seed=2)).replace(path)
    player = FilePlayer(tmp_path / "out.wav", utc_now, fast=True)
    try:
        progress = play(player, path)
    finally:
        player.close()
        cache.close()
    assert (progress.failed, progress.samples) == (Reason.BAD_HASH, 0)
    assert not (tmp_path / "out.wav").exists() or not len(heard(tmp_path / "out.wav"))


def test_a_card_that_was_written_to_elsewhere_gives_nothing(tmp_path: Path) -> None:
    """Power off, another sound under a true name, its time and size as before, power on."""
    asset = asset_of(wav(tmp_path / "true", noise(1.0)))
    path = racked(tmp_path / "audio", tmp_path / "true")
    stamp = path.stat()
    wav(tmp_path / "false.wav", noise(1.0, seed=2)).replace(path)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    cache = Cache(tmp_path / "audio")
    assert path.stat().st_size == stamp.st_size
    assert (cache.ready(asset), cache.verified(asset)) == (None, None)
    assert not path.exists()
    cache.close()


def test_an_exchanged_siren_is_left_out_of_the_words(tmp_path: Path) -> None:
    siren = racked(tmp_path / "audio", wav(tmp_path / "siren", noise(1.0)))
    speech = wav(tmp_path / "speech.wav", noise(1.0, seed=3))
    with_siren = mixing.mix(speech, siren, False, tmp_path / "a.wav").duration_ms
    wav(tmp_path / "false.wav", noise(1.0, seed=2)).replace(siren)
    assert mixing.mix(speech, siren, False, tmp_path / "b.wav").duration_ms <= with_siren - 1000


def test_words_that_lie_on_the_card_from_before_are_not_sounded(tmp_path: Path) -> None:
    """What the node's own voice made lives as long as its process."""
    folder = tmp_path / "spoken"
    job = make_emergency(asset=None, spoken="Có mưa lớn.")
    folder.mkdir()
    wav(folder / f"{stand_in.standing_in.spoken_name(job)}.wav", noise(1.0))
    cache = Cache(tmp_path / "audio")
    made = StandIns(cache, OwnVoice(""), folder, lambda: None)
    assert not folder.exists()
    made.look([job], {}, make_config(), T0, 0.0)
    assert made.of(job) is None
    made.close()
    cache.close()
