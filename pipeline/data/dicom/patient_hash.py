"""Turn identifiers of patients, studies and series into names of groups that tell nobody who they are.

A name is a keyed hash; the key is made once and lies in data/.salt, which git ignores. Whoever has the key and an identifier can
find its group: keep it as you keep the data. Without it a clone names the groups anew, but what belongs together stays together.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pipeline.core import copies
from pipeline.core.errors import ParamsError
from pipeline.core.paths import SALT
from pipeline.data.columns.words import spelling
from pipeline.data.tabular.missing import is_unknown

KINDS = {"PatientID": "patient", "StudyInstanceUID": "study", "SeriesInstanceUID": "series", "SOPInstanceUID": "file"}
COARSEST = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
SPELT = ("patient", "group")  # kinds whose identifiers people and programs spell in several ways; UIDs have one
NOBODY = re.compile(
    r"(?i)(anon\w*([ ^]+(patient|subject|name))?|patient|de-?identified|no ?id|test|x+)"
)  # PatientIDs after anonymisation; words for "unknown" are in data/tabular/missing.py
LENGTH = 12  # hex digits: among a million patients two share a name with a chance of 0.2 %


def hashed(kind: str, identifier: str) -> str:
    """Return the name of the group of an identifier, in whatever spelling, such as patient-4f1c...; "" for an empty one."""
    identifier = spelling(identifier) if kind in SPELT else identifier
    if not identifier:
        return ""
    digest = hmac.new(salt(), f"{kind}:{identifier}".encode(), hashlib.sha256).hexdigest()
    return f"{kind}-{digest[:LENGTH]}"


def group_of_ids(ids: Mapping[str, str], attribute: str) -> str:
    """Return the group of a file with these identifiers: by an attribute, by the next finer one where that is empty; else ""."""
    name = finest_of(ids, attribute)
    return hashed(KINDS[name], ids[name]) if name else ""


def finest_of(ids: Mapping[str, str], attribute: str) -> str:
    """Return the first attribute from `attribute` on, towards finer ones, that tells files apart; "" without any."""
    return next((name for name in COARSEST[COARSEST.index(attribute) :] if is_told(ids.get(name))), "")


def is_told(identifier: str | None) -> bool:
    """Return whether an identifier says who or what it is: not empty, and no word that stands for all patients."""
    return bool(identifier) and not is_unknown(str(identifier)) and not NOBODY.fullmatch(str(identifier))


def salt() -> bytes:
    """Return the project's key; it is made where there is none. Copies in which DVC runs experiments use the original's."""
    return _read(copies.home() / SALT)


@lru_cache(maxsize=4)
def _read(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
    except FileExistsError:
        pass
    key = path.read_text(encoding="ascii", errors="replace").strip()
    if len(key) < 32:
        raise ParamsError(
            f"{path.as_posix()}: is no key; restore it from a copy, or delete it: patients then get new names"
        )
    return key.encode()
