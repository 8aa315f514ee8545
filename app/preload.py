"""Scripts of the first page's widgets, named in the headers of the answer that carries the page: the browser loads them at once.

Streamlit's own script asks for those of a widget when it is first drawn: thirty small files, which a browser would fetch only
after the server has run the page (benchmarks/app.py). Names that Streamlit changes are left out, and nothing else happens.
"""

import functools
import re
from pathlib import Path

import streamlit
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WIDGETS = ("Html", "Selectbox", "ButtonGroup", "FileUploader")
IMPORTED = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


@functools.cache
def scripts() -> tuple[str, ...]:
    """Return the names of the widgets' scripts and of those that they import, without those that the page names itself."""
    folder = Path(streamlit.__file__).parent / "static"
    page = (folder / "index.html").read_text(encoding="utf-8")
    waiting = [path.name for name in WIDGETS for path in sorted((folder / "static/js").glob(f"{name}.*.js"))]
    names: dict[str, None] = {}
    for name in waiting:  # grows in the loop
        if name not in names and f"/{name}" not in page:
            names[name] = None
            waiting += IMPORTED.findall((folder / "static/js" / name).read_text(encoding="utf-8"))
    return tuple(names)


class Hints:
    """ASGI middleware that adds the header to pages."""

    def __init__(self, app: ASGIApp):
        self.app = app
        links = (f"<./static/js/{name}>; rel=modulepreload; crossorigin" for name in scripts())
        self.header = b"link", ", ".join(links).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hinted(message: Message) -> None:
            if message["type"] == "http.response.start" and is_page(message):
                message["headers"] = [*message["headers"], self.header]
            await send(message)

        await self.app(scope, receive, hinted if scope["type"] == "http" else send)


def is_page(message: Message) -> bool:
    """Return whether the start of a response is of a page."""
    return any(name.lower() == b"content-type" and value[:9] == b"text/html" for name, value in message["headers"])
