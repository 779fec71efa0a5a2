"""One announcement by two programs over the real radio: written, approved by another, sounded, read in the log."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from makers_radio_processes import DONG_DANG, DONGDANG, Commune
from makers_sound import utc_now

from controller.desk import Giving, Lending, NewUser
from controller.rights import Role


@pytest.fixture(scope="module")
def radio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commune]:
    commune = Commune(tmp_path_factory.mktemp("api"), fast=True)
    try:
        commune.start()
        yield commune
    finally:
        commune.stop()


def token(radio: Commune, name: str, role: Role) -> str:
    """Of a new person who holds just that."""
    desk, now = radio.demo.desk, utc_now()
    person = desk.add_user(NewUser(name, Giving(role, DONG_DANG), password="một câu dài"), radio.demo.admin, now)
    return desk.make_token(Lending("m", role, DONG_DANG, now + timedelta(days=1)), person, now)[1]


def ask(radio: Commune, secret: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Over HTTP, as any program would."""
    sent = {"Authorization": f"Bearer {secret}", **headers}
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        sent["Content-Type"] = "application/json"
    address = f"http://127.0.0.1:{radio.settings.web_port}/api/v1{path}"
    request = urllib.request.Request(address, data, sent, method="POST" if data is not None else "GET")
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as wrong:
        return wrong.code, json.loads(wrong.read())


def test_what_one_program_writes_and_another_approves_sounds_and_stands_in_the_log(radio: Commune) -> None:
    editor, approver = token(radio, "soan", Role.EDITOR), token(radio, "duyet", Role.APPROVER)
    sent = {"text": "Xin chào bà con.", "placing": {"areas": [DONG_DANG]}}
    status, made = ask(radio, editor, "/announcements", sent, **{"Idempotency-Key": "one"})
    assert (status, made["state"]) == (201, "submitted")
    again = ask(radio, editor, "/announcements", sent, **{"Idempotency-Key": "one"})
    assert (again[0], again[1]["id"]) == (201, made["id"])
    assert ask(radio, editor, f"/announcements/{made['id']}/approval", {})[0] == 403
    status, approved = ask(radio, approver, f"/announcements/{made['id']}/approval", {})
    assert (status, approved["state"]) == (200, "approved")
    (booking,) = approved["bookings"]

    def lines() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(radio, editor, f"/as-run?job={booking}")[1]["items"]
        return found

    radio.outcome(booking, DONGDANG)
    (line,) = lines()
    assert (line["node"], line["outcome"], line["title"]) == (DONGDANG, "sounded", "Xin chào bà con.")
    assert line["measured"]["sounded_ms"] > 500
    detail = ask(radio, approver, f"/bookings/{booking}")[1]
    assert detail["progress"] == {"expected": 1, "sounded": 1, "ended_otherwise": 0, "waiting": 0}
    assert ask(radio, editor, f"/nodes/{DONGDANG}")[1]["state"] == "online"
    acts = [(act.who, act.what) for act in radio.store.acts.about(made["id"])]
    assert {("soan/m", "submitted"), ("duyet/m", "approved")} <= set(acts)
