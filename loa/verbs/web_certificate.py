"""`loa web certificate`: what certificate the web has, and the fingerprint that people compare before they trust it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from loa import house, out
from loa.codes import DONE
from words import say

if TYPE_CHECKING:
    from loa.parser import Parser

EXAMPLE = "loa web certificate --config /etc/loa/controller.toml"


def add(parser: Parser) -> None:
    """Below the verb ``web``."""
    from loa.parser import Verbs as Below

    below = Below(parser, "web_verb", required=False)
    parser = below.add("certificate", "about_web_certificate", show, EXAMPLE)
    parser.add_argument("--anew", action="store_true", help=parser.t("anew_help"))
    parser.takes_json()
    house.takes_config(parser)


def show(wanted: argparse.Namespace) -> int:
    """Make what is not there yet, and print it."""
    from controller import web_certificates

    settings = house.settings_of(wanted)
    if settings.web_certificate:
        raise house.Refused("loa.web_certificate_given", path=settings.web_certificate)
    if not settings.web_names:
        raise house.Refused("loa.web_names_missing")
    path = web_certificates.keep(settings, house.now(), anew=wanted.anew)
    told = web_certificates.told(settings)
    assert told is not None
    if wanted.json:
        out.as_json({"certificate": path, "page": settings.authority_page, **asdict(told)})
        return DONE
    facts = {"names": ", ".join(told.names), "until": out.second(told.until, settings.zone)}
    facts |= {"root_until": out.second(told.authority_until, settings.zone), "fingerprint": told.fingerprint}
    print(say("loa.web_certificate", wanted.language, **facts, page=settings.authority_page))
    return DONE
