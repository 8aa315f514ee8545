"""The page Predict: predictions of the champion for images, or for a row or a CSV of a table."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import champions, limits
from app.champions import Champion
from app.views import answer, correct, examples, explained, form, patient
from app.views.answer import plain
from pipeline.core.errors import BundleError, DataError

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from pipeline.prediction.answer import Item, Prediction
    from pipeline.prediction.predictor import Sample


class Given(NamedTuple):
    """A sample to predict; `id` changes with the data, `image` is its image file, if it has one.

    `group`: the id of the patient whose it is, "" where it does not say.
    """

    name: str
    data: "Sample"
    id: str
    image: bytes | None = None
    group: str = ""


def show(task: str) -> None:
    """Draw the page."""
    st.title("Predict", anchor=False)
    try:
        champion, note = champions.champion(task)
        if note:
            st.warning(plain(note))
        draw(champion)
        champion.load()  # after the page is drawn, so that the first prediction does not wait for it
    except BundleError as error:
        st.error(plain(str(error)))


def draw(champion: Champion) -> None:
    """Draw the input on the left, and the prediction and its model on the right."""
    info = champion.info
    st.markdown(f"{plain(champion.task)}: {' or '.join(map(plain, info.classes))}")
    asked, answered = st.columns([3, 2] if info.is_table else 2, gap="large")
    with answered.container(key=f"answer_{info.kind}"):
        if info.warning:
            st.warning(plain(f"This model is {info.warning}."))
        area, about = st.container(), st.container()
    with asked:
        (rows if info.is_table else images)(champion, area)
    with about:
        answer.model(champion)  # last, so that the input need not wait for it


def images(champion: Champion, area: DeltaGenerator) -> None:
    """Read images from files, the camera or examples, and predict each."""
    available = examples.names(champion.task)
    sources = ["Files", "Camera", *(["Example"] if available else [])]
    source = st.segmented_control("Image from", sources, default="Files", required=True, key="source")
    if source == "Example":
        received = [examples.chosen(champion.task, available)]
    else:
        uploaded = files() if source == "Files" else [camera()]
        received = [(file.name, file.getvalue(), file.file_id) for file in uploaded if file]
    row = form.clinical_form(champion.info.schema, champion.task) if champion.info.clinical_columns else None
    if not received:
        area.info("The prediction for an image appears here.")
        return
    given, remarks = within_limit(received)
    if row is not None:
        given = [sample._replace(data=(sample.image or b"", row), id=f"{sample.id} {row}") for sample in given]
    together = patient.is_asked(champion, [sample.group for sample in given])
    answers = answer_all(champion, given)
    predictions, thumbs = [prediction for prediction, _ in answers], [thumb for _, thumb in answers]
    items = [prediction.item for prediction in predictions]
    group = patient.combine(champion, predictions) if together else None
    if together:
        # What DICOM files say, or an id that the upload made up.
        id_ = max(sample.group for sample in given) or given[0].id
        unnamed = {sample.id: each for sample, each in zip(given, predictions, strict=True) if not sample.group}
        patient.count_as_one(champion, id_, unnamed)
    more = patient.columns(group) if group else None
    index = 0
    if len(items) > 1:
        index = answer.many(items, thumbs, champion.info.classes, more, remarks, len(received) - len(given))
    with area:
        if group:
            patient.show(group, champion.info)
        name_of_shown(index, items)
        answer.show_prediction(items[index], champion.info)
        if predictions[index].ood is None:  # it cannot be read: there is nothing to show or to submit
            return
        image = received[index][1]
        if not explained_image(champion, given[index], items[index], image):
            explained.image(image, items[index]["file"], champion.info.pixel_rule)
        correct.offer(champion, items[index], image)


def within_limit(received: list[tuple[str, bytes, str]]) -> tuple[list[Given], list[str]]:
    """Return the images that are used, and a remark where some are left out."""
    from pipeline.data.dicom.patient_id import patient_of

    most = limits.PAGE_FILES
    given = [Given(name, image, id_, image, patient_of(image)) for name, image, id_ in received[:most]]
    if len(received) <= most:
        return given, []
    left_out = f"The first {most} images are used, {len(received) - most} are left out: upload these separately."
    return given, [left_out]


def name_of_shown(index: int, items: "list[Item]") -> None:
    """Show which of several samples the answer below is of."""
    if len(items) > 1:
        st.caption(plain(f"{index + 1} of {len(items)}: {items[index]['file']}"))


def explained_image(champion: Champion, sample: Given, item: "Item", image: bytes | None) -> bool:
    """Draw the explanation of the prediction, if it is switched on; return whether it shows the image."""
    if not item["class"] or not st.toggle("Explain this prediction", key=f"explain {champion.info.kind}"):
        return False
    explanation = champion.explain(sample.data, item["file"])
    if explanation:
        explained.show(explanation, item, image, None if image is None else champion.info.pixel_rule)
    return explanation is not None and explanation.map is not None


def files() -> "list[UploadedFile]":
    """Draw the file uploader; return the uploaded files."""
    label = f"JPEG, PNG, BMP, TIFF, WebP or DICOM; up to {limits.PAGE_FILES} at once"
    size = limits.FILE_BYTES // limits.MB
    return st.file_uploader(label, accept_multiple_files=True, max_upload_size=size, key="files")


def camera() -> "UploadedFile | None":
    """Draw the camera, which asks the browser for permission; return the image taken, if any."""
    return st.camera_input("Take a photo", help="Your browser asks for permission to use the camera.")


def rows(champion: Champion, area: DeltaGenerator) -> None:
    """Read one row from a form or many from a CSV, and predict each."""
    if champion.info.is_vector:  # nobody types hundreds of numbers
        st.caption(f"The model takes {len(champion.info.schema)} features of an image that were computed elsewhere.")
        table(champion, area)
        return
    source = st.segmented_control("Rows from", ["Form", "CSV file"], default="Form", required=True, key="rows from")
    if source == "CSV file":
        table(champion, area)
        return
    row = form.row_form(champion.info.schema, champion.task, area)
    with area:
        if row is None:
            st.info("The prediction for the form appears here.")
            return
        with st.spinner("Predicting"):
            item = champion.predict(row, "the form")
        answer.show_prediction(item, champion.info)
        explained_image(champion, Given("the form", row, ""), item, None)
        correct.offer(champion, item, row)


def table(champion: Champion, area: DeltaGenerator) -> None:
    """Read a CSV file and predict each of its rows."""
    schema = champion.info.schema
    st.download_button(
        "Download a template", form.template(schema), f"{champion.task}.csv", "text/csv", on_click="ignore"
    )
    label = f"A row per sample, a header line; up to {limits.ROWS} rows"
    file = st.file_uploader(label, max_upload_size=limits.FILE_BYTES // limits.MB, key="csv")
    if file is None:
        area.info("The prediction for a row appears here.")
        return
    from app.together import FIELD
    from pipeline.data.tabular.files import read_table
    from pipeline.data.tabular.missing import is_unknown
    from pipeline.prediction.files import rows_in

    try:
        content = read_table(Path(file.name), file.getvalue())
        rows, warnings = rows_in(schema, file.name, content, FIELD)
    except DataError as error:
        st.error(plain(str(error)))
        return
    if len(rows) > limits.ROWS:
        warnings.append(f"the first {limits.ROWS} rows are used, {len(rows) - limits.ROWS} are left out")
    is_named = FIELD in content.table and FIELD not in {field.name for field in schema}
    cells = content.table[FIELD].str.strip() if is_named else [""] * len(rows)
    groups = ["" if is_unknown(cell) else cell for cell in cells]  # a word for unknown names nobody
    given = [
        Given(name, row, f"{file.file_id} {name}", group=group)
        for (name, row), group in zip(rows[: limits.ROWS], groups, strict=False)
    ]
    items = [prediction.item for prediction, _ in answer_all(champion, given)]
    index = answer.many(
        items, None, champion.info.classes, remarks=warnings, n_left_out=max(len(rows) - limits.ROWS, 0)
    )
    with area:
        name_of_shown(index, items)
        answer.show_prediction(items[index], champion.info)
        explained_image(champion, given[index], items[index], None)


def answer_all(champion: Champion, given: list[Given]) -> "list[tuple[Prediction, str | None]]":
    """Return prediction and thumbnail for each sample, with a progress bar; reuse the session's earlier predictions."""
    previous = st.session_state.setdefault("answers", {})
    keys = [(champion.id, sample.id) for sample in given]
    new = [number for number, key in enumerate(keys) if key not in previous]
    bar = st.progress(0.0, "Predicting") if len(new) > 1 else st.empty()
    for done, number in enumerate(new, start=1):
        sample = given[number]
        prediction = champion.predict_and_count(sample.data, sample.name, sample.group)
        previous[keys[number]] = prediction, None if sample.image is None else answer.thumb(sample.image, champion)
        if len(new) > 1:
            bar.progress(done / len(new), f"{done} of {len(new)} done")
    bar.empty()
    for key in previous.keys() - set(keys):
        del previous[key]
    return [previous[key] for key in keys]
