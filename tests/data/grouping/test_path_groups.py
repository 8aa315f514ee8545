"""Parts of paths that divide images are found in all usual ways of naming files."""

import pytest

from pipeline.data.grouping.path_groups import find_candidates, glued_digits, group_of

N = range(120)
NAMED = {
    "a folder": ([f"a/p{i // 4}/{i % 4}.png" for i in N], "p7"),
    "person and lesion": ([f"a/person{i // 4}_lesion_{i % 4}.png" for i in N], "person7"),
    "zero-padded numbers": ([f"a/{i // 4:08d}_{i % 4:03d}.png" for i in N], "00000007"),
    "tiles": ([f"a/{8000 + i // 4}_idx5_x{i % 4}_y51_class0.png" for i in N], "8007"),
    "class, patient, number": ([f"CNV/CNV-{1000 + i // 4}-{i % 4}.jpeg" for i in N], "CNV-1007"),
    "series": ([f"a/IM-{i // 4:04d}-{i % 4:04d}.jpeg" for i in N], "IM-0007"),
    "letters and digits": ([f"a/p{i // 4}b{i % 4}.png" for i in N], "p7"),
    "the patient behind the slice": ([f"a/slice_{i % 4}_patient_{i // 4}.png" for i in N], "patient_7"),
    "digits without a sign": ([f"a/{i // 4:03d}{i % 4:02d}.png" for i in N], "0070"),
    "the view before the patient": ([f"a/{'abcd'[i % 4]}{i // 4:03d}.png" for i in N], "007"),
    "eyes": ([f"a/{i // 2}_{'lr'[i % 2]}.jpeg" for i in N], "14"),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_patient_is_read_from_folder_or_name(name):
    paths, of_28 = NAMED[name]
    wanted = {i: i // (2 if name == "eyes" else 4) for i in N}
    same = [
        candidate for candidate in find_candidates(paths, 1)
        if all((candidate.values[i] == candidate.values[0]) == (wanted[i] == wanted[0]) for i in N)
    ]  # fmt: skip
    assert same
    assert group_of(same[0].pattern, paths[28]) == of_28


@pytest.mark.parametrize(
    "paths",
    [
        [f"{'ab'[i % 2]}/{i}.png" for i in N],
        [f"a/ISIC_{i:07d}.jpg" for i in N],
        [f"{'ab'[i % 2]}/{i // 2}.png" for i in N],
        [f"a/a ({i}).png" for i in N],
        [f"lung_aca/lungaca{i}.jpeg" for i in N],
    ],
)
def test_running_numbers_divide_nothing(paths):
    assert find_candidates(paths, 1) == []


def test_random_numbers_of_copies_count_no_images():
    assert glued_digits([f"{'ab'[i % 2]}/ISIC_{i // 2 * 7919 % 1000003:07d}.jpg" for i in N]) == []
