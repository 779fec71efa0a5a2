"""`install-node.sh` for real, on a machine that this system stands in for: cut off, run again, refused, removed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers_install import INSTALLER, SETTINGS, TOP, Machine, cut, machine, this_machine, this_python, why_not

from fleet.broker import EmbeddedBroker

import bundle  # isort: skip - of the folder deploy/, which makers_install adds
import debs  # isort: skip
import wheelhouse  # isort: skip

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

MADE_AT = datetime(2026, 11, 27, tzinfo=UTC)
NODE_UNITS = sorted(path.name for path in (TOP / "deploy").glob("loa-node*.service"))
BUNDLE, READY = "/mnt/given/node.tar", "/mnt/given/node.toml"
LOA = "/opt/loa/current/bin/loa"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for this very system."""
    python, here = this_python(), this_machine()
    if python not in bundle.PYTHONS or here not in bundle.MACHINES:
        pytest.skip(f"no bundle is for Python {python} on {here}")
    try:
        return wheelhouse.make(bundle.Target(python, here), tmp_path_factory.mktemp("dist"))
    except bundle.NoBundle as wrong:
        pytest.skip(f"no registry answers: {wrong}"[:200])


@pytest.fixture
def pi(tmp_path: Path) -> Iterator[Machine]:
    """A machine on which nothing of ours was ever installed."""
    lacking = [name for name in (*debs.NEEDED, *debs.FOR_RELAYS) if not installed(name)]
    if lacking:
        pytest.skip(f"this system stands in for a node and lacks {', '.join(lacking)}")
    with machine(tmp_path) as fresh:
        (fresh.given / "node.toml").write_text(SETTINGS.format(port=1))
        yield fresh


def installed(package: str) -> bool:
    asked = ["dpkg-query", "-W", "-f", "${Status}", package]
    return "ok installed" in subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def small_bundle(pi: Machine, python: str, here: str) -> None:
    """A bundle with nothing in it but what it says of itself."""
    folder = pi.given.parent / "small"
    folder.mkdir()
    (folder / "requirements.txt").touch()
    (folder / "bundle.toml").write_text(bundle.about(bundle.Target(python, here), "0.1.0", MADE_AT))
    bundle.write(folder, pi.given / "node.tar", MADE_AT)


TONE = {"var/lib/loa-node/out.wav", "var/lib/loa-node/out.cues.jsonl"}  # the test tone is heard once more


# --- a node ---------------------------------------------------------------------------------------------------


def test_one_command_makes_a_node_and_the_same_command_again_changes_nothing(pi: Machine, made: Path) -> None:
    shutil.copy(made, pi.given / "node.tar")
    with EmbeddedBroker(pi.given.parent / "broker") as broker:
        (pi.given / "node.toml").write_text(SETTINGS.format(port=broker.port))
        tried_as_root = "mkdir /var/lib/loa-node; touch /var/lib/loa-node/ledger.sqlite"
        assert pi.run("sh", "-c", tried_as_root)[0] == 0
        code, said = pi.install("--bundle", BUNDLE, "--settings", READY)
        assert (code, said.splitlines()[-2:]) == (0, ["Xong.", "   Done."]), said
        assert "no systemd runs" in said
        first = pi.changed()
        code, said = pi.install("--bundle", BUNDLE, "--settings", READY)
        assert (code, "Nothing had to change." in said) == (0, True), said
        assert {path for path, made in pi.changed().items() if made != first.get(path)} <= TONE
        it_reaches_its_broker(pi)
    owners = "stat -c '%A %U:%G' /etc/loa /etc/loa/node.toml /var/lib/loa-node /var/lib/loa-node/node.key /opt/loa/a"
    assert pi.run("sh", "-c", owners)[1].splitlines() == [
        "drwxr-xr-x root:root",
        "-rw-r----- root:loa-node",
        "drwx------ loa-node:loa-node",
        "-rw------- loa-node:loa-node",
        "drwxr-xr-x root:root",
    ]
    links = "readlink /opt/loa/current /opt/loa/steady /usr/local/bin/loa; ls /etc/systemd/system/*/loa-node.service"
    wanted = "/etc/systemd/system/multi-user.target.wants/loa-node.service"
    assert pi.run("sh", "-c", links)[1].split() == ["a", "a", LOA, wanted]
    assert [name for name in first if "unpacked" in name or name.startswith("opt/loa/tmp")] == []
    systemd_reads_the_unit(pi)
    it_goes_away_again(pi)


def it_reaches_its_broker(pi: Machine) -> None:
    listening = pi.start("runuser", "-u", "loa-node", "--", LOA, "node", "run", "--config", "/etc/loa/node.toml")
    assert listening.stdout
    heard = []
    try:
        for line in listening.stdout:
            heard.append(line)
            if "link=up" in line:
                return
        pytest.fail(f"the node ended: {heard}")
    finally:
        cut(listening)


def systemd_reads_the_unit(pi: Machine) -> None:
    if not shutil.which("systemd-analyze"):
        return
    unit = "/etc/systemd/system/loa-node.service"
    code, said = pi.run("systemd-analyze", "verify", unit)
    assert (code, [line for line in said.splitlines() if "loa" in line]) == (0, []), said


def it_goes_away_again(pi: Machine) -> None:
    """Without --purge, what the node knows stays; with it, nothing."""
    code, said = pi.install("--uninstall")
    assert code == 0, said
    left = pi.changed().keys()
    assert {"etc/loa/node.toml", "var/lib/loa-node/node.key"} <= left
    assert [name for name in left if name.startswith(("opt/", "etc/systemd", "usr/"))] == []
    code, said = pi.install("--uninstall", "--purge")
    assert code == 0, said
    assert [name for name in pi.changed() if "loa" in name] == []
    assert "loa-node" not in pi.run("cat", "/etc/passwd", "/etc/group")[1]


def test_an_installation_that_the_power_cut_is_finished_by_the_same_command(pi: Machine, made: Path) -> None:
    shutil.copy(made, pi.given / "node.tar")
    # as if the power had failed right before it was whole: everything is there but the mark
    command = (INSTALLER, "--bundle", BUNDLE, "--settings", READY, "--leave-system")
    begun = pi.start(*command)
    until(pi, "ls -d /opt/loa/a/lib/python3*/site-packages/[n-z]*", begun)
    cut(begun)
    assert pi.run("ls", "/opt/loa/current")[0] != 0
    code, said = pi.run(*command)
    assert (code, "check" in said.splitlines()[-1]) == (4, True), said  # there is no broker
    assert pi.run(LOA, "node", "check", "--config", "/etc/loa/node.toml", "--json")[0] == 1
    assert pi.run("sh", "-c", "ls /opt/loa; ls /etc/systemd")[1].count("loa") == 0
    assert "+ /opt/loa/current -> a" in said


def test_a_code_brings_the_node_in_and_is_not_asked_for_twice(pi: Machine, made: Path, tmp_path: Path) -> None:
    enrolment = pytest.importorskip("makers_enrolment", reason="a station that gives codes")
    shutil.copy(made, pi.given / "node.tar")
    with enrolment.Commune(tmp_path / "commune") as commune:
        told = ("--station", commune.address, "--code", commune.code().shown(), "--player", "file")
        code, said = pi.install("--bundle", BUNDLE, "--leave-system", "--no-start", *told)
        assert (code, "+ /etc/loa/node.toml" in said) in ((0, True), (4, True)), said
        settings = pi.run("runuser", "-u", "loa-node", "--", "cat", "/etc/loa/node.toml")[1]
        assert 'node = "loa-01"' in settings, settings
        assert 'player = "file"' in settings
        # as if the power had failed after the station's answer: the code is spent, its answer lies in the draft
        spent = "mv /etc/loa/node.toml /var/lib/loa-node/node.toml.draft; mv /opt/loa/enrolled /opt/loa/enrolled.trying"
        assert pi.run("sh", "-c", f"{spent}; chown loa-node: /var/lib/loa-node/node.toml.draft")[0] == 0
        again, said = pi.install("--bundle", BUNDLE, "--leave-system", "--no-start", *told)
        assert (again, "+ /etc/loa/node.toml" in said) == (code, True), said
        again, said = pi.install("--bundle", BUNDLE, "--leave-system", "--no-start", *told)
        assert (again, "Enrolled already." in said, "Nothing had to change." in said) == (code, True, True), said
        owners = "stat -c '%A %U:%G' /etc/loa/node.toml /opt/loa/enrolled; ls -A /var/lib/loa-node"
        owners, files = pi.run("sh", "-c", owners)[1].split("\n", 2)[:2], pi.run("ls", "/var/lib/loa-node")[1]
        assert owners == ["-rw-r----- root:loa-node", "-rw------- root:root"]
        assert "draft" not in files


def until(pi: Machine, command: str, program: subprocess.Popen[str]) -> None:
    """Wait until the command succeeds on the machine, while the program runs."""
    ends = time.monotonic() + 300
    while pi.run("sh", "-c", command)[0] != 0:
        assert program.poll() is None, program.communicate()[0]
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_debian_package_that_is_missing_comes_out_of_the_bundle_without_a_network(pi: Machine) -> None:
    got = subprocess.run(["apt-get", "download", "libportaudio2"], cwd=pi.given, capture_output=True, check=False)
    if got.returncode:
        pytest.skip("no package source of Debian answers")
    code, said = pi.run("dpkg", "--purge", "--force-depends", "libportaudio2")
    assert code == 0, said
    (pi.given / "debs").mkdir()
    for path in pi.given.glob("*.deb"):
        path.rename(pi.given / "debs" / path.name.replace("%3a", "."))
    steps = f"set -e; . {TOP}/deploy/installing.sh; need_packages /mnt/given/debs libportaudio2; dpkg -s libportaudio2"
    code, said = pi.run("unshare", "-n", "bash", "-c", steps)
    assert (code, "Status: install ok installed" in said) == (0, True), said
    steps = steps.replace(" libportaudio2;", " loa-nowhere;")
    code, said = pi.run("unshare", "-n", "bash", "-c", steps)
    assert (code, "docs/operations.md" in said) == (3, True), said
    (pi.given / "debs" / "spoilt.deb").write_bytes(b"no package")
    code, said = pi.run("unshare", "-n", "bash", "-c", steps)
    assert (code, "spoilt.deb is spoilt" in said) == (3, True), said


# --- refusals: before anything changed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("printf 'ID=debian\\nVERSION_ID=\"11\"\\n' >/etc/os-release", "this one: debian 11"),
        ("printf 'ID=arch\\n' >/etc/os-release", "this one: arch 0"),
        ("printf '#!/bin/sh\\necho armhf\\n' >/usr/bin/dpkg", "64-bit system is needed (this one: armhf)"),
        ("printf 'MemTotal: 200000 kB\\n' >/tmp/mem; mount --bind /tmp/mem /proc/meminfo", "has 195 MB of memory"),
        ("mount -t tmpfs -o size=9m none /opt", "9 MB of disk are free"),
    ],
)
def test_a_machine_that_cannot_be_a_node_is_told_so_before_anything_changes(
    pi: Machine, spoilt: str, said: str
) -> None:
    assert pi.run("sh", "-c", f"cp --remove-destination /usr/lib/os-release /etc/os-release; {spoilt}")[0] == 0
    before = pi.changed()
    code, told = pi.install("--settings", READY)
    assert (code, said in told) == (3, True), told
    assert pi.changed() == before


@pytest.mark.parametrize(
    "name", ["../escaped", "/etc/escaped", "wheels/../../escaped", ".hidden", "a/b", "wheels/a b", "x\ny/escaped"]
)
def test_a_tar_that_is_no_bundle_is_refused_whole(pi: Machine, name: str) -> None:
    with tarfile.open(pi.given / "node.tar", "w") as tar:
        for each in ("bundle.toml", name):
            tar.addfile(tarfile.TarInfo(each))
    code, said = pi.install("--bundle", BUNDLE, "--settings", READY)
    assert (code, "is no bundle of Loa" in said) == (3, True), said
    assert [path for path in pi.changed() if "escaped" in path or path.startswith("opt/")] == []


@pytest.mark.parametrize(
    ("python", "here", "said"),
    [("3.9", "x86_64", "is for Python 3.9"), ("3.11", "riscv64", "riscv64; this machine")],
)
def test_a_bundle_for_another_machine_is_refused(pi: Machine, python: str, here: str, said: str) -> None:
    small_bundle(pi, python, here)
    code, told = pi.install("--bundle", BUNDLE, "--settings", READY)
    assert (code, said in told) == (3, True), told
    assert "loa-node" not in pi.run("cat", "/etc/passwd")[1]


def test_a_bundle_cut_short_is_refused_and_a_second_installer_waits_for_none(pi: Machine) -> None:
    (pi.given / "node.tar").write_bytes(b"no tar at all")
    code, said = pi.install("--bundle", BUNDLE)
    assert (code, "cannot be read" in said) == (3, True), said
    steps = f"exec 9>/run/loa-install.lock; flock 9; {INSTALLER} --settings {READY} 9>&-"
    code, said = pi.run("bash", "-c", steps)
    assert (code, "Another installation is running" in said) == (3, True), said


@pytest.mark.parametrize(
    "wrong",
    [
        ["--code", "ABCD"],
        ["--station", "http://192.0.2.1"],
        ["--purge"],
        ["--settings"],
        ["--bundle", "--no-start"],
        ["--there-is-no-such-option"],
    ],
)
def test_what_is_not_understood_is_answered_with_the_usage(wrong: list[str]) -> None:
    done = subprocess.run([INSTALLER, *wrong], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--station URL --code CODE" in done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", ["loa-broker.service", "loa-controller.service", *NODE_UNITS])
def test_what_a_unit_may_do_is_little(unit: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=30", TOP / "deploy" / unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "offline" in done.stderr:
        pytest.skip("this systemd cannot look at a unit that it does not run")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", sorted((TOP / "deploy").glob("loa-node*.*")), ids=lambda unit: unit.name)
def test_what_a_unit_of_a_node_names_as_its_documentation_is_laid(unit: Path) -> None:
    (named,) = re.findall(r"^Documentation=file:/opt/loa/(\S+)$", unit.read_text("utf-8"), re.MULTILINE)
    assert f"lay $LOA/{named} " in (TOP / "deploy" / "install-node.sh").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_installers_are_clean() -> None:
    scripts = sorted(str(path.relative_to(TOP)) for path in (TOP / "deploy").glob("*.sh"))
    done = subprocess.run(
        ["shellcheck", "-x", *scripts],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
