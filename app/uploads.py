"""Multipart forms, parsed as they come and kept in memory only.

Not Starlette's form parser: that puts every upload over 1 MB on disk, under a name in the folder for temporary files.
"""

import logging

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app import limits
from app.problems import Problem

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its warnings quote what was sent
NAME_LENGTH = 255  # characters of a file's name that are sent back


class Form:
    """Takes the parser's events. `files` holds (name, bytes) of every part under the wanted field."""

    def __init__(self, field: str):
        self.field, self.files, self.other, self.ended = field, [], set(), False
        self._parts = 0
        self._header, self._headers = (b"", b""), {}
        self._name, self._chunks, self._size = None, None, 0

    def on_part_begin(self) -> None:
        self._headers, self._chunks, self._size = {}, None, 0
        self._parts += 1
        if self._parts > limits.FILES:  # of any field: each costs time
            raise Problem(413, f"The form has over {limits.FILES} parts. Send the files in several requests.")

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = self._header[0] + data[start:end], b""

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = self._header[0], self._header[1] + data[start:end]

    def on_header_end(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = b"", b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field != self.field:
            self.other.add(field[:NAME_LENGTH])
            return
        self._name = options.get(b"filename", b"").decode("utf-8", "replace")[:NAME_LENGTH]
        self._chunks = []

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._chunks is None:
            return
        self._size += end - start
        if self._size > limits.FILE_BYTES:
            raise limits.too_large("A file", limits.FILE_BYTES)
        self._chunks.append(data[start:end])

    def on_part_end(self) -> None:
        if self._chunks is not None:
            self.files.append((self._name or f"file {len(self.files) + 1}", b"".join(self._chunks)))
            self._chunks = None

    def on_end(self) -> None:
        self.ended = True


EVENTS = [name for name in vars(Form) if name.startswith("on_")]


async def read_files(request: Request, field: str, ticket: limits.Ticket) -> list[tuple[str, bytes]]:
    """Return name and bytes of the files that a multipart request carries under `field`, at least one.

    Raises Problem: 415 for another content type, 413 over a limit, 422 for a damaged form or one without the field.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Problem(
            415,
            f"Found {said(kind)}; expected multipart/form-data with the pictures under the field '{field}', "
            f"for instance: curl -F {field}=@picture.jpg",
        )
    form = Form(field)
    try:
        parser = MultipartParser(boundary, {event: getattr(form, event) for event in EVENTS})
        async for chunk in limits.chunks(request, ticket, limits.BODY_BYTES):
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Problem(422, f"The multipart form is damaged ({error}). Let a library write it.") from None
    if not form.ended:
        raise Problem(422, "The multipart form ends before its closing boundary: it was cut off. Send it again.")
    if not form.files:
        found = ", ".join(map(repr, sorted(form.other))) or "none"
        raise Problem(422, f"The form has no field '{field}'; it has: {found}. Send the pictures under '{field}'.")
    return form.files


def said(kind: bytes) -> str:
    """Return a content type for an error."""
    return f"the content type {kind[:80].decode('utf-8', 'replace')!r}" if kind else "no content type"
