"""Adding a loudspeaker on the page: a form, and the one-time code to be typed under the pole; replacing a dead one.

- The code stands on the answer to the form and nowhere else: whoever loads the page again asks for a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller.desk import DeskError, Enrolment
from controller.desk.enrolling import CODE_VALIDITY
from controller.rights import Permission
from controller.roster import AreaKind
from controller.store.enrolments import MOST_TRIES, EnrolmentRow
from controller.web import reading
from controller.web.doors import door, may, who
from controller.web.forms import Problem
from controller.web.language import said, t
from controller.web.window import window
from wire.onetime import Code

MOST_CHARS = 200
FIELD_OF = {"desk.name_taken": "node", "desk.node_known": "node", "desk.bad_name": "node", "desk.unknown_area": "home"}

pages = Blueprint("enrolling", __name__)


@dataclass(frozen=True)
class Typed:
    """The form as it was typed."""

    node: str = ""
    name: str = ""
    home: str = ""
    groups: tuple[str, ...] = ()


@pages.get("/cum-loa-moi")
@door(Permission.EQUIP)
def form() -> ResponseReturnValue:
    """An empty form."""
    return page(Typed(home=request.args.get("dia-ban", "")[:MOST_CHARS]))


@pages.post("/cum-loa-moi")
@door(Permission.EQUIP)
def invite() -> ResponseReturnValue:
    """A code for the node that was typed."""
    node, name, home = (request.form.get(field, "")[:MOST_CHARS].strip() for field in ("node", "name", "home"))
    groups = tuple(each[:MOST_CHARS] for each in request.form.getlist("groups")[:100])
    wish = Enrolment(node, name, home, groups=groups)
    try:
        code = window().desk.invite_node(wish, who(), window().now())
    except DeskError as wrong:
        field = "name" if wrong.key == "desk.bad_name" and wrong.facts.get("name") != node[:80] else "node"
        at = field if wrong.key == "desk.bad_name" else FIELD_OF.get(wrong.key, "home")
        return page(Typed(node, name, home, groups), [Problem(at, said(wrong))])
    return code_page(code, name, replaces=False)


@pages.post("/cum-loa/<name>/thay")
@door(Permission.EQUIP)
def replace(name: str) -> ResponseReturnValue:
    """A code for a new device in this node's place."""
    node = window().store.roster.node(name)
    if node is None or not may(Permission.EQUIP, node.home):
        abort(404)
    return code_page(window().desk.replace_node(name, who(), window().now()), node.name, replaces=True)


@pages.post("/cum-loa-moi/bo")
@door(Permission.EQUIP)
def take_back() -> ResponseReturnValue:
    """The code lets nobody in any more."""
    window().desk.take_back_code(request.form.get("code", "")[:10], who(), window().now())
    flash(t("code_taken_back"))
    return redirect(url_for("nodes.list_"), 303)


def waiting() -> list[tuple[EnrolmentRow, int]]:
    """The codes that are open for nodes of this person's areas, with the tries that each has left."""
    rows = window().store.enrolments.waiting(window().now())
    return [(row, MOST_TRIES - row.tries) for row in rows if may(Permission.EQUIP, row.home)]


def page(typed: Typed, wrong: list[Problem] | None = None) -> ResponseReturnValue:
    """The form; 422 when something is wrong with it."""
    areas = reading.own_areas(Permission.EQUIP)
    view = {
        "f": typed,
        "problems": wrong or [],
        "places": [area for area in areas if area.kind is not AreaKind.GROUP],
        "groups": [area for area in areas if area.kind is AreaKind.GROUP],
    }
    return render_template("node_new.html", **view), 422 if wrong else 200


def code_page(code: Code, name: str, *, replaces: bool) -> ResponseReturnValue:
    """The code, large, with what to type under the pole."""
    line = f"sudo loa node enrol {code.shown()} --station {request.host_url.rstrip('/')}"
    hours = int(CODE_VALIDITY.total_seconds() // 3600)
    until = window().now() + CODE_VALIDITY
    view = {"code": code.shown(), "name": name, "line": line, "hours": hours, "until": until, "replaces": replaces}
    return render_template("node_code.html", **view, tries=MOST_TRIES)
