"""`loa node init|run|check` on the node, `loa node enrol|list` at the station."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE, FAILED
from words import say

if TYPE_CHECKING:
    from edge_node.settings import Settings
    from loa.parser import Parser, Verbs

PLAYERS = ("sound", "file", "null")
STATE_DIR = Path("~/.local/share/loa-node")
INIT_EXAMPLE = "loa node init node.toml --node loa-01 --home lang-son:dong-dang:thon-1 --root-key 64_HEX"
ENROL_EXAMPLE = 'loa node enrol loa-01 --home lang-son:dong-dang:thon-1 --key 64_HEX --name "Loa nhà văn hóa"'


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("node", "about_node"), "node_verb")
    _takes_settings(below.add("run", "about_node_run", run, "loa node run --config /etc/loa/node.toml"))
    parser = below.add("check", "about_node_check", check, "loa node check --config /etc/loa/node.toml")
    _takes_settings(parser)
    parser.takes_json()
    _takes_birth(below.add("init", "about_node_init", init, INIT_EXAMPLE))
    _takes_enrolment(below.add("enrol", "about_node_enrol", enrol, ENROL_EXAMPLE))
    parser = below.add("list", "about_node_list", show)
    parser.takes_json()
    house.takes_config(parser)


def run(wanted: argparse.Namespace) -> int:
    """Be a node until SIGTERM or Ctrl-C."""
    from edge_node import radio

    return radio.run(_settings(wanted))


def check(wanted: argparse.Namespace) -> int:
    """Say in sentences what works here; exit code 1 when something does not."""
    from edge_node import radio

    sentences, good = radio.check(_settings(wanted), wanted.language)
    if wanted.json:
        out.as_json({"good": good, "findings": sentences})
    else:
        print("\n".join(sentences))
    return DONE if good else FAILED


def init(wanted: argparse.Namespace) -> int:
    """Write a settings file, make the node's key, and print the line by which the station enrols it."""
    from edge_node import identity, settings

    told: dict[str, object] = {"node": wanted.node, "home": wanted.home, "root_keys": [wanted.root_key]}
    told |= {"state_dir": str(wanted.state_dir.expanduser().absolute()), "player": wanted.player}
    told |= {"broker_host": wanted.broker_host, "broker_port": wanted.broker_port}
    made = settings.make(told)
    try:
        made.state_dir.mkdir(parents=True, exist_ok=True)
        signer = identity.load_or_make(made.state_dir / "node.key")
        _write_new(wanted.settings_file, "".join(f"{name} = {_toml(value)}\n" for name, value in told.items()))
    except OSError as wrong:
        raise house.Refused("loa.cannot_write", path=wrong.filename or made.state_dir, why=wrong) from wrong
    command = f"loa node enrol {made.node} --home {made.home} --key {signer.public.hex}"
    if wanted.json:
        out.as_json({"file": wanted.settings_file, "node": made.node, "home": made.home, "key": signer.public.hex})
    else:
        print(say("loa.node_made", wanted.language, path=wanted.settings_file, command=command))
    return DONE


def enrol(wanted: argparse.Namespace) -> int:
    """Enter a node in the roster, or replace its key and places."""
    from controller.desk import Enrolment

    with house.opened(wanted) as station:
        enrolment = Enrolment(wanted.node, wanted.name or wanted.node, wanted.home, wanted.key, tuple(wanted.groups))
        node = station.desk.enrol(enrolment, station.person(wanted.person), house.now())
        print(say("loa.node_enrolled", wanted.language, node=node.id, home=node.home))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print every enrolled node, whether it is online, and when it last sounded."""
    with house.opened(wanted) as station:
        conditions = {each.node: each for each in station.store.health.latest()}
        sounded, zone = station.store.asrun.last_sounded(), station.settings.zone
        nodes = station.store.roster.nodes()
    if wanted.json:
        rows: list[Mapping[str, object]] = []
        for node in nodes:
            known = conditions.get(node.id)
            state = {"online": known.online if known else None, "last_sounded": sounded.get(node.id)}
            rows.append({"node": node.id, "name": node.name, "home": node.home, **state})
        out.as_json(rows)
        return DONE
    if not nodes:
        print(say("loa.nothing_yet", wanted.language))
    for node in nodes:
        known = conditions.get(node.id)
        online = say(f"loa.node_{'online' if known and known.online else 'offline'}", wanted.language)
        print(f"{node.id}  {node.home}  {online}  {out.second(sounded.get(node.id), zone)}  {node.name}")
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
    parser.add_argument("--root-key", required=True, metavar=key, help=parser.t("root_key_help"))
    parser.add_argument("--state-dir", type=Path, default=STATE_DIR, metavar=folder, help=parser.t("state_help"))
    parser.add_argument(
        "--broker-host", default="127.0.0.1", metavar=parser.word("host"), help=parser.t("broker_host_help")
    )
    port = parser.number(1, 65535)
    parser.add_argument("--broker-port", type=port, default=1883, metavar="N", help=parser.t("broker_port_help"))
    parser.add_argument("--player", choices=PLAYERS, default="sound", help=parser.t("player_help"))
    parser.takes_json()


def _takes_enrolment(parser: Parser) -> None:
    area, name = parser.word("area"), parser.word("name")
    parser.add_argument("node", metavar=parser.word("node"), help=parser.t("node_help"))
    parser.add_argument("--home", required=True, metavar=area, help=parser.t("home_help"))
    parser.add_argument("--key", required=True, metavar=parser.word("key"), help=parser.t("node_key_help"))
    parser.add_argument("--name", metavar=name, help=parser.t("node_name_help"))
    parser.add_argument(
        "--group", action="append", default=[], dest="groups", metavar=area, help=parser.t("group_help")
    )
    house.takes_person(parser)
    house.takes_config(parser)


def _settings(wanted: argparse.Namespace) -> Settings:
    from edge_node import settings

    environment = {name: value for name, value in os.environ.items() if name != "LOA_NODE_CONFIG"}
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


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value) if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)
