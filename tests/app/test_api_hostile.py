"""Whatever is sent, the answer is a 2xx or a 4xx with a reason, and the server goes on answering."""

import functools
import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.dicom import dataset, dicom, in_syntax
from tests.helpers.samples import chunk, encoded, noise, png_header
from tests.helpers.serving import BOUNDARY, GOOD, MULTIPART, ROW, Client, form

JPEG, PNG, BMP, TIFF, WEBP = (encoded(noise(3), kind) for kind in ("JPEG", "PNG", "BMP", "TIFF", "WEBP"))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
ZEROS = zlib.compress(bytes(50_000_000), 9)
HTML = b"<!doctype html><html><body><img src=x onerror=alert(1)></body></html>"


@pytest.fixture(scope="module", autouse=True)
def kept_files(server):
    """Nothing that was sent is kept: new files hold counts, with names of classes and numbers."""
    before = {path for path in Path().rglob("*") if path.is_file()}
    yield
    new = {path for path in Path().rglob("*") if path.is_file()} - before
    assert {path.parent.parent.as_posix() for path in new} <= {"data/monitor"}
    for path in new:
        bundles = json.loads(path.read_bytes() or b"{}").get("bundles", {})
        assert all(set(counts["answers"]) <= {"benign", "malignant"} for counts in bundles.values())


def check(server: Client, status: int, content: object) -> None:
    """Fail unless the answer is a 2xx, or a 4xx with a reason, without a traceback, and the server still answers."""
    assert 200 <= status < 300 or 400 <= status < 500, (status, content)
    assert "Traceback" not in str(content)
    if status >= 400:
        assert content["status"] == status
        assert len(content["detail"]) > 20
    assert server.get("/healthz")[0] == 200


# Files


def resized(data: bytes, offset: int, form: str, *sizes: int) -> bytes:
    """Return a file whose header says another size."""
    packed = struct.pack(form, *sizes)
    return data[:offset] + packed + data[offset + len(packed) :]


def animated(kind: str) -> bytes:
    frames, out = [noise(seed) for seed in range(3)], io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", data)
    return out.getvalue()


def flipped(data: bytes, seed: int) -> bytes:
    """Return `data` with twenty bytes changed."""
    rng, changed = random.Random(seed), bytearray(data)
    for _ in range(20):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


GREYS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
DICOM = dicom(GREYS, BitsStored=12, PatientName="Doe^Jane")
BEFORE_PIXELS = DICOM[: DICOM.index(b"\xe0\x7f\x10\0")]
JPEG_2000 = in_syntax(dataset(GREYS), "JPEG 2000")
WHOLE = {"jpeg": JPEG, "png": PNG, "bmp": BMP, "tiff": TIFF, "webp": WEBP, "dicom": DICOM, "dicom jpeg 2000": JPEG_2000}
FRAME = JPEG.index(b"\xff\xc0") + 5  # where a JPEG's header holds height and width
FILES = {
    **{
        f"{name} cut at {part}/7": data[: len(data) * part // 7] for name, data in WHOLE.items() for part in range(1, 7)
    },
    **{f"{name} damaged {seed}": flipped(data, seed) for name, data in WHOLE.items() for seed in range(6)},
    **{f"{name} twice": data * 2 for name, data in WHOLE.items()},
    **{f"{name} as {other}": data + WHOLE[other] for name, data in WHOLE.items() for other in ("png",)},
    **{f"dicom {name}": dicom(GREYS, **{name: 65_535}) for name in ("Rows", "Columns", "NumberOfFrames", "BitsStored")},
    "dicom of 65535 x 65535": dicom(GREYS, Rows=65_535, Columns=65_535),
    "dicom with 99999 frames": dicom(GREYS, NumberOfFrames=99_999),
    "dicom without pixels": dicom(GREYS, PixelData=None),
    "dicom of nothing": bytes(128) + b"DICM",
    "dicom in sequences": DICOM[:400]
    + (b"\x08\x00\x40\x11SQ\0\0" + b"\xff" * 4 + b"\xfe\xff\x00\xe0" + b"\xff" * 4) * 9_000,
    "dicom palette bomb": dicom(
        GREYS,
        PhotometricInterpretation="PALETTE COLOR",
        **{f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")},
        **{
            f"Segmented{colour}PaletteColorLookupTableData": b"\0\0\1\0\5\0" + b"\1\0\xff\xff\7\0" * 20_000
            for colour in ("Red", "Green", "Blue")
        },
    ),
    "dicom deflate bomb": b"",  # of `deflate_bomb`, which takes seconds: made where it is sent
    "dicom element without end": DICOM + b"\x09\x00\x01\x00UN\0\0" + b"\xff" * 4,
    "dicom length beyond the file": BEFORE_PIXELS + b"\x09\x00\x01\x00OB\0\0\xf0\xff\xff\xff" + bytes(99),
    "empty": b"",
    "one byte": b"\xff",
    "zero bytes": bytes(10_000),
    "ones": b"\xff" * 10_000,
    "random": random.Random(1).randbytes(10_000),
    "bomb png": png_header(60_000, 60_000, bytes(5_000_000)),
    "bomb png 2**31": png_header(2**31 - 1, 2**31 - 1),
    "bomb png wide": png_header(2**31 - 1, 16),
    "bomb png of 49 megapixels without them": png_header(7000, 7000, bytes(1000)),
    "bomb jpeg": resized(JPEG, FRAME, ">HH", 65_535, 65_535),
    "bomb bmp": resized(BMP, 18, "<ii", 2**30, 2**30),
    "negative bmp": resized(BMP, 18, "<ii", -60, -40),
    "bomb text chunk": png_header(60, 40, extra=chunk(b"zTXt", b"a\0\0" + ZEROS)),
    "bomb profile": png_header(60, 40, extra=chunk(b"iCCP", b"a\0\0" + ZEROS)),
    "png of 0x0": png_header(0, 0),
    "png of 1x1": encoded(noise(0, 1, 1)),
    "png of 15x200": encoded(noise(0, 15, 200)),
    "png of 16x3000": encoded(noise(0, 16, 3000)),
    "png of depth 255": png_header(60, 40, depth=255),
    "png of colour 99": png_header(60, 40, colour=99),
    "png without data": png_header(60, 40),
    "png with too much data": png_header(60, 40, bytes(5_000_000)),
    "png with a chunk of 2 GB": PNG[:33] + struct.pack(">I", 2**31 - 1) + b"IDAT",
    "jpeg without frames": b"\xff\xd8\xff\xd9",
    "jpeg of markers": b"\xff\xd8" + b"\xff\xe1\x00\x02" * 5000,
    "jpeg with broken exif": JPEG[:2] + b"\xff\xe1\x00\x10Exif\0\0MM\0*\xff\xff\xff\xff" + JPEG[2:],
    "jpeg behind a comment": JPEG[:2] + b"\xff\xfe\xff\xff" + b"<?php system($_GET[0]); ?>" * 2520 + JPEG[2:],
    "tiff of a loop": b"II*\0\x08\0\0\0\x00\x00\x08\0\0\0",
    "tiff with a far directory": b"II*\0\xff\xff\xff\x7f",
    "tiff of many entries": b"II*\0\x08\0\0\0\xff\xff" + b"\x00\x01\x04\0\xff\xff\xff\xff\0\0\0\0" * 5000,
    "bigtiff": b"II+\0\x08\0\0\0" + b"\xff" * 100,
    "webp header alone": b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
    "animated gif": animated("GIF"),
    "animated webp": animated("WEBP"),
    "animated tiff": animated("TIFF"),
    "animated png": animated("PNG"),
    "gif": encoded(noise(0), "GIF"),
    "ico": encoded(noise(0), "ICO"),
    "ppm": encoded(noise(0), "PPM"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(/etc/passwd) (r) file\n",
    "pdf": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert)>>>>\n" + bytes(500),
    "svg": SVG,
    "svg with entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>',
    "html": HTML,
    "php": b"<?php phpinfo(); ?>",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "elf": b"\x7fELF\x02\x01\x01" + bytes(1000),
    "exe": b"MZ" + bytes(1000),
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "zip": zipped(bytes(5_000_000)),
    "gzip": gzip.compress(bytes(5_000_000)),
    "dicom": bytes(128) + b"DICM" + bytes(1000),
    "nifti": bytes(344) + b"n+1\0",
    "csv": b"path,label\n../../etc/passwd,benign\n",
    "json": json.dumps({"rows": [ROW]}).encode(),
    "a boundary": f"\r\n--{BOUNDARY}".encode() * 10,
    "a closing boundary": f"\r\n--{BOUNDARY}--\r\n".encode(),
    "polyglot jpeg and zip": JPEG + zipped(b"<script>"),
    "polyglot png and html": PNG + HTML,
    "polyglot jpeg and pdf": JPEG[:2] + b"\xff\xfe\x00\x0a%PDF-1.7" + JPEG[2:],
    "polyglot gif and script": b"GIF89a/*" + bytes(50) + b"*/=alert(1)",
    "polyglot bmp and script": b"BM/*" + bytes(50) + b"*/=alert(1)",
    "16 bit": encoded(Image.new("I;16", (60, 40), 40_000), "PNG"),
    "cmyk": encoded(Image.new("CMYK", (60, 40)), "JPEG"),
    "float tiff of NaN": encoded(Image.new("F", (60, 40), float("nan")), "TIFF"),
    "float tiff of infinities": encoded(Image.new("F", (60, 40), float("inf")), "TIFF"),
}


@functools.cache
def deflate_bomb() -> bytes:
    """Return a DICOM file of 500 KB that would be unpacked to over 500 MB."""
    return in_syntax(dataset(np.zeros((16_000, 16_000), np.uint16)), "deflated")


@pytest.mark.parametrize("path", ["/v1/tasks/skin/predict", "/predict/"])
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_answered_or_refused_with_a_reason(server, name, path):
    data = deflate_bomb() if name == "dicom deflate bomb" else FILES[name]
    status, content, _ = server.send(path, (name, data), field="files" if "v1" in path else "file")
    check(server, status, content)
    if status == 200:
        assert all(item["class"] or item["reason"] for item in content["predictions"])


# Names


NAMES = [
    "../../../etc/passwd", "..\\..\\windows\\system32\\x.dll", "/etc/passwd", "C:\\boot.ini", "\\\\server\\share\\x.png",
    "file:///etc/passwd", "http://169.254.169.254/latest", "models/skin/best/bundle.json", ".", "..", "", " ", "a\0b.png",
    "CON", "NUL.png", "x.png;rm -rf /", "$(id)", "`id`", "|id", "{{7*7}}", "${jndi:ldap://x/a}", "%00", "%2e%2e%2f", "a" * 3000,
    "<script>alert(1)</script>.png", "'; DROP TABLE x; --", '"quoted".png', "\u202egnp.exe", "\ud800.png", "图.png", "a\tb.png",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_only_ever_sent_back(server, name):
    status, content, headers = server.send("/v1/tasks/skin/predict", (name, GOOD))
    check(server, status, content)
    assert status == 200
    assert headers["content-type"] == "application/json"  # never HTML, whatever the name


# Forms

PART = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
START = f"--{BOUNDARY}\r\n".encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()
FORMS = {
    "empty": b"",
    "no boundary in it": b"hello",
    "only the start": START,
    "no end": START + PART + GOOD,
    "only the end": END,
    "end twice": START + PART + GOOD + END + END,
    "bytes after the end": START + PART + GOOD + END + b"x" * 1000,
    "bytes before the start": b"x" * 1000 + b"\r\n" + START + PART + GOOD + END,
    "no headers": START + b"\r\n" + GOOD + END,
    "no name": START + b"Content-Disposition: form-data\r\n\r\n" + GOOD + END,
    "no disposition": START + b"Content-Type: image/png\r\n\r\n" + GOOD + END,
    "empty name": START + b'Content-Disposition: form-data; name=""\r\n\r\n' + GOOD + END,
    "name twice": START + b'Content-Disposition: form-data; name="a"; name="files"\r\n\r\n' + GOOD + END,
    "other disposition": START + b'Content-Disposition: attachment; name="files"\r\n\r\n' + GOOD + END,
    "broken quotes": START + b'Content-Disposition: form-data; name="files; filename="\r\n\r\n' + GOOD + END,
    "header without colon": START + b"nonsense\r\n\r\n" + GOOD + END,
    "header of zero bytes": START + bytes(100) + b"\r\n\r\n" + GOOD + END,
    "huge header": START + b"X: " + b"a" * 100_000 + b"\r\n" + PART + GOOD + END,
    "hundred headers": START + b"X: a\r\n" * 100 + PART + GOOD + END,
    "base64": START + b"Content-Transfer-Encoding: base64\r\n" + PART + b"AAAA" + END,
    "bare line feeds": (START + PART + GOOD + END).replace(b"\r\n", b"\n"),
    "nested": START + b"Content-Type: multipart/mixed; boundary=y\r\n" + PART + b"--y\r\n\r\nx\r\n--y--" + END,
    "forty parts": b"\r\n".join([START + PART + b"x"] * 40) + END,
    "thousand other fields": b"\r\n".join([START + b'Content-Disposition: form-data; name="a"\r\n\r\nx'] * 1000) + END,
    "a field of text": START + b'Content-Disposition: form-data; name="files"\r\n\r\n../../etc/passwd' + END,
    "extended name": START
    + b"Content-Disposition: form-data; name=\"files\"; filename*=UTF-8''%00\r\n\r\n"
    + GOOD
    + END,
}


@pytest.mark.parametrize("name", FORMS)
def test_a_hostile_form_is_answered_or_refused_with_a_reason(server, name):
    status, content, _ = server.ask("POST", "/v1/tasks/skin/predict", FORMS[name], content_type=MULTIPART)
    check(server, status, content)


TYPES = [
    "", "text/plain", "text/html", "image/png", "application/octet-stream", "application/x-www-form-urlencoded",
    "application/xml", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
    "multipart/mixed; boundary=" + BOUNDARY, "multipart/form-data; boundary=" + "a" * 5000,
    'multipart/form-data; boundary="', "multipart/form-data; boundary=\x7f", "application/json; charset=utf-7", "*/*",
    "a" * 5000, ";;;;", "application/json, multipart/form-data", "multipart/form-data; boundary=ü",
]  # fmt: skip


@pytest.mark.parametrize("task", ["skin", "patients"])
@pytest.mark.parametrize("content_type", TYPES)
def test_a_wrong_content_type_is_refused_with_the_one_expected(server, content_type, task):
    sent = content_type.encode("latin-1").decode("latin-1")
    status, content, _ = server.ask("POST", f"/v1/tasks/{task}/predict", form(("a.png", GOOD)), content_type=sent)
    check(server, status, content)
    assert status in (400, 415, 422)


# Rows


def cell(value: str) -> bytes:
    """Return a body with one row whose age is `value`, as it stands."""
    return json.dumps({"rows": [ROW]}).replace("61.5", value).encode()


BODIES = {
    **{f"age {value}": cell(value) for value in (
        "NaN", "Infinity", "-Infinity", "null", "true", '"NaN"', '"inf"', '"-Infinity"', '""', "1e999", "-1e999", "1e-999",
        "1" * 400, "9" * 5000, '"1_000"', '"0x10"', '"1,5"', "[]", "{}", "[[[[]]]]", '{"a": {"b": 1}}', '"' + "x" * 100_000 + '"',
        '"\\u0000"', '"\\ud800"', '"<script>"', '"=cmd()"', "-0.0", "1e308", '"٣"', '" 5 "', "01", "+1",
        "0x1", "'1'", "undefined",
    )},
    "nothing": b"",
    "blank": b"  ",
    "null": b"null",
    "a number": b"5",
    "a text": b'"rows"',
    "a list": b"[]",
    "no rows": b"{}",
    "rows null": b'{"rows": null}',
    "rows empty": b'{"rows": []}',
    "rows a dict": b'{"rows": {"age": 1}}',
    "rows of lists": b'{"rows": [[1, 2]]}',
    "rows of null": b'{"rows": [null]}',
    "an empty row": b'{"rows": [{}]}',
    "rows twice": b'{"rows": [], "rows": [{}]}',
    "cut": cell("1")[:-10],
    "deep lists": b'{"rows": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep dicts": b'{"rows": [' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
    "too many rows": json.dumps({"rows": [{}] * 5000}).encode(),
    "many columns": json.dumps({"rows": [{str(number): number for number in range(50_000)}]}).encode(),
    "long column": json.dumps({"rows": [{"a" * 1_000_000: 1}]}).encode(),
    "too large": b'{"rows": "' + b"a" * 3_000_000 + b'"}',
    "not UTF-8": b'{"rows": [{"age": "\xff\xfe"}]}',
    "UTF-16": json.dumps({"rows": [ROW]}).encode("utf-16"),
    "with a BOM": b"\xef\xbb\xbf" + cell("1"),
    "zero bytes": bytes(1000),
    "xml": b"<rows><row/></rows>",
    "pickle": b"\x80\x04N.",
    "prototype": b'{"rows": [{"__proto__": {"a": 1}, "constructor": 1}]}',
    "a column of control signs": b'{"rows": [{"\\u0000\\u001b[31m": 1}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_hostile_rows_are_answered_or_refused_with_a_reason(server, name):
    status, content, _ = server.ask("POST", "/v1/tasks/patients/predict", BODIES[name], content_type="application/json")
    check(server, status, content)
    if status == 200:
        assert all(item["class"] or item["reason"] for item in content["predictions"])


# Addresses and HTTP itself

PATHS = [
    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/tasks/..%2f..%2fetc", "/v1/tasks/%00", "/v1/tasks/" + "a" * 20_000,
    "/v1/tasks/skin/../../..", "//v1//tasks", "/v1/tasks/skin%0d%0aX: y", "/v1/tasks/%F0%9F", "/v1/tasks/{task}", "/v1/tasks/*",
    "/v1/tasks/skin/predict", "/static/../app/api.py", "/.git/config", "/models/skin/best/model.joblib", "/docs/../../x",
    "/v1/tasks?a=" + "b" * 20_000, "/v1/tasks/skin;x=1", "/V1/TASKS", "/v1/tasks/<script>alert(1)</script>", "/%", "/?%zz",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_hostile_address_is_answered_or_refused_with_a_reason(server, path):
    answer = server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status, content = parsed(answer)
    check(server, status, content)
    assert b"root:" not in answer


def parsed(answer: bytes) -> tuple[int, object]:
    """Return the status of a raw answer and its JSON."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), answer[:200]
    return int(head.split()[1]), json.loads(body) if body and b"json" in head else body


REQUESTS = {
    "not HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    "zero bytes": bytes(1000),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": b"GET / HTTP/9.9\r\n\r\n",
    "unknown method": b"HACK /predict/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "connect": b"CONNECT evil:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "options *": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "absolute address": b"GET http://evil/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "negative length": b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    "length of letters": b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
    "endless length": b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two lengths": b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "length and chunks": b"POST /predict/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "broken chunk": b"POST /v1/tasks/patients/predict HTTP/1.1\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "gzip": b"POST /v1/tasks/patients/predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Connection: close\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
    "header with zero": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "header without colon": b"GET /healthz HTTP/1.1\r\nnonsense\r\n\r\n",
    "header with a space": b"GET /healthz HTTP/1.1\r\nX : a\r\n\r\n",
    "folded header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
    "huge header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 60_000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
    "huge address": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n\r\n",
    "upgrade": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: close, upgrade\r\n\r\n",
    "expect nonsense": b"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nExpect: 200-maybe\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n",
    "head": b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_malformed_http_is_answered_or_refused_with_a_reason(server, name):
    head = REQUESTS[name].startswith((b"HEAD", b"CONNECT"))
    status, content = parsed(server.raw(REQUESTS[name], seconds=5))
    check(server, status, {"status": status, "detail": "an answer without a body" * 2} if head else content)


def test_the_promise_is_kept_for_over_two_hundred_inputs():
    assert len(FILES) * 2 + len(NAMES) + len(FORMS) + len(TYPES) * 2 + len(BODIES) + len(PATHS) + len(REQUESTS) > 400
