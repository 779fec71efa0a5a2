"""What the house tests measure with: syntax trees of sources, read and never run."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Size:
    """One function: its name with the classes and functions around it, its lines, its parameters."""

    name: str
    lines: int
    parameters: int


@dataclass(frozen=True)
class Call:
    """One call with a text as its first argument: what is called, that text, its keywords (None with ``**``)."""

    called: str
    text: str
    keywords: frozenset[str] | None
    line: int


def functions(source: str) -> list[Size]:
    """Every function in ``source``, methods and inner ones too."""
    return [_size(name, node) for name, node in _named(ast.parse(source)) if isinstance(node, Function)]


def imported(source: str) -> set[str]:
    """The modules that ``source`` imports anywhere, as written: ``paho.mqtt.client``, ``msgspec.json``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            found |= {
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    return found


def broad_excepts(source: str) -> list[str]:
    """The functions of ``source`` in which a handler or a `suppress` takes any error and does not raise it again."""
    tree = ast.parse(source)
    owners = [(name, node) for name, node in _named(tree) if isinstance(node, Function)]
    return [_owner(owners, node) for node in ast.walk(tree) if _swallows(node)]


def subclasses(sources: list[str], of: str) -> set[str]:
    """The names of ``of`` and of every class that inherits from it, over all ``sources``."""
    parents = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
    }
    found = {of}
    while more := {name for name, bases in parents.items() if bases & found} - found:
        found |= more
    return found


def calls(source: str) -> list[Call]:
    """The calls in ``source`` whose first argument is a text as it stands."""
    found = []
    for node in ast.walk(ast.parse(source)):
        first = node.args[0] if isinstance(node, ast.Call) and node.args else None
        if isinstance(node, ast.Call) and isinstance(first, ast.Constant) and isinstance(first.value, str):
            named = {keyword.arg for keyword in node.keywords}
            keywords = None if None in named else frozenset(name for name in named if name)
            found.append(Call(_called(node), first.value, keywords, node.lineno))
    return found


def texts(source: str) -> tuple[set[str], set[str]]:
    """The texts in ``source``, and what its f-strings begin with (those that a name is put together from)."""
    nodes = list(ast.walk(ast.parse(source)))
    whole = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    begun = {str(node.values[0].value) for node in nodes if _is_begun(node)}  # type: ignore[attr-defined]
    return whole, begun


def fields_of(source: str, class_name: str) -> list[str]:
    """The annotated fields of a class in ``source``; empty when it has no such class."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            lines = [each for each in node.body if isinstance(each, ast.AnnAssign)]
            return [line.target.id for line in lines if isinstance(line.target, ast.Name)]
    return []


def facts_of(sentence: str) -> set[str]:
    """The names in braces that a sentence is filled with."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def _named(tree: ast.AST, around: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        name = around
        if isinstance(node, Function | ast.ClassDef):
            name = f"{around}.{node.name}".lstrip(".")
            yield name, node
        yield from _named(node, name)


def _size(name: str, node: Function) -> Size:
    arguments = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    own = len(arguments) - (1 if arguments[:1] in (["self"], ["cls"]) else 0)
    return Size(name, (node.end_lineno or node.lineno) - node.lineno + 1, own)


def _called(node: ast.Call) -> str:
    function = node.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _takes_all(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_takes_all, kind.elts))
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def _swallows(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return _takes_all(node.type) and not _raises_again(node)
    return isinstance(node, ast.Call) and _called(node) == "suppress" and any(map(_takes_all, node.args))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _owner(owners: list[tuple[str, ast.AST]], node: ast.AST) -> str:
    line = node.lineno  # type: ignore[attr-defined]
    inside = [name for name, each in owners if each.lineno <= line <= each.end_lineno]  # type: ignore[attr-defined]
    return inside[-1] if inside else "<module>"


def _is_begun(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) and len(node.values) > 1 and isinstance(node.values[0], ast.Constant)
