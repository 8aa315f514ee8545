"""One answer to all images of a patient: whether it is asked for, and how each image contributes to it."""

from typing import TYPE_CHECKING

import streamlit as st

from app.champions import Champion
from app.views import answer
from app.views.answer import plain

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from pipeline.prediction.answer import Prediction
    from pipeline.prediction.bundle import BundleInfo
    from pipeline.prediction.group_answer import GroupItem


def is_asked(champion: Champion, files: list[bytes]) -> bool:
    """Draw the switch, where the model pools samples and there are several; return whether it is on.

    It is refused where DICOM files name different patients.
    """
    if len(files) < 2 or not champion.info.rule.pooling:
        return False
    if not st.toggle("All images are of one patient", key="together", help="One answer to all of them together"):
        return False
    from pipeline.data.dicom.patient_id import patient_of

    n_patients = len({patient_of(file) for file in files} - {""})
    if n_patients > 1:
        st.error(f"The files name {n_patients} patients. Upload the files of one patient for one answer.")
    return n_patients < 2


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
