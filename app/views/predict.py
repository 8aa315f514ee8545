"""The page Predict: pictures, or a row or a CSV of a table, and what the task's champion answers."""

from typing import Any

import streamlit as st

from app import champions, limits
from app.champions import Champion
from app.views import answer, correct, form
from app.views.answer import plain
from pipeline.core.errors import BundleError, DataError

SIDE = 480  # px of the picture beside its answer


def show(task: str) -> None:
    """Draw the page."""
    st.title("Predict", anchor=False)
    try:
        champion, note = champions.champion(task)
        if note:
            st.warning(plain(note))
        draw(champion)
        champion.load()  # the page is there; so that the first answer is, too, by the time somebody asks
    except BundleError as error:
        st.error(plain(str(error)))


def draw(champion: Champion) -> None:
    """Draw what one hands in on the left, and the answer and its model on the right."""
    info = champion.info
    st.markdown(f"{plain(champion.task)}: {' or '.join(map(plain, info.classes))}")
    asked, answered = st.columns([3, 2], gap="large")
    with answered.container(key=f"answer_{info.kind}"):
        place = st.container()
        answer.model(champion)
    with asked:
        (rows if info.is_table else pictures)(champion, place)


def pictures(champion: Champion, place: Any) -> None:
    """Take pictures by file, camera or example, and answer each."""
    sources = ["Files", "Camera", "Example"]
    source = st.segmented_control("Picture from", sources, default="Files", required=True, key="source")
    if source == "Example":
        given = [example()]
    else:
        taken = files() if source == "Files" else [camera()]
        given = [(file.name, file.getvalue(), file.file_id) for file in taken if file]
    if champion.info.clinical_columns:
        row = form.beside_form(champion.info.schema, champion.task)
        given = [(name, (data, row), f"{id_} {row}") for name, data, id_ in given]
    if not given:
        place.info("The answer to a picture will stand here.")
        return
    if len(given) > limits.PAGE_FILES:
        left_out = len(given) - limits.PAGE_FILES
        st.warning(f"The first {limits.PAGE_FILES} are answered, {left_out} are left out: take these afterwards.")
    given = given[: limits.PAGE_FILES]
    from pipeline.data import thumbnails  # and no sooner: the page is there before Pillow is

    found = answer_all(champion, given)
    items, thumbs = [item for item, _ in found], [thumb for _, thumb in found]
    at = answer.many(items, thumbs, champion.info.classes) if len(items) > 1 else 0
    if thumbs[at]:
        beside = (
            place if len(items) > 1 else st.container()
        )  # one picture stands under its source, one of many at its answer
        beside.image(
            thumbnails.preview(picture_of(given[at][1]), SIDE), plain(items[at]["file"]), alt=items[at]["file"]
        )
    with place:
        answer.one(items[at])
        explained(champion, given[at][1], items[at])
        correct.offer(champion, items[at], picture_of(given[at][1]))


def picture_of(data: Any) -> Any:
    """Return a picture's bytes, also of one with columns; a row as it is."""
    return data[0] if isinstance(data, tuple) else data


def explained(champion: Champion, data: Any, item: dict[str, Any]) -> None:
    """Draw what the answer rests on, if one wants to see it."""
    if item["class"] and st.toggle("Show what the answer rests on", key=f"explain {champion.info.kind}"):
        answer.why(champion.explain(data, item["file"]), item)


def files() -> list[Any]:
    """Draw the place to drop files on; return those that are there."""
    label = f"JPEG, PNG, BMP, TIFF or WebP; up to {limits.PAGE_FILES} at once"
    size = limits.FILE_BYTES // limits.MB
    return st.file_uploader(label, accept_multiple_files=True, max_upload_size=size, key="files")


def camera() -> Any:
    """Draw the camera, which asks the browser for it at once; return the picture taken, if one is."""
    return st.camera_input("Take a picture", help="Your browser asks whether this page may use the camera.")


def example() -> tuple[str, bytes, str]:
    """Draw the button for another example; return name, bytes and id of the one that is to be answered."""
    from pipeline.data.synthetic.example import example as draw_example

    number = st.session_state.setdefault("example", 1)
    if st.button("Another example"):
        number = st.session_state["example"] = number + 1
    st.caption("A drawn skin lesion, of nobody.")
    return f"example {number}", draw_example(number), f"example {number}"


def rows(champion: Champion, place: Any) -> None:
    """Take one row by a form, or many by a CSV, and answer each."""
    source = st.segmented_control("Rows from", ["Form", "CSV file"], default="Form", required=True, key="rows from")
    if source == "CSV file":
        table(champion, place)
        return
    row = form.row_form(champion.info.schema, champion.task)
    with place:
        if row is None:
            st.info("The answer to the form will stand here.")
            return
        with st.spinner("Answering"):
            item = champion.predict(row, "the form")
        answer.one(item)
        explained(champion, row, item)
        correct.offer(champion, item, row)


def table(champion: Champion, place: Any) -> None:
    """Take a CSV file and answer each of its rows."""
    schema = champion.info.schema
    st.download_button(
        "Download a template", form.template(schema), f"{champion.task}.csv", "text/csv", on_click="ignore"
    )
    label = f"A row per sample, a header line; up to {limits.ROWS} rows"
    file = st.file_uploader(label, max_upload_size=limits.FILE_BYTES // limits.MB, key="csv")
    if file is None:
        place.info("The answer to a row will stand here.")
        return
    from pipeline.prediction.files import read_rows

    try:
        given, doubts = read_rows(schema, file.name, file.getvalue())
    except DataError as error:
        st.error(plain(str(error)))
        return
    if len(given) > limits.ROWS:
        doubts.append(f"the first {limits.ROWS} rows are answered, {len(given) - limits.ROWS} are left out")
    for doubt in doubts:
        st.warning(plain(doubt))
    given = [(name, row, f"{file.file_id} {name}") for name, row in given[: limits.ROWS]]
    items = [item for item, _ in answer_all(champion, given)]
    at = answer.many(items, None, champion.info.classes)
    with place:
        st.caption(plain(items[at]["file"]))
        answer.one(items[at])
        explained(champion, given[at][1], items[at])


def answer_all(champion: Champion, given: list[tuple[str, Any, str]]) -> list[tuple[dict[str, Any], str | None]]:
    """Return item and thumbnail for each (name, data, id), with a bar of progress; what was answered before is kept."""
    known = st.session_state.setdefault("answers", {})
    keys = [(champion.id, id_) for _, _, id_ in given]
    new = [number for number, key in enumerate(keys) if key not in known]
    bar = st.progress(0.0, "Answering") if len(new) > 1 else st.empty()
    for done, number in enumerate(new, start=1):
        name, data, _ = given[number]
        item = champion.predict(data, name)
        picture = picture_of(data)
        known[keys[number]] = item, answer.thumb(picture) if isinstance(picture, bytes) else None
        if len(new) > 1:
            bar.progress(done / len(new), f"{done} of {len(new)} answered")
    bar.empty()
    for key in known.keys() - set(keys):
        del known[key]
    return [known[key] for key in keys]
