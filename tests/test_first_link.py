"""No default password anywhere: the first person comes in by a link that is printed once and does not last."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import FIRST_TOKEN, NOON, PASSWORD, Town, form_key

from controller import bootstrap
from controller.settings import Settings

TOP = Path(__file__).parent.parent
# a password as a literal: `password = "…"`, `PASSWORD: …`, `--password …`; names of fields and hints are none
GIVEN = re.compile(
    r"""\b(?:default_|admin_)?(?:password|passwd|mat_khau)["']?\s*[:=]\s*["'](?P<value>[^"'{}<>\s]{3,})["']""", re.I
)
USUAL = re.compile(r"\b(?:admin|quantri|quan-tri|administrator)\s*[:/]\s*(?:admin|root|password|123456|loa)\b", re.I)


def shipped() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    kept = [each for each in listed.split("\0") if each and not each.startswith(("tests/", "words/"))]
    return [each for each in kept if (TOP / each).is_file() and Path(each).suffix in TEXT]


TEXT = {".py", ".toml", ".conf", ".service", ".md", ".sh", ".html", ".js", ".mako", ".yml", ".yaml", ".json", ""}


def test_no_default_password_stands_in_anything_that_is_shipped() -> None:
    found = []
    for name in shipped():
        for number, line in enumerate((TOP / name).read_text("utf-8", "replace").splitlines(), 1):
            if GIVEN.search(line) or USUAL.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert found == []


@pytest.mark.parametrize(
    "line", ['password = "admin123"', "PASSWORD: 'loa-radio'", '"password": "secret1"', "sign in as admin / admin"]
)
def test_a_default_password_would_be_seen(line: str) -> None:
    assert GIVEN.search(line) or USUAL.search(line)


def test_the_first_link_ends_after_a_day(tmp_path: Path) -> None:
    town = Town(tmp_path)
    client, path = town.app().test_client(), f"/chao/{FIRST_TOKEN}"
    typed = {"csrf_token": form_key(client, path), "name": "quan-tri", "password": PASSWORD, "again": PASSWORD}
    town.now = NOON + timedelta(hours=24)
    assert 'name="name"' not in client.get(path).text
    assert client.post(path, data=typed).status_code == 410
    assert town.store.people.count() == 0
    town.now -= timedelta(seconds=1)
    assert client.post(path, data=typed).location == "/"
    assert town.store.people.count() == 1
    town.store.close()


def test_a_start_gives_a_first_link_while_there_is_nobody_and_never_after(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, web_port=0, web_host="127.0.0.1")
    links = []
    for _ in range(2):
        running = bootstrap.start(settings, station=False)
        links.append(running.first_link)
        running.stop()
    assert all("/chao/" in each for each in links)
    assert links[0].rpartition("/")[2] != links[1].rpartition("/")[2]
    store = bootstrap.open_store(settings)
    bootstrap.make_desk(settings, store).open_house("quan-tri", PASSWORD, NOON)
    store.close()
    running = bootstrap.start(settings, station=False)
    assert running.first_link == ""
    running.stop()
    assert all(
        links[0].rpartition("/")[2].encode() not in each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()
    )
