"""The one door of XML: bytes into a small tree, or a refusal by name.

- `defusedxml` refuses what the standard library follows: document types, entities, anything outside the bytes.
- Limits hold while it is read, not after: bytes, depth, elements. UTF-8 alone: nothing else can be hidden in it.
- Elements of other namespaces are counted and passed over; attributes say nothing here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from controller.cap.alert import CapError

MOST_DEPTH = 16
MOST_ELEMENTS = 20_000
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{0,40})""")


@dataclass
class Element:
    """An element of the namespace asked for, with the text and the elements in it."""

    name: str
    text: str = ""
    inside: list[Element] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """The outermost element with its namespace, and whether there was an XML signature anywhere."""

    namespace: str
    root: Element
    signed: bool


def read(raw: bytes, most_bytes: int) -> Tree:
    """The tree of one document. Raises CapError."""
    if len(raw) > most_bytes:
        raise CapError("cap.too_big", most=most_bytes // 1000)
    body = raw.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARED.match(body)
    if declared and declared[1].decode("ascii", "replace").casefold() not in ("utf-8", "us-ascii"):
        raise CapError("cap.not_utf8")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise CapError("cap.not_utf8") from None
    grower = _Grower()
    parser = create_parser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(grower)
    try:
        parser.feed(body)
        parser.close()
    except DefusedXmlException:
        raise CapError("cap.dtd") from None
    except (SAXException, ValueError):
        raise CapError("cap.not_xml") from None
    if grower.tree is None:
        raise CapError("cap.not_xml")
    return grower.tree


class _Grower(ContentHandler):
    """Grows the tree of the outermost element's namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.tree: Tree | None = None
        self._namespace, self._signed, self._count = "", False, 0
        self._open: list[Element | None] = []  # None: of another namespace, or within such
        self._said: list[list[str]] = []

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: object) -> None:  # noqa: N802, ARG002
        namespace, local = name[0] or "", name[1]
        self._count += 1
        if len(self._open) >= MOST_DEPTH:
            raise CapError("cap.too_deep", most=MOST_DEPTH)
        if self._count > MOST_ELEMENTS:
            raise CapError("cap.too_many", what="XML", most=MOST_ELEMENTS)
        if not self._open:
            self._namespace = namespace
        self._signed |= local == "Signature" and namespace != self._namespace
        above = self._open[-1] if self._open else None
        ours = namespace == self._namespace and (above is not None or not self._open)
        element = Element(local) if ours else None
        if above is not None and element is not None:
            above.inside.append(element)
        self._open.append(element)
        self._said.append([])

    def characters(self, content: str) -> None:
        if self._said:
            self._said[-1].append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802, ARG002
        element, said = self._open.pop(), self._said.pop()
        if element is None:
            return
        element.text = "".join(said)
        if not self._open:
            self.tree = Tree(self._namespace, element, self._signed)
