"""One answer to all images of a patient: whether it is asked for, and how each image contributes to it."""

from typing import TYPE_CHECKING

import streamlit as st

from app import champions
from app.champions import Champion
from app.views import answer
from app.views.answer import plain
from pipeline.data.columns.words import spelling

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from pipeline.prediction.answer import Prediction
    from pipeline.prediction.bundle import BundleInfo
    from pipeline.prediction.group_answer import GroupItem


def is_asked(champion: Champion, patients: list[str]) -> bool:
    """Draw the switch, where the model pools samples and there are several; return whether it is on.

    It is refused where `patients`, the id of each image's or "", are several.
    """
    if len(patients) < 2 or not champion.info.rule.pooling:
        return False
    if not st.toggle("All images are of one patient", key="together", help="One answer to all of them together"):
        return False
    n_patients = len({spelling(patient) for patient in patients if patient})
    if n_patients > 1:
        st.error(f"The files name {n_patients} patients. Upload the files of one patient for one answer.")
    return n_patients < 2


def count_as_one(champion: Champion, group: str, predictions: "dict[str, Prediction]") -> None:
    """Have monitoring count images, by their ids, as those of one `group`, each once: a hash of it stays in memory."""
    counted = st.session_state.setdefault("counted in a group", set())
    for id_, prediction in predictions.items():
        if (champion.id, id_) not in counted and (prediction.item["class"] or prediction.ood is not None):
            counted.add((champion.id, id_))
            champions.recorder().add_to_group(champion.task, champion.id, group)


def combine(champion: Champion, predictions: "list[Prediction]") -> "GroupItem":
    """Return the answer to all samples of a patient."""
    from pipeline.prediction import group_answer

    return group_answer.answer(champion.info, "all images", predictions)


def columns(item: "GroupItem") -> dict[str, list]:
    """Return the columns that the table of images gets: each one's contribution, and whether it differs."""
    return {
        "contribution": [sample["contribution"] for sample in item["samples"]],
        "differs": [sample["differs"] for sample in item["samples"]],
    }


def show(item: "GroupItem", info: "BundleInfo") -> None:
    """Draw the answer to a patient, and the images whose own answers differ."""
    answer.show_prediction(item, info)
    if not item["class"]:
        return
    differing = [sample["file"] for sample in item["samples"] if sample["differs"]]
    if differing:
        n = len(differing)
        named = ", ".join(differing[:5]) + (" and others" if n > 5 else "")
        st.markdown(plain(f"{n} of {item['n_used']} images would get another answer alone: {named}."))
    rests_on = f"From {item['n_used']} of {item['n']} images by {item['pooling']}."
    contribution = f"Contribution: by how much {item['class']} would be less probable without the image."
    st.caption(plain(f"{rests_on} {contribution}"))
