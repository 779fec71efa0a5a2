"""The wire on paper: `docs/wire.md` and `docs/schemas/`, made from the very structs and comments that the code runs on.

- `pages` gives every page as text; a test fails while the committed ones differ.
- ``python -m wire.paper docs`` writes them.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from enum import EnumType
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from wire import codec, cosigned, seal, topics
from wire.errors import Reason
from wire.names import SLUG
from wire.plan import END
from wire.release import Hitch, Release, UpdateState
from wire.roots import MOST_LINKS, Roots

_COMMENT = re.compile(r"^    (\w+)(?::[^=]*)?(?:\s*=.*?)?  # (?!noqa)(.+)$")

_PATTERNS = {  # what stands on paper in place of a pattern
    f"^{SLUG}(?::{SLUG})*{END}": "[a name](#names)",
    f"^[0-9a-f]{{64}}{END}": "64 lower-case hex digits",
    rf"^https?://[!-~]+{END}": "http(s), absolute",
    f"^([01][0-9]|2[0-3]):[0-5][0-9]{END}": "HH:MM",
    rf"^[0-9]{{1,6}}(?:\.[0-9]{{1,6}}){{1,3}}{END}": "2 to 4 numbers with dots between",
    rf"^3\.[0-9]{{1,2}}{END}": "3 and a number",
    f"^[a-z0-9_]{{1,20}}{END}": "1 to 20 of a-z 0-9 _",
}

HEAD = """# The wire

What the station and the nodes say to each other. This page and `docs/schemas/` are made from the structs in `wire/`
by `python -m wire.paper docs`; the build fails while they differ.

- MQTT 3.1.1. Messages are JSON in UTF-8; times are RFC 3339 in UTC, ending in `Z`; unknown fields are ignored.
- A message longer than its topic allows is refused unread; a packet announced longer than the longest
  topic allows ({most:,} bytes and its header) ends the connection.
- Of a field given twice, the last stands. Numbers that JSON does not have (NaN, infinity) are malformed.
- A change that an old node would misread gets `radio/v2` beside `radio/v1`.

## Topics

Everything lies below `{prefix}/`. Down is station to nodes, up is node to station.

| kind | topic | direction | retained | QoS | most bytes | message | sealed | what |
|---|---|---|---|---|---|---|---|---|
{rows}

A node listens to `trust`, its own `config`, `acks` and `certificate`, and `plan` and `urgent` of every area in its
config; its own name is an area too. The station listens to all that goes up. From the same table come the broker's
access rules (`wire.topics.access_rules`).

## Names

| name | what it looks like |
|---|---|
| slug | 1 to 64 of `a-z 0-9 -`, neither first nor last a `-` |
| area | slugs joined by `:`, at most 200 characters; an area lies within every area that its name begins with |
| node | one slug; the node is an area of that name |
| key | the first 16 hex digits of the SHA-256 of the raw public key |

## The seal

What is sealed travels in an envelope: DSSE version 1, Ed25519. The signature covers
`"DSSEv1" SP len(payloadType) SP payloadType SP len(payload) SP payload`, lengths in ASCII decimals, `payload` the exact
bytes before base64. `payloadType` is `{payload_type}` with the kind of the table above, so that one kind of document
can never be read as another. Checking comes before parsing: nothing inside an unsealed payload is
looked at. The root seals `trust`; the keys that `trust` names seal what goes down; a node's own key seals its receipts.
A key up to a class below `emergency` seals plans only: configs and acknowledgements govern the node itself. Nothing is
issued after its key's end.

An urgent plan is packed first: its `payloadType` ends in `+deflate`, and `payload` is raw deflate (RFC 1951) with
the dictionary in `wire/packing.py`, at most 4 MiB unpacked. The seal covers what travels. A node takes both forms.

{envelope}

## Serials

1. Every plan (area and lane), config (node) and trust document carries a `serial` that only grows, whoever issues it.
2. A serial lower than the one held is refused (`rolled_back`); the same serial with other bytes too (`forked`); the
   same bytes again are nothing new.
3. A plan and a trust document are worth nothing after `valid_until` (`expired`), nor when issued later than the
   receiver's clock can believe (`from_the_future`).
4. A document replaces the one before it whole. A job that is in no plan any more is withdrawn.
5. Receipts are numbered from 1 without gaps within a `stream`; a node keeps them until an ack of that stream names a
   number as high. Every job ends in exactly one outcome.
6. `fetched` is no outcome and may come at any time before a job begins: once for a job and its audio (`asset` names the
   file, of a relay that of its fallback). What a node lacks later, though it was fetched, is in `lacking` of health.

## Refusals

Why something was not obeyed: counted, logged and shown under these codes. They never change their meaning.

| code | why |
|---|---|
{reasons}

## Messages

{messages}

## Roots

`trust` counts when at least `root_threshold` different ones of the roots that a node pinned sealed it; so does a
release. Beside the envelope's own fields the message may carry `roots`: every change of the roots since the first set,
oldest first, at most {links}, each an envelope of the kind `roots`. A change is sealed by enough of the set before it
and by enough of the set it names; its `version` is its place in the list. A node takes changes and trust document
together, or neither, and never goes back. A trust document under newer roots replaces one under older ones whatever
its serial.

{roots}

## Two seals

Where an area's path (a node's: that of its home) has fewer slugs than `cosign_below` of the trust document, every
emergency in its plan needs the seal of one of the `cosigners`, whose `holder` is not the `label` of the plan's own
key: in `cosigned` of the job, over a document of the kind `cosigned` made of the job as it stands. Else the plan is
refused (`not_cosigned`).

{statement}

## Releases

What a node is to run is sealed by the root itself, as a document of the kind `release`; envelopes of it stand in
`releases` of a config, one for each kind of machine. The bundle lies below the config's `media_url`, by its SHA-256.
What the node makes of it stands in `update` of its health.

{releases}
"""


def pages() -> dict[str, str]:
    """Every page by its path below the folder of documents."""
    made = {"wire.md": _wire()}
    documents = {line.kind.__name__.lower(): line.kind for line in topics.TABLE} | {"envelope": seal.Envelope}
    documents |= {"release": Release, "roots": Roots, "statement": cosigned.Statement}
    for name, kind in sorted(documents.items()):
        made[f"schemas/{name}.json"] = _schema(kind)
    return made


def write(folder: Path) -> None:
    """Write every page below ``folder``. Raises OSError."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _wire() -> str:
    kinds = list(dict.fromkeys(line.kind for line in topics.TABLE))
    return HEAD.format(
        prefix=topics.PREFIX,
        most=topics.MOST_BYTES,
        rows="\n".join(_topic(line) for line in topics.TABLE),
        payload_type=seal.PAYLOAD_TYPE,
        envelope="\n\n".join(_section(part, 3) for part in _with_parts([seal.Envelope])),
        reasons="\n".join(f"| `{code}` | {_comments(Reason)[code.name]} |" for code in Reason),
        messages="\n\n".join(_section(part, 3) for part in _with_parts(kinds) if part is not seal.Envelope),
        links=MOST_LINKS,
        roots=_section(Roots, 3),
        statement=_section(cosigned.Statement, 3),
        releases="\n\n".join(_section(part, 3) for part in (Release, UpdateState, Hitch)),
    )


def _topic(line: topics.Line) -> str:
    words = (
        f"`{line.name}`",
        f"`{line.pattern}`",
        "down" if line.down else "up",
        "yes" if line.retained else "no",
        str(line.qos),
        f"{line.most_bytes:,}",
        f"[{line.kind.__name__}](#{line.kind.__name__.lower()})",
        "yes" if line.sealed else "no",
        line.what,
    )
    return f"| {' | '.join(words)} |"


def _with_parts(kinds: list[type[Any]]) -> list[type[Any]]:
    """``kinds`` and, each after its first user, every struct and enumeration in them."""
    ordered: list[type[Any]] = []

    def visit(kind: Any) -> None:
        if kind in ordered:
            return
        if isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or isinstance(kind, EnumType)):
            ordered.append(kind)
            if issubclass(kind, msgspec.Struct):
                for hint in get_type_hints(kind).values():
                    visit(hint)
        for inner in get_args(kind):
            visit(inner)

    for kind in kinds:
        visit(kind)
    return ordered


def _section(kind: type[Any], depth: int) -> str:
    about = f"{'#' * depth} {kind.__name__}\n\n{inspect.getdoc(kind)}\n\n"
    comments = _comments(kind)
    if isinstance(kind, EnumType):
        rows = [f"| `{member.value}` | {comments.get(member.name, '')} |" for member in kind]
        return about + "\n".join(["| value | what |", "|---|---|", *rows])
    hints = get_type_hints(kind, include_extras=True)
    rows = [
        f"| `{field.encode_name}` | {_type(hints[field.name])} | {_default(field)} | {comments.get(field.name, '')} |"
        for field in msgspec.structs.fields(kind)
    ]
    return about + "\n".join(["| field | type and bounds | default | what |", "|---|---|---|---|", *rows])


def _comments(kind: type[Any]) -> dict[str, str]:
    """The comment beside every field or member, from the source."""
    found = (_COMMENT.match(line) for line in inspect.getsource(kind).splitlines())
    return {match[1]: match[2].replace("|", "\\|") for match in found if match}


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0]) + "".join(_bounds(meta) for meta in arguments[1:])
    if origin in (Union, UnionType):
        return " or ".join(_type(each) for each in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object of {_type(arguments[1])} by {_type(arguments[0])}"
    if hint is NoneType:
        return "null"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true or false", "datetime": "time"}
    names["bytes"] = "base64 text"
    return names.get(hint.__name__, f"[{hint.__name__}](#{hint.__name__.lower()})")


def _bounds(meta: Any) -> str:
    words = []
    if meta.ge is not None:
        words.append(f"≥ {meta.ge:,}")
    if meta.le is not None:
        words.append(f"≤ {meta.le:,}")
    if meta.min_length is not None:
        words.append(f"at least {meta.min_length:,} long")
    if meta.max_length is not None:
        words.append(f"at most {meta.max_length:,} long")
    if meta.pattern is not None:
        words.append(_PATTERNS[meta.pattern])
    return f" ({', '.join(words)})" if words else ""


def _default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "required"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{codec.encoded(default)}`"


def _schema(kind: type[Any]) -> str:
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.__name__,
        "$ref": f"#/$defs/{kind.__name__}",
        "$defs": codec.schemas([kind]),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
