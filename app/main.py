"""The app: Streamlit's server on app/shell.py. Run: make app, or streamlit run app/main.py.

While the browser still fetches Streamlit's own scripts, a thread imports what the first page needs, which is 0.4 s sooner there
(see benchmarks/app.py).
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as in app/api.py: the same sums in the same order

import importlib
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # streamlit puts only app/ on the path


@asynccontextmanager
async def ready_first_page(_: Any) -> AsyncIterator[None]:
    """Start the import of the first page beside the server; at the end write what was counted last."""
    threading.Thread(target=importlib.import_module, args=("app.views.predict",), daemon=True).start()
    yield
    importlib.import_module("app.champions").recorder().flush()


app = st.App("shell.py", lifespan=ready_first_page)
