"""Uvicorn's HTTP/1.1 protocol with a limit on the size of headers, which its fast parser lacks.

Uvicorn itself sends a 400 at once, before the responses to the requests before it.
"""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.limits import HEADER_BYTES
from app.problems import MEDIA_TYPE, Problem


class Protocol(HttpToolsProtocol):
    """Responds to oversized or invalid requests with a problem document and closes the connection.

    Valid requests that came before on the same connection (pipelining) are answered first.
    """

    _in_headers = False  # whether a request has begun whose headers are not complete
    _in_body = False  # whether the headers of the current request have been read, and its body not yet
    _n_begun = 0  # requests that have begun on this connection
    _size = 0  # bytes of the current request's headers that the parser has reported
    _unreported = 0  # bytes since it began that held nothing else: the parser reports a header when it is complete
    _unanswered = 0  # requests whose headers were read, and which have no complete response
    _last_words = b""  # the response to an invalid request, sent after those to the requests before it

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), HEADER_BYTES):
            self._read(data[start : start + HEADER_BYTES])

    def _read(self, data: bytes) -> None:
        if self.transport.is_closing() or self._last_words:
            return
        before = self._n_begun if self._in_headers else None
        super().data_received(data)
        if self._in_headers and self._n_begun == before and not self.transport.is_closing() and not self._last_words:
            self._unreported += len(data)
            if self._unreported > HEADER_BYTES:
                self.send_400_response("")

    def on_message_begin(self) -> None:
        self._in_headers, self._n_begun = True, self._n_begun + 1
        self._size = self._unreported = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > HEADER_BYTES:
            raise ValueError("too large")  # the parser stops, and `send_400_response` is called

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_headers, self._in_body, self._unanswered = False, True, self._unanswered + 1
        self._size = self._unreported = 0

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._unanswered -= 1
        super().on_response_complete()
        if self._last_words and not self._unanswered:
            self._end(self._last_words)

    def send_400_response(self, msg: str) -> None:
        problem = Problem(400, "The request is not valid HTTP/1.1. Use an HTTP library to send it.")
        if max(self._size, self._unreported) > HEADER_BYTES:
            problem = Problem(431, f"The headers are over {HEADER_BYTES} bytes. Send fewer or shorter ones.")
        body = problem.response().body
        headers = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        response = STATUS_LINE[problem.status] + headers.encode() + body
        if self._in_body and not self.cycle.response_complete:
            self._give_up()
        if self._unanswered:
            self._last_words = response
        else:
            self._end(response)

    def _give_up(self) -> None:
        """Take back the request whose body is invalid: it is not started, or learns that its client left."""
        self._unanswered -= 1
        waiting = [entry for entry in self.pipeline if entry[0] is self.cycle]
        if waiting:
            self.pipeline.remove(waiting[0])
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _end(self, response: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(response)
            self.transport.close()
