"""The answer that carries a page names the scripts of its widgets."""

import asyncio
from pathlib import Path

import pytest
import streamlit

from app import preload

SCRIPTS = Path(streamlit.__file__).parent / "static/static/js"


def test_the_widgets_of_the_first_page_are_found_with_their_imports():
    names = preload.scripts()
    assert [name.partition(".")[0] for name in names[: len(preload.WIDGETS)]] == list(preload.WIDGETS)
    assert len(names) > 2 * len(preload.WIDGETS)
    assert all((SCRIPTS / name).is_file() for name in names)


@pytest.mark.parametrize(("kind", "n"), [(b"text/html; charset=utf-8", 1), (b"application/json", 0)])
def test_pages_alone_get_the_header(kind, n):
    sent = []

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    asyncio.run(preload.Hints(answer)({"type": "http"}, None, send))
    links = [value for name, value in sent[0]["headers"] if name == b"link"]
    assert len(links) == n
    assert all(b"FileUploader" in value and b"rel=modulepreload" in value for value in links)
