"""`loa node enrol|tone|run|check|init`, on the node; what is done at the station is in `registry`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from loa.verbs import data_budget, registry, updates
from words import say

if TYPE_CHECKING:
    from edge_node.settings import Settings
    from loa.parser import Parser, Verbs

PLAYERS = ("sound", "file", "null")
STATE_DIR = Path("~/.local/share/loa-node")
INIT_EXAMPLE = "loa node init node.toml --node loa-01 --home lang-son:dong-dang:thon-1 --root-key 64_HEX"
ENROL_EXAMPLE = "loa node enrol KMW7-QX3P-94TR-HZ2N --station http://192.0.2.10:8080 --config /etc/loa/node.toml"
CONFIG, INSTALLED_STATE = Path("/etc/loa/node.toml"), Path("/var/lib/loa-node")


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("node", "about_node"), "node_verb")
    _takes_settings(below.add("run", "about_node_run", run, "loa node run --config /etc/loa/node.toml"))
    parser = below.add("check", "about_node_check", check, "loa node check --config /etc/loa/node.toml")
    _takes_settings(parser)
    parser.takes_json()
    _takes_birth(below.add("init", "about_node_init", init, INIT_EXAMPLE))
    _takes_code(below.add("enrol", "about_node_enrol", enrol, ENROL_EXAMPLE))
    _takes_tone(below.add("tone", "about_node_tone", tone, "loa node tone --config /etc/loa/node.toml"))
    updates.add_to(below)
    registry.add(below)
    data_budget.add(below)


def run(wanted: argparse.Namespace) -> int:
    """Be a node until SIGTERM or Ctrl-C."""
    from edge_node import radio

    return radio.run(_settings(wanted))


def check(wanted: argparse.Namespace) -> int:
    """Say in sentences what works here and what does not; exit code 1 when something is to be mended."""
    from edge_node import checkup, settings

    try:
        findings = checkup.examine(_settings(wanted))
    except settings.SettingsError:
        faults = settings.faults(wanted.config, _environment())
        if len(faults) < 2 and not wanted.json:
            raise
        findings = [checkup.Finding(False, each.key, each.facts) for each in faults]
    good = all(each.good for each in findings)
    if wanted.json:
        out.as_json({"good": good, "findings": [each.plain(wanted.language) for each in findings]})
    else:
        for each in findings:
            print(f"{'✓' if each.good else '✗'} {each.say(wanted.language)}")
    return DONE if good else FAILED


def init(wanted: argparse.Namespace) -> int:
    """Write a settings file, make the node's key, and print the line by which the station enrols it."""
    from edge_node import identity, settings

    told: dict[str, object] = {"node": wanted.node, "home": wanted.home, "root_keys": wanted.root_keys}
    told |= {"state_dir": str(wanted.state_dir.expanduser().absolute()), "player": wanted.player}
    told |= {"broker_host": wanted.broker_host, "broker_port": wanted.broker_port}
    told |= {"root_threshold": wanted.root_threshold} if wanted.root_threshold > 1 else {}
    made = settings.make(told)
    try:
        made.state_dir.mkdir(parents=True, exist_ok=True)
        signer = identity.load_or_make(made.state_dir / "node.key")
        _write_new(wanted.settings_file, settings.written(told))
    except OSError as wrong:
        raise house.Refused("loa.cannot_write", path=wrong.filename or made.state_dir, why=wrong) from wrong
    command = f"loa node add {made.node} --home {made.home} --key {signer.public.hex}"
    if wanted.json:
        out.as_json({"file": wanted.settings_file, "node": made.node, "home": made.home, "key": signer.public.hex})
    else:
        print(say("loa.node_made", wanted.language, path=wanted.settings_file, command=command))
    return DONE


def enrol(wanted: argparse.Namespace) -> int:
    """Let this node into a station by a one-time code, and write its settings."""
    from edge_node import enrolment

    more = {name: getattr(wanted, name) for name in ("player", "sound_device") if getattr(wanted, name) is not None}
    config = wanted.config or CONFIG
    folder = (wanted.state_dir or enrolment.state_dir_in(config) or _installed() or STATE_DIR).expanduser().absolute()
    asked = enrolment.Asked(wanted.code, wanted.station, config.absolute(), folder, more, wanted.force)
    welcome = enrolment.enrol(asked)
    if wanted.json:
        told = {"node": welcome.node, "name": welcome.name, "home": welcome.home, "station": welcome.station}
        out.as_json({**told, "file": asked.config, "tls": bool(welcome.authority)})
        return DONE
    print(say("loa.node_let_in", wanted.language, name=welcome.name, node=welcome.node, station=welcome.station))
    print(say("loa.node_let_in_next", wanted.language, path=asked.config))
    if not welcome.authority:
        print(say("loa.node_without_tls", wanted.language))
    return DONE


def _installed() -> Path | None:
    """The folder that an installation made for its node."""
    return INSTALLED_STATE if INSTALLED_STATE.is_dir() else None


def tone(wanted: argparse.Namespace) -> int:
    """Play a tone that is heard under the pole."""
    from edge_node import tone

    device = tone.sound(_settings(wanted), wanted.seconds, wanted.dbfs)
    facts = {"seconds": wanted.seconds, "dbfs": wanted.dbfs, "device": device}
    print(say("node.tone_sounded", wanted.language, **facts))
    return DONE


def _takes_settings(parser: Parser) -> None:
    default = os.environ.get("LOA_NODE_CONFIG")
    parser.add_argument(
        "--config",
        metavar=parser.word("file"),
        type=Path,
        default=Path(default) if default else None,
        help=parser.t("node_config"),
    )


def _takes_birth(parser: Parser) -> None:
    file, folder, area, key = (parser.word(name) for name in ("file", "dir", "area", "key"))
    parser.add_argument("settings_file", type=Path, metavar=file, help=parser.t("settings_file_help"))
    parser.add_argument("--node", required=True, metavar=parser.word("node"), help=parser.t("node_help"))
    parser.add_argument("--home", required=True, metavar=area, help=parser.t("home_help"))
    parser.add_argument(
        "--root-key", action="append", dest="root_keys", required=True, metavar=key, help=parser.t("root_key_help")
    )
    threshold = parser.number(1, 8)
    parser.add_argument("--root-threshold", type=threshold, default=1, metavar="N", help=parser.t("threshold_help"))
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, metavar=folder, help=parser.t("state_help"))
    parser.add_argument(
        "--broker-host", default="127.0.0.1", metavar=parser.word("host"), help=parser.t("broker_host_help")
    )
    port = parser.number(1, 65535)
    parser.add_argument("--broker-port", type=port, default=1883, metavar="N", help=parser.t("broker_port_help"))
    parser.add_argument("--player", choices=PLAYERS, default="sound", help=parser.t("player_help"))
    parser.takes_json()


def _takes_code(parser: Parser) -> None:
    parser.add_argument("code", metavar=parser.word("code"), help=parser.t("code_help"))
    parser.add_argument("--station", required=True, metavar="URL", help=parser.t("station_help"))
    _takes_settings(parser)
    folder = parser.word("dir")
    parser.add_argument("--state-dir", type=Path, metavar=folder, help=parser.t("enrol_state_help"))
    parser.add_argument("--player", choices=PLAYERS, help=parser.t("player_help"))
    parser.add_argument("--sound-device", metavar=parser.word("name"), help=parser.t("sound_device_help"))
    parser.add_argument("--force", action="store_true", help=parser.t("force_help"))
    parser.takes_json()


def _takes_tone(parser: Parser) -> None:
    _takes_settings(parser)
    parser.add_argument(
        "--seconds", type=parser.number(1, 30), default=3, metavar="N", help=parser.t("tone_seconds_help")
    )
    parser.add_argument("--dbfs", type=parser.number(-60, -6), default=-20, metavar="N", help=parser.t("dbfs_help"))


def _environment() -> dict[str, str]:
    """What may hold settings; where their file is, is none of them."""
    return {name: value for name, value in os.environ.items() if name != "LOA_NODE_CONFIG"}


def _settings(wanted: argparse.Namespace) -> Settings:
    from edge_node import settings

    environment = _environment()
    if wanted.config is None and not any(name.startswith(settings.ENVIRONMENT) for name in environment):
        raise house.Refused("loa.no_node_settings")
    return settings.load(wanted.config, environment)


def _write_new(path: Path, text: str) -> None:
    """Write a file that was not there; what cannot be written whole is gone again. Raises Refused, OSError."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        raise house.Refused("loa.file_exists", path=path) from None
    try:
        with file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise
