"""One name in several spellings is one group, and the patient is found in cells that also hold the visit."""

import pandas as pd
import pytest

from pipeline.data.grouping.group_cells import find_numbered, find_parts, join_columns, read_groups

N = range(120)
CELLS = {
    "P001-V1": [f"P{i // 4:03d}-V{i % 4}" for i in N],
    "P001V1": [f"P{i // 4:03d}V{i % 4}" for i in N],
    "12_L": [f"{i // 2}_{'LR'[i % 2]}" for i in N],
    "sub-01/ses-1": [f"sub-{i // 4:02d}/ses-{i % 4}" for i in N],
    "baseline": [f"p{i // 4} {('baseline', 'w4', 'w8', 'fu')[i % 4]}" for i in N],
    "aug": [f"case{i // 4}" + (f"_aug{i % 4}" if i % 4 else "") for i in N],
    "12.3": [f"{i // 4 + 10}.{i % 4}" for i in N],
}


@pytest.mark.parametrize("name", CELLS)
def test_the_patient_is_read_from_a_cell_with_the_visit(name):
    cells, each = CELLS[name], 2 if name == "12_L" else 4
    parts = [part for part in find_parts(cells) if len(set(read_groups(cells, part.pattern))) == len(cells) // each]
    assert parts
    groups = read_groups(cells, parts[0].pattern)
    assert all((groups[i] == groups[0]) == (i < each) for i in N)
    assert parts[0].is_named == (name != "12.3")


@pytest.mark.parametrize("cells", [[f"P{i}" for i in N], [f"{i}.5" for i in N], ["12.5 mg", "3 mg"] * 60])
def test_cells_of_one_part_divide_nothing(cells):
    assert find_parts(cells) == []


@pytest.mark.parametrize(
    "spellings",
    [
        ["P07", "p7", "P 07"],
        ["12", "12.0", "0012"],
        ["MRN 5", "mrn5"],
        ["sub-07", "sub_7", "SUB07"],
        ["M\u00fcller 1", "mu\u0308ller1"],
    ],
)
def test_spellings_of_one_name_are_one_group(spellings):
    assert len(set(read_groups(spellings))) == 1


def test_other_names_and_missing_ones_stay_apart():
    assert read_groups(["1-11", "11-1", "P1", "P10", "1.5", "15"]) == ["1-11", "11-1", "P1", "P10", "1.5", "15"]
    assert read_groups(["", "NA", "?"]) == ["", "", ""]


def test_a_cell_without_the_part_is_its_own_group():
    assert read_groups(["P1-V1", "P1", "P2-V1"], r"^(\w+)-V\d$") == ["P1", "P1", "P2"]


def test_cells_of_several_columns_are_one_name():
    table = pd.DataFrame({"no": ["12.0", " 12", "", "7"], "site": ["A", "A", "B", "NA"]})
    joined = join_columns(table, ["no", "site"])
    assert joined == ["12 / A", "12 / A", "", "7 / "]
    assert join_columns(table, ["no"]) == table["no"].tolist()


@pytest.mark.parametrize(
    "cells", [["7.1", "7.2", "12.1", "30.1", "30.2", "30.3"], ["7a", "7b", "12a", "30a", "30b", "30c"]]
)
def test_numbers_that_start_anew_in_each_patient_are_parted(cells):
    part = find_numbered(cells)
    assert part
    assert part.values == ["7", "7", "12", "30", "30", "30"]


@pytest.mark.parametrize(
    "cells", [["7.1", "7.9", "12.4", "30.5", "30.2"], ["1.1", "2.1", "3.1"], ["101-001", "101-002", "102-001"]]
)
def test_measurements_and_numbers_of_patients_are_not_parted(cells):
    assert find_numbered(cells) is None
