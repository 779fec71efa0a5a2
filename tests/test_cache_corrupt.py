"""A corrupt rack: rotten, cut, foreign and misplaced things in the folder of audio. None sounds, none stays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from makers_media import MediaServer
from makers_sound import until

from edge_node import troubles
from edge_node.cache import Cache
from wire.plan import Asset

SIZE = 50_000
BODY = hashlib.shake_128(b"audio").digest(SIZE)
ASSET = Asset(hashlib.sha256(BODY).hexdigest(), SIZE, 1000, "audio/ogg", "a")
Spoil = Callable[[Path], object]


@pytest.fixture
def server() -> Iterator[MediaServer]:
    server = MediaServer()
    server.files["/a"] = BODY
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(b"not the node's")
    (tmp_path / "true").write_bytes(BODY)
    (tmp_path / "audio").mkdir()
    return tmp_path / "audio"


@pytest.fixture
def cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    monkeypatch.setattr(troubles, "FIRST_BACK_OFF", 0.05)
    cache = Cache(folder, budget_bytes=4 * SIZE)
    yield cache
    cache.close()


def folder_of_files(path: Path) -> None:
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "file").write_bytes(b"x" * 1000)


THINGS: dict[str, Spoil] = {
    "a bit flipped": lambda path: path.write_bytes(BODY[:100] + bytes([BODY[100] ^ 4]) + BODY[101:]),
    "cut": lambda path: path.write_bytes(BODY[:-1]),
    "longer": lambda path: path.write_bytes(BODY + b"x"),
    "empty": lambda path: path.write_bytes(b""),
    "zeros, as after a power cut": lambda path: path.write_bytes(b"\0" * SIZE),
    "a link to a file outside": lambda path: path.symlink_to(path.parent.parent / "outside"),
    "a link to a true file outside": lambda path: path.symlink_to(path.parent.parent / "true"),
    "a link to what never ends": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder": folder_of_files,
    "a pipe that nobody writes": os.mkfifo,
}


@pytest.mark.parametrize("tail", ["", ".part", ".etag"])
@pytest.mark.parametrize("spoil", THINGS.values(), ids=THINGS)
def test_whatever_stands_in_a_files_place_is_not_sounded_but_fetched_anew(
    spoil: Spoil, tail: str, folder: Path, cache: Cache, server: MediaServer
) -> None:
    spoil(folder / f"{ASSET.sha256}{tail}")
    assert cache.ready(ASSET) is None
    assert cache.verified(ASSET) is None
    cache.want([ASSET], media_url=server.url)
    until(lambda: cache.ready(ASSET))
    path = cache.verified(ASSET)
    assert path
    assert not path.is_symlink()
    assert path.read_bytes() == BODY
    assert server.asked
    assert [each.name for each in folder.iterdir()] == [ASSET.sha256]
    assert (folder.parent / "outside").read_bytes() == b"not the node's"
    assert (folder.parent / "true").read_bytes() == BODY


@pytest.mark.parametrize("spoil", THINGS.values(), ids=THINGS)
def test_what_takes_the_place_of_a_file_that_was_true_is_noticed(
    spoil: Spoil, folder: Path, cache: Cache, server: MediaServer
) -> None:
    cache.want([ASSET], media_url=server.url)
    until(lambda: cache.ready(ASSET))
    (folder / ASSET.sha256).unlink()
    spoil(folder / ASSET.sha256)
    assert cache.verified(ASSET) is None
    until(lambda: cache.verified(ASSET))


def test_thousands_of_strays_make_room_when_it_is_needed(folder: Path, cache: Cache, server: MediaServer) -> None:
    for number in range(3000):
        (folder / f"stray {number}").write_bytes(b"x" * 20)
    for number in range(20):
        (folder / f"folder {number}" / "deep").mkdir(parents=True)
        (folder / f"folder {number}" / "deep" / "file").write_bytes(b"x" * 1000)
    (folder / "link").symlink_to(folder.parent)
    cache.want([ASSET], media_url=server.url)
    until(lambda: cache.ready(ASSET))
    assert (folder / "stray 0").exists(), "what is in nobody's way stays"
    cache.set_budget(SIZE + 20_000)
    other = hashlib.shake_128(b"other").digest(1000)
    server.files["/b"] = other
    newcomer = Asset(hashlib.sha256(other).hexdigest(), len(other), 1000, "audio/ogg", "b")
    cache.want([ASSET, newcomer], media_url=server.url)
    until(lambda: cache.ready(newcomer))
    assert cache.ready(ASSET)
    assert sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) <= SIZE + 20_000
    assert (folder.parent / "outside").exists()
