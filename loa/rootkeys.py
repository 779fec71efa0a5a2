"""Root keys for a verb: from sticks and folders, or typed from paper. They are held in memory and written nowhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from loa import house
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from controller.drafts import Draft
    from loa.parser import Parser
    from wire.seal import Sealer, Signer


def takes_roots(parser: Parser, draft: bool = True) -> None:
    """The options that say where root keys are, and that a draft is wanted instead of a seal."""
    folder = parser.word("dir")
    parser.add_argument("--root", action="append", type=Path, default=[], metavar=folder, help=parser.t("root_help"))
    parser.add_argument("--typed", action="store_true", help=parser.t("typed_help"))
    if draft:
        parser.add_argument("--draft", type=Path, metavar=parser.word("file"), help=parser.t("draft_help"))


def given(wanted: argparse.Namespace) -> list[Sealer]:
    """The root keys that the options name. Raises Said."""
    from controller import keyring

    found: list[Sealer] = []
    for place in wanted.root:
        folder = place if place.is_dir() else place.parent
        signer = keyring.Keyring(folder).find(keyring.ROOT)
        if signer is None:
            raise keyring.KeyTrouble("keys.no_root", path=folder)
        found.append(signer)
    return [*found, _typed(wanted.language)] if wanted.typed else found


def _typed(language: str) -> Signer:
    from controller import root_paper

    print(say("loa.type_paper", language, lines=root_paper.LINES))
    letters = ""
    for number in range(1, root_paper.LINES + 1):
        try:
            letters += input(f"{number}. ") + "\n"
        except EOFError:
            break
    try:
        return root_paper.read(letters)
    except root_paper.BadPaper as wrong:
        raise house.Refused("loa.bad_paper", line=wrong.line) from None


def drafted(wanted: argparse.Namespace, draft: Draft) -> bool:
    """Whether the draft was wanted as a file; then it is written. Raises Refused."""
    if wanted.draft is None:
        return False
    write_draft(wanted.draft, draft)
    print(say("loa.drafted", wanted.language, path=wanted.draft))
    return True


def write_draft(path: Path, draft: Draft) -> None:
    """Raises Refused where it cannot be written."""
    from controller.durable import replace
    from wire import codec

    try:
        replace(path.absolute(), codec.write(draft) + b"\n")
    except OSError as wrong:
        raise house.Refused("loa.cannot_write", path=path, why=wrong.strerror or wrong) from wrong


def read_draft(path: Path) -> Draft:
    """Raises Said."""
    from controller import drafts, keyring
    from wire import codec

    try:
        with house.upload(path).open("rb") as file:
            return drafts.read(file.read(drafts.MOST_BYTES + 1))
    except (codec.Malformed, codec.TooBig) as wrong:
        raise keyring.KeyTrouble("keys.bad_draft", why=wrong) from None


def hand_out(wanted: argparse.Namespace, count: int) -> list[Signer]:
    """New root keys, one in each folder named by ``--to``: on paper, and as a file where that was not declined.

    Raises Said; then nothing was sealed with any.
    """
    from controller import root_paper
    from controller.keyring import ROOT, Keyring
    from wire.seal import Signer

    if len(wanted.to) != count:
        raise house.Refused("loa.a_folder_each", count=count, given=len(wanted.to))
    made = []
    for number, folder in enumerate(wanted.to, 1):
        signer, title = Signer.generate(), f"Loa – root key {number}/{count}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (folder / "root.html").open("x", encoding="utf-8") as file:
                (folder / "root.html").chmod(0o600)
                file.write(root_paper.page(signer, title))
        except FileExistsError:
            raise house.Refused("loa.file_exists", path=folder / "root.html") from None
        except OSError as wrong:
            raise house.Refused("loa.cannot_write", path=folder, why=wrong.strerror or wrong) from wrong
        if not wanted.paper_only:
            ring = Keyring(folder)
            if ring.find(ROOT) is not None:
                raise house.Refused("loa.file_exists", path=ring.path(ROOT))
            ring.keep(ROOT, signer)
        made.append(signer)
    return made


def told_published(wanted: argparse.Namespace, serial: int) -> int:
    """Say that nodes are told; the exit code."""
    print(say("loa.trust_published", wanted.language, serial=serial))
    return DONE
