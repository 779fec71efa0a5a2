"""A release judged: the root's seal, machine and serial; then the bundle's bytes, and files of a hostile folder."""

from __future__ import annotations

import errno
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_node import ROOT, STATION
from makers_release import MACHINE, NOW, PYTHON, bundle, envelope, form, members, sealed, statement, tar

from edge_node.releases import bundle as bundles
from edge_node.releases import choice, foreign, signs
from edge_node.releases.bundle import BadBundle
from edge_node.releases.progress import Phase, Progress
from edge_node.releases.statement import Here, Refused, judge, opened
from wire.release import Hitch, Release, UpdateState, numbers
from wire.roots import RootSet
from wire.seal import Signer

ROOTS = RootSet.of([ROOT.public.hex])
CONTENT = bundle("1.1")
NEW = statement(CONTENT, "1.1", 7)
HERE = Here("1.0", PYTHON, MACHINE, 3)


def hitch(raw: bytes) -> Hitch:
    with pytest.raises(Refused) as refused:
        opened(raw, ROOTS)
    return refused.value.hitch


# --- the statement ---------------------------------------------------------------------------------------------


def test_the_roots_statement_is_opened() -> None:
    assert opened(sealed(NEW), ROOTS) == NEW


def test_what_a_station_or_a_stranger_seals_is_not() -> None:
    assert hitch(sealed(NEW, STATION)) is Hitch.UNKNOWN_KEY
    assert hitch(sealed(NEW, Signer.generate())) is Hitch.UNKNOWN_KEY


def test_a_plan_or_a_trust_document_of_the_root_is_no_release() -> None:
    for kind in ("plan", "trust", "config", "releases"):
        assert hitch(sealed(NEW, kind=kind)) is Hitch.MALFORMED


def test_a_station_that_signs_in_the_roots_name_is_found_out() -> None:
    forged = sealed(NEW, STATION).replace(STATION.public.id.encode(), ROOT.public.id.encode())
    assert hitch(forged) is Hitch.BAD_SEAL


@given(st.data())
def test_no_altered_byte_of_a_statement_passes(data: st.DataObject) -> None:
    raw = bytearray(sealed(NEW))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        assert opened(bytes(raw), ROOTS) == NEW  # what does not matter: a letter of an unknown field
    except Refused as wrong:
        assert wrong.hitch in (Hitch.BAD_SEAL, Hitch.MALFORMED, Hitch.UNKNOWN_KEY)  # noqa: PT017


@given(st.binary(max_size=300))
def test_any_bytes_get_a_named_refusal(raw: bytes) -> None:
    assert hitch(raw) is Hitch.MALFORMED


@pytest.mark.parametrize(
    ("changed", "hitch"),
    [
        ({"machine": "riscv64"}, Hitch.OTHER_MACHINE),
        ({"python": "3.99"}, Hitch.OTHER_MACHINE),
        ({"serial": 3}, Hitch.OLD_SERIAL),
        ({"serial": 2, "roll_back": True}, Hitch.OLD_SERIAL),
        ({"valid_until": NOW - timedelta(seconds=1)}, Hitch.EXPIRED),
        ({"version": "0.9.9"}, Hitch.DOWNGRADE),
        ({}, None),
        ({"version": "1.0"}, None),
        ({"version": "0.9", "roll_back": True}, None),
    ],
)
def test_each_refusal_has_its_name(changed: dict[str, object], hitch: Hitch | None) -> None:
    release = msgspec.structs.replace(NEW, **changed)
    if hitch is None:
        judge(release, HERE, NOW)
        return
    with pytest.raises(Refused) as refused:
        judge(release, HERE, NOW)
    assert refused.value.hitch is hitch


parts = st.lists(st.integers(0, 20), min_size=2, max_size=4)


@given(parts, parts, st.integers(1, 10), st.integers(0, 10))
def test_nothing_leads_down_but_a_sealed_way_back_and_nothing_to_an_older_serial(
    mine: list[int], theirs: list[int], serial: int, held: int
) -> None:
    release = statement(CONTENT, ".".join(map(str, theirs)), serial)
    here = Here(".".join(map(str, mine)), PYTHON, MACHINE, held)
    padded = [each + [0] * (4 - len(each)) for each in (theirs, mine)]
    try:
        judge(release, here, NOW)
        assert padded[0] >= padded[1]
        assert serial > held
    except Refused as wrong:
        assert serial <= held or padded[0] < padded[1], wrong.hitch  # noqa: PT017


def test_versions_are_compared_as_numbers() -> None:
    assert numbers("0.10.0") > numbers("0.9.9")
    assert numbers("1.0") == numbers("1.0.0")
    assert numbers("x") == () < numbers("0.0")


# --- the choice ------------------------------------------------------------------------------------------------


def test_of_what_a_config_names_the_newest_for_this_machine_is_meant() -> None:
    other = statement(CONTENT, "2.0", 99, machine="riscv64")
    newer = statement(CONTENT, "1.2", 8)
    forged = envelope(statement(CONTENT, "3.0", 100), STATION)
    found = choice.meant([envelope(NEW), forged, envelope(other), envelope(newer)], ROOTS, HERE)
    assert found.release == newer
    assert opened(found.raw, ROOTS) == newer
    refused = choice.meant([forged], ROOTS, HERE).refused
    assert refused
    assert (refused.state, refused.reason) == (UpdateState.REFUSED, Hitch.UNKNOWN_KEY)
    assert choice.meant([envelope(other)], ROOTS, HERE) == choice.Meant()


@pytest.mark.parametrize(
    ("state", "how", "why"),
    [
        (None, UpdateState.FETCHING, ""),
        (Progress(), UpdateState.FETCHING, ""),
        (Progress(Phase.DONE, 6), UpdateState.FETCHING, ""),
        (Progress(Phase.FAILED, 6, reason="hung"), UpdateState.FETCHING, ""),
        (Progress(Phase.BUILDING, 7), UpdateState.BUILDING, ""),
        (Progress(Phase.BUILDING, 7, reason="disk_full"), UpdateState.FETCHING, "disk_full"),
        (Progress(Phase.BUILT, 7, reason="air_taken"), UpdateState.READY, "air_taken"),
        (Progress(Phase.TRIAL, 7), UpdateState.TRIAL, ""),
        (Progress(Phase.RETURNING, 7, reason="hung"), UpdateState.TRIAL, "hung"),
        (Progress(Phase.DONE, 7), UpdateState.INSTALLED, ""),
        (Progress(Phase.FAILED, 7, reason="not_built"), UpdateState.FAILED, "not_built"),
        (Progress(Phase.FAILED, 7, reason="hung", ran=True), UpdateState.ROLLED_BACK, "hung"),
        (Progress(Phase.DONE, 8), UpdateState.REFUSED, "old_serial"),
    ],
)
def test_how_it_stands_follows_the_updaters_state(state: Progress | None, how: UpdateState, why: str) -> None:
    found = choice.standing(NEW, state, HERE, NOW)
    assert (found.state, found.reason, found.version, found.serial) == (how, why, "1.1", 7)


def test_what_was_set_up_by_hand_is_not_installed_again() -> None:
    assert choice.standing(NEW, Progress(), Here("1.1", PYTHON, MACHINE), NOW).state is UpdateState.INSTALLED
    fixed = choice.standing(NEW, Progress(Phase.DONE, 6), Here("1.1", PYTHON, MACHINE), NOW)
    assert fixed.state is UpdateState.FETCHING  # the same version made anew, with a newer library


# --- the bundle ------------------------------------------------------------------------------------------------


def unpack(folder: Path, content: bytes, release: Release | None = None) -> int:
    path = folder / "bundle.tar"
    path.write_bytes(content)
    return bundles.unpack(path, release or statement(content, "1.1"), folder / "unpacked")


def test_a_bundle_is_unpacked_whole(tmp_path: Path) -> None:
    assert unpack(tmp_path, CONTENT) > 1000
    found = {str(path.relative_to(tmp_path / "unpacked")) for path in (tmp_path / "unpacked").rglob("*.*")}
    assert found == set(members("1.1"))


def _added(kind: bytes, name: str = "wheels/x-1-py3-none-any.whl", target: str = "/etc/passwd") -> bytes:
    def add(made: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        made.addfile(info, io.BytesIO())

    return tar(members("1.1"), add)


def _with(**changed: bytes) -> bytes:
    return tar(members("1.1") | changed)


def _zip_of(size: int, count: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(count):
            made.writestr(f"f{number}", b"0" * size)
    return out.getvalue()


def _lying_zip() -> bytes:
    """Says that it would take four gigabytes less one byte."""
    honest = _zip_of(10)
    at = honest.rindex(b"PK\x01\x02") + 24
    return honest[:at] + struct.pack("<I", 0xFFFFFFFE) + honest[at + 4 :]


BAD: dict[str, Callable[[], bytes]] = {
    "no tar": lambda: b"x" * 5000,
    "empty": lambda: b"",
    "cut off": lambda: CONTENT[: len(CONTENT) // 2],
    "compressed": lambda: __import__("gzip").compress(CONTENT),
    "a link": lambda: _added(tarfile.SYMTYPE),
    "a hard link": lambda: _added(tarfile.LNKTYPE, target="bundle.toml"),
    "a pipe": lambda: _added(tarfile.FIFOTYPE),
    "a device": lambda: _added(tarfile.CHRTYPE),
    "a sparse file": lambda: _added(tarfile.GNUTYPE_SPARSE),
    "an absolute path": lambda: tar(members("1.1") | {"/etc/cron.d/x": b"x"}),
    "a way out": lambda: tar(members("1.1") | {"wheels/../../x.whl": b"x"}),
    "a dot": lambda: tar(members("1.1") | {"./bundle.toml": b"x"}),
    "another file": lambda: tar(members("1.1") | {"setup.py": b"x"}),
    "a source": lambda: tar(members("1.1") | {"wheels/x-1.tar.gz": b"x"}),
    "a line break": lambda: tar(members("1.1") | {"wheels/x.whl\n": b"x"}),
    "twice": lambda: _added(tarfile.REGTYPE, "bundle.toml"),
    "too many": lambda: tar(members("1.1") | {f"wheels/w{n}-1-py3-none-any.whl": _zip_of(1) for n in range(200)}),
    "a folder": lambda: _added(tarfile.DIRTYPE, "wheels/deep"),
    "no form": lambda: tar({name: each for name, each in members("1.1").items() if name != "bundle.toml"}),
    "no needs": lambda: tar({name: each for name, each in members("1.1").items() if name != "requirements.txt"}),
    "a bad form": lambda: _with(**{"bundle.toml": b"\xff"}),
    "another version": lambda: _with(**{"bundle.toml": form("1.2").encode()}),
    "another machine": lambda: _with(**{"bundle.toml": form("1.1", machine="riscv64").encode()}),
    "an endless form": lambda: _with(**{"bundle.toml": b"#" * 1_000_000}),
    "an address": lambda: _with(**{"requirements.txt": b"--index-url http://127.0.0.1/\n"}),
    "a file": lambda: _with(**{"requirements.txt": b"-r /etc/passwd\n"}),
    "no hash": lambda: _with(**{"requirements.txt": b"loa-radio==1.1\n"}),
    "a direct address": lambda: _with(**{"requirements.txt": b"loa-radio @ http://127.0.0.1/x.whl\n"}),
    "another program": lambda: _with(**{"requirements.txt": b"other==1.1 --hash=sha256:" + b"0" * 64}),
    "no wheel": lambda: _with(**{"wheels/x-1-py3-none-any.whl": b"x"}),
    "a bomb": lambda: _with(**{"wheels/x-1-py3-none-any.whl": _zip_of(11_000, 100)}),
    "many small": lambda: _with(**{"wheels/x-1-py3-none-any.whl": _zip_of(0, 101)}),
    "a lie": lambda: _with(**{"wheels/x-1-py3-none-any.whl": _lying_zip()}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_bundle_is_refused_and_leaves_nothing_outside(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MOST_INSTALLED_BYTES", 1_000_000)
    monkeypatch.setattr(bundles, "MOST_INSTALLED_FILES", 100)
    (tmp_path / "in").mkdir()
    with pytest.raises(BadBundle):
        unpack(tmp_path / "in", BAD[name]())
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"bundle.tar", "unpacked"}


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_any_bytes_in_a_bundle_are_a_bundle_or_a_named_refusal(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    content = CONTENT[:at] + noise + CONTENT[at + len(noise) :]
    try:
        unpack(tmp_path_factory.mktemp("any"), content)
    except BadBundle as wrong:
        assert str(wrong)  # noqa: PT017


def test_needs_are_read_over_continued_lines_and_comments() -> None:
    text = (
        "# made by hand\n\nLoa_Radio==1.1 \\\n    --hash=sha256:" + "a" * 64 + " \\\n  --hash=sha256:" + "b" * 64 + "\n"
    )
    assert bundles.needs(text) == {"loa-radio": "1.1"}


# --- the hostile folder ----------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "update").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"key")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_bytes(b"key")
    return tmp_path / "home"


def test_a_plain_file_is_read(home: Path) -> None:
    (home / "update" / "x").write_bytes(b"123")
    assert foreign.read(home, "update", "x", 3) == b"123"


TRICKS: dict[str, Callable[[Path], object]] = {
    "longer": lambda home: (home / "update" / "x").write_bytes(b"1234"),
    "none": lambda home: None,
    "a link": lambda home: (home / "update" / "x").symlink_to("../../secret"),
    "a linked folder": lambda home: ((home / "update").rmdir(), (home / "update").symlink_to("../elsewhere")),
    "a pipe that nobody writes to": lambda home: os.mkfifo(home / "update" / "x"),
    "a folder": lambda home: (home / "update" / "x").mkdir(),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_with_a_file_is_followed_or_waited_for(home: Path, trick: str) -> None:
    TRICKS[trick](home)
    with pytest.raises(foreign.NotTaken):
        foreign.read(home, "update", "x", 3)
    with pytest.raises(foreign.NotTaken):
        foreign.copy(home, "update", "x", 3, home / "copy")


def test_a_file_that_the_card_cannot_read_is_not_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "update" / "x").write_bytes(b"123")

    def rotten(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", rotten)
        with pytest.raises(foreign.NotTaken, match="Input/output"):
            foreign.read(home, "update", "x", 3)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "..", ".", ""])
def test_a_name_leads_nowhere_else(home: Path, name: str) -> None:
    with pytest.raises(foreign.NotTaken):
        foreign.read(home, "update", name, 100)


def test_a_file_that_changes_while_it_is_copied_is_not_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(1_000_000)
    name = statement(content, "1.1").sha256
    path, read = home / "update" / name, os.read

    def reading(descriptor: int, most: int) -> bytes:
        found = read(descriptor, most)
        with path.open("r+b") as file:  # its owner writes into it behind the reader
            file.seek(900_000)
            file.write(b"other")
        return found

    path.write_bytes(content)
    foreign.copy(home, "update", name, len(content), home / "first")
    assert (home / "first").read_bytes() == content
    monkeypatch.setattr(os, "read", reading)
    with pytest.raises(foreign.NotTaken, match="not what was sealed"):
        foreign.copy(home, "update", name, len(content), home / "second")


def test_a_file_that_grows_while_it_is_copied_is_not_copied_for_ever(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"x" * 600_000
    name = statement(content, "1.1").sha256
    path, read = home / "update" / name, os.read

    def reading(descriptor: int, most: int) -> bytes:
        with path.open("ab") as file:
            file.write(content)
        return read(descriptor, most)

    path.write_bytes(content)
    monkeypatch.setattr(os, "read", reading)
    with pytest.raises(foreign.NotTaken):
        foreign.copy(home, "update", name, len(content), home / "copy")
    assert (home / "copy").stat().st_size <= len(content)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"boot":"x","until":"soon"}', b"\xff", b"[" * 1000])
def test_a_sign_that_cannot_be_read_is_none(home: Path, raw: bytes) -> None:
    (home / "update" / signs.LEASE).write_bytes(raw)
    assert signs.read(signs.Lease, home, signs.LEASE) is None
    assert not signs.holds(None, "x", 1.0)
