"""Faults of the home page: of few loudspeakers each is looked at, of many the database counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from makers_web import NOON, Town, settled_town

from controller.web import faults
from wire.presence import Presence, State


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def shown(client: FlaskClient) -> str:
    """The part of the page that says who needs somebody."""
    return client.get("/").text.partition('id="faults-title"')[2].partition("</section>")[0]


def test_many_are_counted_as_few_are_looked_at(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [each.id for each in town.store.roster.nodes()]
    gone = Presence(names[0], State.OFFLINE, "b", NOON - timedelta(hours=2), "0.1.0")
    here = Presence(names[1], State.ONLINE, "b", NOON, "0.1.0")
    town.store.health.take_presence([gone, here], NOON)
    for who in ("quan-tri", "chu-tich"):
        client = town.client(town.app(), who)
        monkeypatch.setattr(faults, "MOST_LOOKED_AT", 500)
        few = shown(client)
        monkeypatch.setattr(faults, "MOST_LOOKED_AT", 0)
        assert shown(client) == few
        assert f"/cum-loa/{names[0]}" in few
