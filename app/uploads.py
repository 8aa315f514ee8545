"""Multipart forms with images and clinical columns, parsed as a stream and kept in memory only.

Starlette's form parser does not limit the size of a file, accepts a truncated form, writes files over 1 MB to disk and takes
10 % more CPU time per request (benchmarks/serve.py).
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app import limits
from app.problems import Problem
from pipeline.prediction.predictor import Sample

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its warnings quote the request
NAME_LENGTH = 255  # characters of a file name in a response


class Form:
    """Handles the parser's events.

    `files` has (name, bytes) of every part under `field`, `values` the texts under each of `columns`, in order.
    """

    def __init__(self, field: str, columns: Sequence[str] = (), most: int = limits.FILES):
        self.field, self.ended, self.most = field, False, most
        self.files: list[tuple[str, bytes]] = []
        self.other: set[str] = set()
        self.values: dict[str, list[str]] = {name: [] for name in columns}
        self._most_parts = most * (1 + len(columns))
        self._parts = 0
        self._header = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._name, self._size = "", 0
        self._column: str | None = None
        self._chunks: list[bytes] | None = None  # None while a part is read that nobody asked for

    def on_part_begin(self) -> None:
        self._headers, self._chunks, self._size, self._column = {}, None, 0, None
        self._parts += 1
        if self._parts > self._most_parts:  # of any field, because each takes time
            raise Problem(413, f"The form has over {self._most_parts} parts. Send the files in several requests.")

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
        if field in self.values:
            self._column, self._chunks = field, []
            return
        if field != self.field:
            self.other.add(field[:NAME_LENGTH])
            return
        if len(self.files) == self.most:
            raise Problem(413, f"The form has over {self.most} files. Send them in several requests.")
        self._name = options.get(b"filename", b"").decode("utf-8", "replace")[:NAME_LENGTH]
        self._chunks = []

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._chunks is None:
            return
        self._size += end - start
        if self._column and self._size > limits.VALUE_BYTES:
            raise Problem(413, f"The field {self._column!r} is over {limits.VALUE_BYTES} bytes. Send one value.")
        if self._size > limits.FILE_BYTES:
            raise limits.too_large("A file", limits.FILE_BYTES)
        self._chunks.append(data[start:end])

    def on_part_end(self) -> None:
        if self._chunks is None:
            return
        data, self._chunks = b"".join(self._chunks), None
        if self._column:
            self.values[self._column].append(data.decode("utf-8", "replace"))
        else:
            self.files.append((self._name or f"file {len(self.files) + 1}", data))

    def on_end(self) -> None:
        self.ended = True

    def callbacks(self) -> "MultipartCallbacks":
        """Return the handlers by event."""
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_end": self.on_end,
        }


async def read_files(
    request: Request, field: str, ticket: limits.Ticket, columns: Sequence[str] = (), most: int = limits.FILES
) -> list[tuple[str, Sample]]:
    """Return name and bytes of the files that a multipart request carries under `field`, at least one and at most `most`.

    If the model takes clinical `columns`, the data are (bytes, row): each column is a form field, sent once for all files or
    once for each, in order. Fields that nobody asked for go with them, empty, so that the answer can name them. Raises Problem:
    415 for another content type, 413 over a limit, 422 for a damaged form or one without the field or a column.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Problem(
            415,
            f"Found {describe(kind)}; expected multipart/form-data with the images under the field '{field}', "
            f"for instance: curl -F {field}=@image.jpg",
        )
    form = Form(field, columns, most)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for chunk in limits.chunks(request, ticket, limits.BODY_BYTES):
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Problem(422, f"The multipart form is damaged ({error}). Use an HTTP library to send it.") from None
    if not form.ended:
        raise Problem(422, "The multipart form ends before its closing boundary. Send it again.")
    if not form.files:
        fields = ", ".join(map(repr, sorted(form.other))) or "none"
        raise Problem(422, f"The form has no field '{field}'; it has: {fields}. Send the images under '{field}'.")
    return with_columns(form) if columns or form.other else list(form.files)


def with_columns(form: Form) -> list[tuple[str, Sample]]:
    """Return name and (bytes, row) of each file; raise a 422 if a column is missing or has the wrong number of values."""
    n = len(form.files)
    absent = [name for name, values in form.values.items() if not values]
    if absent:
        raise Problem(
            422,
            f"The form has no field {', '.join(map(repr, absent))}. The model also takes the clinical columns "
            f"{', '.join(form.values)}: send each, empty if unknown, for instance -F {absent[0]}=",
        )
    for name, values in form.values.items():
        if len(values) not in (1, n):
            raise Problem(
                422,
                f"The form has {len(values)} values of {name!r} for {n} images: send one for all images, or one for each, in "
                "their order.",
            )
    unused = dict.fromkeys(sorted(form.other), "")
    rows = [unused | {name: values[k % len(values)] for name, values in form.values.items()} for k in range(n)]
    return [(name, (data, row)) for (name, data), row in zip(form.files, rows, strict=True)]


def describe(kind: bytes) -> str:
    """Return a content type in words."""
    return f"the content type {kind[:80].decode('utf-8', 'replace')!r}" if kind else "no content type"
