"""What can be typed wrong at the command line, and every page of help: in both languages, one sentence, a code."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_loa import PUBLIC_KEY, Loa, at_home, in_this_process

from loa import mistakes, parser
from loa.parser import Parser

LANGUAGES = ("vi", "en")


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loa:
    at_home(monkeypatch, tmp_path)
    return in_this_process(capsys)


def pages(page: Parser) -> Iterator[Parser]:
    """A parser and all below it."""
    yield page
    for action in page._actions:
        for below in action.choices.values() if isinstance(action.choices, dict) else ():
            yield from pages(below)


NAMES = [page.prog for page in pages(parser.make("en"))]
EVERY = {language: {page.prog: page for page in pages(parser.make(language))} for language in LANGUAGES}


PROMISED = """demo, controller, web certificate, station, broker, announce,
programme check, programme apply, programme show, programme export, policy check, policy apply, policy show,
inbox list, inbox place, inbox decline, inbox order, standby prepare, standby keep, standby drop, standby list,
plan show, simulate, calendar export, calendar import,
asrun, spoken, speak,
voices add, voices remove, voices sample,
bench, migrate, node init, node run, node check, node enrol, node tone, node add, node replace,
node codes, node budget, node list, node update, node prove,
node revoke, release sign, release publish, release withdraw, release show, key init, key show, key change, key revoke,
key certify, key roots, key cosigner, key left, key lock, key unlock, key trust draft, key trust sign,
key trust publish, audit list, audit verify, audit export, audit public, backup, restore, revocations, alarms,
area add, area code, area import, area move, area list, cap, place,
user add, user link, user list, user grant, user withdraw, user leave, user return, user forget-factor,
token add, token list, token end, status, settings"""


def test_every_verb_that_was_promised_is_there_and_no_other() -> None:
    ends = {name for name in NAMES if not any(other.startswith(f"{name} ") for other in NAMES)}
    assert ends == {f"loa {verb.strip()}" for verb in PROMISED.split(",")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_help_is_in_its_language(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, name: str, language: str
) -> None:
    monkeypatch.setenv("LOA_LANG", language)
    told = loa(*name.split()[1:], "--help")
    assert (told.code, told.err) == (0, "")
    first = {"vi": "cách dùng: ", "en": "usage: "}[language]
    assert told.out.startswith(f"{first}{name}")
    assert max(map(len, told.out.splitlines())) <= 110
    if language == "vi":
        assert not re.search(r"usage|options:|positional|show this|\b(FILE|TIME|NAME|AREA|TEXT|DIR)\b", told.out)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_argument_is_explained(name: str, language: str) -> None:
    page = EVERY[language][name]
    assert page.description
    for action in page._actions:
        if not isinstance(action.choices, dict):
            assert action.help, f"{name} {action.dest}"
            assert action.metavar or action.choices or action.nargs == 0, f"{name} {action.dest}"


def examples() -> list[str]:
    """The command lines in the help, of both languages."""
    found = [line.strip() for language in EVERY.values() for page in language.values() for line in lines_of(page)]
    return sorted(set(found))


def lines_of(page: Parser) -> list[str]:
    return [line for line in (page.epilog or "").splitlines() if line.startswith("  loa ")]


@pytest.mark.parametrize("line", examples())
def test_every_example_can_be_typed(line: str) -> None:
    words = shlex.split(re.split(r"   +| < ", line)[0])
    assert parser.read([PUBLIC_KEY if word == "64_HEX" else word for word in words[1:]], "en").run


WRONG = [
    ([], "COMMAND is missing"),
    (["anounce"], "no command “anounce”, perhaps announce"),
    (["xyz"], "no command “xyz”; the commands are demo"),
    (["node"], "COMMAND is missing"),
    (["node", "chek"], "perhaps check"),
    (["announce", "a"], "--area is missing"),
    (["announce", "--area", "a"], "one of these is needed: TEXT --text-file"),
    (["announce", "-abc", "--area", "a"], "stands after --"),
    (["announce", "a", "--area"], "--area needs a value"),
    (["announce", "a", "b", "--area", "x"], "“b” is too much"),
    (["announce", "a", "--area", "x", "--levle", "commune"], "no option --levle, perhaps --level"),
    (["announce", "a", "--area", "x", "--qqq"], "no option --qqq; a text"),
    (["announce", "a", "--ar", "x"], "--area is missing"),
    (["announce", "a", "--area", "x", "--at", "17:00", "--now"], "--now does not go together with --at"),
    (["announce", "a", "--area", "x", "--text-file", "f"], "--text-file does not go together with TEXT"),
    (["announce", "a", "--area", "x", "--class", "urgent"], "choose from: ordinary, priority, emergency"),
    (["announce", "a", "--area", "x", "--json=1"], "--json takes no value"),
    (["announce", "a", "--area", "x", "--most-seconds", "nan"], "“nan” is not a whole number from 1"),
    (["announce", "a", "--area", "x", "--most-seconds", "0"], "“0” is not a whole number"),
    (["announce", os.fsdecode(b"a\xffb"), "--area", "x"], "“a�b” is not UTF-8"),
    (["announce", "a", "--area", os.fsdecode(b"\xff\xfe")], "is not UTF-8"),
    (["asrun", "--limit", "-1"], "“-1” is not a whole number from 1"),
    (["asrun", "--limit", "9" * 20], "is not a whole number"),
    (["asrun", "--limit", "1_0"], "is not a whole number"),
    (["asrun", "--limit", "٣"], "is not a whole number"),
    (["broker", "--port", "-1"], "“-1” is not a whole number from 0 to 65535"),
    (["broker", "--port", "70000"], "“70000” is not a whole number"),
    (["broker", "--engine", "rabbit"], "choose from: auto, mosquitto, nats"),
    (["demo", "--nodes", "0"], "“0” is not a whole number from 1 to 200"),
    (["demo", "--port", "65536"], "from 0 to 65535"),
    (["node", "init", "f"], "--node, --home, --root-key is missing"),
    (["node", "init", "f", "--broker-port", "0"], "“0” is not a whole number from 1 to 65535"),
    (["speak", "a"], "-o/--out is missing"),
    (["user", "add", "an", "--role", "boss"], "choose from: viewer, editor, approver, emergency"),
    (["plan", "show"], "PLACE is missing"),
    (["area", "add", "a\x1b[2Jb"], "NAME is missing"),
    (["xyz" * 1000], "there is no command"),
]


@pytest.mark.parametrize(("line", "why"), WRONG, ids=lambda each: " ".join(each)[:30] if isinstance(each, list) else "")
def test_a_line_that_is_not_understood_is_answered_in_one_sentence(loa: Loa, line: list[str], why: str) -> None:
    told = loa(*line)
    told.refuses(2, why, "--help")
    assert len(told.err) < 600
    assert told.err.rstrip("\n").isprintable()


@pytest.mark.parametrize("line", [line for line, _ in WRONG])
def test_no_english_is_left_in_the_vietnamese_answer(
    loa: Loa, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.setenv("LOA_LANG", "vi")
    told = loa(*line)
    told.refuses(2, "Lệnh không đúng: ", ". Xem: loa")
    assert not re.search(r"argument|require|invalid|expected|allowed|choose|unrecogni|missing", told.err)


def test_help_for_a_wrong_line_is_that_of_its_verb(loa: Loa) -> None:
    loa("announce", "a", "b", "--area", "x").refuses(2, "See: loa announce --help")
    loa("node", "init", "--frob").refuses(2, "See: loa node init --help")
    loa("key", "show", "extra").refuses(2, "See: loa key show --help")


def test_what_argparse_says_in_another_way_one_day_is_still_said() -> None:
    assert mistakes.retold("something new", "vi") == "something new"


def test_the_version_is_told(loa: Loa) -> None:
    told = loa("--version")
    assert told.code == 0
    assert re.fullmatch(r"loa [0-9.]+\n", told.out)


@pytest.mark.parametrize(("language", "first"), [("vi_VN.UTF-8", "cách"), ("en_GB", "usage"), ("C", "cách")])
def test_the_locale_decides_the_language(loa: Loa, monkeypatch: pytest.MonkeyPatch, language: str, first: str) -> None:
    for name in ("LOA_LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", language)
    assert loa("--help").out.startswith(first)


def test_a_namespace_knows_its_verb() -> None:
    wanted = parser.read(["asrun", "--json"], "vi")
    assert isinstance(wanted, argparse.Namespace)
    assert (wanted.language, wanted.json, wanted.limit) == ("vi", True, 500)
