"""What is the same in every test of a run is worked out once: addresses of pages, and SQL.

- Each test has an app and a store of its own. Half of its time went into compiling the same two hundred addresses and
  the same statements again; what they do is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing.rules import Rule

KINDS = (SQLiteDialect_pysqlite, PGDialect_psycopg)
MOST_STATEMENTS = 5_000


def work_out_once() -> None:
    """From now on, in this process."""
    _share_addresses()
    _share_statements()


def _share_addresses() -> None:
    """A rule's builder is made of its text alone; it is bound to the rule of each app afterwards."""
    made: dict[tuple[object, ...], Callable[..., Any]] = {}
    anew = Rule._compile_builder

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        named = (rule.rule, repr(rule.defaults), rule.host, rule.subdomain, rule.merge_slashes, append_unknown)
        if named not in made:
            made[named] = anew(rule, append_unknown)
        return made[named]

    Rule._compile_builder = builder  # type: ignore[method-assign]


def _share_statements() -> None:
    """Engines of one kind keep what they compile in one place: dialects of a class, given nothing else, are equal."""
    kept = {kind: LRUCache(MOST_STATEMENTS) for kind in KINDS}
    for kind in KINDS:
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    make = sa.create_engine

    def made(*args: Any, **named: Any) -> sa.Engine:
        engine = make(*args, **named)
        if type(engine.dialect) in kept:
            engine._compiled_cache = kept[type(engine.dialect)]
        return engine

    sa.create_engine = made
