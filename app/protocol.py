"""Uvicorn's HTTP/1.1 protocol with a limit on the size of headers, which its fast parser lacks."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.limits import HEADER_BYTES
from app.problems import MEDIA_TYPE, Problem


class Protocol(HttpToolsProtocol):
    """Responds to oversized or invalid headers with a problem document and closes the connection."""

    _complete = False  # whether all headers of the current request have been read
    _size = 0  # bytes of headers so far

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._complete and not self.transport.is_closing():
            self._size += len(data)
            if self._size > HEADER_BYTES:  # an endless header, which the parser has not reported yet
                self.send_400_response("")

    def on_message_begin(self) -> None:
        self._complete, self._size = False, 0
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
        self._complete, self._size = True, 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        problem = Problem(400, "The request is not valid HTTP/1.1. Use an HTTP library to send it.")
        if self._size > HEADER_BYTES:
            problem = Problem(431, f"The headers are over {HEADER_BYTES} bytes. Send fewer or shorter ones.")
        body = problem.response().body
        headers = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[problem.status] + headers.encode() + body)
        self.transport.close()
