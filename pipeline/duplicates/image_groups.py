"""Find which images belong to one patient: by names of columns, or by parts of paths that the images confirm."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from pipeline.data.columns.group_names import find_named
from pipeline.data.grouping.path_groups import PathGroup, find_candidates, is_division
from pipeline.data.tabular.header import is_number_like
from pipeline.duplicates.alike import are_alike, usual_distance
from pipeline.duplicates.group_search import Grouping, by_column, by_name, by_persons, column_candidates, with_site

MANY = 10  # groups: of several divisions that images confirm the coarsest with so many is taken
ALIKE = 0.95  # mean distance inside of groups over that between them, at most, of images
ANEW = 0.9  # usual distance across classes, from which on a number starts anew in each; 0.91 to 0.96 of CT slices
ALIKE_ANEW = 0.78  # and within a class, at most, of such a number; of lesions 0.74 to 0.77, of CT slices 0.79 to 0.86


def of_patients(
    column: str | None,
    part: PathGroup,
    paths: Sequence[str],
    labels: Sequence[str],
    read: Callable[[list[int]], np.ndarray],
    seed: int,
) -> PathGroup | None:
    """Return a part of the path by which a patient is the same in all classes; None where there is no such patient.

    A number whose images are alike within a class but not across classes starts anew in each: it counts with the folder. It is no
    patient where most images that share it are not alike even there: then a few copies make up the mean, as in a running export.
    """
    if part.is_named or not usual_distance(part.values, labels, read, seed, across=True) > ANEW:
        return part
    narrower = part.with_folders(paths)
    if column or not is_division(narrower.values):
        return None
    is_alike = usual_distance(narrower.values, labels, read, seed, across=False) <= ALIKE_ANEW
    return narrower if is_alike else None


def search_images(
    paths: Sequence[str],
    labels: Sequence[str],
    fixed: int,
    columns: pd.DataFrame,
    read: Callable[[list[int]], np.ndarray],
    seed: int,
) -> Grouping:
    """Return the column, or the part of the path, by which images belong to one patient.

    Parameters
    ----------
    paths, labels : (n,) of each image
    fixed : the number of folders at the top that are classes or shipped splits
    columns : (n, n_columns) further columns of the CSV that names the images, none for folders
    read : returns the features (m, n_features) of the images at m positions; a row of NaN where one cannot be read
    seed : of the choice of images and the permutations
    """
    named = find_named(columns)
    if named:
        return with_site(columns, by_name(columns, named[0].column), labels)
    persons = by_persons(columns)
    if persons:
        return persons
    of_columns = [entry for entry in column_candidates(columns) if not all(map(is_number_like, entry[1].values))]
    candidates: list[tuple[str | None, PathGroup]] = [
        *of_columns,
        *((None, group) for group in find_candidates(paths, fixed)),
    ]
    alike = [entry for entry in candidates if are_alike(entry[1].values, labels, read, ALIKE, seed)]
    narrowed = [(column, of_patients(column, part, paths, labels, read, seed)) for column, part in alike]
    confirmed = [(column, part) for column, part in narrowed if part]
    taken = [entry for entry in confirmed if entry[1].n_values >= MANY] or confirmed
    if not taken:
        taken = [entry for entry in candidates if entry[1].is_named]
    if not taken:
        rejected = f"; {len(candidates)} parts of the names divide them, but not into images that are alike" * bool(
            candidates
        )
        return Grouping(
            grounds=f"no column, folder or part of the file names says which images are of one patient{rejected}"
        )
    column, best = taken[0]
    return by_column(column, best, "images that share it are more alike than others" if confirmed else "it is named so")
