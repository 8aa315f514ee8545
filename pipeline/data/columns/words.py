"""Names as data sets spell them, compared without case, spaces and signs; and those of the parts of a shipped split."""

import re
import unicodedata

SHIPPED = {"train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid"}
SHIPPED |= {"test": "test", "testing": "test"}
OTHER_SPLITS = {"trn": "train", "dev": "valid", "tst": "test", "holdout": "test"}
PARTS = SHIPPED | OTHER_SPLITS | {"tr": "train", "te": "test", "trainset": "train", "testset": "test"}  # in a column


def plain(name: str) -> str:
    """Return the name of a column, folder or file in lower case, without spaces and signs."""
    return re.sub(r"[\W_]+", "", str(name).casefold())


def key(name: str) -> str:
    """Return a name without case, accents, spaces and signs."""
    return re.sub(r"[\W_]+", "", unaccented(name))


def unaccented(name: str) -> str:
    """Return a name in lower case without accents."""
    parts = unicodedata.normalize("NFKD", str(name)).casefold()
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def spelling(name: str) -> str:
    """Return the name of a patient without what programs and typists add and take away.

    That is case, blanks, a sign between letters and the number behind them (P-07), zeros before a number and a trailing .0, and
    which of Unicode's two forms a letter with an accent has.
    """
    text = re.sub(r"\s+", "", unicodedata.normalize("NFC", name.casefold()))
    text = re.sub(r"(?<=\d)\.0+$", "", text)
    text = re.sub(r"(?<=[^\W\d_])[-_](?=\d)", "", text)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", text)
