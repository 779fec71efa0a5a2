"""The page of settings: what is in force, where it comes from, and how it is changed. It changes nothing itself.

- For whoever reads the audit log: every change of a setting stands there with both values, so nothing new is told.
- What is shown is `controller.setting_sheet`'s, which holds no secret.
"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from controller import setting_sheet
from controller.rights import Permission
from controller.setting_masks import SECRETS
from controller.setting_sheet import Line, Sheet
from controller.web.doors import door
from controller.web.language import chosen, t
from controller.web.window import window
from words import say

pages = Blueprint("settings", __name__)

USUAL_FILE = "/etc/loa/controller.toml"


@pages.get("/thiet-lap")
@door(Permission.AUDIT)
def shown() -> ResponseReturnValue:
    """Every setting, in groups by trade."""
    seen = sheet()
    file = str(seen.file or USUAL_FILE)
    view = {"sheet": seen, "about": about, "value": value, "file_used": file, "changed": sum(map(differs, seen.lines))}
    return render_template("settings.html", **view)


def sheet() -> Sheet:
    """What this process runs with."""
    here = window()
    return setting_sheet.sheet(here.settings, here.origins)


def differs(line: Line) -> bool:
    """Whether somebody chose it."""
    return line.differs


def about(name: str) -> str:
    """What a setting is, in a sentence."""
    return say(f"settings.about_{name}", chosen())


def value(name: str, written: str) -> str:
    """A value in words: nothing, yes and no, and of a secret only whether there is one."""
    if name in SECRETS:
        return t("setting_hidden") if written else t("setting_empty")
    words = {"": "setting_empty", "true": "setting_yes", "false": "setting_no"}
    return t(words[written]) if written in words else written
