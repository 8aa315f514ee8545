"""The app: Streamlit's server on app/shell.py. Run: make app, or streamlit run app/main.py.

While the browser loads Streamlit's scripts, a thread imports the modules of the first page, which then appears 0.4 s sooner
(benchmarks/app.py).
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as in app/api.py

import importlib
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Match, Route
from starlette.types import Scope

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Streamlit adds only app/ to the path

from app import access, hosts

PAGES = ("compare", "data", "monitor", "retrain")  # besides the first
STREAMLITS = "_stcore|static|media|component|app|oauth2callback"  # what Streamlit serves


@asynccontextmanager
async def ready_first_page(_: Any) -> AsyncIterator[None]:
    """Import the first page in the background; flush the recorder when the app ends."""
    threading.Thread(target=importlib.import_module, args=("app.views.predict",), daemon=True).start()
    yield
    importlib.import_module("app.champions").recorder().flush()


class Name(StringConvertor):
    """The first part of an address, unless Streamlit serves something below it."""

    regex = f"(?!{STREAMLITS})[^/]+"


class Rest(StringConvertor):
    """What follows it. From /compare Streamlit also asks for /compare/_stcore, to find out below which path it is served."""

    regex = f"(?!{STREAMLITS}).*"


class Scripts(StringConvertor):
    """The folder of Streamlit's scripts and styles, below which it answers everything with its page."""

    regex = "(?:[^/]+/)?static"


class Visit(Route):
    """A route of what a browser opens as a page, and not of scripts and styles with the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return no match unless the request is for a page."""
        is_page = dict(scope.get("headers", [])).get(b"sec-fetch-dest") == b"document"
        return super().matches(scope) if is_page else (Match.NONE, {})


async def to_page(request: Request) -> RedirectResponse:
    """Lead an address below a page's to that page, others to the first page, which Streamlit gives no name."""
    name = request.path_params.get("page", "").split("/")[0].lower()
    path = f"/{name}" if name in PAGES else "/"
    return RedirectResponse(f"{path}?{request.url.query}" if request.url.query else path)


guarded = Middleware(hosts.OwnHost, allowed=access.options().allowed_hosts)
register_url_convertor("name", Name())
register_url_convertor("rest", Rest())
register_url_convertor("scripts", Scripts())
redirects = [
    Route("/predict", to_page),
    Route("/{page:name}/{rest:rest}", to_page),
    Visit("/{page:scripts}/{rest:path}", to_page),  # what is not there would be an empty page
]  # below a page Streamlit's stays empty
app = st.App("shell.py", lifespan=ready_first_page, middleware=[guarded], routes=redirects)
