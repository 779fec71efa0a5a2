"""Whoever is turned away stands in the audit log, once and then by number; no flood fills it, no password is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers_web import NOON, PASSWORD, Town, form_key, settled_town

from controller import setting_changes, turned_away
from controller.audit_export import lines
from controller.desk import DeskError, Wish
from controller.folding import MOST_NAMED, OTHERS, SPAN, Folding
from controller.settings import Settings
from controller.store import Store
from controller.vault import Lockbox
from controller.witness import examine_store
from wire.seal import Signer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


def told(store: Store) -> list[tuple[str, str, str]]:
    """Whom it turned away, the oldest first."""
    acts = reversed(store.acts.recent(10_000))
    return [(each.what, each.subject, each.detail) for each in acts if each.what in turned_away.KINDS]


# --- folding ---------------------------------------------------------------------------------------------------


def test_the_first_is_told_at_once_and_the_rest_by_number() -> None:
    folding = Folding()
    assert [each.count for each in folding.note("k", "hoa", "1", NOON)] == [1]
    for at in range(1, 8):
        assert folding.note("k", "hoa", str(at), NOON + at * MINUTE) == []
    (line,) = folding.due(NOON + SPAN)
    assert (line.count, line.detail, line.since) == (7, "7", NOON)
    assert folding.note("k", "hoa", "on", NOON + SPAN + MINUTE) == []  # it goes on
    (line,) = folding.due(NOON + 2 * SPAN)
    assert (line.count, line.since) == (1, NOON + SPAN)
    assert folding.due(NOON + 3 * SPAN) == []
    assert len(folding) == 0
    assert [each.count for each in folding.note("k", "hoa", "", NOON + 9 * SPAN)] == [1]


def test_whatever_is_tried_there_is_a_most_of_lines_and_of_memory() -> None:
    folding, written = Folding(), 0
    for at in range(20_000):
        now = NOON + at * SPAN / 5000  # four spans
        written += len(folding.note(f"kind {at % 3}", f"name {at}", "", now))
        assert len(folding) <= 3 * (MOST_NAMED + 1)
    written += len(folding.rest())
    assert written <= 5 * 2 * (3 * MOST_NAMED + 3)
    assert folding.rest() == []


def test_others_are_counted_together_by_kind_and_a_clock_set_back_holds_nothing_up() -> None:
    folding = Folding()
    for number in range(MOST_NAMED + 5):
        folding.note("k", f"n{number}", "", NOON)
    (line,) = [each for each in folding.rest() if each.who == OTHERS]
    assert line.count == 4
    folding.note("k", "hoa", "", NOON)
    folding.note("k", "hoa", "", NOON)
    assert [each.count for each in folding.due(NOON - SPAN)] == [1]


# --- at the web ------------------------------------------------------------------------------------------------


def sign_in(town: Town, client: object, name: str, password: str) -> int:
    key = form_key(client, "/dang-nhap")  # type: ignore[arg-type]
    data = {"csrf_token": key, "name": name, "password": password}
    return int(client.post("/dang-nhap", data=data).status_code)  # type: ignore[attr-defined]


def test_wrong_passwords_stand_in_the_log_and_unknown_names_do_not(town: Town) -> None:
    client = town.app().test_client()
    secret = "tối nay trăng sáng"
    assert sign_in(town, client, "chu-tich", "sai rồi") == 422
    for _ in range(3):
        assert sign_in(town, client, secret, "") == 422  # a password in the wrong field
    assert sign_in(town, client, secret * 9, "") == 422
    assert [each[:2] for each in told(town.store)] == [
        ("wrong password", "chu-tich"),
        ("wrong password", turned_away.NOBODY),
    ]
    assert "from=127.0.0.1" in told(town.store)[0][2]
    while sign_in(town, client, "chu-tich", "sai rồi") != 429:
        pass
    assert told(town.store)[-1][:2] == ("tried too often", "chu-tich")
    town.now += SPAN
    client.get("/dang-nhap")
    assert any(what == "wrong password" and "count=5" in detail for what, _, detail in told(town.store))
    held = b"".join(lines(town.store)).decode()
    assert not any(each in held for each in (secret, "sai rồi", json.dumps(secret)[1:-1]))
    assert examine_store(town.store, (), {}).faults == []


def test_a_flood_at_the_sign_in_form_fills_nothing(town: Town) -> None:
    before, desk = len(town.store.acts.recent(10_000)), town.desk
    people = [f"nguoi-{number}" for number in range(40)]
    for name in people:
        town.store.people.add(replace(town.boss, id=f"u-{name}", name=name, grants=()))
    for number in range(4000):  # within one span, names that are and names that are not
        who = people[number % 40] if number % 2 else f"x{number}"
        desk.turned_away.note(turned_away.KINDS[number % 3], who, "act=sign_in", NOON + number * SPAN / 4001)
    desk.turned_away.close(NOON + SPAN)
    written = len(town.store.acts.recent(10_000)) - before
    assert written <= 2 * (3 * MOST_NAMED + 3)
    counts = [int(detail.split("count=")[1].split()[0]) for *_, detail in told(town.store) if "count=" in detail]
    assert sum(counts) + sum("count=" not in detail for *_, detail in told(town.store)) == 4000  # none is forgotten


def test_an_act_without_the_right_and_a_page_of_others_stand_in_the_log(town: Town) -> None:
    client = town.client(town.app(), "van-hoa")
    assert client.get("/nguoi-dung").status_code == 403
    with pytest.raises(DeskError):
        town.desk.dismiss("chu-tich", town.editor, town.now)
    with pytest.raises(DeskError):
        town.desk.announce(Wish("Chào.", ("lang-son:tam-thanh",)), town.editor, town.now)
    found = told(town.store)
    assert found[0][:2] == ("refused for want of right", "van-hoa")
    assert "page=people.list_" in found[0][2]
    town.desk.turned_away.close(town.now)
    (line,) = told(town.store)[1:]
    assert "count=2" in line[2]
    assert "act=announce why=not_your_area area=lang-son:tam-thanh" in line[2]
    assert [*told(town.store)] == [found[0], line]  # a mistake is no refusal
    with pytest.raises(DeskError):
        town.desk.announce(Wish("", ("lang-son:dong-dang",)), town.editor, town.now)
    town.desk.turned_away.close(town.now)
    assert told(town.store) == [found[0], line]


def test_a_refused_step_up_stands_in_the_log(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    town.now += timedelta(minutes=20)
    data = {"csrf_token": form_key(client), "proof": "sai"}
    assert client.post(f"/nguoi-dung/{town.approver.id}/nghi", data=data).status_code == 422
    assert [each[:2] for each in told(town.store)] == [("wrong proof", "quan-tri")]
    assert client.post(f"/nguoi-dung/{town.approver.id}/nghi", data=data | {"proof": PASSWORD}).status_code == 303
    assert len(told(town.store)) == 1


def test_the_page_shows_and_filters_them_and_an_export_has_them(town: Town) -> None:
    client = town.client(town.app(), "quan-tri")
    sign_in(town, town.app().test_client(), "chu-tich", "sai rồi")
    sign_in(town, town.app().test_client(), "khong-co-ai", "sai rồi")
    page = client.get("/nhat-ky?loc=tu-choi").text
    assert page.count("Sai mật khẩu") == 2
    assert "Nông Văn Thịnh" in page
    assert "một tên không có ở đài" in page
    assert "Mở đài" not in page
    assert "Sai mật khẩu" not in client.get("/nhat-ky?loc=thiet-lap").text.split("<main")[1]
    assert client.get("/nhat-ky?loc=<x>").status_code == 200
    assert b'"what":"wrong password"' in b"".join(lines(town.store))


# --- settings --------------------------------------------------------------------------------------------------


def test_what_changed_between_two_starts_is_told_and_no_secret(store: Store, tmp_path: Path) -> None:
    mark = Lockbox(tmp_path).mark
    first = Settings(broker_password="rất bí mật", public_log=False, opening="Đây là {station}.")
    (begun,) = setting_changes.note(store, first, "controller", mark, NOON)
    assert begun.what == "knows its settings"
    assert setting_changes.note(store, first, "controller", mark, NOON) == []
    second = replace(first, public_log=True, broker_password="khác hẳn", database_url="postgresql://a:b-secret@h/d")
    told_ = {each.subject: each.detail for each in setting_changes.note(store, second, "controller", mark, NOON)}
    assert told_ == {"public_log": "false → true", "broker_password": "***", "database_url": "– → ***"}
    (begun,) = setting_changes.note(store, second, "web", mark, NOON)  # a part with settings of its own
    long = replace(second, opening="x" * 250), replace(second, opening="x" * 250 + "y")
    setting_changes.note(store, long[0], "controller", mark, NOON)
    (line,) = setting_changes.note(store, long[1], "controller", mark, NOON)  # beyond what is shown
    assert line.subject == "opening"
    held = b"".join(lines(store)).decode()
    assert not any(each in held for each in ("bí mật", "khác hẳn", "b-secret"))
    assert examine_store(store, (), {Signer.generate().public.id: Signer.generate().public}).faults == []
