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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Streamlit adds only app/ to the path

from app import access, hosts


@asynccontextmanager
async def ready_first_page(_: Any) -> AsyncIterator[None]:
    """Import the first page in the background; flush the recorder when the app ends."""
    threading.Thread(target=importlib.import_module, args=("app.views.predict",), daemon=True).start()
    yield
    importlib.import_module("app.champions").recorder().flush()


guarded = Middleware(hosts.OwnHost, allowed=access.options().allowed_hosts)
app = st.App("shell.py", lifespan=ready_first_page, middleware=[guarded])
