"""Names as data sets spell them, compared without case, spaces and signs; and those of the parts of a shipped split."""

import re

SHIPPED = {"train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid"}
SHIPPED |= {"test": "test", "testing": "test"}
OTHER_SPLITS = {"trn": "train", "dev": "valid", "tst": "test", "holdout": "test"}
PARTS = SHIPPED | OTHER_SPLITS | {"tr": "train", "te": "test", "trainset": "train", "testset": "test"}  # in a column


def plain(name: str) -> str:
    """Return the name of a column, folder or file in lower case, without spaces and signs."""
    return re.sub(r"[\W_]+", "", str(name).casefold())


def spelling(name: str) -> str:
    """Return an identifier without case, blanks, zeros before a number and a trailing .0, which programs add and take away."""
    text = re.sub(r"\s+", "", name.casefold())
    text = re.sub(r"(?<=\d)\.0+$", "", text)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", text)
