"""Examples for the page Predict: those that the user put next to the models, and a drawn one for the demo's photos."""

import hashlib

import streamlit as st

from pipeline.core import paths

DRAWN_FOR = "lesions"  # the demo's task; for another task, a drawn lesion would be no example
FOLDER = "examples"  # in models/<task>: images that everybody who may open the app may see


def names(task: str) -> list[str]:
    """Return the names of the task's own examples; "" stands for drawn ones; [] where there are none."""
    folder = paths.MODELS / task / FOLDER
    own = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    return own or ([""] if task == DRAWN_FOR else [])


def chosen(task: str, available: list[str]) -> tuple[str, bytes, str]:
    """Draw the button for another example; return name, bytes and id of the current one."""
    number = st.session_state.setdefault("example", 1)
    if (len(available) > 1 or available == [""]) and st.button("Another example"):
        number = st.session_state["example"] = number + 1
    name = available[(number - 1) % len(available)]
    if name:
        data = (paths.MODELS / task / FOLDER / name).read_bytes()
        st.caption("An example that belongs to this app.")
        return name, data, hashlib.sha256(data).hexdigest()
    from pipeline.data.synthetic.example import example  # brings numpy

    st.caption("A drawn skin lesion, not of a real patient.")
    return f"example {number}", example(number), f"example {number}"
