"""The policy (quy chế) of an area as a text that an administrator loads: read back in sentences, then applied."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import restraint
from controller.desk import DeskError
from controller.rights import Permission
from controller.web import reading, standing
from controller.web.doors import door, who
from controller.web.forms import Problem
from controller.web.language import WebError, chosen, said, t
from controller.web.programme import rules_of
from controller.web.programme_edit import own
from controller.web.uploaded_text import uploaded_text
from controller.web.window import window
from schedules import rulebook_text
from schedules.planner import HORIZON
from schedules.rulebook_text import Policy, RulebookError

pages = Blueprint("policy", __name__)


@pages.get("/khung-chuong-trinh/<area>/quy-che")
@door(Permission.POLICY)
def form(area: str) -> ResponseReturnValue:
    """The policy in force as a text, to be changed."""
    current, _ = standing.policies(own(area, Permission.POLICY))
    if current is None or current.area != area:
        return page(area, t("policy_new", area=area))
    return page(area, rulebook_text.write(Policy(area, current.since, current.rules)))


@pages.post("/khung-chuong-trinh/<area>/quy-che")
@door(Permission.POLICY)
def change(area: str) -> ResponseReturnValue:
    """Read it back in sentences, or let it hold."""
    text = request.form.get("text", "").replace("\r\n", "\n")
    try:
        text = uploaded_text(request.files.get("file")) or text
        policy = rulebook_text.read(text)
        if policy.area != own(area, Permission.POLICY):
            raise WebError("web.programme_other_area", area=policy.area)
        if request.form.get("act") != "apply" or request.form.get("proof", "") != proof_of(policy):
            return page(area, text, policy=policy)
        window().desk.set_policy(policy, who(), window().now())
    except RulebookError as wrong:
        line = next(iter(text.split("\n")[wrong.line - 1 :]), "")[:200]
        return page(area, text, [Problem("text", wrong.say(chosen()))], line=line)
    except (DeskError, WebError) as refused:
        return page(area, text, [Problem("text", said(refused))])
    flash(t("policy_applied", day=f"{policy.since:%d/%m/%Y}"))
    return redirect(url_for("programme.of_area", area=area), 303)


def proof_of(policy: Policy) -> str:
    """What was read back, so that this and nothing else is applied."""
    return standing.proof(policy.since.isoformat(), rulebook_text.write(policy))


def page(area: str, text: str, wrong: list[Problem] | None = None, **more: Any) -> ResponseReturnValue:
    """The text with what is wrong in it, or read back."""
    view: dict[str, Any] = {
        "area": own(area, Permission.POLICY),
        "text": text,
        "problems": wrong or [],
        "names": reading.area_names(),
    }
    if policy := more.get("policy"):
        rules = rules_of(standing.Policy(policy.area, policy.since, policy.rules))
        view |= {"policy": policy, "rules": rules, "proof": proof_of(policy), "horizon": HORIZON.days}
        held = restraint.newly_held(window().store, window().settings, policy, window().now())
        view["held"] = len({row.job for row in held})
    return render_template("policy.html", **view, line=more.get("line", "")), 422 if wrong else 200
