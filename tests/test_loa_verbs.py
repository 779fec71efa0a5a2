"""What the verbs at a station do: people, areas, nodes, keys, announcements, plans, the log."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from makers_loa import PLACE, PUBLIC_KEY, Loa, at_home, in_this_process, typed
from makers_web import Town

from controller import keys
from controller.store import Store, database
from wire import codec, seal
from wire.plan import AfterCut, Asset, BulletinClass, Job, Lane, Late, Level, Plan
from wire.receipt import Step
from wire.seal import Signer


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a station with two communes, twelve nodes and four people."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle()
    town.store.close()
    return town.folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def new(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> Loa:
    """`loa` on a machine where nothing is yet."""
    at_home(monkeypatch, home)
    return in_this_process(capsys)


@pytest.fixture
def loa(new: Loa, furnished: Path, home: Path) -> Loa:
    """`loa` at the furnished station."""
    shutil.copytree(furnished, home)
    return new


def store_in(folder: Path) -> Store:
    return Store(f"sqlite:///{folder}/loa.db")


# --- a new station -------------------------------------------------------------------------------------------


def test_a_commune_is_set_up_word_by_word(new: Loa, home: Path) -> None:
    for verb in ("user", "area", "node"):
        assert (new(verb, "list").out, new(verb, "list", "--json").out) == ("Nothing yet.\n", "[]\n")
    new("announce", "a", "--area", PLACE).refuses(1, "no administrator yet", "loa user add")
    new("area", "add", "lang-son", "Tỉnh").refuses(1, "loa user add")
    new("key", "show").refuses(1, "loa key init")
    assert "/chao/" in new("user", "add", "lan", "--full-name", "Nông Thị Lan").out
    assert new("area", "add", "lang-son", "Tỉnh Lạng Sơn").code == 0
    assert new("area", "add", PLACE, "Xã Đồng Đăng").code == 0
    assert new("area", "add", "chung", "Nhóm", "--kind", "group").code == 0
    assert "Trust document" in new("key", "init").out
    assert new("node", "add", "loa-01", "--home", PLACE, "--key", PUBLIC_KEY, "--group", "chung").code == 0
    told = new("announce", "Kính mời bà con đi họp.", "--area", PLACE, "--json")
    assert json.loads(told.out).keys() == {"announcement", "job", "conflicts"}
    kinds = {each["id"]: each["kind"] for each in json.loads(new("area", "list", "--json").out)}
    assert kinds == {"lang-son": "province", PLACE: "commune", "chung": "group"}
    (first,) = json.loads(new("user", "list", "--json").out)
    assert (first["name"], first["area"], first["left"]) == ("lan", "*", False)
    assert [each["role"] for each in first["grants"]] == [
        *("administrator", "approver", "emergency", "operator"),
    ]
    assert (home / "keys" / "root.key").exists()


def test_the_database_is_brought_up_to_date(new: Loa) -> None:
    assert "has the shape" in new("migrate").out
    assert json.loads(new("migrate", "--json").out)["revision"]


# --- people, areas, nodes ------------------------------------------------------------------------------------


def test_people_are_entered_and_get_links(loa: Loa) -> None:
    told = json.loads(loa("user", "add", "moi", "--role", "approver", "--area", PLACE, "--json").out)
    (grant,) = told["grants"]
    assert (told["name"], grant["role"], grant["area"]) == ("moi", "approver", PLACE)
    assert told["link"].startswith("http://127.0.0.1:8080/chao/")
    again = json.loads(loa("user", "link", "moi", "--json").out)
    assert again["link"] != told["link"]
    assert f"{grant['grant']}  approver  {PLACE}" in loa("user", "list").out
    loa("user", "add", "moi").refuses(1, "is taken")
    loa("user", "add", "").refuses(1, "cannot be used as a name")
    loa("user", "add", "a b\n\x1b[2J").refuses(1, "cannot be used as a name", "�[2J")
    loa("user", "add", "ai", "--area", "nowhere").refuses(1, "nowhere")
    loa("user", "link", "nobody").refuses(1, "nobody called nobody")
    loa("user", "add", "ai", "--as", "nobody").refuses(1, "nobody called nobody")
    loa("user", "add", "ai", "--as", "van-hoa").refuses(1, "van-hoa may not do this")


def test_the_tree_is_printed_as_a_tree(loa: Loa) -> None:
    lines = loa("area", "list").out.splitlines()
    assert lines[0].startswith("lang-son  ")
    assert f"  {PLACE}  Xã Đồng Đăng" in lines
    assert any(line.startswith(f"    {PLACE}:thon-1  ") for line in lines)
    for wrong in ("Lang Son", "", "a" * 500, "a:"):
        loa("area", "add", wrong, "x").refuses(1, "cannot be used as a name")
    loa("area", "add", "x:y", "y").refuses(1, "no area named “x”")
    loa("area", "add", "x", " ").refuses(1, "cannot be used as a name")


def test_nodes_are_listed_with_what_is_known_of_them(loa: Loa) -> None:
    rows = json.loads(loa("node", "list", "--json").out)
    assert len(rows) == 12
    stock = {"clock_known", "jobs_ahead", "audio_ready", "lacking", "data_used_day_bytes", "data_used_month_bytes"}
    assert rows[0].keys() == {"node", "name", "home", "online", "last_sounded"} | stock
    assert len(loa("node", "list").out.splitlines()) == 12
    enrol = ("node", "add", "moi", "--home", PLACE, "--key")
    loa(*enrol, "zz").refuses(1, "64 hexadecimal digits")
    loa(*enrol, f"{1:064x}").refuses(1, "must belong to no other node")
    assert loa(*enrol, PUBLIC_KEY, "--name", "Loa mới").code == 0
    loa("node", "add", "Loa 1", "--home", PLACE, "--key", PUBLIC_KEY).refuses(1, "cannot be used as a name")
    loa("node", "add", "moi", "--home", "x", "--key", PUBLIC_KEY).refuses(1, "no area named “x”")


# --- keys ----------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_shown(loa: Loa) -> None:
    made = json.loads(loa("key", "init", "--json").out)
    assert json.loads(loa("key", "show", "--json").out) == made
    assert made["areas"] == ["*"]
    assert json.loads(loa("key", "init", "--json").out) == made
    loa("key", "init", "--area", "nowhere").refuses(1, "nowhere")
    narrow = json.loads(loa("key", "init", "--area", PLACE, "--json").out)
    assert narrow["areas"] == [PLACE]
    assert narrow["trust_serial"] > made["trust_serial"]
    assert narrow["station_public_key"] == made["station_public_key"]
    assert json.loads(loa("key", "init", "--json").out) == narrow  # nobody widens it by the way
    assert json.loads(loa("key", "init", "--area", "*", "--json").out)["areas"] == ["*"]


def test_a_key_that_the_trust_document_does_not_name_is_told_and_gets_no_areas_by_itself(loa: Loa, home: Path) -> None:
    loa("key", "init", "--area", PLACE)
    path = home / "keys" / "station.key"
    old = path.read_text()
    assert loa("key", "change", "--stolen").code == 0
    path.write_text(old)  # out of a backup of before
    shown = loa("key", "show")
    assert (shown.code, "WARNING" in shown.out) == (1, True)
    for verb in (("init",), ("change", "--stolen"), ("trust", "draft", home / "trust.draft")):
        loa("key", *verb).refuses(1, "--area")
    loa("key", "change", "--stolen", "--area", "nowhere").refuses(1, "nowhere")
    assert loa("key", "change", "--stolen", "--area", PLACE).code == 0
    shown = loa("key", "show")
    assert (shown.code, PLACE in shown.out, "WARNING" in shown.out) == (0, True, False)


def test_a_root_key_that_lies_elsewhere_is_said(loa: Loa, home: Path) -> None:
    loa("key", "init")
    before = json.loads(loa("key", "show", "--json").out)
    (home / "keys" / "root.key").unlink()
    assert "not on this machine" in loa("key", "show").out
    assert json.loads(loa("key", "show", "--json").out) == before | {"root_key_here": False}
    (home / "keys" / "root.pub").unlink()
    assert json.loads(loa("key", "show", "--json").out)["root_public_key"] is None
    loa("key", "init", "--area", PLACE).refuses(1, "only the root key")


# --- announcements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (["a", "--area", "nowhere"], 1, "no area named “nowhere”"),
        (["", "--area", PLACE], 1, "no text to read out"),
        ([" \n\t", "--area", PLACE], 1, "no text to read out"),
        (["x" * 20_001, "--area", PLACE], 1, "20001 characters"),
        (["a", "--area", PLACE, "--at", "2020-01-01"], 1, "is past"),
        (["a", "--area", PLACE, "--at", "31/12/9999 05:30"], 1, "days ahead"),
        (["a", "--area", PLACE, "--at", "soon"], 2, "“soon” is not a time"),
        (["a", "--area", PLACE, "--at", ""], 2, "is not a time"),
        (["a", "--area", PLACE, "--at", "25:00"], 2, "is not a time"),
        (["a", "--area", PLACE, "--at", "\x00\x1b"], 2, "is not a time"),
        (["a", "--area", PLACE, "--as", "nobody"], 1, "nobody called nobody"),
        (["a", "--area", PLACE, "--title", "t" * 201], 1, "at most 200"),
        (["a", "--area", PLACE, "--title", "t\nt"], 1, "one line"),
        (["a", "--area", "lang-son", "--as", "van-hoa"], 1, "does not speak for"),
    ],
)
def test_an_announcement_that_cannot_stand_is_refused(loa: Loa, more: list[str], code: int, why: str) -> None:
    loa("announce", *more).refuses(code, why)


def test_the_quiet_hours_are_kept(loa: Loa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_QUIET_UNTIL", "23:59")
    later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d") + " 12:00"
    loa("announce", "a", "--area", PLACE, "--at", later).refuses(1, "quiet hours")
    assert loa("announce", "Lũ về!", "--area", PLACE, "--at", later, "--class", "emergency").code == 0


@pytest.mark.parametrize("text", ["-5", "- một là họp", "a\x00b", "Kính mời\r\nbà con", "🔔 Loa", "x" * 20_000])
def test_any_text_that_can_be_read_is_taken(loa: Loa, text: str) -> None:
    assert loa("announce", "--area", PLACE, "--", text).code == 0


def test_a_text_comes_from_a_file_or_from_standard_input(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "notice.txt"
    file.write_bytes("\ufeffKính mời bà con.\r\n".encode())
    announce = ("announce", "--area", PLACE, "--json", "--text-file")
    made = json.loads(loa(*announce, file).out)
    typed(monkeypatch, "Từ bàn phím.".encode())
    second = json.loads(loa(*announce, "-").out)
    store = store_in(home)
    texts = [store.announcements.get(each["announcement"]) for each in (made, second)]
    store.close()
    assert [each and each.text for each in texts] == ["Kính mời bà con.", "Từ bàn phím."]


def test_a_file_that_holds_no_text_is_said(loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    announce = ("announce", "--area", PLACE, "--text-file")
    binary, large, loop = tmp_path / "binary", tmp_path / "large", tmp_path / "loop"
    binary.write_bytes(b"\xff\xfe\x00")
    large.write_bytes("ử".encode() * 400_000)
    loop.symlink_to(loop)
    loa(*announce, tmp_path / "none").refuses(1, "cannot be read: there is no such file")
    loa(*announce, tmp_path).refuses(1, "cannot be read: this is a folder")
    loa(*announce, binary).refuses(1, "is not UTF-8")
    loa(*announce, large).refuses(1, "too large")
    loa(*announce, loop).refuses(1, "cannot be read")
    typed(monkeypatch, b"Xin ch\xe0o")
    loa(*announce, "-").refuses(1, "standard input", "is not UTF-8")
    monkeypatch.setenv("LOA_LANG", "vi")
    loa(*announce, tmp_path).refuses(1, "Không đọc được", "đây là thư mục")


def test_the_same_key_is_the_same_announcement(loa: Loa) -> None:
    announce = ("announce", "a", "--area", PLACE, "--key", "mat-dien-1", "--json")
    assert loa(*announce).out == loa(*announce).out
    assert loa("announce", "a", "--area", PLACE, "--json").out != loa(*announce).out


def test_waiting_ends_when_every_node_has_told(loa: Loa, home: Path) -> None:
    announce = ("announce", "a", "--area", f"{PLACE}:thon-1", "--key", "k")
    job = json.loads(loa(*announce, "--json").out)["job"]
    silent = loa(*announce, "--wait", "--most-seconds", "1")
    assert (silent.code, silent.out) == (4, "")
    assert "No outcome from: dong-dang-1" in silent.err
    report(home, job, "dong-dang-1", Step.SOUNDED)
    told = loa(*announce, "--wait")
    assert told.code == 0
    assert "dong-dang-1" in told.out
    facts = json.loads(loa(*announce, "--wait", "--json").out)
    assert (facts["job"], facts["silent"]) == (job, [])
    assert facts["nodes"][0]["outcome"] == "sounded"
    assert facts["nodes"][0]["skew_ms"] == 12.4
    assert json.loads(loa("asrun", "--job", job, "--json").out)[0]["node"] == "dong-dang-1"


def test_waiting_for_nodes_that_did_not_sound_it_is_another_code(loa: Loa, home: Path) -> None:
    announce = ("announce", "a", "--area", f"{PLACE}:thon-1", "--key", "k")
    job = json.loads(loa(*announce, "--json").out)["job"]
    report(home, job, "dong-dang-1", Step.REFUSED, "bad_hash")
    told = loa(*announce, "--wait")
    assert told.code == 4
    assert "refused (bad_hash)" in told.out
    loa("area", "add", f"{PLACE}:trong", "Thôn trống")
    nobody = loa("announce", "a", "--area", f"{PLACE}:trong", "--wait")
    assert (nobody.code, nobody.out) == (4, "")
    assert "No node hangs there" in nobody.err


def report(folder: Path, job: str, node: str, step: Step, reason: str = "") -> None:
    """A node tells what it made of a job."""
    town = Town(folder)
    town.now = datetime.now(UTC)
    town.numbers[node] = 0
    town.report(job, node, step, reason)
    town.store.close()


# --- the log and the plans -----------------------------------------------------------------------------------


def test_the_log_is_asked_for_times_areas_and_jobs(loa: Loa, home: Path) -> None:
    assert (loa("asrun").out, loa("asrun", "--json").out) == ("Nothing yet.\n", "[]\n")
    job = json.loads(loa("announce", "Tiêu đề\nNội dung", "--area", PLACE, "--json").out)["job"]
    report(home, job, "dong-dang-1", Step.SOUNDED)
    report(home, job, "dong-dang-2", Step.MISSED, "no_audio")
    rows = json.loads(loa("asrun", "--json").out)
    assert {row["outcome"] for row in rows} == {"sounded", "missed"}
    assert {row["title"] for row in rows} == {"Tiêu đề"}
    assert datetime.fromisoformat(rows[0]["planned_start"]).tzinfo
    assert len(loa("asrun", "--limit", "1").out.splitlines()) == 1
    assert len(loa("asrun", "--area", f"{PLACE}:thon-2").out.splitlines()) == 1
    assert loa("asrun", "--since", "+1h").out == "Nothing yet.\n"
    an_hour_ago = datetime.now(UTC).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")) - timedelta(hours=1)
    assert len(loa("asrun", "--since", f"{an_hour_ago:%H:%M}").out.splitlines()) == 2
    assert loa("asrun", "--job", "other").out == "Nothing yet.\n"
    loa("asrun", "--area", "nowhere").refuses(1, "no area and no node called nowhere")
    loa("asrun", "--since", "").refuses(2, "is not a time")
    loa("asrun", "--since", "yesterday").refuses(2, "is not a time")


def test_a_plan_is_shown_for_an_area_and_for_a_node(loa: Loa, home: Path) -> None:
    loa("plan", "show", "nowhere").refuses(1, "no area and no node called nowhere")
    loa("plan", "show", PLACE, "--at", "noon").refuses(2, "is not a time")
    assert loa("plan", "show", PLACE).out == "There are no jobs.\n"
    now = datetime.now(UTC)
    first, second = job("b1", now + timedelta(minutes=5)), job("b2", now + timedelta(minutes=9))
    serial = issue(home, (second, first), now)
    for place in (PLACE, "dong-dang-1"):
        told = json.loads(loa("plan", "show", place, "--json").out)
        assert [each["job"] for each in told["jobs"]] == ["b1", "b2"]
        assert (told["plans"][0]["serial"], told["plans"][0]["lane"]) == (serial, "plan")
    lines = loa("plan", "show", PLACE).out.splitlines()
    assert lines[0].startswith(f"{PLACE} [plan] serial {serial}, ")
    assert lines[1].endswith("12 s  ordinary    0/6  b1  Họp thôn")
    moment = (now + timedelta(minutes=9, seconds=1)).isoformat()
    assert [each["job"] for each in json.loads(loa("plan", "show", PLACE, "--at", moment, "--json").out)["jobs"]] == [
        "b2"
    ]
    assert json.loads(loa("plan", "show", "tam-thanh-1", "--json").out)["jobs"] == []


def test_a_data_budget_is_given_in_megabytes(loa: Loa) -> None:
    told = json.loads(loa("node", "budget", PLACE, "50", "--json").out)
    assert told == {"nodes": [f"dong-dang-{number}" for number in range(1, 7)], "data_budget_bytes_per_day": 50_000_000}
    assert loa("node", "budget", "dong-dang-1", "station").out == "1 node has a new data budget: station\n"
    loa("node", "budget", "nowhere", "5").refuses(1, "no area named “nowhere”")
    for wrong in ("", "-5", "5.5", "1e3", "٣", "x" * 300, "9" * 20):
        words = ("--", wrong) if wrong.startswith("-") else (wrong,)
        loa("node", "budget", PLACE, *words).refuses(1, "no number of MB")


def test_a_plan_is_shown_for_one_local_day(loa: Loa, home: Path) -> None:
    now = datetime.now(UTC)
    days = [(now + timedelta(days=ahead)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")) for ahead in (1, 2)]
    early, late, next_day = (
        days[0].replace(hour=0, minute=0, second=0, microsecond=0),
        days[0].replace(hour=23, minute=59, second=59, microsecond=0),
        days[1].replace(hour=0, minute=0, second=0, microsecond=0),
    )
    issue(home, tuple(job(f"b{n}", at.astimezone(UTC)) for n, at in enumerate((early, late, next_day), 1)), now)

    def shown(day: str) -> list[str]:
        return [each["job"] for each in json.loads(loa("plan", "show", PLACE, "--day", day, "--json").out)["jobs"]]

    assert shown(f"{days[0]:%Y-%m-%d}") == shown(f"{days[0]:%d/%m/%Y}") == ["b1", "b2"]
    assert shown(f"{days[1]:%Y-%m-%d}") == ["b3"]
    assert loa("plan", "show", PLACE, "--day", "2020-01-01").out.splitlines()[-1] == "There are no jobs."
    assert "3 changes have not been sent to the nodes yet." in loa("plan", "show", PLACE).out
    for bad in ("2026-02-30", "mai", "31/02/2026", "9999-12-31", "", "0000-00-00", "2026-11-30;x"):
        loa("plan", "show", PLACE, "--day", bad).refuses(2, "is not a day")


def job(name: str, start: datetime) -> Job:
    asset = Asset("ab" * 32, 48_000, 12_000, "audio/ogg", "ab.ogg")
    return Job(
        name,
        "Họp thôn",
        BulletinClass.ORDINARY,
        Level.COMMUNE,
        start,
        start + timedelta(minutes=30),
        Late.PLAY_LATE,
        AfterCut.RESUME,
        asset,
    )


def issue(folder: Path, jobs: tuple[Job, ...], now: datetime) -> int:
    """The commune's plan is in the air; its serial."""

    def make(serial: int) -> bytes:
        plan = Plan(PLACE, Lane.PLAN, serial, now, now + timedelta(days=15), jobs)
        return seal.seal("plan", codec.write(plan), Signer(b"s" * 32))

    store = store_in(folder)
    issued = store.plans.issue(PLACE, Lane.PLAN, "digest", make, now)
    store.close()
    assert issued
    return issued.serial


@pytest.mark.parametrize("day", ["", "soon", "31/02/2026", "9999-12-31", "31/12/9999", "0001-01-01", "\x00"])
def test_a_day_that_is_none_is_not_simulated(loa: Loa, day: str) -> None:
    loa("simulate", PLACE, "--day", day).refuses(2, "is not a ")


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (["--until", "2027-01-01"], 1, "go with --repeat only"),
        (["--except", "2027-01-01"], 1, "go with --repeat only"),
        (["--repeat", "FREQ=DAILY", "--wait", "--at", "+1h"], 1, "leave out --wait"),
        (["--repeat", "FREQ=DAILY"], 1, ""),
        (["--repeat", "FREQ=DAILY", "--at", "+1h", "--until", "soon"], 2, "is not a time"),
        (["--repeat", "FREQ=DAILY", "--at", "+1h", "--until", "2020-01-01"], 1, ""),
        (["--repeat", "FREQ=DAILY", "--at", "+1h", "--except", "soon"], 1, ""),
        (["--repeat", "", "--at", "+1h"], 1, ""),
        (["--repeat", "every day", "--at", "+1h"], 1, ""),
        (["--repeat", "FREQ=SECONDLY", "--at", "+1h"], 1, ""),
        (["--repeat", "FREQ=DAILY;COUNT=" + "9" * 400, "--at", "+1h"], 1, ""),
        (["--repeat", "FREQ=DAILY;" * 2000, "--at", "+1h"], 1, ""),
    ],
)
def test_a_repetition_that_cannot_be_is_refused(loa: Loa, more: list[str], code: int, why: str) -> None:
    loa("announce", "a", "--area", PLACE, *more).refuses(code, why)


# --- a store that does not answer ----------------------------------------------------------------------------


def test_a_database_that_cannot_be_used_is_said(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    held = sqlite3.connect(home / "loa.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    loa("user", "add", "moi").refuses(1, "Another program holds the database")
    held.execute("ROLLBACK")
    held.execute("UPDATE alembic_version SET version_num = '9999'")
    held.close()
    for verb in ("migrate", "asrun"):
        loa(verb).refuses(1, "newer program (revision 9999")
    (home / "loa.db").write_bytes(b"no database at all" * 1000)
    loa("asrun").refuses(1, "damaged, or is not a database")
    for wrong in ("nonsense", "mysql://x/y", "sqlite://", "postgresql://a:b@c:port/x", "postgresql://[::1/x"):
        monkeypatch.setenv("LOA_DATABASE_URL", wrong)
        loa("asrun").refuses(1, "database_url", "***", "sqlite:///PATH")
    monkeypatch.setenv("LOA_DATABASE_URL", f"sqlite:///{tmp_path}/none/loa.db")
    loa("asrun").refuses(1, "cannot be reached")
    monkeypatch.setenv("LOA_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/x")
    loa("asrun").refuses(1, "cannot be reached")
    assert "secret" not in loa("asrun").err


def test_settings_that_cannot_be_used_are_said(loa: Loa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "loa.toml"
    file.write_text("web_prt = 8080\n")
    loa("asrun", "--config", file).refuses(1, "Did you mean web_port?")
    monkeypatch.setenv("LOA_CONFIG", str(file))
    loa("asrun").refuses(1, "Did you mean web_port?")
    loa("asrun", "--config", tmp_path / "none").refuses(1, "there is no such file")
    loa("asrun", "--config", tmp_path).refuses(1, "this is a folder")
    monkeypatch.delenv("LOA_CONFIG")
    for port in ("-1", "70000", "eighty", ""):
        monkeypatch.setenv("LOA_WEB_PORT", port)
        loa("web").refuses(1, "web_port")
    monkeypatch.setenv("LOA_WEB_PORT", "8080")
    monkeypatch.setenv("LOA_STATE_DIR", str(file))
    loa("area", "list").refuses(1, "cannot be used")
    monkeypatch.setenv("LOA_STATE_DIR", os.devnull + "/x")
    monkeypatch.setenv("LOA_LANG", "vi")
    loa("area", "list").refuses(1, "Không dùng được thư mục", "không phải thư mục")


def test_a_station_without_keys_does_not_start(loa: Loa) -> None:
    for verb in ("station", "controller"):
        loa(verb).refuses(1, "loa key init")


def test_a_key_file_that_is_none_is_said(loa: Loa, home: Path) -> None:
    keys.Keyring(home / "keys").make(keys.STATION)
    (home / "keys" / "station.key").write_text("half a k")
    for verb in (("key", "show"), ("key", "init"), ("station",)):
        loa(*verb).refuses(1, "is not a key")


def test_positions_come_out_of_a_file(loa: Loa, home: Path, tmp_path: Path) -> None:
    (tmp_path / "where.csv").write_text(
        "id,latitude,longitude\nlang-son:dong-dang,21.94,106.69\ndong-dang-1,21.95,106.7\n"
    )
    assert "Positions entered: 2." in loa("place", str(tmp_path / "where.csv")).out
    store = store_in(home)
    assert store.positions.all().keys() == {"lang-son:dong-dang", "dong-dang-1"}
    store.close()
    (tmp_path / "where.csv").write_text("dong-dang-2,21.94,106.69\nnowhere,21.95,106.7\n")
    loa("place", str(tmp_path / "where.csv")).refuses(1, "Line 2 (nowhere)")
    loa("place", str(tmp_path / "none.csv")).refuses(1, "none.csv")
