"""Input and output of the command line of prediction: files with samples, and answers as a table, JSON or CSV."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import AssayError, DataError
from pipeline.core.text_table import aligned
from pipeline.data.rows import check_columns, unused
from pipeline.data.tabular.formats import Field
from pipeline.prediction import explanation
from pipeline.prediction.answer import Item, refused
from pipeline.prediction.predictor import Predictor

if TYPE_CHECKING:  # for images no pandas is loaded
    import pandas as pd

    from pipeline.data.tabular.files import TableFile

COUNTS = ("n", "n_used")  # columns of the CSV of groups


def read_inputs(predictor: Predictor, files: list[str], columns: dict[str, str] | None = None) -> list[tuple[str, Any]]:
    """Return (name, data) of every sample: an image's bytes, or each row of a CSV; a bad file gives (name, DataError).

    For a model that takes clinical columns, `columns` go with each image; a CSV has a row for each image, named in the column
    `path`, with its own.
    """
    columns_needed = predictor.info.clinical_columns
    inputs: list[tuple[str, Any]] = []
    for file in files:
        try:
            data = Path(file).read_bytes()
            if columns_needed and file.lower().endswith(".csv"):
                inputs += read_images(predictor.info.schema, Path(file), data)
                continue
            if not predictor.info.is_table:
                inputs.append((file, (data, columns or {}) if columns_needed else data))
                continue
            rows, warnings = read_rows(predictor.info.schema, file, data)
            for warning in warnings:
                print(f"{file}: {warning}", file=sys.stderr)
            inputs += rows
        except OSError as error:
            inputs.append((file, DataError(f"cannot be opened ({error.strerror})")))
        except DataError as error:
            inputs.append((file, error))
    return inputs


def read_images(schema: list[Field], file: Path, data: bytes) -> list[tuple[str, Any]]:
    """Return (name, (bytes, row)) for each image that a CSV file's bytes name; see `images_of`."""
    from pipeline.data import tables

    return images_of(schema, file, tables.read_csv(file, data))


def images_of(schema: list[Field], file: Path, table: "pd.DataFrame", group: str = "") -> list[tuple[str, Any]]:
    """Return (name, (bytes, row)) for each image that the table in a CSV file names in `path`, relative to it.

    An image that cannot be opened gives (name, DataError). Raises DataError where a column of the model's is missing. `group`
    is a column that is used otherwise.
    """
    from pipeline.data import tables

    columns = [field.name for field in schema]
    if note := unused(table.columns.drop(["path", group], errors="ignore"), schema):
        print(f"{file}: {note}", file=sys.stderr)
    for column in ("path", *columns):
        tables.require_column(table, column, file, "what the model takes")
    inputs: list[tuple[str, Any]] = []
    for row in table[["path", *columns]].to_dict("records"):
        name = (file.parent / row.pop("path")).as_posix()
        try:
            inputs.append((name, (Path(name).read_bytes(), row)))
        except OSError as error:
            inputs.append((name, DataError(f"cannot be opened ({error.strerror})")))
    return inputs


def read_columns(predictor: Predictor, given: list[str]) -> dict[str, str]:
    """Return the columns that the command line gives as NAME=VALUE; raise DataError where the model does not take them."""
    columns = {name.strip(): value for name, _, value in (pair.partition("=") for pair in given)}
    expected = predictor.info.clinical_columns
    if columns and not expected:
        raise DataError(f"--column: {predictor.id} takes no columns with an image")
    unknown = [name for name in columns if name not in expected]
    if unknown:
        raise DataError(f"--column: found {', '.join(unknown)}; expected {', '.join(expected)} as NAME=VALUE")
    return columns


def read_rows(schema: list[Field], file: str, data: bytes) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return (name, row) for each row of a CSV file's bytes, and warnings about it.

    Raises DataError for what is not a CSV file with the schema's columns.
    """
    from pipeline.data.tabular.files import read_table

    return rows_in(schema, file, read_table(Path(file), data))


def rows_in(
    schema: list[Field], file: str, content: "TableFile", group: str = ""
) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return (name, row) for each row of a table file, and warnings about it; `group` is a column that is used otherwise."""
    from pipeline.data.tabular.file_rows import rows_of
    from pipeline.prediction import ood_tables

    table = content.table
    check_columns(table.columns, schema)  # a fault of the file, not of each of its rows
    warnings = [str(notice) for notice in content.notices]
    warnings += filter(None, [unused(table.columns.drop(group, errors="ignore"), schema)])
    names = {field.name for field in schema}
    rows = [{name: row[name] for name in row if name in names} for row in rows_of(content, schema)]
    warnings += ood_tables.beyond_training(rows, schema) + ood_tables.unseen_categories(rows, schema)
    return [(f"{file} row {number}", row) for number, row in enumerate(rows, start=1)], warnings


def predict_all(predictor: Predictor, inputs: list[tuple[str, Any]]) -> list[Item]:
    """Return an item for every input, the bad ones too."""
    return [
        predictor.predict(data, name) if not isinstance(data, AssayError) else refused(name, str(data))
        for name, data in inputs
    ]


def explain_all(predictor: Predictor, inputs: list[tuple[str, Any]], folder: Path) -> None:
    """Write the explanation of each answer to `folder`."""
    for number, (name, data) in enumerate(inputs, start=1):
        reasons = None if isinstance(data, AssayError) else predictor.explain(data, name)[1]
        if reasons:
            explanation.save(folder, number, name, reasons)


def show(items: Sequence[Item], classes: list[str], form: str) -> str:
    """Return the items as an aligned table, JSON or CSV (a column per class); a warning of the model is above the table."""
    if form == "json":
        return json.dumps(items, indent=1, ensure_ascii=False) + "\n"
    warning = next((item["warning"] for item in items if "warning" in item), "")
    header = ["file", "class", *classes, "decision", "refused", "reason"]
    rows: list[list[str | float]] = []
    for item in items:
        proba = [item["probabilities"].get(name, "") for name in classes]
        rows.append(
            [item["file"], item["class"], *proba, item["decision"], str(item["refused"]).lower(), item["reason"]]
        )
    if form == "csv":
        out = io.StringIO()
        if items and "n_used" in items[0]:
            header = [*header, *COUNTS]
            counts = [[str(item.get(name, "")) for name in COUNTS] for item in items]
            rows = [[*row, *count] for row, count in zip(rows, counts, strict=True)]
        if warning:
            header = [*header, "warning"]
            rows = [[*row, item.get("warning", "")] for row, item in zip(rows, items, strict=True)]
        csv.writer(out, lineterminator="\n").writerows([header, *rows])
        return out.getvalue()
    lines = [["file", "class", *classes, "answer"]]
    for item, row in zip(items, rows, strict=True):
        # The decision, and what is unusual about it, or why there is none
        answer = "; ".join(filter(None, (item["decision"], item["reason"])))
        lines.append([*(f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row[:-3]), answer])
    above = f"Warning: this model is {warning}\n" if warning else ""
    return above + "".join(f"{line}\n" for line in aligned(lines))
