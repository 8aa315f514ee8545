"""The way into MLflow's comparison of a task's runs: a link where its pages are served, else how to start them."""

import json
import os
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import streamlit as st

LOCAL = "http://127.0.0.1:5000"  # of 'make ui'
WAIT = 0.3  # s for an answer of this machine
FOUND = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
PAGE = "/#/experiments/{}/runs?workflowType=machine_learning&viewStateShareKey=leaderboard"  # as in pipeline/track.py
_direct = build_opener(ProxyHandler({}))


def link(task: str) -> None:
    """Draw the link. Only this machine is asked whether it answers; a server elsewhere is taken at its address."""
    server = os.environ.get("MLFLOW_TRACKING_URI", "")
    if server.startswith("http"):
        st.link_button("Compare the runs in MLflow", server.rstrip("/") + "/#/experiments")
        return
    number = experiment(task)
    if number:
        st.link_button("Compare the runs in MLflow", LOCAL + PAGE.format(number))
    else:
        st.caption(
            "Parameters, figures and curves of all runs, today's and earlier ones, are in MLflow: run `make ui`, or "
            "`python -m pipeline.track --ui`, and reload this page for the link."
        )


@st.cache_data(ttl=5, show_spinner=False)
def experiment(task: str) -> str:
    """Return the id of the task's experiment, asked of MLflow on this machine; "" where it does not answer."""
    try:
        with _direct.open(LOCAL + FOUND + quote(task), timeout=WAIT) as answer:
            return str(json.load(answer)["experiment"]["experiment_id"])
    except (URLError, OSError, ValueError, KeyError, TypeError):
        return ""
