"""A class that is the absence of a finding is never the positive one."""

import pandas as pd
import pytest

from pipeline.data.columns.negative_class import negative_of
from pipeline.data.feature_arrays import order_classes


@pytest.mark.parametrize(
    ("negative", "other"),
    [
        ("nv", "mel"), ("nevus", "melanoma"), ("benign", "malignant"), ("Normal", "Pneumonia"), ("NORMAL", "ABNORMAL"),
        ("healthy", "sick"), ("negative", "positive"), ("no", "yes"), ("No", "Yes"), ("N", "Y"), ("none", "mild"), ("0", "1"),
        ("0.0", "1.0"), ("control", "case"), ("false", "true"), ("False", "True"), ("absent", "present"), ("no tumor", "tumor"),
        ("notumor", "tumor"), ("NonDemented", "Demented"), ("non-COVID", "COVID"), ("without_dr", "dr"),
        ("Benign cases", "Malignant cases"),
        ("uninfected", "infected"), ("healthy controls", "patients"), ("No Finding", "Effusion"), ("unaffected", "affected"),
        ("well", "ill"), ("alive", "dead"), ("gutartig", "bösartig"), ("Bénin", "Malin"), ("nein", "ja"), ("sin tumor", "tumor"),
        ("benigno", "maligno"), ("unauffällig", "auffällig"), ("o.B.", "Karzinom"), ("low risk", "high risk"), ("良性", "恶性"),
        ("CN", "AD"), ("-1", "1"), ("-", "+"), ("-1.0", "1.0"), ("ohne Befund", "Pneumonie"), ("não", "sim"),
    ],
)  # fmt: skip
def test_the_absence_is_negative_in_any_order(negative, other):
    assert negative_of(negative, other) == negative_of(other, negative) == negative


@pytest.mark.parametrize(
    "pair",
    [
        ("M", "B"),
        ("2", "4"),
        ("F", "M"),
        ("small cell", "adeno"),
        ("a", "b"),
        ("benign", "normal"),
        ("low", "medium"),
        ("stable", "gone"),
    ],
)
def test_where_neither_or_both_are_absent_none_is_negative(pair):
    assert negative_of(*pair) is None


def test_the_absence_comes_first_even_when_rarer():
    assert order_classes(pd.Series(["nv"] * 3 + ["mel"] * 9), None, "skin") == ["nv", "mel"]
    assert order_classes(pd.Series(["nv"] * 3 + ["mel"] * 9), "nv", "skin") == ["mel", "nv"]


@pytest.mark.parametrize(
    ("negative", "positive"), [("uninfected", "Parasitized"), ("ndr", "rdr"), ("not_recurred", "recurrence")]
)
def test_denials_are_negative_whatever_the_other_class_is_called(negative, positive):
    assert negative_of(positive, negative) == negative
