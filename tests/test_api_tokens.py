"""Tokens: what may be lent to a program, who ends it, how it is kept; at the desk, on the page, at the command line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from makers_api import COMMUNE, FOREIGN, Program, lend
from makers_loa import at_home, in_this_process
from makers_web import NOON, Town, form_key, settled_town

from controller.desk import DeskError, Giving, Lending, NotFresh
from controller.desk.api_tokens import MOST_OF_PERSON
from controller.rights import Permission, Role, may
from controller.store.api_tables import api_tokens
from controller.turned_away import NO_RIGHT

MONTH = timedelta(days=30)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with settled_town(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "role", "area", "days", "key"),
    [
        ("", Role.VIEWER, COMMUNE, 30, "bad_name"),
        ("a/b", Role.VIEWER, COMMUNE, 30, "bad_name"),
        ("a" * 41, Role.VIEWER, COMMUNE, 30, "bad_name"),
        ("a", Role.EMERGENCY, COMMUNE, 30, "token_no_emergency"),
        ("a", Role.VIEWER, "lang-son:nowhere", 30, "unknown_area"),
        ("a", Role.VIEWER, COMMUNE, 0, "token_bad_time"),
        ("a", Role.VIEWER, COMMUNE, 367, "token_bad_time"),
        ("a", Role.APPROVER, COMMUNE, 30, "token_beyond"),
        ("a", Role.EDITOR, FOREIGN, 30, "token_beyond"),
        ("a", Role.EDITOR, "lang-son", 30, "token_beyond"),
        ("a", Role.VIEWER, "*", 30, "token_beyond"),
    ],
)
def test_nobody_lends_what_is_not_theirs(town: Town, name: str, role: Role, area: str, days: int, key: str) -> None:
    with pytest.raises(DeskError) as wrong:
        town.desk.make_token(Lending(name, role, area, NOON + timedelta(days=days)), town.editor, NOON)
    assert wrong.value.key == f"desk.{key}"
    assert town.store.tokens.all() == []
    newest = town.store.acts.recent(1)[0]
    assert (newest.what == NO_RIGHT) is (key == "token_beyond"), "who reaches beyond their own is told in the log"


def test_a_token_is_made_by_who_has_just_proved_who_they_are_and_kept_as_a_hash(town: Town) -> None:
    person = town.desk.signed_in(town.session("van-hoa"), NOON)
    assert person
    wish = Lending("a", Role.EDITOR, COMMUNE, NOON + MONTH)
    with pytest.raises(NotFresh):
        town.desk.make_token(wish, person, NOON + timedelta(minutes=11))
    row, secret = town.desk.make_token(wish, person, NOON)
    assert row.token_hash == hashlib.sha256(secret.encode()).hexdigest()
    with town.store.database.reading() as connection:
        assert secret not in str(connection.execute(sa.select(api_tokens)).all())
    assert secret not in str([town.store.acts.recent(5), row])
    with pytest.raises(DeskError, match="taken"):
        town.desk.make_token(wish, person, NOON)


def test_a_token_makes_no_tokens_and_ends_none(town: Town) -> None:
    secret = lend(town, town.boss, Role.ADMINISTRATOR, "*")
    program = town.desk.by_token(secret, NOON)
    assert program
    with pytest.raises(DeskError):
        town.desk.make_token(Lending("b", Role.VIEWER, COMMUNE, NOON + MONTH), program, NOON)
    with pytest.raises(DeskError):
        town.desk.end_token(program.token_id, program, NOON)
    with pytest.raises(NotFresh):
        town.desk.give("van-hoa", Giving(Role.VIEWER, FOREIGN, until=NOON + timedelta(days=1)), program, NOON)


def test_what_a_token_is_worth_follows_its_maker_s_rights_to_the_second(town: Town) -> None:
    until = NOON + timedelta(hours=2)
    town.desk.give("van-hoa", Giving(Role.APPROVER, f"{COMMUNE}:thon-1", until=until), town.boss, NOON)
    editor = town.store.people.get(town.editor.id)
    assert editor
    secret = lend(town, editor, Role.APPROVER, f"{COMMUNE}:thon-1")
    for at, allowed in ((NOON, True), (until - timedelta(seconds=1), True), (until, False)):
        program = town.desk.by_token(secret, at)
        assert program
        assert may(program, Permission.APPROVE, f"{COMMUNE}:thon-1", at) is allowed
        assert not may(program, Permission.WRITE, f"{COMMUNE}:thon-2", at)
    assert town.desk.by_token(secret, NOON + MONTH) is None


def test_a_person_has_so_many_and_who_answers_for_them_ends_them(town: Town) -> None:
    for number in range(MOST_OF_PERSON):
        lend(town, town.editor, Role.VIEWER, COMMUNE, f"n{number}")
    with pytest.raises(DeskError) as wrong:
        lend(town, town.editor, Role.VIEWER, COMMUNE, "more")
    assert wrong.value.key == "desk.too_many_tokens"
    mine = town.desk.tokens(town.editor, NOON)
    assert len(mine) == MOST_OF_PERSON
    assert town.desk.tokens(town.stranger, NOON) == []
    with pytest.raises(DeskError):
        town.desk.end_token(mine[0][1].id, town.stranger, NOON)
    ended = town.desk.end_token(mine[0][1].id, town.boss, NOON)
    assert not next(each for _, each in town.desk.tokens(town.boss, NOON) if each.id == ended.id).counts(NOON)
    assert [act.what for act in town.store.acts.recent(1)] == ["ended a token"]
    assert lend(town, town.editor, Role.VIEWER, COMMUNE, "more")


def test_who_leaves_and_comes_back_comes_back_without_their_programs(town: Town) -> None:
    secret = lend(town, town.editor, Role.VIEWER)
    assert town.desk.by_token(secret, NOON)
    town.desk.dismiss(town.editor.name, town.boss, NOON)
    assert town.desk.by_token(secret, NOON) is None
    town.desk.readmit(town.editor.name, town.boss, NOON)
    assert town.desk.by_token(secret, NOON) is None
    assert all(each.ended_at == NOON for each in town.store.tokens.all(town.editor.id))


def test_on_the_page_a_token_is_made_shown_once_used_and_revoked(town: Town) -> None:
    app = town.app()
    client = town.client(app, "van-hoa")
    form = {"csrf_token": form_key(client, "/tai-khoan/khoa-api"), "name": "cong", "role": "editor", "area": COMMUNE}
    assert "ngày hết hạn" in client.post("/tai-khoan/khoa-api", data=form | {"to": ""}).text
    made = client.post("/tai-khoan/khoa-api", data=form | {"to": "24/12/2026"})
    assert made.status_code == 200
    found = re.search(r"loa_[\w-]{43}", made.text)
    assert found
    asks = Program(app, found[0])
    assert asks.get("/me").json["name"] == "van-hoa/cong"
    page = client.get("/tai-khoan/khoa-api").text
    assert found[0] not in page
    assert "Còn hạn" in page
    assert "chưa dùng" not in page
    other = town.client(app, "tam-thanh").get("/tai-khoan/khoa-api").text
    assert ">cong<" not in other
    token = town.desk.tokens(town.editor, NOON)[0][1].id
    stranger = town.client(app, "tam-thanh")
    key = form_key(stranger, "/tai-khoan/khoa-api")
    assert stranger.post("/tai-khoan/khoa-api/thu-hoi", data={"csrf_token": key, "khoa": token}).status_code == 422
    assert asks.get("/me").status_code == 200
    gone = client.post("/tai-khoan/khoa-api/thu-hoi", data={"csrf_token": form["csrf_token"], "khoa": token})
    assert gone.status_code == 303
    assert asks.get("/me").status_code == 401


def test_the_command_line_makes_lists_and_ends_tokens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_home(monkeypatch, tmp_path)
    loa = in_this_process(capsys)
    assert loa("user", "add", "lan").code == 0
    assert loa("token", "add", "bao-cao", "--until", "2020-01-01").code == 1
    made = loa("token", "add", "bao-cao", "--as", "lan", "--until", ahead(), "--json")
    assert made.code == 0, made.err
    told = json.loads(made.out)
    assert told["secret"].startswith("loa_")
    listed = json.loads(loa("token", "list", "--json").out)
    assert [(each["name"], each["person"], each["role"]) for each in listed] == [("bao-cao", "lan", "viewer")]
    assert "secret" not in listed[0]
    assert loa("token", "end", told["token"]).code == 0
    assert json.loads(loa("token", "list", "--json").out)[0]["ended"]


def ahead() -> str:
    """A day that is a month away."""
    return f"{datetime.now(UTC) + MONTH:%Y-%m-%d}"
