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
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Streamlit adds only app/ to the path

from app import access, hosts


@asynccontextmanager
async def ready_first_page(_: Any) -> AsyncIterator[None]:
    """Import the first page in the background; flush the recorder when the app ends."""
    threading.Thread(target=importlib.import_module, args=("app.views.predict",), daemon=True).start()
    yield
    importlib.import_module("app.champions").recorder().flush()


async def to_first_page(request: Request) -> RedirectResponse:
    """Lead the address that the first page has by its name to the one that Streamlit gives it."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/")


guarded = Middleware(hosts.OwnHost, allowed=access.options().allowed_hosts)
redirects = [Route(path, to_first_page) for path in ("/predict", "/predict/{rest:path}")]
app = st.App("shell.py", lifespan=ready_first_page, middleware=[guarded], routes=redirects)
