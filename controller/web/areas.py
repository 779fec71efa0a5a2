"""Areas: the tree with codes, loudspeakers and people; one more; one goes elsewhere; official units come in.

- What moves and what comes in is shown before it is done: the same form, sent once more with the other button.
- A file that was looked at lies among the uploads until it is brought in, so that it is that file and no other.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import gazetteer, rights
from controller.desk import DeskError
from controller.desk.districting import Relocation
from controller.gazetteer import GazetteerError, State, Structure
from controller.rights import Permission
from controller.roster import Area, AreaKind, ancestors
from controller.store.moving import Moving
from controller.store.rows import User
from controller.web import reading, rights_words
from controller.web.doors import door, may, who
from controller.web.forms import Problem
from controller.web.language import WebError, said, t
from controller.web.uploads import Uploads
from controller.web.window import window

pages = Blueprint("areas", __name__)

MOST_CHARS = 200
MOST_UPLOAD_BYTES = 16 * 1024 * 1024
MOST_SHOWN = 400
KINDS = tuple(AreaKind)
OF_MOVE = ("area", "to", "called", "how")
FIELD_OF = {"desk.bad_name": "name", "desk.area_former": "id"}
OF_CALLED = ("desk.move_called", "desk.move_clash", "desk.bad_name")


@pages.before_app_request
def roomier() -> None:
    """The file of units is larger than any form."""
    if request.endpoint == "areas.look":
        request.max_content_length = MOST_UPLOAD_BYTES


@pages.get("/dia-ban")
@door(Permission.PLACES)
def tree() -> ResponseReturnValue:
    """The tree, and the forms."""
    return page()


@pages.post("/dia-ban")
@door(Permission.PLACES)
def enter() -> ResponseReturnValue:
    """One area more."""
    parent, name, own, kind = (_typed(field) for field in ("parent", "name", "id", "kind"))
    try:
        wanted = AreaKind(kind)
    except ValueError:
        return page([Problem("area-kind", t("area_bad_kind"))])
    own = own or gazetteer.slug(name)
    try:
        area = Area(f"{parent}:{own}" if parent else own, name, wanted)
        if window().store.roster.area(area.id):
            raise DeskError("desk.name_taken", name=area.id)
        made = window().desk.add_area(area, who(), window().now())
    except DeskError as wrong:
        return page([Problem(FIELD_OF.get(wrong.key, "parent"), said(wrong))])
    flash(t("area_entered", name=made.name))
    return redirect(url_for("areas.tree"), 303)


@pages.post("/dia-ban/chuyen")
@door(Permission.PLACES)
def move() -> ResponseReturnValue:
    """What a move would change; with ``do`` it is done, unless the tree is another than was seen."""
    here, seen = window(), _typed("seen")
    wanted = Relocation(_typed("area"), _typed("to"), _typed("how") == "into", _typed("called"))
    try:
        moving = here.desk.foresee_move(wanted, who(), here.now())
        mark = _mark(moving)
        if not _typed("do") or (seen and seen != mark):
            view: dict[str, Any] = {"moving": moving, "wanted": wanted, "names": reading.area_names(), "mark": mark}
            return render_template("area_move.html", **view, again=bool(seen), was=_were(moving))
        here.desk.move_area(wanted, who(), here.now())
    except DeskError as wrong:
        return page([Problem("called" if wrong.key in OF_CALLED else "area", said(wrong))])
    flash(t("area_moved"))
    return redirect(url_for("areas.tree"), 303)


def _mark(moving: Moving) -> str:
    """Short for who would be called what: what was seen is what is done."""
    told = json.dumps([sorted(moving.names.items()), sorted(moving.called.items())])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _were(moving: Moving) -> dict[str, str]:
    """Of those who get another name, the area that they are now."""
    return {new: old for old, new in moving.names.items() if new in moving.called}


@pages.post("/dia-ban/xem-tep")
@door(Permission.PLACES)
def look() -> ResponseReturnValue:
    """What a file of units would change."""
    file, held = request.files.get("file"), uploads()
    if file is None or not file.filename:
        return page([Problem("file", t("problem_no_file"))])
    try:
        size = file.stream.seek(0, 2)
        file.stream.seek(0)
        if not size:
            return page([Problem("file", t("problem_file_empty"))])
        name, at = held.begin(who().id, size, window().now()), 0
        while at < size:
            at = held.append(who().id, name, at, file.stream)
    except WebError as wrong:
        return page([Problem("file", said(wrong))])
    return survey(name, enter_it=False)


@pages.post("/dia-ban/nhap")
@door(Permission.PLACES)
def bring_in() -> ResponseReturnValue:
    """The file that was looked at comes in."""
    return survey(_typed("upload"), enter_it=True)


def survey(upload: str, *, enter_it: bool) -> ResponseReturnValue:
    """Read the upload, and show what it would change, or do it."""
    here, former = window(), bool(_typed("former"))
    try:
        structure = Structure(_typed("structure") or Structure.NOW.value)
        held = gazetteer.read(uploads().path(who().id, upload), _typed("province"))
        ask = here.desk.enter_units if enter_it else here.desk.foresee_units
        plan = ask(held, structure, former, who(), here.now())
    except (GazetteerError, DeskError, WebError) as wrong:
        uploads().forget(who().id, upload)
        return page([Problem("province" if wrong.key == "gazetteer.no_province" else "file", said(wrong))])
    except ValueError:
        return page([Problem("file", t("area_bad_kind"))])
    counts = {each.value: len(plan.of(each)) for each in State} | {"located": plan.located}
    if enter_it:
        uploads().forget(who().id, upload)
        flash(t("areas_imported", **counts))
        return redirect(url_for("areas.tree"), 303)
    changed = [each for each in plan.found if each.state is not State.UNTOUCHED]
    view: dict[str, Any] = {"found": changed[:MOST_SHOWN], "more": max(0, len(changed) - MOST_SHOWN)}
    view |= {"counts": counts, "upload": upload, "structure": structure, "former": former}
    return render_template("area_import.html", **view, province=held.province)


def page(problems: list[Problem] | None = None) -> ResponseReturnValue:
    """The tree of what this person answers for, and the forms."""
    store, areas = window().store, reading.own_areas(Permission.PLACES)
    codes: dict[str, list[str]] = defaultdict(list)
    for code, area in sorted(store.alerts.codes().items()):
        codes[area].append(code)
    below = Counter(above for node in store.roster.nodes() for above in (node.home, *ancestors(node.home)))
    for node in store.roster.nodes():
        below.update(node.groups)
    view: dict[str, Any] = {"areas": areas, "codes": codes, "below": below, "people": _people()}
    view |= {"heirs": store.gazetteer.heirs(), "kinds": KINDS, "problems": problems or []}
    view |= {"typed": {name: _typed(name) for name in ("parent", "name", "id", "kind", *OF_MOVE, "province")}}
    return render_template("areas.html", **view), 422 if problems else 200


def _people() -> dict[str, list[tuple[User, str]]]:
    """By area who holds what there and for how long it lasts; none for whoever has no say over people."""
    found: dict[str, list[tuple[User, str]]] = defaultdict(list)
    if not may(Permission.PEOPLE):
        return found
    now = window().now()
    for each in window().desk.staff(who(), now):
        held: dict[str, list[str]] = defaultdict(list)
        for grant in each.grants:
            if not each.disabled and rights.lasts(grant, now) and may(Permission.PEOPLE, grant.area):
                held[grant.area].append(rights_words.role_of(grant))
        for area, roles in held.items():
            found[area].append((each, ", ".join(dict.fromkeys(roles))))
    return found


def uploads() -> Uploads:
    """The files of units that were looked at."""
    return Uploads(window().settings.state_dir / "uploads", MOST_UPLOAD_BYTES)


def _typed(field: str) -> str:
    return " ".join(request.form.get(field, "")[:MOST_CHARS].split())
