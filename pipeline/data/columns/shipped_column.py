"""The column of a CSV that says the shipped split: known by its name and cells, or a question where these do not say all."""

from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.columns.words import PARTS, plain

# Names in lower case and without spaces and signs; the first that is there counts.
SPLITS = ("split", "shipped", "subset", "partition", "set", "traintest", "phase", "usage", "dataset", "cohort")
FLAGS = {f"{verb}{part}" for verb in ("is", "in", "") for part in ("train", "training", "test", "testing", "holdout")}
FLAGS |= {"isval", "isvalid", "isvalidation", "inval", "traintest", "trainval", "istestset", "istrainset", "intestset"}
FLAGS -= {"test", "testing", "training"}  # of a laboratory, of an athlete
FOLDS = {"fold", "folds", "kfold", "cvfold", "foldid", "foldnumber"}
OTHER_PARTS = {
    "development",
    "derivation",
    "fit",
    "external",
    "public",
    "private",
    "publictest",
    "privatetest",
    "unused",
}
OTHER_PARTS |= {"exclude", "excluded", "unlabeled", "unlabelled", "tuning", "evaluation", "eval"}
YES_NO = {"0", "1", "2", "true", "false", "yes", "no", "y", "n", "t", "f", "0.0", "1.0"}
MOST_FOLDS = 20


class ShippedColumnError(DataError):
    """Raised where `column` looks like a shipped split, and its cells do not say which part a row is of."""

    def __init__(self, message: str, column: str):
        super().__init__(message)
        self.column = column


def find_shipped(table: pd.DataFrame, path: Path) -> str | None:
    """Return the column of a shipped split, None without.

    Raises ShippedColumnError for a column that looks like one, and some of whose cells name no part.
    """
    names = {plain(column): column for column in table}
    for name in SPLITS:
        column = names.get(name)
        if column is None:
            continue
        words = table[column].str.strip().str.lower()
        known = words.isin(list(PARTS))
        if known.all():
            return column
        if known.mean() > 0.5 and words[known].map(PARTS).nunique() > 1:
            odd = table[column][~known]
            raise ShippedColumnError(
                f"{path.as_posix()}: column {column!r} looks like a shipped split, but {len(odd)} of {len(table)} cells, the "
                f"first {odd.iloc[0]!r} in row {odd.index[0] + 1}, are neither train, valid nor test. Write one of these, "
                f"delete these rows, or leave the column out: --exclude {column}",
                column,
            )
    for column in table:
        if may_be_split(column, table[column]):
            cells = ", ".join(repr(cell) for cell in sorted(set(table[column]))[:4])
            raise ShippedColumnError(
                f"{path.as_posix()}: column {column!r} ({cells}) looks like a shipped split or folds, but does not say which rows"
                " are train, valid and test. Write these words into a column 'split', or leave this one out, and a new test set "
                f"is drawn: --exclude {column}",
                column,
            )
    return None


def may_be_split(name: str, cells: pd.Series) -> bool:
    """Return whether a column divides the rows like a split, in words or numbers that may mean either part."""
    exact = {cell.strip().lower() for cell in cells} - {""}
    words = {plain(cell) for cell in exact}
    if not 2 <= len(words) <= MOST_FOLDS:
        return False
    if plain(name) in FOLDS:
        return all(cell.removeprefix("fold").strip(" _-").isdigit() for cell in exact)
    if plain(name) in FLAGS:
        return exact <= YES_NO
    return plain(name) in SPLITS and words <= set(PARTS) | OTHER_PARTS
