"""`install-station.sh` on a machine that this system stands in for: installed, run again, served, removed.

The program itself is this checkout's own, laid where the installer would have built it: that it can be built is tried
with the node's (`test_install`), by the same lines.
"""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers_install import STATION_INSTALLER, TOP, Machine, cut, machine, why_not
from ports import free_port

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

PACKAGES = ("espeak-ng", "ffmpeg", "mosquitto", "python3", "python3-venv")
# folders of this checkout and its Python, which the station's user must be able to enter on the machine
OPEN = {
    str(folder)
    for path in (sys.executable, Path(sys.executable).resolve(), Path(sys.prefix).resolve() / "x", TOP / "x")
    for folder in Path(path).parents[:-1]
}
LAY = f"""
set -e
here={TOP}/deploy; . {TOP}/deploy/installing.sh
mkdir -p $LOA/station-a/bin
printf '#!/bin/sh\\nPYTHONPATH={TOP} exec {sys.executable} -m loa "$@"\\n' >$LOA/station-a/bin/loa
ln -s {sys.executable} $LOA/station-a/bin/python
chmod 755 $LOA/station-a/bin/loa
ln -s station-a $LOA/venv
echo "$(source_identity) controller" >$LOA/venv/complete
chmod a+rx {" ".join(sorted(OPEN))}
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Machine]:
    asked = ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *PACKAGES]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    if told.count("ok installed") < len(PACKAGES):
        pytest.skip("this system stands in for a station and lacks its packages")
    with machine(tmp_path) as made:
        code, said = made.run("bash", "-c", LAY)
        assert code == 0, said
        yield made


def test_one_command_makes_a_station_with_https_and_never_touches_what_stands(fresh: Machine, tmp_path: Path) -> None:
    http, https = free_port(), free_port()
    command = (
        *(STATION_INSTALLER, "--name", "Đài xã Đồng Đăng", "--host", "127.0.0.1", "--host", "radio.test"),
        *("--http", http, "--https", https, "--admin", "lan"),
    )
    code, said = fresh.run(*command)
    assert (code, said.splitlines()[-1]) == (0, "   Done."), said
    link = re.search(rf"https://127\.0\.0\.1:{https}/chao/\S+", said)
    fingerprint = re.search("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", said)
    assert link, said
    assert fingerprint, said
    its_files_are_for_those_who_need_them(fresh)
    running = fresh.start("loa-station", "controller")
    try:
        it_serves(fresh, http, link[0], tmp_path)
    finally:
        cut(running)
    # what a person wrote, and every key, stays whatever is asked for the second time
    assert fresh.run("sh", "-c", "echo '# mine' >>/etc/loa/controller.toml; rm /var/lib/loa/keys/root.key")[0] == 0
    first = fresh.changed()
    code, said = fresh.run(STATION_INSTALLER, "--name", "Khác", "--host", "other.test", "--admin", "lan")
    assert (code, "/chao/" in said) == (0, False), said
    assert fingerprint[0] in said
    others = {path for path, facts in fresh.changed().items() if facts != first.get(path)}
    # the broker is handed what the running station wrote; a database of SQLite is touched by whoever opens it
    assert {path for path in others if not path.startswith(("etc/loa/broker/", "var/lib/loa/loa.db"))} == set()
    assert "var/lib/loa/keys/root.key" not in fresh.changed()
    code, said = fresh.run(STATION_INSTALLER, "--uninstall")
    assert code == 0, said
    left = fresh.changed().keys()
    stays = {
        "etc/loa/controller.toml",
        "var/lib/loa/keys/station.key",
        "var/lib/loa/keys/web-ca.key",
        "var/lib/loa/loa.db",
    }
    assert stays <= left
    assert [path for path in left if path.startswith(("opt/", "etc/systemd", "usr/"))] == []


def its_files_are_for_those_who_need_them(fresh: Machine) -> None:
    paths = "/etc/loa/controller.toml /etc/loa/mosquitto.conf /etc/loa/broker/broker.key"
    own = ". web/server.pem keys/web-ca.key keys/station.key"
    assert fresh.run("sh", "-c", f"cd /var/lib/loa; stat -c '%A %U:%G' {paths} {own}")[1].splitlines() == [
        "-rw-r----- root:loa",
        "-rw-r----- root:mosquitto",
        "-rw-r----- root:mosquitto",
        "drwx------ loa:loa",
        "-rw------- loa:loa",
        "-rw------- loa:loa",
        "-rw------- loa:loa",
    ]
    wanted = "ls /etc/systemd/system/multi-user.target.wants"
    assert {"loa-controller.service", "loa-broker.service", "loa-broker-files.path"} <= set(
        fresh.run("sh", "-c", wanted)[1].split()
    )
    if shutil.which("systemd-analyze"):
        units = "cd /etc/systemd/system && systemd-analyze verify loa-controller.service loa-broker.service"
        code, said = fresh.run("sh", "-c", units)
        assert (code, [line for line in said.splitlines() if "loa-" in line]) == (0, []), said


def it_serves(fresh: Machine, http: int, link: str, tmp_path: Path) -> None:
    """The link opens over https for whoever trusts the authority that is handed out over http, and for nobody else."""
    ends = time.monotonic() + 300
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{http}/chung-chi.crt", timeout=5) as answer:
                root = ssl.DER_cert_to_PEM_cert(answer.read())
            break
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < ends
            time.sleep(0.2)
    trusting = ssl.create_default_context(cadata=root)
    with urllib.request.urlopen(link, timeout=20, context=trusting) as page:
        assert "lan" in page.read().decode()
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(link, timeout=20)


def test_a_certificate_of_somebody_else_is_laid_where_the_station_reads_it(fresh: Machine) -> None:
    live = "/etc/letsencrypt/live/radio.test"
    made = f"mkdir -p {live}; chmod 700 /etc/letsencrypt; echo one >{live}/fullchain.pem; echo two >{live}/privkey.pem"
    assert fresh.run("sh", "-c", made)[0] == 0
    told = f"certificate={live}/fullchain.pem key={live}/privkey.pem hosts=(radio.test)"
    step = f"here={TOP}/deploy; . <(sed -e '/^here=/d' -e '/^main /d' {STATION_INSTALLER}); {told}"
    code, said = fresh.run("bash", "-c", f"{step}; user_and_folders; settings; real_certificate; real_certificate")
    assert (code, said.count("+ /etc/loa/web/privkey.pem")) == (0, 1), said
    look = "stat -c '%A %U:%G' /etc/loa/web /etc/loa/web/privkey.pem; tail -c 20 /etc/loa/web/fullchain.pem"
    assert fresh.run("sh", "-c", look)[1].split("\n")[:3] == ["drwxr-x--- root:loa", "-rw-r----- root:loa", "one"]
    assert "web_certificate" in fresh.run("cat", "/etc/loa/controller.toml")[1]
    renewed = (
        f"echo three >{live}/fullchain.pem; /etc/letsencrypt/renewal-hooks/deploy/loa; cat /etc/loa/web/fullchain.pem"
    )
    assert fresh.run("sh", "-c", renewed) == (0, "three\n")
    code, said = fresh.run(STATION_INSTALLER, "--certificate", "/nowhere", "--key", "/nowhere")
    assert (code, "/nowhere cannot be read" in said) == (3, True), said


@pytest.mark.parametrize(
    "wrong",
    [
        ["--name"],
        ["--name", 'a"\nweb_host = "x'],
        ["--host", "a;reboot"],
        ["--http", "80; id"],
        ["--admin", "Lan Anh"],
        ["--voices", "neural,gtts"],
        ["--certificate", "/x"],
        ["--key", "/x"],
        ["--purge"],
    ],
)
def test_what_is_not_understood_is_answered_with_the_usage(wrong: list[str]) -> None:
    done = subprocess.run([STATION_INSTALLER, *wrong], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sudo ./install-station.sh" in done.stderr
