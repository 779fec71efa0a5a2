"""A machine to install on: this system under an overlay of its own, in a mount namespace that ends with the test."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP / "deploy"))  # its programs are run by their files

INSTALLER = TOP / "deploy" / "install-node.sh"
STATION_INSTALLER = TOP / "deploy" / "install-station.sh"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# what runs anyway, and what every run writes
NOISE = ("run/", "tmp/", "var/log/", "var/cache/", "proc/", "opt/loa/update/lock")

MOUNTS = """
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mkdir -p "$1/root/run" "$1/root/mnt/given"
mount --bind "$2" "$1/root/mnt/given"
echo ready
exec cat
"""


def why_not() -> str:
    """Why no machine can be made here, or "" when one can."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not Path("/usr/bin/apt-get").exists():
        return "an installation needs root and Debian"
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "no mount namespace can be made here"


@dataclass(frozen=True)
class Machine:
    """Where it is mounted, who holds its namespace, and the folder that it sees as /mnt/given."""

    folder: Path
    holder: int
    given: Path

    def start(self, *command: object, root: bool = True) -> subprocess.Popen[str]:
        """A program on the machine, in a process group of its own. ``root`` False: outside of its root folder."""
        enter = ["nsenter", "-t", str(self.holder), "-m", "--"]
        enter += ["chroot", str(self.folder / "root")] if root else []
        clean = ["env", "-i", f"PATH={SYSTEM_PATH}", "HOME=/root", "LANG=C.UTF-8"]
        return subprocess.Popen(
            [*enter, *clean, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: object, root: bool = True) -> tuple[int, str]:
        """Exit code and all that was said."""
        program = self.start(*command, root=root)
        try:
            said, _ = program.communicate(timeout=300)
        finally:
            cut(program)
        return program.returncode, said

    def install(self, *arguments: object) -> tuple[int, str]:
        """The installer of this source on the machine."""
        return self.run(INSTALLER, *arguments)

    def changed(self) -> dict[str, str]:
        """Every file by which the machine differs from this system, with its owner, mode, moment and content."""
        shown = "import sys; sys.path.insert(0, sys.argv[1]); import makers_install as m; m.show(sys.argv[2])"
        code, said = self.run(sys.executable, "-c", shown, TOP / "tests", self.folder / "upper", root=False)
        assert code == 0, said
        rows = (line.rpartition(" ") for line in said.splitlines())
        return {name: facts for name, _, facts in rows if not name.startswith(NOISE)}


def show(folder: str) -> None:
    """A line on standard output for every file below, but not for what Python compiled."""
    for path in sorted(Path(folder).rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        found = path.lstat()
        content = b"" if path.is_symlink() or not path.is_file() else path.read_bytes()
        facts = (
            f"{found.st_uid}:{found.st_gid}:{found.st_mode:o}:{found.st_mtime_ns}:{hashlib.sha256(content).hexdigest()}"
        )
        sys.stdout.write(f"{path.relative_to(folder)} {facts}\n")


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine that has never been installed on; gone afterwards, with all that was mounted."""
    place, given = folder / "machine", folder / "given"
    for path in (place, given):
        path.mkdir(parents=True, exist_ok=True)
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", MOUNTS, "sh", str(place), str(given)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        try:
            if holder.stdout.readline() != "ready\n":
                pytest.skip("no overlay can be mounted here")
            yield Machine(place, holder.pid, given)
        finally:
            holder.stdin.close()
            holder.wait(60)


def cut(program: subprocess.Popen[str]) -> None:
    """As a power cut ends it: the whole group, at once, and all that it had begun in other groups is gone too."""
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGSTOP)
        begun = psutil.Process(program.pid).children(recursive=True)
        os.killpg(program.pid, signal.SIGKILL)
        program.wait(60)
        ends = time.monotonic() + 60
        while any(map(_goes_on, begun)):
            assert time.monotonic() < ends
            time.sleep(0.02)
    if program.stdout:
        program.stdout.close()


def _goes_on(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # not every system's first process takes in orphans
    except psutil.NoSuchProcess:
        return False


def this_python() -> str:
    """The version of the system's own Python, as a bundle names it."""
    asked = ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def this_machine() -> str:
    """As a bundle names it."""
    return platform.machine()


SETTINGS = """node = "loa-thon-1"
home = "lang-son:dong-dang:thon-1"
root_keys = ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]
state_dir = "/var/lib/loa-node"
broker_port = {port}
player = "file"
clock = "trust"
"""


def wheel(folder: Path, name: str, version: str = "1.0", requires: Sequence[str] = ()) -> Path:
    """A wheel with nothing in it but what it is."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as content:
        wanted = "".join(f"Requires-Dist: {each}\n" for each in requires)
        content.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: node\n{wanted}\n",
        )
        content.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        content.writestr(f"{info}/RECORD", "")
    return path
