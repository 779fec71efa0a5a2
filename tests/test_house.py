"""The house: sizes, names, doors, sentences and documents, over every file that git tracks.

- Sizes are aims: what stands above one is named here with its reason, and leaves the list when it shrinks.
- The measures themselves are tested on small sources first.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import measures
import pytest

from wire.errors import Reason

TOP = Path(__file__).parent.parent
ROOMS = ("wire", "words", "cage", "schedules", "controller", "edge_node", "fleet", "loa", "bench", "deploy")
MOST_FILE_LINES, MOST_TEST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 500, 40, 5

# "path" or "path::function" -> why it is larger than the aim
LARGE_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {}

SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager", "service", "services"}

# library -> its one door: a file, or a folder; several where each opens another part of it
DOORS: dict[str, str | tuple[str, ...]] = {
    "paho": "wire/mqtt",
    "apscheduler": "controller/clock.py",
    "pydub": "controller/studio/mastering.py",
    "gtts": "controller/studio/gtts_voice.py",
    "sherpa_onnx": "controller/studio/neural_speaker.py",
    "onnxruntime": "controller/studio/kokoro_speaker.py",
    "flask": "controller/web",
    "defusedxml": "controller/cap/markup.py",
    "flask_wtf": "controller/web",
    "flask_openapi3": "controller/web/api",
    "pydantic": "controller/web/api",
    "sqlalchemy": "controller/store",
    "alembic": "controller/store",
    "pyrage": "controller/vault",
    "cryptography": (  # seals; X.509 for nodes and brokers (ADR 18), for browsers (ADR 24); keys at rest (ADR 25, 30)
        "wire/seal.py",
        "wire/certificates.py",
        "controller/web_certificates.py",
        "controller/locked.py",
        "wire/closed.py",
    ),
    "pkcs11": "controller/token.py",
    "segno": ("controller/root_paper.py", "controller/web/qr.py"),
    "argon2": "controller/desk/passwords.py",
    "xlsxwriter": "controller/web/workbook.py",
    "pyotp": "controller/desk/codes.py",
    "webauthn": "controller/desk/passkeys.py",
    "msgspec.json": "wire/codec.py",
    "dateutil": "schedules/calendars.py",
    "holidays": "schedules/calendars.py",
    "lunar_vn": "schedules/lunar.py",
    "icalendar": "schedules/ics",
    "recurring_ical_events": "schedules/ics",
}

# "path::function" -> around what: one tick, one message or one request
BROAD_EXCEPTS = {
    "controller/clock.py::Clock._run": "tick",
    "controller/logbook.py::Logbook._sorted": "message",
    "controller/web/hub.py::Hub._look": "tick",
    "edge_node/agent.py::Agent._hear": "message",
    "edge_node/agent.py::Agent.run": "tick",
    "edge_node/cache.py::Cache._work": "tick",
    "edge_node/mixer.py::Mixer._look_after": "tick",
    "edge_node/players/sound_player.py::SoundPlayer._look_after": "tick",
    "edge_node/renewing.py::Renewing._post": "request",
    "edge_node/tuner/receiver.py::Receiver._called": "request",
    "wire/mqtt/link.py::MqttLink._connect_and_serve": "message",
    "wire/mqtt/link.py::MqttLink._run": "tick",
}

# files whose own `t` adds the room to a sentence's key
OWN_SENTENCES = {"controller/web/": "web", "loa/": "loa"}

SETTINGS = ("controller/settings.py", "edge_node/settings.py")


@cache
def tracked() -> list[str]:
    """The files that git tracks and that stand, in order."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (TOP / name).is_file())


@cache
def read(name: str) -> str:
    return (TOP / name).read_text("utf-8")


def sources() -> list[str]:
    return [name for name in tracked() if name.endswith(".py") and name.split("/")[0] in ROOMS]


def above(sizes: dict[str, int], most: int) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > most}


def test_git_tracks_every_room() -> None:
    assert {name.split("/")[0] for name in sources()} == set(ROOMS)


# --- sizes ---------------------------------------------------------------------------------------------------


def test_no_file_is_larger_than_a_reader_takes_in() -> None:
    sizes = {name: len(read(name).splitlines()) for name in sources()}
    assert above(sizes, MOST_FILE_LINES).keys() == LARGE_FILES.keys(), above(sizes, MOST_FILE_LINES)
    tests = {name: len(read(name).splitlines()) for name in tracked() if re.fullmatch(r"tests/.*\.py", name)}
    assert above(tests, MOST_TEST_LINES) == {}


def test_no_function_is_longer_than_a_screen() -> None:
    sizes = {f"{name}::{each.name}": each.lines for name in sources() for each in measures.functions(read(name))}
    assert above(sizes, MOST_FUNCTION_LINES).keys() == LONG_FUNCTIONS.keys(), above(sizes, MOST_FUNCTION_LINES)


def test_no_function_takes_more_than_five_parameters() -> None:
    counts = {f"{name}::{each.name}": each.parameters for name in sources() for each in measures.functions(read(name))}
    assert above(counts, MOST_PARAMETERS).keys() == MANY_PARAMETERS.keys(), above(counts, MOST_PARAMETERS)


def test_a_function_is_measured_with_its_class_and_without_self() -> None:
    source = (
        "class A:\n    @cached\n    def f(self, a, *, b=1):\n        def g():\n            pass\n        return 1\n"
    )
    assert measures.functions(source) == [measures.Size("A.f", 4, 2), measures.Size("A.f.g", 2, 0)]
    assert measures.functions("def f(a, b, /, c, *d, e, **g): pass")[0].parameters == 4


# --- names and places ----------------------------------------------------------------------------------------


def test_every_name_says_something() -> None:
    python = [Path(name).with_suffix("") for name in tracked() if name.endswith(".py")]
    folders = [Path(name).parent for name in tracked()]
    assert [path for path in (*python, *folders) if set(path.parts) & SAYS_NOTHING] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    home = re.compile(rb"(?<![\w.~-])/(?:home|Users|root|work)/[\w.]")
    assert home.search(b"/".join([b"cd ", b"home", b"an"]))  # in pieces: this file is tracked too
    assert not home.search(b"see docs/work/a, ~/work/b")
    assert [name for name in tracked() if home.search((TOP / name).read_bytes())] == []


def test_a_library_comes_in_by_its_one_door() -> None:
    strays = [
        f"{name}: {module}"
        for name in sources()
        for module in measures.imported(read(name))
        for library, door in DOORS.items()
        if f"{module}.".startswith(f"{library}.") and not is_behind(name, door)
    ]
    assert strays == []


@pytest.mark.parametrize(("library", "door"), DOORS.items())
def test_every_door_is_in_use(library: str, door: str | tuple[str, ...]) -> None:
    for each in (door,) if isinstance(door, str) else door:
        behind = [read(name) for name in sources() if is_behind(name, each)]
        assert any(f"{module}.".startswith(f"{library}.") for text in behind for module in measures.imported(text))


def is_behind(name: str, door: str | tuple[str, ...]) -> bool:
    """Whether the file ``name`` is one of those doors, or lies in one."""
    return any(f"{name}/".startswith(f"{each}/") for each in ((door,) if isinstance(door, str) else door))


@pytest.mark.parametrize(
    "source",
    ["import a.b", "from a import b", "def f():\n    import a.b as c", "import a\na.b.c()", "import_module('a.b')"],
)
def test_an_import_is_seen_wherever_it_stands(source: str) -> None:
    assert "a.b" in measures.imported(source)


def test_xml_is_read_by_no_parser_of_the_standard_library_s() -> None:
    """They follow entities without end (XXE, "billion laughs"); defusedxml, behind one door, is the way in."""
    parsers = ("xml.etree", "xml.dom", "xml.parsers", "xml.sax.make_parser", "xml.sax.parse", "xml.sax.expatreader")
    parsers += ("xmlrpc", "plistlib", "lxml")
    strays = [
        f"{name}: {module}"
        for name in sources()
        if re.search("xml|plistlib", read(name))
        for module in measures.imported(read(name))
        if f"{module}.".startswith(tuple(f"{each}." for each in (*parsers, "xml.sax.parseString")))
    ]
    assert strays == []
    assert "xml.etree.ElementTree" in measures.imported("from xml.etree import ElementTree")


# --- broad excepts -------------------------------------------------------------------------------------------


def test_an_except_of_everything_stands_around_one_tick_one_message_or_one_request() -> None:
    found = {f"{name}::{owner}" for name in sources() for owner in measures.broad_excepts(read(name))}
    assert found == BROAD_EXCEPTS.keys()
    assert set(BROAD_EXCEPTS.values()) <= {"tick", "message", "request"}


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException as e", " (OSError, Exception)"])
def test_a_broad_except_is_found_unless_it_raises_again(kind: str) -> None:
    source = f"class A:\n    def f(self):\n        try:\n            pass\n        except{kind}:\n            "
    assert measures.broad_excepts(source + "pass") == ["A.f"]
    assert measures.broad_excepts(source + "undo()\n            raise") == []
    assert measures.broad_excepts("def f():\n    with suppress(Exception): pass") == ["f"]
    assert measures.broad_excepts("try:\n    pass\nexcept ValueError:\n    pass") == []


# --- sentences -----------------------------------------------------------------------------------------------


@cache
def sentences(language: str) -> dict[str, str]:
    """``room.key`` -> sentence, from the tracked files."""
    files = [name for name in tracked() if name.startswith(f"words/{language}/") and name.endswith(".toml")]
    return {f"{Path(name).stem}.{key}": text for name in files for key, text in tomllib.loads(read(name)).items()}


def test_both_languages_have_the_same_keys_and_the_same_facts() -> None:
    assert sentences("vi").keys() == sentences("en").keys()
    assert len(sentences("vi")) > 20
    facts = {key: [measures.facts_of(sentences(language)[key]) for language in ("vi", "en")] for key in sentences("vi")}
    assert {key: each for key, each in facts.items() if each[0] != each[1]} == {}


def test_every_sentence_has_words_and_is_not_the_other_languages() -> None:
    assert [key for language in ("vi", "en") for key, text in sentences(language).items() if not text.strip()] == []
    long = {key for key, text in sentences("en").items() if len(text) > 30}
    assert [key for key in long if sentences("vi")[key] == sentences("en")[key]] == []


@cache
def evidence() -> tuple[frozenset[str], frozenset[str]]:
    """Every ``room.key`` that some file names whole, and every beginning of one that it puts together."""
    whole: set[str] = set()
    begun: set[str] = set()
    for name in sources():
        texts, beginnings = measures.texts(read(name))
        room = OWN_SENTENCES.get(next((top for top in OWN_SENTENCES if name.startswith(top)), ""))
        whole |= texts | ({f"{room}.{text}" for text in texts} if room else set())
        begun |= beginnings | ({f"{room}.{text}" for text in beginnings} if room else set())
    for name in tracked():
        if name.startswith("controller/web/templates/"):
            for text, joined in re.findall(r"""["']([\w.]+)["'](\s*~)?""", read(name)):
                (begun if joined else whole).update({text, f"web.{text}"})
    # a beginning must name more than its room, or it would prove the use of all
    return frozenset(whole), frozenset(each for each in begun if re.fullmatch(r"[a-z]+\.[a-z_]{2,}_", each))


def test_every_sentence_is_said_somewhere() -> None:
    whole, begun = evidence()
    unsaid = [key for key in sentences("vi") if key not in whole and not key.startswith(tuple(begun))]
    assert unsaid == []


def test_every_sentence_that_is_said_exists_and_gets_its_facts() -> None:
    errors = measures.subclasses([read(name) for name in sources()], "Said")
    wrong = []
    for name in sources():
        for call in measures.calls(read(name)):
            room = next((room for top, room in OWN_SENTENCES.items() if name.startswith(top)), "")
            key = f"{room}.{call.text}" if call.called == "t" and room else call.text
            if call.called not in errors | {"say", "t"} or not re.fullmatch(r"[a-z]+\.\w+", key):
                continue
            if key not in sentences("en"):
                wrong.append(f"{name}:{call.line}: no sentence {key}")
            elif call.keywords is not None and not measures.facts_of(sentences("en")[key]) <= call.keywords:
                wrong.append(f"{name}:{call.line}: {key} lacks facts")
    assert wrong == []


def test_every_sentence_on_a_page_exists() -> None:
    pages = [name for name in tracked() if name.startswith("controller/web/templates/")]
    said = [(name, key) for name in pages for key in re.findall(r"""\bt\(["'](\w+)["'][,)]""", read(name))]
    assert [(name, key) for name, key in said if f"web.{key}" not in sentences("en")] == []
    assert said


def test_the_errors_of_every_room_are_seen_through_their_classes() -> None:
    errors = measures.subclasses(["class Said(Exception): pass", "class A(Said): pass", "class B(A): pass"], "Said")
    assert errors == {"Said", "A", "B"}
    (call,) = measures.calls('raise A("desk.past", time=1)')
    assert (call.called, call.text, call.keywords) == ("A", "desk.past", {"time"})
    assert measures.calls('say("a.b", **facts)')[0].keywords is None
    assert measures.facts_of("{a} and {b.c}, {{not}} {d:%H}") == {"a", "b", "d"}
    assert measures.texts('x = f"a.b_{c}" + "d"')[1] == {"a.b_"}


# --- documents -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_documented(settings: str) -> None:
    fields = measures.fields_of(read(settings), "Settings")
    assert fields
    assert [field for field in fields if f"`{field}`" not in read("docs/operations.md")] == []


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_code_is_documented(reason: Reason) -> None:
    assert f"`{reason.value}`" in read("docs/wire.md")
