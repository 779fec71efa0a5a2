"""The card, the modem and the Wi-Fi: what the kernel and ModemManager say, as files and texts of theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_node import modem
from edge_node.storage import Card
from edge_node.vitals import Senses
from wire.health import Modem, Storage

SD = "179:2"  # mmcblk0p2
MOUNTS = """\
29 1 179:2 / / {mount} shared:1 - ext4 /dev/root {super}
40 29 179:2 /var /var/lib/loa-node rw,relatime shared:1 - ext4 /dev/root {super}
"""


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    part = root / "sys/devices/mmc/block/mmcblk0/mmcblk0p2"
    part.mkdir(parents=True, exist_ok=True)
    (part / "partition").write_text("2\n")
    (root / "sys/dev/block").mkdir(parents=True, exist_ok=True)
    (root / "sys/dev/block" / SD).symlink_to(part)
    return root


def test_what_the_card_says_of_itself_is_told(tmp_path: Path) -> None:
    disk = "sys/devices/mmc/block/mmcblk0/device"
    files = {f"{disk}/life_time": "0x01 0x08\n", f"{disk}/pre_eol_info": "0x02\n", f"{disk}/ioerr_cnt": "0x1f\n"}
    files |= {"sys/fs/ext4/mmcblk0p2/errors_count": "3\n"}
    files |= {"proc/self/mountinfo": MOUNTS.format(mount="rw", super="rw,errors=remount-ro")}
    read = Card(tmp_path, machine(tmp_path, files), SD).read()
    assert read == Storage(3, 31, 80, 2, read_only=False)


@pytest.mark.parametrize(
    ("mount", "super_", "fstab", "turned"),
    [
        ("ro", "rw", "", False),  # a hardened service sees its root read-only, the file system is not
        ("rw", "ro,errors=remount-ro", "", True),
        ("rw", "rw,emergency_ro", "", True),
    ],
)
def test_a_file_system_that_turned_read_only_is_seen(
    tmp_path: Path, mount: str, super_: str, fstab: str, turned: bool
) -> None:
    mounts = MOUNTS.format(mount=mount, super=super_)
    root = machine(tmp_path, {"proc/self/mountinfo": mounts, "etc/fstab": fstab})
    read = Card(tmp_path, root, SD).read()
    assert read
    assert read.read_only is turned


@pytest.mark.parametrize(("options", "turned"), [("defaults", True), ("ro,noatime", False)])
def test_a_root_that_is_meant_to_be_read_only_is_no_fault(tmp_path: Path, options: str, turned: bool) -> None:
    mounts = "29 1 8:1 / / ro - ext4 /dev/sda1 ro\n40 29 179:2 / /var/lib/loa-node rw - ext4 /dev/mmcblk0p2 rw\n"
    fstab = f"# root\nPARTUUID=1 / ext4 {options} 0 1\n"
    read = Card(tmp_path, machine(tmp_path, {"proc/self/mountinfo": mounts, "etc/fstab": fstab}), SD).read()
    assert read
    assert read.read_only is turned


def test_an_sd_card_says_nothing_of_its_wear_and_nothing_is_invented(tmp_path: Path) -> None:
    assert Card(tmp_path, tmp_path / "none", SD).read() is None
    assert Card(tmp_path / "gone", tmp_path / "none").read() is None
    files = {"sys/devices/mmc/block/mmcblk0/device/life_time": "0x00 zz", "proc/self/mountinfo": "rubbish\n\n"}
    assert Card(tmp_path, machine(tmp_path, files), SD).read() is None


def test_this_machines_disk_can_be_written(tmp_path: Path) -> None:
    read = Card(tmp_path).read()
    assert read is None or read.read_only in (False, None)


MMCLI = {
    "modem": {
        "3gpp": {"operator-name": "Viettel", "operator-code": "45204", "registration-state": "home"},
        "generic": {
            "access-technologies": ["lte"],
            "signal-quality": {"recent": "yes", "value": "54"},
            "state": "connected",
        },
    }
}


def test_a_modems_operator_and_signal_are_told(tmp_path: Path) -> None:
    read = Senses(tmp_path, run=lambda command: json.dumps(MMCLI) if command[0] == "mmcli" else None)
    assert read.read(True, None, None).modem == Modem("Viettel", 54, "lte", "connected")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, None),
        ("", None),
        ("error: couldn't find modem", None),
        ("[]", None),
        ('{"modem": 5}', None),
        ("[" * 100_000, None),
        ('{"modem": {"generic": []}}', Modem()),
        ('{"modem": {"generic": {"state": "failed", "signal-quality": {"value": "--"}}}}', Modem(state="failed")),
        (
            '{"modem": {"generic": {"signal-quality": {"value": "900"}}, "3gpp": {"operator-name": "--"}}}',
            Modem(None, 100),
        ),
        ('{"modem": {"generic": {"signal-quality": {"value": 1e999}}}}', Modem()),
        (json.dumps({"modem": {"generic": {}, "3gpp": {"operator-name": "x" * 5000}}}), Modem("x" * 40)),
    ],
)
def test_whatever_the_modem_manager_prints_does_no_harm(answer: str | None, told: Modem | None) -> None:
    assert modem.read(answer) == told


def test_the_signal_of_a_wifi_card_is_read(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    assert modem.wifi_dbm(tmp_path) is None
    head = "Inter-| sta-|   Quality        |   Discarded packets\n face | tus | link level noise |  nwid\n"
    (tmp_path / "net/wireless").write_text(head)
    assert modem.wifi_dbm(tmp_path) is None
    (tmp_path / "net/wireless").write_text(head + " wlan0: 0000   54.  -56.  -256        0      0\n")
    assert modem.wifi_dbm(tmp_path) == -56
