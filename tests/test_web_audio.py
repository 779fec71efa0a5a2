"""Finished audio over HTTP: for browsers, and for nodes, which know only its hash and sign in nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from makers_sound import until
from makers_web import Town, opus

from controller.web.server import Server, serve
from edge_node.cache import Cache
from edge_node.rack import Rack
from wire.plan import Asset


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def sound(town: Town) -> tuple[str, bytes]:
    data = opus(1.0)
    name = hashlib.sha256(data).hexdigest()
    (town.settings.shelf_dir / name).write_bytes(data)
    return name, data


@pytest.mark.parametrize("suffix", ["", ".opus"])
def test_audio_is_served_whole_in_part_and_not_again(app: Flask, sound: tuple[str, bytes], suffix: str) -> None:
    name, data = sound
    client, path = app.test_client(), f"/audio/{name}{suffix}"
    whole = client.get(path, buffered=True)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, data, "audio/ogg")
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["ETag"] == f'"{name}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "Set-Cookie" not in whole.headers
    head = client.head(path, buffered=True)
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(data))
    part = client.get(path, buffered=True, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, data[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    rest = client.get(path, buffered=True, headers={"Range": "bytes=500-", "If-Range": f'"{name}"'})
    assert (rest.status_code, rest.data) == (206, data[500:])
    other = client.get(path, buffered=True, headers={"Range": "bytes=500-", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, data)
    assert client.get(path, buffered=True, headers={"If-None-Match": f'"{name}"'}).status_code == 304
    beyond = client.get(path, buffered=True, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


@pytest.mark.parametrize(
    "name",
    [
        *("../loa.db", "..%2Floa.db", "%2e%2e/loa.db", "....//loa.db", "/etc/passwd", "loa.db", "A" * 64, "0" * 63),
        *("0" * 64, "0" * 64 + "%00", "0" * 64 + "%0a", "0" * 65, "%F0%9F%94%8A"),
    ],
)
def test_no_path_leaves_the_shelf(app: Flask, name: str) -> None:
    for suffix in ("", ".opus"):
        answer = app.test_client().get(f"/audio/{name}{suffix}")
        assert answer.status_code in (400, 404, 308)
        assert b"SQLite" not in answer.data


def test_a_file_that_is_not_there_is_said_in_words(app: Flask) -> None:
    answer = app.test_client().get("/audio/" + "0" * 64)
    assert answer.status_code == 404
    assert "Không có trang này" in answer.text


def test_a_file_that_goes_while_it_is_asked_for_is_not_there(
    app: Flask, sound: tuple[str, bytes], town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    (town.settings.shelf_dir / sound[0]).unlink()
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    assert app.test_client().get(f"/audio/{sound[0]}").status_code == 404


@pytest.mark.parametrize(
    "wanted", ["bytes=abc", "bytes=5-1", "items=0-1", "bytes=-0", f"bytes={10**30}-", "bytes=0-1,5-6"]
)
def test_a_range_that_is_none_is_refused_with_the_size(app: Flask, sound: tuple[str, bytes], wanted: str) -> None:
    answer = app.test_client().get(f"/audio/{sound[0]}", headers={"Range": wanted}, buffered=True)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(sound[1])}")


def test_nothing_is_written_through_the_audio_route(app: Flask, sound: tuple[str, bytes]) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert app.test_client().open(f"/audio/{sound[0]}", method=method).status_code in (400, 405)


@pytest.fixture
def served(app: Flask) -> Iterator[Server]:
    server = serve(app, "127.0.0.1", 0)
    yield server
    server.stop()


@pytest.mark.parametrize(("held", "answer"), [(0, 200), (1000, 206)], ids=["whole", "the rest"])
def test_a_node_fetches_by_hash_alone_and_resumes(
    app: Flask, served: Server, sound: tuple[str, bytes], tmp_path: Path, held: int, answer: int
) -> None:
    name, data = sound
    answers = []

    @app.after_request
    def note(response: Response) -> Response:
        answers.append((response.status_code, response.content_length))
        return response

    asset = Asset(name, len(data), 1000, "audio/ogg", url=name)
    rack = Rack(tmp_path / "node", 10_000_000)
    rack.part(asset).parent.mkdir(parents=True, exist_ok=True)
    rack.part(asset).write_bytes(data[:held])
    rack.part(asset).with_suffix(".etag").write_text(f'"{name}"')
    cache = Cache(tmp_path / "node")
    try:
        cache.want([asset], media_url=f"http://127.0.0.1:{served.port}/audio")
        until(lambda: cache.ready(asset))
        path = cache.verified(asset)
        assert path is not None
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
        assert answers == [(answer, len(data) - held)]
    finally:
        cache.close()
