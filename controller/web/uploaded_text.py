"""A text file that a browser sends: its text, or a named refusal. It is not read further than a text may be long."""

from __future__ import annotations

from werkzeug.datastructures import FileStorage

from controller.web.language import WebError
from schedules.toml_paper import MOST_CHARS

MOST_BYTES = 4 * MOST_CHARS  # UTF-8


def uploaded_text(file: FileStorage | None) -> str:
    """The text of ``file``; empty when none was chosen. Raises WebError."""
    if file is None or not file.filename:
        return ""
    content = file.stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise WebError("web.text_too_large", most=MOST_BYTES // 1000)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise WebError("web.text_not_text") from None
    if not text.strip() or "\0" in text:
        raise WebError("web.text_not_text")
    return text
