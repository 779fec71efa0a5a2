"""The page of the station's parts: how each is, what to do where it is not well, and how each voice sounds.

- The station's own reading is shown (`controller.condition`), the same as ``loa status`` says.
- A voice is heard by itself: sending the form makes the sound, the page that follows plays what was made. Somebody
  may try few times in a quarter of an hour; a sound that stands already costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from controller import newsroom
from controller.condition import Mark, Part, worst
from controller.rights import Permission
from controller.studio import MasteringError, VoiceError
from controller.studio.remade import Busy
from controller.web.doors import door, who
from controller.web.language import chosen, said, t
from controller.web.listening import HOUR_SECONDS, kept
from controller.web.throttle import Throttle
from controller.web.window import window
from words import say

pages = Blueprint("machine", __name__)

TRIES = 12  # of one person, in a quarter of an hour
SENTENCE = "Đài truyền thanh xin kính chào bà con."
DRAWN = {
    Mark.GOOD: ("good", "check"),
    Mark.WARN: ("warn", "alert"),
    Mark.BAD: ("bad", "cross"),
    Mark.PLAIN: ("off", "dash"),
    Mark.UNKNOWN: ("off", "ring"),
}


@pages.get("/thiet-lap/may")
@door(Permission.AUDIT, Permission.EQUIP)
def shown() -> ResponseReturnValue:
    """Every part as it is now."""
    return page()


@pages.post("/thiet-lap/may/nghe")
@door(Permission.AUDIT, Permission.EQUIP)
def try_voice() -> ResponseReturnValue:
    """Have one voice read one sentence, and lead to where it is heard."""
    voice = own_voice(request.form.get("giong", ""))
    wait = tries().take({f"voice of {who().id}": TRIES}, window().now())
    if wait > timedelta(0):
        return page(voice, t("machine_too_often", minutes=max(1, round(wait.total_seconds() / 60)))), 429
    try:
        window().sampler.alone(sentence(), voice)
    except (VoiceError, MasteringError, Busy) as wrong:
        return page(voice, said(wrong)), 503
    return redirect(url_for("machine.shown", giong=voice, _anchor="voices"), 303)


@pages.get("/thiet-lap/may/nghe/<voice>")
@door(Permission.AUDIT, Permission.EQUIP)
def sound(voice: str) -> ResponseReturnValue:
    """What that voice read, once somebody had it read; it makes nothing."""
    made = window().sampler.kept_alone(sentence(), own_voice(voice))
    return kept(made, "audio/ogg", HOUR_SECONDS) if made else abort(404)


def page(voice: str = "", problem: str = "") -> str:
    """The parts by kind, with the sound that was asked for, or why there is none."""
    here = window()
    zone, language = here.settings.zone, chosen()
    asked = voice or request.args.get("giong", "")
    voices = names()
    heard = asked if not problem and asked in voices and here.sampler.kept_alone(sentence(), asked) else ""
    parts = here.condition(here.now())
    view: dict[str, Any] = {"kinds": by_kind(parts), "worst": worst(parts), "drawn": DRAWN, "heard": heard}
    view |= {"problem": problem, "asked": asked, "voices": voices, "anything": bool(parts), "sentence": SENTENCE}
    view |= {"ill": sum(each.mark in (Mark.BAD, Mark.WARN) for each in parts)}
    view["said_of"] = lambda part: part.say(language, zone)
    view["advice_of"] = lambda part: part.say_advice(language, zone)
    view["name_of"] = lambda kind: say(f"condition.name_{kind}", language)
    view["mark_of"] = lambda mark: say(f"condition.mark_{mark}", language)
    return render_template("machine.html", **view)


def by_kind(parts: Sequence[Part]) -> list[tuple[str, list[Part]]]:
    """Parts of one kind together, in order."""
    return [(kind, list(some)) for kind, some in groupby(parts, lambda each: each.name)]


def names() -> list[str]:
    """The voices that can be tried."""
    return [each.name for each in window().sampler.voices()]


def own_voice(name: str) -> str:
    """The voice of the chain with that name; there is no other."""
    if name not in names():
        abort(404)
    return name


def sentence() -> str:
    """What every voice reads here, as it is spoken."""
    return newsroom.spoken(SENTENCE).text


def tries() -> Throttle:
    """Who tried how often, of the app that answers this request."""
    held = current_app.extensions.setdefault("voice_tries", Throttle())
    assert isinstance(held, Throttle)
    return held
