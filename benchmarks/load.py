"""A load generator that costs little, because it shares the cores with the server: prebuilt bytes over raw connections.

    python -m benchmarks.load PORT PICTURE --connections N (--seconds S | --requests N)

Every connection sends its next request as soon as it has an answer, whatever that is. Prints JSON: answers by status, how
many 503 lacked Retry-After, unanswered requests, seconds, and the latencies (ms) of what was answered with 200.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

BOUNDARY = "assay-load"


def request(image: bytes, port: int, path: str = "/predict/") -> bytes:
    """Return a whole HTTP request that posts an image under the field `file`."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + image + f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Tally:
    """What all connections saw."""

    def __init__(self, requests: int, end: float):
        self.left, self.end = requests, end
        self.statuses: dict[str, int] = {}
        self.without_retry, self.unanswered, self.latencies = 0, 0, []

    def goes_on(self) -> bool:
        """Whether another request is to be sent."""
        self.left -= 1
        return self.left >= 0 and time.perf_counter() < self.end


class Connection(asyncio.Protocol):
    """Sends a request after the other."""

    def __init__(self, data: bytes, tally: Tally):
        self.data, self.tally, self.buffer = data, tally, b""
        self.start, self.over = 0.0, asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        """Send one more, or close."""
        if not self.tally.goes_on():
            self.start = 0.0
            return self.transport.close()
        self.start = time.perf_counter()
        self.transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        if len(body) < int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        self.buffer, status = b"", head[9:12].decode()
        self.tally.statuses[status] = self.tally.statuses.get(status, 0) + 1
        if status == "200":
            self.tally.latencies.append((time.perf_counter() - self.start) * 1000)
        elif b"retry-after:" not in lower:
            self.tally.without_retry += 1
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        self.tally.unanswered += self.start > 0
        if not self.over.done():
            self.over.set_result(None)


async def run(port: int, data: bytes, connections: int, seconds: float, requests: int) -> dict:
    """Send requests for so many seconds, or so many of them; return what the answers were."""
    loop, start = asyncio.get_running_loop(), time.perf_counter()
    tally, made = Tally(requests, start + seconds), []
    for _ in range(connections):
        made.append((await loop.create_connection(lambda: Connection(data, tally), "127.0.0.1", port))[1])
    _, late = await asyncio.wait([connection.over for connection in made], timeout=seconds + 60)
    tally.unanswered += len(late)
    return {
        "statuses": tally.statuses,
        "without_retry": tally.without_retry,
        "unanswered": tally.unanswered,
        "seconds": time.perf_counter() - start,
        "latencies": sorted(round(ms, 2) for ms in tally.latencies),
    }


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.load")
    parser.add_argument("port", type=int)
    parser.add_argument("image", type=Path)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--requests", type=int, default=10**9)
    given = parser.parse_args()
    data = request(given.image.read_bytes(), given.port)
    try:
        import uvloop as loops
    except ImportError:  # Windows
        loops = asyncio
    print(json.dumps(loops.run(run(given.port, data, given.connections, given.seconds, given.requests))))


if __name__ == "__main__":
    main()
