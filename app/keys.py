"""Authentication by keys from ASSAY_API_KEYS, sent as 'Authorization: Bearer KEY'."""

import hashlib
import hmac
import ipaddress

from app.problems import Problem

# for probes, and for readers of the documentation
OPEN = ("/healthz", "/readyz", "/docs", "/openapi.json")
OPEN_FOLDER = "/static-offline-docs/"  # scripts of /docs


def parse(text: str) -> list[bytes]:
    """Return the hashes of comma-separated keys. An empty list turns authentication off."""
    return [digest(key.strip().encode()) for key in text.split(",") if key.strip()]


def digest(key: bytes) -> bytes:
    """Return a key's SHA-256, which is stored and compared instead of the key."""
    return hashlib.sha256(key).digest()


def check(keys: list[bytes], path: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Raise a 401 unless there are no keys, the path is open or a header carries one of the keys."""
    if not keys or path in OPEN or path.startswith(OPEN_FOLDER):
        return
    given = sent(headers)
    # Compare every key in constant time, so that the duration reveals nothing about them.
    known = [hmac.compare_digest(given, expected) for expected in keys]
    if not given or not any(known):
        raise Problem(
            401,
            "A key is needed: send the header 'Authorization: Bearer KEY' with one of the server's ASSAY_API_KEYS.",
            {"WWW-Authenticate": "Bearer"},
        )


def sent(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the hash of the key in a request's headers; b"" if there is none, or several of which each may be meant."""
    given = [value for name, value in headers if name == b"authorization"]
    scheme, _, key = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
    return digest(key.strip()) if scheme.lower() == b"bearer" else b""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
