"""The committed pages are the ones that the code makes; the examples fit the schemas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from makers_wire import EVERY, travelling

from wire import paper, topics
from wire.errors import Reason

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", sorted(paper.pages()))
def test_a_committed_page_is_what_the_code_makes(name: str) -> None:
    committed = (DOCS / name).read_text("utf-8")
    assert committed == paper.pages()[name], "run: python -m wire.paper docs"


def test_no_schema_is_left_over() -> None:
    assert {f"schemas/{path.name}" for path in (DOCS / "schemas").iterdir()} == set(paper.pages()) - {"wire.md"}


def test_every_topic_and_every_reason_is_on_paper_with_its_sentence() -> None:
    page = paper.pages()["wire.md"]
    for line in topics.TABLE:
        assert f"| `{line.name}` | `{line.pattern}` |" in page
    for reason in Reason:
        assert re.search(rf"^\| `{reason}` \| .{{10,}} \|$", page, re.MULTILINE), reason


def test_writing_makes_every_page(tmp_path: Path) -> None:
    paper.write(tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(paper.pages())


def schema(name: str) -> Any:
    return json.loads(paper.pages()[f"schemas/{name}.json"])


@pytest.mark.parametrize("line", topics.TABLE, ids=lambda line: line.name)
def test_every_example_fits_its_schema(line: topics.Line) -> None:
    kind = type(EVERY[line.name])
    golden = json.loads((ROOT / "tests/golden" / f"{line.name}.json").read_bytes())
    jsonschema.Draft202012Validator(schema(kind.__name__.lower())).validate(golden)
    if line.sealed:
        jsonschema.Draft202012Validator(schema("envelope")).validate(json.loads(travelling(line.name)))


def test_a_schema_refuses_what_the_code_refuses() -> None:
    plan = json.loads((ROOT / "tests/golden/plan.json").read_bytes())
    for wrong in ({"serial": 0}, {"area": "Lạng Sơn"}, {"area": "a\n"}, {"jobs": {}}, {"lane": "fast"}):
        validator = jsonschema.Draft202012Validator(schema("plan"))
        assert not validator.is_valid({**plan, **wrong})
