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
from starlette.routing import Route

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


async def to_page(request: Request) -> RedirectResponse:
    """Lead an address below a page's to that page, others to the first page, which Streamlit gives no name."""
    name = request.path_params.get("page", "").lower()
    path = f"/{name}" if name in PAGES else "/"
    return RedirectResponse(f"{path}?{request.url.query}" if request.url.query else path)


guarded = Middleware(hosts.OwnHost, allowed=access.options().allowed_hosts)
register_url_convertor("name", Name())
register_url_convertor("rest", Rest())
redirects = [
    Route("/predict", to_page),
    Route("/{page:name}/{rest:rest}", to_page),
]  # below a page Streamlit's stays empty
app = st.App("shell.py", lifespan=ready_first_page, middleware=[guarded], routes=redirects)
