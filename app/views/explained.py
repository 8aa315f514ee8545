"""Section of the page Predict: the image next to what the answer rests on, and the contributions of columns."""

import html
from typing import TYPE_CHECKING

import streamlit as st

from app import theme
from app.views.answer import plain

if TYPE_CHECKING:  # these import numpy, for which the first page does not wait
    from pipeline.data.images.pixel_rule import PixelRule
    from pipeline.prediction.answer import Contribution, Explanation, Item

SIDE = 480  # px of the longer side of an image
OPACITY = 60  # % at the strongest region, to begin with
MOST_COLUMNS = 12
WHY = {
    "class activation map": "Yellow regions support {answer}, cyan regions contradict it; the model decides by their sum.",
    "places left out": "Without the yellow regions {answer} would be less probable, without the cyan regions more.",
    "squares covered": "With the yellow regions covered {answer} would be less probable, with the cyan regions covered more.",
    "terms of the log-odds": "Contribution of each value to the log-odds of {answer}, relative to the mean of the training data.",
    "changes of the probability": "Decrease in the probability of {answer} if the value were replaced by the typical one.",
}


def image(data: bytes, name: str, rule: "PixelRule") -> None:
    """Draw an image without an explanation."""
    from pipeline.data import thumbnails

    st.image(thumbnails.preview(data, SIDE, rule), caption(data, name, rule), alt=name)


def caption(data: bytes, name: str, rule: "PixelRule") -> str:
    """Return the caption of an image: its name and, of a DICOM file, the values that are black and white."""
    from pipeline.data.images.dicom_files import is_dicom
    from pipeline.data.images.limits import HEAD

    window = rule.words if is_dicom(data[:HEAD]) else ""
    return plain(name) + (f", window {window}" if window else "")


def show(explanation: "Explanation", item: "Item", data: bytes | None, rule: "PixelRule | None") -> None:
    """Draw an explanation: the image and the map over it side by side, a bar for each column, or both."""
    if explanation.map is not None and data is not None and rule is not None:
        side_by_side(explanation.map, item, data, rule)
    if explanation.columns is not None:
        shown = [line for line in explanation.columns if line["contribution"]][:MOST_COLUMNS]
        contributions(shown)
        n_hidden = len(explanation.columns) - len(shown)
        if n_hidden:
            st.caption(f"{n_hidden} more columns with smaller or no contributions")
    both = explanation.map is not None and explanation.columns is not None
    st.caption(
        plain(WHY[explanation.kind].format(answer=item["class"]))
        + (" The bars show the clinical columns." if both else "")
        + " This explains the model's prediction, not the cause of the class."
    )


@st.fragment
def side_by_side(heat: list[list[float]], item: "Item", data: bytes, rule: "PixelRule") -> None:
    """Draw image and map at one size, the part that the model sees, and the slider of the map's opacity."""
    import numpy as np

    from pipeline.prediction import heat_map

    pixels = heat_map.seen(heat_map.small(data, SIDE, rule), rule.resize)
    left, right = st.container(key="pair-explained").columns(2, gap="small")
    left.image(pixels, caption(data, item["file"], rule), alt=item["file"], width="stretch")
    opacity = st.slider("Opacity of the map (%)", 0, 100, OPACITY, 5, key="opacity")
    drawn = heat_map.overlay(pixels, np.asarray(heat), rule.resize, opacity / 100)
    alt = f"{item['file']}, with the regions that support or contradict {item['class']}"
    right.image(drawn, "What the answer rests on", alt=alt, width="stretch")
    st.html(legend(item["class"], heat_map.FOR, heat_map.AGAINST))


def legend(answer: str, supports: tuple[int, int, int], contradicts: tuple[int, int, int]) -> str:
    """Return the legend of the map's two colours as HTML."""
    muted, name = theme.MUTED[theme.current()], html.escape(answer)
    swatch = "display:inline-block;width:.9em;height:.9em;border:1px solid {};background:rgb{};margin-right:.4em"
    entries = (("supports", supports), ("contradicts", contradicts))
    texts = [f'<span style="{swatch.format(muted, rgb)}"></span>{verb} {name}' for verb, rgb in entries]
    return f'<div style="color:{muted};font-size:.875rem">{" &emsp; ".join(texts)}</div>'


def contributions(columns: "list[Contribution]") -> None:
    """Draw contributions as bars on both sides of 0."""
    rows = [{"column": f"{line['column']} = {line['value']}", "contribution": line["contribution"]} for line in columns]
    terms = [f"{row['column']}: {row['contribution']:+.3f}" for row in rows]
    spec = {
        "data": {"values": rows},
        "mark": "bar",
        "height": {"step": 22},
        "encoding": {
            "y": {"field": "column", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 220}},
            "x": {"field": "contribution", "type": "quantitative", "title": None},
            "color": {"value": theme.MUTED[theme.current()]},
        },
    }
    st.vega_lite_chart(spec=spec, width="stretch", alt=f"Contributions: {', '.join(terms)}")
