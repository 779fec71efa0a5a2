"""Looking after one node on its page: volumes, maintenance, a tone that tries it, its end. The desk decides."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError
from controller.rights import Permission
from controller.roster import Node
from controller.studio import RecordingError, ShelfError, try_tone
from controller.web import node_page, upkeep_forms
from controller.web.doors import door, may, who
from controller.web.forms import Problem
from controller.web.language import said, t
from controller.web.window import window

FIELD_OF = {"desk.no_maintenance_reason": "reason", "desk.bad_maintenance_end": "hours"}

pages = Blueprint("upkeep", __name__)


@pages.post("/cum-loa/<name>/am-luong")
@door(Permission.EQUIP)
def volumes(name: str) -> ResponseReturnValue:
    """How loud from which time on."""
    node = mine(name)
    typed = upkeep_forms.volumes(request.form, node)
    try:
        window().desk.set_volumes(name, upkeep_forms.bands(typed), who(), window().now())
    except DeskError as wrong:
        return node_page.shown(node, [Problem("volumes", said(wrong))], typed)
    return done(node, "volumes_set")


@pages.post("/cum-loa/<name>/bao-tri")
@door(Permission.EQUIP)
def maintain(name: str) -> ResponseReturnValue:
    """From now until the chosen time."""
    node, here = mine(name), window()
    typed = upkeep_forms.maintenance(request.form, node)
    try:
        until = upkeep_forms.until(typed, here.now(), here.settings.zone)
        here.desk.maintain(name, typed.reason, until, who(), here.now())
    except DeskError as wrong:
        return node_page.shown(node, [Problem(FIELD_OF.get(wrong.key, "reason"), said(wrong))], typed)
    return done(node, "maintenance_begun")


@pages.post("/cum-loa/<name>/het-bao-tri")
@door(Permission.EQUIP)
def end(name: str) -> ResponseReturnValue:
    """Everything sounds again."""
    node = mine(name)
    window().desk.end_maintenance(name, who(), window().now())
    return done(node, "maintenance_ended")


@pages.post("/cum-loa/<name>/phat-thu")
@door(Permission.EQUIP)
def try_out(name: str) -> ResponseReturnValue:
    """A tone on this node alone, as soon as can be."""
    node, here = mine(name), window()
    key = request.form.get("key", "")[:64]
    try:
        if not here.desk.known(key, who()):
            here.desk.may_try(name, who(), here.now())
            with TemporaryDirectory() as folder:
                kept = here.archive.keep(try_tone.write(Path(folder) / "tone.wav"))
            here.desk.try_out(name, kept, key, who(), here.now())
    except (DeskError, RecordingError, ShelfError) as wrong:
        return node_page.shown(node, [Problem("try", said(wrong))])
    return done(node, "tone_sent")


@pages.post("/cum-loa/<name>/thu-hoi")
@door(Permission.EQUIP)
def revoke(name: str) -> ResponseReturnValue:
    """The device is shut out at once; whoever has not said that they are sure is asked for that."""
    node = node_page.seen(name)
    if not may(Permission.EQUIP, node.home):
        abort(404)
    if not request.form.get("sure"):
        return node_page.shown(node, [Problem("sure", t("revoke_not_sure"))])
    window().desk.revoke_node(name, who(), window().now())
    return done(node, "node_was_revoked")


def mine(name: str) -> Node:
    """The node, if this person looks after it and it counts; else there is none."""
    node = node_page.seen(name)
    if node.revoked_at is not None or not may(Permission.EQUIP, node.home):
        abort(404)
    return node


def done(node: Node, what: str) -> ResponseReturnValue:
    """Back to the page, which says so."""
    flash(t(what))
    return redirect(url_for("nodes.one", name=node.id), 303)
