"""Entries come into params.yaml and go out of it again, and every other byte stays."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.core import yaml_edit
from pipeline.core.errors import ParamsError

SHIPPED = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
TASK = {"skin": {"kind": "image", "raw": "data/raw/a: b", "read": {"label": "NO", "csv": None}, "models": ["a", "b"]}}
MODELS = {"skin-a": {"task": "skin", "C": 0.001}, "skin-b": {"task": "skin", "fine_tune": None}}

COMMENT = re.compile(r"#.*")


def there_and_back(text: str) -> str:
    """Add a task and two models, check that they are in, and take them out again."""
    added = yaml_edit.add(yaml_edit.add(text, "tasks", TASK, gap=True), "models", MODELS)
    before, after = yaml.safe_load(text), yaml.safe_load(added)
    assert after == before | {"tasks": before["tasks"] | TASK, "models": before["models"] | MODELS}
    assert COMMENT.findall(added) == COMMENT.findall(text)
    return yaml_edit.remove(yaml_edit.remove(added, "models", set(MODELS)), "tasks", set(TASK))


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED,
        SHIPPED.replace("\n", "\r\n"),
        SHIPPED.rstrip("\n"),
        SHIPPED + "\n# the end\n",
        "tasks: {}\nmodels: {}\n",
        "tasks: {}  # none yet\n\nmodels: {} # none\nseed: 7",
        yaml.safe_dump(yaml.safe_load(SHIPPED), sort_keys=False),
        yaml.safe_dump(yaml.safe_load(SHIPPED), sort_keys=True, indent=8),
        "tasks:\n  a: {x: [1,\n     2]}\n  # of a?\n\n\n# more\nmodels:\n  m:\n    x: |\n      two\n      lines\n\nseed: 1\n",
        "base: &base {x: 1}\ntasks:\n  a: *base\nmodels:\n  m:\n    y: *base\n",
        "# ä\ntasks:\n    a:\n      b:\n      - 1\n      - c:\nmodels:\n    m:\n",
    ],
    ids=["shipped", "Windows", "no last line end", "comment behind", "empty", "empty with comments", "dumped", "indented",
         "text and comments", "aliases", "nothing as value"],
)  # fmt: skip
def test_removing_undoes_adding_exactly(text):
    assert there_and_back(text) == text


def test_additions_end_the_section_in_its_style():
    added = yaml_edit.add(SHIPPED, "tasks", TASK, gap=True)
    assert (
        "    models: [breast-logreg, breast-random_forest, breast-knn, breast-dummy]\n\n"
        "  skin:\n    kind: image\n    raw: 'data/raw/a: b'\n    read: {label: 'NO', csv: null}\n    models: [a, b]\n\n"
        "external: {}"
    ) in added
    assert yaml_edit.add(SHIPPED, "models", MODELS).endswith("  skin-b: {task: skin, fine_tune: null}\n")


def test_removing_an_entry_removes_only_its_comments():
    a, b = "  a:  # first\n    x: 1\n    # of a\n", "  b: {x: 2}  # second\n"
    text = f"tasks:\n{a}\n  # of b\n{b}  # last\nmodels: {{}}\n"
    assert yaml_edit.remove(text, "tasks", {"a"}) == f"tasks:\n  # of b\n{b}  # last\nmodels: {{}}\n"
    assert yaml_edit.remove(text, "tasks", {"b"}) == f"tasks:\n{a}\n  # of b\n  # last\nmodels: {{}}\n"


def test_section_without_entries_becomes_empty_braces():
    text = "tasks:  # all\n  a:\n    x: 1\n\nmodels:\n  m: {}\n"
    assert yaml_edit.remove(text, "tasks", {"a"}) == "tasks: {}  # all\n\nmodels:\n  m: {}\n"


def test_every_entry_of_the_shipped_file_can_be_removed():
    content = yaml.safe_load(SHIPPED)
    for section in ("tasks", "models"):
        for name in content[section]:
            left = yaml.safe_load(yaml_edit.remove(SHIPPED, section, {name}))
            assert left[section] == {key: value for key, value in content[section].items() if key != name}


def test_a_section_in_braces_is_refused_with_what_to_do():
    text = "tasks: {a: {x: 1}}\n"
    for change in (lambda: yaml_edit.add(text, "tasks", TASK), lambda: yaml_edit.remove(text, "tasks", {"a"})):
        with pytest.raises(ParamsError, match=r"tasks is written in braces; write it with one entry a line"):
            change()


def test_a_missing_section_is_named():
    with pytest.raises(ParamsError, match="has no section 'tasks'"):
        yaml_edit.add("tasks:\nmodels: {}\n", "tasks", TASK)


def test_edits_with_side_effects_are_refused():
    text = "tasks:\n  a: &a {x: 1}\n  b: *a\n"  # without a, b leads nowhere
    with pytest.raises(ParamsError, match="edit it by hand; nothing was written"):
        yaml_edit.remove(text, "tasks", {"a"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "  a:\n    kind: table\n    reader: tables.py  # how\n    # next\n    raw: x\n",
            "  a:\n    kind: table\n    # next\n    raw: x\n",
        ),
        ("  a:\n    'reader': \"tables.py\"\n    raw: x\n", "  a:\n    raw: x\n"),
        ("  a:\r\n    reader: tables.py\r\n    raw: \u00e4\r\n", "  a:\r\n    raw: \u00e4\r\n"),
        ("  a:\n    raw: x\n    reader: |\n      x\n\n", "  a:\n    raw: x\n\n"),
        ("  a: {kind: table, reader: x, raw: y}  # b\n", "  a: {kind: table, raw: y}  # b\n"),
        ("  a: {kind: table, reader: 'x'}\n", "  a: {kind: table}\n"),
        ("  a: {kind: table,  # b\n    reader: x,  # c\n    raw: y}\n", "  a: {kind: table,  # b\n    raw: y}\n"),
        ("  a: {reader: x}\n", "  a: {}\n"),
        ("  a: &a {reader: x, raw: y}\n  c: *a\n", "  a: &a {raw: y}\n  c: *a\n"),
    ],
    ids=["comments", "quotes", "Windows", "text", "braces", "last", "lines", "only", "alias"],
)
def test_a_key_is_removed_from_every_entry_and_nothing_else(old, new):
    others = "  other: {raw: reader, models: [reader]}\nmodels:\n  a: {reader: kept}\n"
    assert yaml_edit.remove_key(f"tasks:\n{old}{others}", "tasks", "reader") == f"tasks:\n{new}{others}"
