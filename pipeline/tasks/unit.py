"""Say whether figures are likely to be wanted per group, and how many groups have samples with different labels."""

import pandas as pd

LIKELY = 0.1  # of the groups with several samples: with more of different labels a group is no unit
COMMON = 0.2  # of the samples that are in groups with several, from which on groups matter


def about_unit(samples: pd.DataFrame) -> list[tuple[str, str]]:
    """Return lines, (title, text), on what `select.unit` and `select.group_label` should be; none where samples are alone.

    `samples` has the columns label and group, "" where a sample has none.
    """
    grouped = samples[samples["group"] != ""].groupby("group")["label"]
    several = grouped.size()[lambda size: size > 1]
    if several.empty:
        return []
    n_mixed = int((grouped.nunique()[several.index] > 1).sum())
    in_groups = f"{len(several)} of {grouped.ngroups} groups have several samples, up to {several.max()}"
    is_likely = n_mixed <= LIKELY * len(several) and several.sum() >= COMMON * len(samples)
    advice = (
        "likely right: the samples of a group are of one label" if is_likely else "where one answer is for the group"
    )
    text = f"sample; {in_groups}; select.unit: group in params.yaml counts and answers groups ({advice})"
    lines = [("unit", f"{text}, and a column a part of them")]
    if n_mixed:
        two = samples["label"].nunique() == 2
        other = "; select.group_label: any positive makes each a positive group" if two else ""
        text = (
            f"per sample: {n_mixed} of {len(several)} have samples of different labels, which count one by one{other}"
        )
        lines.append(("label of a group", text))
    return lines
