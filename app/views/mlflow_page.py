"""Link to MLflow's comparison of a task's runs, or how to start MLflow if it does not run."""

import json
import os
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import streamlit as st

from pipeline.tracking import names

LOCAL = "http://127.0.0.1:5000"  # of 'make ui'
WAIT = 0.3  # s to wait for a server on this machine
FOUND = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
PAGE = "/#/experiments/{}/runs?workflowType=machine_learning&viewStateShareKey=leaderboard"  # as in pipeline/track.py
_direct = build_opener(ProxyHandler({}))


def link(task: str) -> None:
    """Draw the link. Only a server on this machine is checked first; a remote address is linked without a check."""
    server = os.environ.get("MLFLOW_TRACKING_URI", "")
    if server.startswith("http"):
        st.link_button("Compare the runs in MLflow", server.rstrip("/") + "/#/experiments")
        return
    number = experiment(task)
    if number:
        st.link_button("Compare the runs in MLflow", LOCAL + PAGE.format(number))
    else:
        st.caption(
            "MLflow has parameters, metrics and curves of all runs, including earlier ones: run `make ui`, or "
            "`python -m pipeline.track --ui`, and reload this page for the link."
        )


@st.cache_data(ttl=5, show_spinner=False)
def experiment(task: str) -> str:
    """Return the id of the task's experiment, from MLflow on this machine; "" if it does not respond."""
    try:
        with _direct.open(LOCAL + FOUND + quote(names.of_task(task)), timeout=WAIT) as answer:
            return str(json.load(answer)["experiment"]["experiment_id"])
    except (URLError, OSError, ValueError, KeyError, TypeError):
        return ""
