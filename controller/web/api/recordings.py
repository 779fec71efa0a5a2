"""What a person recorded: it comes in pieces, is looked at in its cage, and becomes what an announcement can be of."""

from __future__ import annotations

from typing import Literal

from flask import Response, request, url_for
from pydantic import Field

from controller.rights import Permission
from controller.store.rows import RecordingRow
from controller.web.api import answers
from controller.web.api.fields import Answered, Asked, Moment, Name, Number, Whole
from controller.web.api.operation import JSON, OCTETS, Once, api, door, once, tag
from controller.web.doors import who
from controller.web.language import WebError
from controller.web.recording import uploads
from controller.web.uploads import MOST_PIECE_BYTES
from controller.web.window import window

TAG = tag("recordings", "What people recorded")
WRITING = (Permission.WRITE, Permission.WARN)
PIECE = {
    "requestBody": {
        "required": True,
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary", "maxLength": MOST_PIECE_BYTES}}},
    }
}


class Begin(Asked):
    """How large the whole file is."""

    size_bytes: Whole = Field(ge=0, le=1 << 50)


class Path(Asked):
    """Which upload."""

    upload: Name


class Offset(Asked):
    """Where the piece begins."""

    offset: Number


class UploadOut(Answered):
    """An upload as far as it has come; pieces are of at most ``piece_bytes``."""

    id: str
    received_bytes: int
    piece_bytes: int


class Admission(Asked):
    """An upload that has come whole, what it was called, and in what language it speaks (BCP 47)."""

    upload: Name
    file_name: Name
    language: Literal["vi", "tyz", "nut", "ium", "hmn", "mlc"] = "vi"


class RecordingOut(Answered):
    """A recording; its SHA-256 is what an announcement names."""

    sha256: str
    size_bytes: int
    duration_ms: int
    lufs: float
    language: str
    file_name: str
    admitted_by: str
    admitted_at: Moment


@api.post("/uploads", tags=TAG, responses={201: UploadOut})
@door(*WRITING, takes=JSON)
@once
def begin_upload(body: Begin, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """A file is to come, piece by piece; what is not finished in a day is gone."""
    name = uploads().begin(who().id, body.size_bytes, window().now())
    return answers.made(_upload(name), url_for("api.read_upload", upload=name))


@api.get("/uploads/<upload>", tags=TAG, responses={200: UploadOut})
@door(*WRITING)
def read_upload(path: Path) -> Response:
    """How much of it has come."""
    return answers.one(_upload(path.upload))


@api.put("/uploads/<upload>", tags=TAG, responses={200: UploadOut}, openapi_extensions=PIECE)
@door(*WRITING, takes=OCTETS)
def send_piece(path: Path, query: Offset) -> Response:
    """The piece that begins at ``offset``; one that is not in turn changes nothing."""
    uploads().append(who().id, path.upload, query.offset, request.stream)
    return answers.done(_upload(path.upload))


@api.post("/recordings", tags=TAG, responses={201: RecordingOut})
@door(*WRITING, takes=JSON)
@once
def admit_recording(body: Admission, header: Once) -> Response:  # noqa: ARG001 – read by `once`
    """The upload is whole: it is admitted, or refused with its reason."""
    here = window()
    kept = here.archive.keep(uploads().path(who().id, body.upload), body.language)
    row = here.desk.record(kept, body.file_name, who(), here.now())
    uploads().forget(who().id, body.upload)
    return answers.made(RecordingOut(**vars(row)), url_for("api.read_recording", recording=row.sha256))


class RecordingPath(Asked):
    """Which recording, by its SHA-256."""

    recording: Name


@api.get("/recordings/<recording>", tags=TAG, responses={200: RecordingOut})
@door(*WRITING)
def read_recording(path: RecordingPath) -> Response:
    """One recording of one's own."""
    return answers.one(RecordingOut(**vars(own(path.recording))))


def own(recording: str) -> RecordingRow:
    """The recording, if the person of this token brought it. Raises WebError."""
    row = window().store.recordings.get(recording)
    if row is None or row.admitted_by != who().id:
        raise WebError("web.upload_unknown")
    return row


def _upload(name: str) -> UploadOut:
    return UploadOut(id=name, received_bytes=uploads().size(who().id, name), piece_bytes=MOST_PIECE_BYTES)
