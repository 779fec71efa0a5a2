"""`./run audit`: known weaknesses by a file that is brought along, matched as OSV says; hostile files are refused."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_install import TOP

import advisories  # isort: skip - of the folder deploy/, which makers_install adds
import affected  # isort: skip
import audit  # isort: skip
import locks  # isort: skip

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PACKAGE = {"ecosystem": "PyPI", "name": "flask"}
FLASK = affected.Package("PyPI", "flask", "3.1.3")


def record(name: str, package: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    """One record as an export of the Python index has it."""
    commits = {"type": "GIT", "repo": "somewhere", "events": [{"introduced": "0"}, {"fixed": "c0ffee"}]}
    entry = {
        "package": {"name": package, "ecosystem": "PyPI", "purl": f"pkg:pypi/{package}"},
        "ranges": [commits, *([{"type": "ECOSYSTEM", "events": [*events]}] if events else [])],
        "versions": more.pop("versions", []),
    }
    told = {"id": name, "modified": "2026-11-20T10:11:12.123456Z", "published": "2026-11-01T00:00:00Z"}
    told |= {"schema_version": "1.7.3", "summary": f"{package} lets anybody in", "aliases": []}
    return told | {"affected": [entry], "references": [{"type": "WEB", "url": "none"}]} | more


OTHERS = [record(f"PYSEC-2026-{number}", f"other-{number}", {"introduced": "0"}) for number in range(20)]
HIT = record("PYSEC-2026-900", "Flask", {"introduced": "0"}, {"fixed": "3.1.4"}, aliases=["CVE-2026-1", "GHSA-aaaa"])
SAME = record("GHSA-aaaa", "flask", {"introduced": "3"}, {"last_affected": "3.1.3"}, aliases=["CVE-2026-1"], summary="")


def zipped(path: Path, records: list[Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for number, each in enumerate(records):
            opened.writestr(f"{number}.json", each if isinstance(each, bytes) else json.dumps(each))
    return path


def run(path: Path, *more: object, now: datetime = NOW) -> int:
    return audit.main(["--advisories", str(path), "--at-least", "10", *map(str, more)], now)


# --- which versions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}], ["0.1", "9", "1.0rc1"], []),
        ([{"introduced": "0"}, {"fixed": "1.5"}], ["1.4.99", "1.5rc1"], ["1.5", "1.5.0", "1.5.post1"]),
        ([{"introduced": "2"}, {"last_affected": "2.3"}], ["2", "2.3", "2.3.0"], ["1.9", "2.3.1", "2.3.post1"]),
        (
            [{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"fixed": "2.3"}],
            ["1.4", "2.0", "2.2"],
            ["1.5", "1.9", "2.0rc1", "2.3"],
        ),
        (
            [{"fixed": "2.3"}, {"introduced": "2.0"}, {"fixed": "1.5"}, {"introduced": "1.0"}],
            ["1.0", "2.2"],
            ["0.9", "1.5", "2.3"],
        ),
        ([{"introduced": "1"}, {"limit": "*"}], ["1", "3"], ["0.9"]),
        ([{"introduced": "no version"}], ["1"], []),
        ([{"introduced": "0"}, {"fixed": "who knows"}], ["1"], []),
    ],
)
def test_a_version_lies_in_a_range_as_the_schema_says(
    events: list[dict[str, str]], inside: list[str], outside: list[str]
) -> None:
    entry = record("X", "flask", *events)["affected"][0]
    told = {v: affected.is_affected(affected.Package("PyPI", "flask", v), entry) for v in (*inside, *outside)}
    assert told == dict.fromkeys(inside, True) | dict.fromkeys(outside, False)


def test_versions_that_are_listed_count_beside_ranges_and_an_entry_without_either_is_about_all() -> None:
    listed = record("X", "flask", {"introduced": "0"}, {"fixed": "1"}, versions=["3.1.3.0", "any old thing"])
    assert affected.is_affected(FLASK, listed["affected"][0])
    assert not affected.is_affected(FLASK, record("X", "flask", versions=["3.1.2"])["affected"][0])
    assert affected.is_affected(FLASK, record("X", "flask")["affected"][0])


VERSION = st.from_regex(r"([0-2]:)?[0-9][0-9a-c.+~]{0,6}(-[0-9a-b.+~]{1,4})?", fullmatch=True)


@pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is not installed")
def test_debian_s_versions_are_ordered_as_dpkg_orders_them() -> None:
    pairs: list[tuple[str, str]] = [("1.0", "1.0-0"), ("1.0~rc1-1", "1.0-1"), ("1:0.9", "2"), ("1.a", "1.a0")]
    pairs += [("2.0.11-1+deb12u1", "2.0.11-1"), ("7:5.1.8-0+deb12u1", "7:5.1.8-0+deb12u1~bpo"), ("1a", "1+")]

    @given(VERSION, VERSION)
    def collect(one: str, other: str) -> None:
        pairs.append((one, other))

    collect()
    script = "said() { for how in lt eq gt; do dpkg --compare-versions $1 $how $2 && echo $how; done; }\n"
    script += "".join(f"said {one} {other}\n" for one, other in pairs)
    said = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False).stdout.split()
    ours = [{-1: "lt", 0: "eq", 1: "gt"}[affected.debian_order(one, other)] for one, other in pairs]
    assert [pair for pair, theirs, our in zip(pairs, said, ours, strict=True) if theirs != our] == []


# --- what a file says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_weakness_that_two_records_tell_of_is_found_once_with_what_mends_it(tmp_path: Path, form: str) -> None:
    away = record("PYSEC-2026-901", "flask", {"introduced": "0"}, withdrawn="2026-11-02T00:00:00Z")
    path = zipped(tmp_path / "all.zip", [*OTHERS, HIT, SAME, away])
    if form == "folder":
        with zipfile.ZipFile(path) as opened:
            opened.extractall(tmp_path / "all")
        path = tmp_path / "all"
    book = advisories.consult(path, [FLASK, affected.Package("PyPI", "werkzeug", "3.1.9")])
    (found,) = book.findings
    assert (found.package, set(found.names), found.fixed) == (
        FLASK,
        {"PYSEC-2026-900", "CVE-2026-1", "GHSA-aaaa"},
        ("3.1.4",),
    )
    assert found.summary == "Flask lets anybody in"
    assert (book.records, book.unreadable) == ({"PyPI": 23}, 0)
    assert book.newest["PyPI"] == datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC)


def test_debian_s_packages_are_judged_by_their_release_and_source(tmp_path: Path) -> None:
    told = record("DSA-9999-1", "mosquitto", modified="2026-11-25T00:00:00Z")
    told["affected"] = [
        {
            "package": {"ecosystem": ecosystem, "name": "mosquitto"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }
        for ecosystem, fixed in (("Debian:12", "2.0.11-1+deb12u2"), ("Debian:13", "2.0.21-1"))
    ]
    old, new = (affected.Package("Debian:12", "mosquitto", f"2.0.11-1+deb12u{n}") for n in (1, 2))
    other = affected.Package("Debian:13", "mosquitto", "2.0.21-1")
    book = advisories.consult(zipped(tmp_path / "all.zip", [told]), [old, new, other])
    assert [each.package for each in book.findings] == [old]
    assert book.records == {"Debian:12": 1, "Debian:13": 1}


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], "0 records on PyPI; fewer than 10 prove nothing"),
        (OTHERS[:9], "9 records on PyPI"),
        ([{**each, "affected": []} for each in OTHERS], "0 records on PyPI"),
        ([{**each, "modified": "2026-10-20T00:00:00Z"} for each in OTHERS], "2026-10-20, 39 days ago; at most 30"),
        ([{**each, "modified": "2027-01-20T00:00:00Z"} for each in OTHERS], "is of the future: 2027-01-20"),
        ([*OTHERS, b"{"], "1 records of the file cannot be read"),
    ],
)
def test_a_file_that_proves_nothing_is_refused_and_says_why(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    records: Any,
    why: str,
) -> None:
    monkeypatch.setenv("LOA_LANG", "en")
    assert run(zipped(tmp_path / "all.zip", records)) == 3
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert why in said.err


def test_a_few_records_that_cannot_be_read_are_told_and_the_others_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_LANG", "en")
    assert run(zipped(tmp_path / "all.zip", [*OTHERS * 10, HIT, b"\xff no json"])) == 1
    said = capsys.readouterr()
    assert said.out == "flask 3.1.3 -> 3.1.4  PYSEC-2026-900 CVE-2026-1  Flask lets anybody in\n"
    assert said.err.splitlines() == [
        "PyPI: 201 records, the newest of 2026-11-20, 7 days old",
        "1 records could not be read",
        "Known weaknesses: 1",
    ]


def test_nothing_known_is_said_with_what_it_rests_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_LANG", "en")
    assert run(zipped(tmp_path / "all.zip", OTHERS), "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["findings"] == []
    assert said.err.splitlines()[-1] == "No known weakness"
    assert run(zipped(tmp_path / "all.zip", [*OTHERS, HIT]), "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert (found["package"], found["version"], found["fixed"]) == ("flask", "3.1.3", ["3.1.4"])


def test_every_locked_library_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = locks.Source.of(TOP)
    names = {each.name for group in source.locked.values() for each in group}
    all_bad = [record(f"PYSEC-2026-{name}", name.replace("-", "_").upper(), {"introduced": "0"}) for name in names]
    assert run(zipped(tmp_path / "all.zip", all_bad)) == 1
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == names


def test_debian_s_packages_without_records_of_debian_are_not_waved_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("dpkg-query"):
        pytest.skip("this is no Debian")
    monkeypatch.setenv("LOA_LANG", "en")
    assert run(zipped(tmp_path / "all.zip", OTHERS), "--debian") == 3
    assert "0 records on Debian:" in capsys.readouterr().err


# --- bundles and exceptions ----------------------------------------------------------------------------------------


def bundle_of(path: Path, text: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name in ("debs/a_1_all.deb", "requirements.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_what_a_bundle_holds_is_judged_and_not_the_locks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = zipped(tmp_path / "all.zip", [*OTHERS, HIT])
    line = "flask=={} --hash=sha256:" + "0" * 64 + "\nloa-radio==0.1.0 --hash=sha256:" + "1" * 64 + "\n"
    assert run(file, "--bundle", bundle_of(tmp_path / "old.tar", line.format("3.0"))) == 1
    assert capsys.readouterr().out.startswith("flask 3.0 -> 3.1.4")
    assert run(file, "--bundle", bundle_of(tmp_path / "new.tar", line.format("3.1.4"))) == 0
    for name, text in (("empty.tar", ""), ("other.tar", "-r elsewhere.txt\n")):
        assert run(file, "--bundle", bundle_of(tmp_path / name, text)) == 3
    (tmp_path / "none.tar").write_bytes(b"no tar")
    assert run(file, "--bundle", tmp_path / "none.tar") == 3
    assert run(file, "--bundle", tmp_path / "nowhere.tar") == 3


EXEMPT = '[[exception]]\nid = "CVE-2026-1"\npackage = "flask"\nreason = "we do not use it"\nuntil = 2026-11-28\n'


def test_an_exception_holds_to_its_last_day_and_one_in_vain_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_LANG", "en")
    file, told = zipped(tmp_path / "all.zip", [*OTHERS, HIT]), tmp_path / "exceptions.toml"
    told.write_text(EXEMPT)
    assert run(file, "--exceptions", told) == 0
    assert "No known weakness" in capsys.readouterr().err
    assert run(file, "--exceptions", told, now=NOW + timedelta(days=1)) == 1
    assert "The exception is over since 2026-11-28: CVE-2026-1 (flask)" in capsys.readouterr().err
    told.write_text(EXEMPT + EXEMPT.replace("CVE-2026-1", "CVE-2020-1"))
    assert run(file, "--exceptions", told) == 0
    assert "Exception without use: CVE-2020-1 (flask)" in capsys.readouterr().err
    told.write_text(EXEMPT.replace('"flask"', '"werkzeug"'))
    assert run(file, "--exceptions", told) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        EXEMPT.replace("we do not use it", " "),
        EXEMPT.replace("until = 2026-11-28\n", ""),
        EXEMPT.replace("2026-11-28", '"2026-11-28"'),
        EXEMPT.replace("2026-11-28", "2026-11-28T00:00:00Z"),
        EXEMPT.replace('package = "flask"', ""),
        "exception = 3",
        "[[exception",
    ],
)
def test_an_exception_without_reason_or_end_is_refused(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "exceptions.toml").write_text(spoilt)
    assert run(zipped(tmp_path / "all.zip", OTHERS), "--exceptions", tmp_path / "exceptions.toml") == 3


def test_the_exceptions_of_the_project_can_be_read() -> None:
    assert isinstance(audit.exceptions(audit.EXCEPTIONS), list)


# --- hostile files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"[" * 200_000,
        b"{}",
        b'{"id": 1, "modified": "2026-11-20T00:00:00Z"}',
        b'{"id": "X", "modified": 5}',
        b'{"id": "X", "modified": "9999-99-99"}',
        b'{"id": "X", "modified": "2026-11-20T00:00:00Z", "affected": 7}',
        b'{"id": "X", "modified": "2026-11-20T00:00:00Z", "affected": [{"package": "flask"}]}',
        json.dumps(record("X", "flask", {"fixed": "9"})).encode(),
        json.dumps(
            record("X", "flask") | {"affected": [{"package": {"ecosystem": "PyPI", "name": "flask"}, "ranges": 1}]}
        ).encode(),
        json.dumps(record("X", "flask") | {"aliases": 3}).encode(),
    ],
)
def test_a_record_that_is_none_is_counted_and_breaks_nothing(tmp_path: Path, spoilt: bytes) -> None:
    book = advisories.consult(zipped(tmp_path / "all.zip", [*OTHERS, spoilt]), [FLASK])
    assert (book.unreadable, book.records, book.findings) == (1, {"PyPI": 20}, ())


def test_a_zip_bomb_ends_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        for number in range(4):
            opened.writestr(f"{number}.json", b" " * (3 * advisories.MOST_RECORD))
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    book = advisories.consult(tmp_path / "bomb.zip", [FLASK])
    assert book.unreadable == 4
    monkeypatch.setattr(advisories, "MOST_BYTES", 2 * advisories.MOST_RECORD)
    with pytest.raises(advisories.NotBelieved, match="too large"):
        advisories.consult(tmp_path / "bomb.zip", [FLASK])
    monkeypatch.setattr(advisories, "MOST_RECORDS", 10)
    with pytest.raises(advisories.NotBelieved, match="too large"):
        advisories.consult(zipped(tmp_path / "many.zip", OTHERS), [FLASK])


def test_names_that_lead_out_of_a_zip_lead_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "all.zip", "w") as opened:
        for name in ("../escaped.json", "/tmp/loa-escaped.json", "..\\escaped.json", "x\n\x1b[2J.json"):
            opened.writestr(name, json.dumps(HIT))
    assert len(advisories.consult(folder / "all.zip", [FLASK]).findings) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["all.zip", "in"]
    assert not Path("/tmp/loa-escaped.json").exists()


def test_a_folder_s_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(HIT))
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "link.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "all" / "endless.json").symlink_to("/dev/zero")
    assert advisories.consult(tmp_path / "all", [FLASK]).records == {"PyPI": 0}


@pytest.mark.parametrize("cut", ["short", "garbled", "locked"])
def test_a_zip_that_is_not_whole_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    monkeypatch.setenv("LOA_LANG", "en")
    file = zipped(tmp_path / "all.zip", OTHERS)
    content = bytearray(file.read_bytes())
    if cut == "short":
        content = content[: len(content) // 2]
    elif cut == "garbled":
        content[60:90] = bytes(30)
    else:  # the flag of a file under a password, in its entry of the directory
        content[content.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)
    assert run(file) == 3
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_what_a_record_says_cannot_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = record("PYSEC-1\x1b[2J", "flask", {"introduced": "0"}, summary="bad\x1b]0;title\x07\nnews")
    assert run(zipped(tmp_path / "all.zip", [*OTHERS, nasty])) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\n") == 1


@pytest.mark.parametrize("wrong", [[], ["--advisories"], ["--advisories", "x", "--days", "soon"], ["--elsewhere"]])
def test_what_is_not_understood_ends_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        audit.main(wrong)
    assert capsys.readouterr().err
