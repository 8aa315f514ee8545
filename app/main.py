"""The app's first page: choose a task, hand in pictures or a row, read the champion's answer. Run: make app."""

import sys
from pathlib import Path
from typing import Any

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # streamlit puts only app/ on the path

from pipeline import artifacts, bundle
from pipeline.predictor import Predictor
from pipeline.stage import BundleError

MODELS = Path("models")


@st.cache_resource(max_entries=8)
def load(task: str, changed: int) -> Predictor:
    """Return the Predictor of the task's champion, loaded again when its bundle.json has `changed` (a time in ns)."""
    return Predictor(MODELS / task / "best", bundle.vouched(task))


def tasks_with_champion() -> list[str]:
    """Return the tasks that can be served, by name."""
    return sorted(path.parent.parent.name for path in MODELS.glob("*/best/bundle.json"))


def show_model(predictor: Predictor, task: str) -> None:
    """Say which model answers, and how well it does on the test set."""
    info = predictor.info
    report = Path(f"reports/{task}/test/{info['model']}.json")
    line = f"Answered by **{info['model']}**"
    if report.exists():
        test = artifacts.read_json(report)
        low, high = test["ci"]["roc_auc"]
        line += f": AUC {test['roc_auc']:.3f} [{low:.3f}, {high:.3f}] on {test['counts']['n']} test samples"
    st.caption(line)


def show_answer(item: dict[str, Any]) -> None:
    """Show one prediction, or why there is none."""
    if not item["class"]:
        st.error(f"{item['file']}: {item['reason']}")
        return
    st.subheader(item["class"])
    st.write(item["decision"])
    for name, probability in item["probabilities"].items():
        st.progress(probability, f"{name}: {probability:.1%}")


def predict_images(predictor: Predictor) -> None:
    """Take pictures and answer each."""
    files = st.file_uploader("Pictures", ["jpg", "jpeg", "png"], accept_multiple_files=True)
    for file in files:
        data = file.getvalue()
        left, right = st.columns([1, 2])
        item = predictor.predict(data, file.name)
        if item["class"]:
            left.image(data, caption=file.name)
        with right:
            show_answer(item)


def field_input(field: dict[str, Any]) -> Any:
    """Draw the input for one column of the schema and return its value."""
    label = f"{field['name']} ({field['unit']})" if "unit" in field else field["name"]
    options = field.get("choices") or field.get("values")
    if options:
        default = options.index(field["default"]) if field["default"] in options else 0
        return st.selectbox(label, options, index=default)
    known = field["min"] is not None
    hint = f"in training: {field['min']:g} to {field['max']:g}" if known else "never given in training"
    return st.number_input(label, value=field["default"], format="%g", help=hint)


def predict_row(predictor: Predictor) -> None:
    """Draw a form from the schema and answer it."""
    with st.form("row"):
        columns = st.columns(3)
        row = {}
        for number, field in enumerate(predictor.info["schema"]):
            with columns[number % 3]:
                row[field["name"]] = field_input(field)
        asked = st.form_submit_button("Predict", type="primary")
    if asked:
        show_answer(predictor.predict(row, "the form"))


def main() -> None:
    st.set_page_config("Assay")
    st.title("Assay")
    st.caption("Research use, not a medical device.")
    tasks = tasks_with_champion()
    if not tasks:
        st.info("No task has a champion yet. Run `make demo`, or `dvc repro`, then reload this page.")
        return
    task = st.selectbox("Task", tasks)
    try:
        predictor = load(task, (MODELS / task / "best/bundle.json").stat().st_mtime_ns)
    except BundleError as error:
        st.error(str(error))
        return
    show_model(predictor, task)
    if predictor.info["kind"] == "table":
        predict_row(predictor)
    else:
        predict_images(predictor)


main()
