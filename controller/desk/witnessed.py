"""Every refusal of the desk stands in the audit log: around each of its methods, whoever asks and whatever catches it.

- What counts as turning somebody away is told by the sentence (`controller.turned_away.KIND_OF`); a wish that is only
  mistaken is not noted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from controller.desk.api_tokens import answering
from controller.store.rows import User
from controller.turned_away import KIND_OF, TurnedAway
from words import Said

Kind = TypeVar("Kind", bound=type)
_FACTS = ("area", "areas", "user")  # which of a sentence's facts are noted


def witnessed(desk: Kind) -> Kind:
    """The class with every public method of it noting whom it turns away, into its ``turned_away``."""
    for name, method in inspect.getmembers(desk, inspect.isfunction):
        if not name.startswith("_"):
            setattr(desk, name, _noting(name, method))
    return desk


def _noting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    if "now" not in signature.parameters:
        return method

    @wraps(method)
    def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Said as wrong:
            if wrong.key in KIND_OF and not hasattr(wrong, "noted"):
                wrong.noted = True  # type: ignore[attr-defined]
                book: TurnedAway = self.turned_away
                given = signature.bind(self, *args, **kwargs).arguments
                whom, token = _who(self, given)
                book.note(KIND_OF[wrong.key], whom, f"{_detail(name, wrong)} {token}".rstrip(), _moment(given))
            raise

    return asked


def _who(desk: Any, given: dict[str, Any]) -> tuple[str, str]:
    """Whose try it was: whoever is signed in (and by which token), is halfway in, or has the name that was typed."""
    who = given.get("who")
    if isinstance(who, User):
        return answering(who)
    token = given.get("token")
    half = desk.halfway(token, _moment(given)) if isinstance(token, str) else None
    if half is not None:
        return str(half.name), ""
    return str(given.get("name", "")) if "password" in given else "", ""


def _moment(given: dict[str, Any]) -> datetime:
    now = given["now"]
    assert isinstance(now, datetime)
    return now


def _detail(name: str, wrong: Said) -> str:
    known = [f"{fact}={str(wrong.facts[fact])[:80]}" for fact in _FACTS if fact in wrong.facts]
    return " ".join([f"act={name}", f"why={wrong.key.partition('.')[2]}", *known])
