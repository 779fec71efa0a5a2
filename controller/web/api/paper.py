"""`python -m controller.web.api.paper docs`: writes the list of operations into ``docs/api.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from controller.web.api.document import made
from controller.web.api.operation import OPENED, PREFIX

HEAD = "| operation | opened by | what it does |\n| --- | --- | --- |\n"
BEGIN, END = "<!-- operations: written by ./run docs -->\n", "<!-- end of operations -->\n"


def written(before: str) -> str:
    """The page with the list of today's operations."""
    head, _, rest = before.partition(BEGIN)
    return head + BEGIN + operations() + END + rest.partition(END)[2]


def operations() -> str:
    """A table for each part: method, address, what opens it, what it does."""
    document = made()
    parts = {tag["name"]: tag["description"] for tag in document["tags"]}
    lines: dict[str, list[str]] = {name: [] for name in parts}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            opened = ", ".join(OPENED[operation["operationId"]]) or "any token"
            address = f"`{method.upper()} {path.removeprefix(PREFIX)}`"
            lines[operation["tags"][0]].append(f"| {address} | {opened} | {operation['summary']} |\n")
    tables = (f"### {name}\n\n{parts[name]}.\n\n{HEAD}{''.join(some)}\n" for name, some in lines.items())
    return "\n" + "".join(tables)


def main(folder: Path) -> None:
    """Bring the page up to date."""
    page = folder / "api.md"
    page.write_text(written(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
