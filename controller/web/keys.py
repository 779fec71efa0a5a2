"""The page of keys: what is granted to whom and until when, which roots must agree, and the one command for each case.

- It reads the trust document and shows commands; it opens no key and changes none. What changes keys is said by the
  roots, which lie elsewhere.
- A worry is told to administrators on every page, a month ahead.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from controller import trustbook
from controller.rights import Permission
from controller.web import ground, reading
from controller.web.doors import door, may
from controller.web.window import window
from controller.worries import SOON, Worry, of_keys
from wire.seal import PublicKey

pages = Blueprint("keys", __name__)

CASES = ("renew", "change", "stolen", "revoke", "root_lost", "root_stolen", "cosigner", "lock", "apart")


@pages.get("/khoa")
@door(Permission.KEYS)
def shown() -> ResponseReturnValue:
    """Everything about keys, on one page."""
    seen = window()
    trust, roots, out = trustbook.held_trust(seen.store), seen.roots(), seen.store.cosigners_out.keys()
    view: dict[str, Any] = {
        "trust": trust,
        "roots": roots,
        "troubles": tuple(of_keys(trust, seen.now(), _here())),
        "left": [each for each in (trust.cosigners if trust else ()) if each.public_key in out],
        "cases": CASES,
    }
    view |= {"names": reading.area_names(), "id_of": id_of, "soon": seen.now() + SOON}
    return render_template("keys.html", **view)


def told() -> tuple[Worry, ...]:
    """For every page of an administrator."""
    if not may(Permission.KEYS):
        return ()
    seen = window()
    trust = ground.trust()
    return tuple(of_keys(trust, seen.now(), _here())) if trust else ()


def _here() -> frozenset[str]:
    return frozenset(each.name for each in ground.everybody() if not each.disabled)


def id_of(public_key: str) -> str:
    """The short name of a key."""
    return PublicKey.from_hex(public_key).id
