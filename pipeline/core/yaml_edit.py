"""Add entries to YAML files and remove them as text: every other byte, comments and layout, stays as it is.

A library that writes the whole file does not do that. Measured with ruamel.yaml 0.19: loading and dumping changes 8 of the 11
texts of the tests (indentation, line ends, wrapped lists, `null`) and dvc.lock, which takes it 2.5 s.
"""

import io
from typing import Any

import yaml

from pipeline.core.artifacts import JSON
from pipeline.core.errors import ParamsError
from pipeline.core.params import LOADER


def add(text: str, section: str, entries: JSON, gap: bool = False) -> str:
    """Return `text` with `entries` at the end of the top-level mapping `section`, after a blank line if `gap`.

    Raises ParamsError if the section is missing or written in braces.
    """
    lines, node = read_lines(text), section_of(text, section)
    if node.flow_style and node.value:
        raise ParamsError(f"params.yaml: {section} is written in braces; write it with one entry a line")
    newline = "\r\n" if "\r\n" in text else "\n"
    if node.value:
        end, indent = end_of_content(lines, node), node.value[0][0].start_mark.column
    else:  # remove {}
        end, indent = node.end_mark.line + 1, 2
        line = lines[node.start_mark.line]
        lines[end - 1] = line[: node.start_mark.column].rstrip() + line[node.end_mark.column :]
    dumped = yaml.safe_dump(entries, sort_keys=False, default_flow_style=None, allow_unicode=True, width=10**6)
    block = [newline] if gap and node.value else []
    block += [" " * indent + line + newline for line in dumped.splitlines()]
    if not lines[end - 1].endswith(("\n", "\r")):  # the last line of a file without a final line end
        lines[end - 1] += newline
        block[-1] = block[-1].removesuffix(newline)
    changed = "".join([*lines[:end], *block, *lines[end:]])
    expected = yaml.load(text, LOADER)
    expected[section] = {**expected[section], **entries}
    return checked(changed, expected)


def remove(text: str, section: str, names: set[str]) -> str:
    """Return `text` without these entries of the top-level mapping `section`; the exact inverse of `add`.

    The comments inside an entry are removed with it, and one blank line before it or else after it. Raises ParamsError if the
    section is missing or written in braces.
    """
    lines, node = read_lines(text), section_of(text, section)
    if node.flow_style and any(key.value in names for key, _ in node.value):
        raise ParamsError(f"params.yaml: {section} is written in braces; write it with one entry a line")
    others_follow = False
    for key, value in reversed(node.value):
        if key.value not in names:
            others_follow = True
            continue
        start, end = key.start_mark.line, end_of(lines, key, value)
        if not lines[start - 1].strip():
            start -= 1
        elif others_follow and not lines[end].strip():
            end += 1
        if end == len(lines) and not lines[-1].endswith(("\n", "\r")):
            lines[start - 1] = lines[start - 1].rstrip("\r\n")
        del lines[start:end]
    expected = yaml.load(text, LOADER)
    expected[section] = {name: value for name, value in expected[section].items() if name not in names}
    if not expected[section] and node.value:
        mark = next(key.end_mark for key, _ in top_level(text) if key.value == section)
        lines[mark.line] = f"{lines[mark.line][: mark.column]}: {{}}{lines[mark.line][mark.column + 1 :]}"
    return checked("".join(lines), expected)


def remove_key(text: str, section: str, name: str) -> str:
    """Return `text` without the key `name` in those entries of the top-level mapping `section` that hold a scalar under it."""
    lines, expected = read_lines(text), yaml.load(text, LOADER)
    # Each alias once.
    entries = {entry.start_mark.index: (key.value, entry) for key, entry in section_of(text, section).value}
    for _, (entry_name, entry) in sorted(entries.items(), reverse=True):
        for index, (key, value) in enumerate(entry.value if isinstance(entry, yaml.MappingNode) else ()):
            if key.value == name and isinstance(value, yaml.ScalarNode):
                cut_out(lines, entry, index)
                del expected[section][entry_name][name]
    return checked("".join(lines), expected)


def cut_out(lines: list[str], mapping: yaml.MappingNode, index: int) -> None:
    """Remove a key with its value: whole lines, or inside of braces up to the next key, or else from the value before it."""
    key, value = mapping.value[index]
    if not mapping.flow_style:
        del lines[key.start_mark.line : end_of_content(lines, value, key.start_mark.line)]
        return
    start, end = key.start_mark, value.end_mark
    if index + 1 < len(mapping.value):
        end = mapping.value[index + 1][0].start_mark
    elif index and mapping.value[index - 1][1].end_mark.line == start.line:
        start = mapping.value[index - 1][1].end_mark
    lines[start.line : end.line + 1] = [lines[start.line][: start.column] + lines[end.line][end.column :]]


def read_lines(text: str) -> list[str]:
    """Return the lines of `text` with their line ends, as YAML counts them."""
    return io.StringIO(text, newline="").readlines()


def top_level(text: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return the keys and values of the outermost mapping, with the positions of everything in them."""
    root = yaml.compose(text, LOADER)
    return root.value if isinstance(root, yaml.MappingNode) else []


def section_of(text: str, section: str) -> yaml.MappingNode:
    """Return the mapping under a top-level key, with the positions of everything in it; raise ParamsError if there is none."""
    for key, value in top_level(text):
        if key.value == section and isinstance(value, yaml.MappingNode):
            return value
    raise ParamsError(f"params.yaml has no section {section!r}")


def last_line(node: yaml.Node, least: int = 0) -> int:
    """Return the number of the last line of a node's content; at least `least`, because the node of an alias is elsewhere."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        key, value = last if isinstance(last, tuple) else (last, last)
        return max(least, last_line(value, key.start_mark.line))
    return max(least, node.end_mark.line - (node.end_mark.column == 0))


def end_of_content(lines: list[str], node: yaml.Node, least: int = 0) -> int:
    """Return the number of the line after a node's content, without the blank lines at the end of a block scalar."""
    end = last_line(node, least) + 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def end_of(lines: list[str], key: yaml.Node, value: yaml.Node) -> int:
    """Return the number of the line after an entry; comments indented deeper than its key belong to it."""
    end = end_of_content(lines, value, key.start_mark.line)
    for number in range(end, len(lines)):
        stripped = lines[number].strip()
        deeper = len(lines[number]) - len(lines[number].lstrip()) > key.start_mark.column
        if stripped and not (stripped.startswith("#") and deeper):
            break
        if stripped:
            end = number + 1
    return end


def checked(text: str, expected: Any) -> str:
    """Return `text` if it loads as `expected`; raise ParamsError if the edit failed on unusual YAML."""
    try:
        same = yaml.load(text, LOADER) == expected
    except yaml.YAMLError:
        same = False
    if not same:
        raise ParamsError("params.yaml cannot be changed without losing its form: edit it by hand; nothing was written")
    return text
