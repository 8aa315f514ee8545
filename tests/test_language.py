"""Words that CONTRIBUTING.md asks to avoid stay out of the code: in identifiers, comments, docstrings and strings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = {
    **dict.fromkeys(("picture", "pictures"), "image"),
    **dict.fromkeys(("doubt", "doubts", "familiar", "familiarity", "unlike"), "out-of-distribution; warning"),
    **dict.fromkeys(("vouch", "vouched", "vouches"), "expected_sha256"),
    **dict.fromkeys(("squeezed", "turned"), "resized, rotated"),
    **dict.fromkeys(("betray", "betrays"), "shortcut feature"),
    "beside": "clinical columns; next to",
    "newcomers": "batch profile",
}
PHRASES = {"told_by": "shortcut feature", "handed in": "submitted", "coloured otherwise": "recoloured"}
# A name says what the thing is: the message, the pairs, the index.
NAMES = {"found", "one", "said", "told", "at", "look", "looks", "place"}
# "Of two classes a sigmoid is tried": with two classes.
CLAUSE = re.compile(r"(?:^|\. |\"\"\")(?:Of (?:two|more|others|several|those|very|images|what)|Return of) ")
# What other programs read keeps its name: (file, word).
CONTRACTS: set[tuple[str, str]] = {
    # a verdict of the API
    *((f"{name}.py", "unlike") for name in ("pipeline/monitoring/drift", "app/schemas", "app/views/monitor")),
    # a value in coverage.csv
    *((f"{name}.py", "familiarity") for name in ("pipeline/evaluation/curves", "app/views/model_charts")),
    ("pipeline/retraining/records.py", "told_by"),  # a key of comparison.json
    # an attribute of pickled models
    ("pipeline/prediction/explanation.py", "beside"),
    ("pipeline/estimators/_prepare.py", "beside"),
    ("pipeline/prediction/self_test.py", "pictures"),  # a name in the golden predictions of bundle.json
    ("pipeline/data/uploads.py", "pictures"),  # a folder of uploads
    # words for images in the folder and column names of users
    ("pipeline/data/folders/folder_names.py", "pictures"),
    ("pipeline/data/folders/image_csv.py", "picture"),
}
PAGES = [path for name in ("*.md", "*.in", "docs/**/*.md", "params.yaml", "dvc.yaml") for path in ROOT.glob(name)]
OF_TESTS = ("tests", "soak", "benchmarks")
TESTED = {"unlike", "familiarity", "told_by", "beside", "pictures"}  # names in files, which tests check


def files_of(room: str) -> list[Path]:
    """Return the sources of a room; of `pipeline` itself the stages and commands."""
    folder = ROOT / room
    files = folder.glob("*.py") if room == "pipeline" else folder.rglob("*")
    return sorted(path for path in files if path.suffix in (".py", ".html") and path != Path(__file__))


def rooms() -> list[str]:
    folders = sorted(path.parent for path in (ROOT / "pipeline").glob("*/__init__.py"))
    return ["app", "pipeline", *(folder.relative_to(ROOT).as_posix() for folder in folders), *OF_TESTS]


def words_to_avoid(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, word and what to write instead."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"[A-Z]?[a-z]+", line):
            if word.lower() in WORDS:
                yield number, word, WORDS[word.lower()]
        if CLAUSE.search(line.strip()):
            yield number, line.strip(), "with two classes, for images, among those"
        for phrase in PHRASES:
            if phrase in line.lower():
                yield number, phrase, PHRASES[phrase]
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            stored = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            name = node.id if stored else node.arg if isinstance(node, ast.arg) else getattr(node, "name", "")
            if name in NAMES:
                yield node.lineno, name, "what it is"


@pytest.mark.parametrize("room", rooms())
def test_a_room_is_written_in_plain_words(room):
    lines = []
    for path in files_of(room):
        file = path.relative_to(ROOT).as_posix()
        for number, word, instead in words_to_avoid(path):
            if (file, word) not in CONTRACTS and not (room in OF_TESTS and word in TESTED):
                lines.append(f"{file}:{number}: {word!r}: write {instead}")
    assert not lines, "\n".join(lines)


def test_pages_and_parameters_are_written_in_plain_words():
    lines = [f"{path.name}:{line}: {word!r}" for path in PAGES for line, word, _ in words_to_avoid(path)]
    assert not lines, "\n".join(lines)


def test_every_exception_is_needed():
    for file, word in CONTRACTS:
        assert word in {used for _, used, _ in words_to_avoid(ROOT / file)}, f"{file} no longer says {word!r}"
