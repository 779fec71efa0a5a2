"""`loa release sign|publish|withdraw|show`: what nodes are to run, sealed by the root and passed on by the station."""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house, out, told
from loa.codes import DONE
from words import say, table

if TYPE_CHECKING:
    from controller.releases import Published
    from controller.store.facts import Condition
    from loa.parser import Parser, Verbs
    from wire.release import Release
    from wire.roots import RootSet
    from wire.seal import Sealer

SUFFIX = ".release"
DAYS = 365
SIGN_EXAMPLE = "loa release sign loa-node-0.2.0-cp311-aarch64.tar --keys /media/stick/keys"
PUBLISH_EXAMPLE = """\
loa release publish loa-node-0.2.0-cp311-aarch64.tar --area loa-thon-1
loa release publish loa-node-0.2.0-cp311-aarch64.tar --everywhere"""


def add(verbs: Verbs) -> None:
    """The verb, its verbs, and what they take."""
    from loa.parser import Verbs as Below

    below = Below(verbs.add("release", "about_release"), "release_verb")
    parser = below.add("sign", "about_release_sign", sign, SIGN_EXAMPLE)
    parser.add_argument("bundle", type=Path, metavar=parser.word("file"), help=parser.t("bundle_help"))
    parser.add_argument(
        "--keys", action="append", type=Path, default=[], metavar=parser.word("dir"), help=parser.t("keys_help")
    )
    parser.add_argument("--add", action="store_true", help=parser.t("release_add_help"))
    days = parser.number(1, 3650)
    parser.add_argument("--days", type=days, default=DAYS, metavar="N", help=parser.t("release_days_help"))
    parser.add_argument("--roll-back", action="store_true", help=parser.t("roll_back_help"))
    house.takes_config(parser)
    parser = below.add("publish", "about_release_publish", publish, PUBLISH_EXAMPLE)
    parser.add_argument("bundle", type=Path, metavar=parser.word("file"), help=parser.t("bundle_help"))
    parser.add_argument("--statement", type=Path, metavar=parser.word("file"), help=parser.t("statement_help"))
    _takes_areas(parser)
    _takes_areas(below.add("withdraw", "about_release_withdraw", withdraw))
    parser = below.add("show", "about_release_show", show)
    parser.takes_json()
    house.takes_config(parser)


def _takes_areas(parser: Parser) -> None:
    area = parser.word("area")
    among = parser.add_mutually_exclusive_group(required=True)
    among.add_argument("--area", action="append", dest="areas", metavar=area, help=parser.t("release_area_help"))
    among.add_argument("--everywhere", action="store_true", help=parser.t("everywhere_help"))
    house.takes_person(parser)
    house.takes_config(parser)


def sign(wanted: argparse.Namespace) -> int:
    """Seal what the bundle is with the root key; needs no station, only the key's folder."""
    from edge_node.releases import bundle
    from wire import codec, seal
    from wire.release import KIND, Release

    roots = _signers(wanted)
    path, now = house.upload(wanted.bundle), house.now()
    digest, size = _measured(path)
    if wanted.add:
        return _sign_too(wanted, path, (digest, size), roots)
    try:
        said, until = bundle.form(path), now + timedelta(days=wanted.days)
        facts = (said.version, said.python, said.machine, digest, size, int(now.timestamp()), now, until)
        payload = codec.write(Release(*facts, wanted.roll_back))
        release = codec.read(Release, payload, len(payload))  # its bounds are checked where it is read
        with tempfile.TemporaryDirectory(prefix="loa-bundle-") as aside:
            bundle.unpack(path, release, Path(aside) / "unpacked")
    except (bundle.BadBundle, codec.Malformed) as wrong:
        raise house.Refused("loa.bad_bundle", path=path, why=wrong) from None
    statement = path.with_name(path.name + SUFFIX)
    _write_new(statement, seal.seal(KIND, payload, *roots))
    return _told_signed(wanted, statement, release)


def _sign_too(wanted: argparse.Namespace, path: Path, measured: tuple[str, int], roots: list[Sealer]) -> int:
    """Another root's seal on the statement that lies beside the bundle, which it must be about. Raises Said."""
    from controller.durable import replace
    from wire import codec, seal
    from wire.release import KIND, MOST_STATEMENT_BYTES, Release

    statement = path.with_name(path.name + SUFFIX)
    try:
        with house.upload(statement).open("rb") as file:
            envelope = seal.unwrap(file.read(MOST_STATEMENT_BYTES + 1), MOST_STATEMENT_BYTES)
        release = codec.read(Release, envelope.body(), MOST_STATEMENT_BYTES)
    except (codec.Malformed, codec.TooBig) as wrong:
        raise house.Refused("loa.bad_bundle", path=statement, why=wrong) from None
    if not seal.is_kind(envelope, KIND) or measured != (release.sha256, release.size_bytes):
        raise house.Refused("loa.other_bundle", path=path)
    replace(statement.absolute(), codec.write(seal.add(envelope, *roots)))
    return _told_signed(wanted, statement, release)


def _signers(wanted: argparse.Namespace) -> list[Sealer]:
    """The root keys in the folders named, else in the station's. Raises KeyTrouble."""
    from controller import keyring

    found: list[Sealer] = []
    for folder in wanted.keys or [house.settings_of(wanted).keys_dir]:
        root = keyring.Keyring(folder).find(keyring.ROOT)
        if root is None:
            raise keyring.KeyTrouble("keys.no_root", path=folder)
        found.append(root)
    return found


def _told_signed(wanted: argparse.Namespace, statement: Path, release: Release) -> int:
    about = {"version": release.version, "kind": f"{release.python} {release.machine}", "serial": release.serial}
    print(say("loa.release_signed", wanted.language, path=statement, **about))
    return DONE


def publish(wanted: argparse.Namespace) -> int:
    """Put the bundle on the shelf, and its statement into the configs of the nodes named."""
    from controller import releases
    from controller.studio import Shelf
    from wire.release import MOST_STATEMENT_BYTES

    path = house.upload(wanted.bundle)
    with house.upload(wanted.statement or path.with_name(path.name + SUFFIX)).open("rb") as file:
        raw = file.read(MOST_STATEMENT_BYTES + 1)
    with house.opened(wanted) as station:
        release = releases.read(raw, _roots(station))
        if _measured(path) != (release.sha256, release.size_bytes):
            raise house.Refused("loa.other_bundle", path=path)
        areas, who = _areas(wanted), station.person(wanted.person)
        Shelf(station.settings.shelf_dir).add(path)
        station.desk.publish_release(release, raw, areas, who, house.now())
    named = ", ".join(areas)
    print(say("loa.release_published", wanted.language, version=release.version, areas=named))
    return DONE


def withdraw(wanted: argparse.Namespace) -> int:
    """Name no release there any more. What a node has installed stays."""
    areas = _areas(wanted)
    with house.opened(wanted) as station:
        count = station.desk.withdraw_release(areas, station.person(wanted.person), house.now())
    print(say("loa.release_withdrawn", wanted.language, count=count, areas=", ".join(areas)))
    return DONE


def show(wanted: argparse.Namespace) -> int:
    """Print what is passed on, and how it stands on every node."""
    with house.opened(wanted) as station:
        published, zone = station.desk.releases(), station.settings.zone
        conditions = {each.node: each for each in station.store.health.latest()}
        nodes = [(node.id, conditions.get(node.id)) for node in station.store.roster.nodes()]
    if wanted.json:
        facts = {"releases": [_release(each) for each in published]}
        out.as_json(facts | {"nodes": [{"node": node, **_standing(known)} for node, known in nodes]})
        return DONE
    for each in published:
        kind, until = f"{each.release.python} {each.release.machine}", out.second(each.release.valid_until, zone)
        print(f"{each.area}  {each.release.version}  {kind}  {each.release.serial}  {until}")
    if not published:
        print(say("loa.no_releases", wanted.language))
    for node, known in nodes:
        about = _standing(known)
        state = _said(f"web.update_{about['state']}", str(about["state"]), wanted.language)
        why = _said(f"web.hitch_{about['reason']}", str(about["reason"]), wanted.language)
        print(
            "  ".join(part for part in (node, str(about["running"] or "–"), state, str(about["version"]), why) if part)
        )
    return DONE


def _said(key: str, word: str, language: str) -> str:
    """The sentence, or the word itself where a newer node says one that has none."""
    return say(key, language) if key in table(language) else told.plain(word, 40)


def _standing(known: Condition | None) -> dict[str, object]:
    """What a node last said of itself; ``state`` is none where it was told of no release."""
    update = known.health.update if known and known.health else None
    facts: dict[str, object] = {"running": known.version if known else ""}
    if update is None:
        return facts | {"state": "none", "version": "", "serial": 0, "reason": "", "detail": ""}
    about = {"state": update.state, "version": update.version, "serial": update.serial}
    return facts | about | {"reason": update.reason, "detail": update.detail}


def _release(each: Published) -> dict[str, object]:
    said: Release = each.release
    facts: dict[str, object] = {"area": each.area, "version": said.version, "python": said.python}
    facts |= {"machine": said.machine, "serial": said.serial, "sha256": said.sha256, "roll_back": said.roll_back}
    return facts | {"valid_until": said.valid_until}


def _areas(wanted: argparse.Namespace) -> list[str]:
    from controller.releases import EVERYWHERE

    return [EVERYWHERE] if wanted.everywhere else list(dict.fromkeys(wanted.areas))


def _roots(station: house.House) -> RootSet:
    """The roots in force. Raises KeyTrouble where the station has never seen any."""
    from controller import keyring, keys

    return keys.in_force(keyring.of(station.settings), station.store)


def _measured(path: Path) -> tuple[str, int]:
    """SHA-256 and length of a file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise house.Refused("loa.file_exists", path=path) from None
