"""Load params.yaml and look its blocks up as checked objects (see `params_models`)."""

import copy
import itertools
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.core.artifacts import JSON, conflict_in
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import ExternalParams, ModelParams, TaskParams

PARAMS = Path("params.yaml")
if TYPE_CHECKING:
    LOADER = yaml.SafeLoader
else:  # C where it is compiled in: 4 ms instead of 40
    LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAB = re.compile(r" *\t")  # where a line is indented
PLAIN = re.compile(r"[-+]?(0|[1-9][0-9]*)")  # a whole number that every YAML reads alike
Schema = TypeVar("Schema", bound=BaseModel)


class _Loader(LOADER):
    """Refuse a duplicate key in a block; YAML would silently drop the first value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _whole(loader: _Loader, node: yaml.ScalarNode) -> int:
    """Refuse 010 and 1:30, which are 8 and 90 here, and 10 and text for DVC, which reads YAML 1.2."""
    value = int(loader.construct_yaml_int(node))
    if not PLAIN.fullmatch(node.value):
        raise yaml.constructor.ConstructorError(
            None,
            None,
            f"{node.value} would be the number {value}; write {value}, or quotes around a name",
            node.start_mark,
        )
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


@lru_cache(maxsize=1)  # a stage looks values up a hundred times, and the demo's file takes 7 ms
def _content(text: str) -> Any:
    return yaml.load(text, _Loader)


def load(path: Path = PARAMS) -> JSON:
    """Return params.yaml as plain data; raise ParamsError if it is missing or is not a YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
        if line := conflict_in(text):
            raise ParamsError(
                f"{path} has a merge conflict in line {line}: keep the lines that hold, and remove the others and git's marks"
            )
        content = copy.deepcopy(_content(text))
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing: run this in the project's folder") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that is none
        number: int | None = getattr(getattr(error, "problem_mark", None), "line", None)
        lines = [] if number is None else text.split("\n")[: number + 1]
        if lines and (tab := TAB.match(lines[-1])):
            raise ParamsError(
                f"{path}, line {len(lines)}, column {tab.end()}: a tab; YAML takes spaces alone: write spaces instead of it"
            ) from None
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} holds no keys; expected seed, workers, demo, backbone, tasks and models")
    return content


def parse(schema: type[Schema], content: Any, where: str) -> Schema:
    """Return `content` as a `schema`; raise ParamsError naming every key under `where` that does not fit."""
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise ParamsError("; ".join(_explain(details, schema, where) for details in error.errors())) from None


def combinations(own: JSON) -> list[JSON]:
    """Return a block for each combination of the values that are listed in a model's `own` keys, the last key fastest."""
    values = [value if isinstance(value, list) else [value] for value in own.values()]
    return [dict(zip(own, chosen, strict=True)) for chosen in itertools.product(*values)]


# YAML reads YES, no and on as true or false, and 1e-3 as text.
HINTS = {
    ("string_type", bool): "; put it in quotes",
    ("string_type", int): "; put it in quotes",
    ("float_type", str): "; without quotes, and 1e-3 as 0.001",
    ("int_type", str): "; without quotes",
}


def _explain(error: ErrorDetails, schema: type[BaseModel], where: str) -> str:
    key = ".".join([where, *map(str, error["loc"])]).strip(".")
    if error["type"] == "extra_forbidden":
        block: Any = schema
        for name in error["loc"][:-1]:
            block = block.model_fields[name].annotation if name in getattr(block, "model_fields", {}) else None
        allowed = ", ".join(getattr(block, "model_fields", ())) or "see the comments in params.yaml"
        return f"params.yaml: {key}: unknown key; known here: {allowed}"
    if error["type"] == "missing":
        return f"params.yaml: {key}: is missing; see the comments in params.yaml"
    hint = HINTS.get((error["type"], type(error["input"])), "")
    if error["type"] == "model_type":
        hint = "; see the comments in params.yaml"
    message = error["msg"].removeprefix("Value error, ").partition(" or instance of ")[0]  # a class of ours
    return f"params.yaml: {key}: found {error['input']!r}; {message[0].lower()}{message[1:]}{hint}"


def seed() -> int:
    """Return the seed from which everything random starts."""
    return _whole_number("seed")


def workers() -> int:
    """Return how many workers run side by side."""
    return _whole_number("workers")


def task(name: str) -> TaskParams:
    """Return the parameters of the task `name`; raise ParamsError if there is no such task."""
    return parse(TaskParams, _entry("tasks", name), f"tasks.{name}")


def model(name: str) -> ModelParams:
    """Return the parameters of the model `name`; raise ParamsError if there is no such model."""
    return parse(ModelParams, _entry("models", name), f"models.{name}")


def external(name: str) -> ExternalParams:
    """Return the parameters of the external data set `name`; raise ParamsError if there is none of that name."""
    return parse(ExternalParams, _entry("external", name), f"external.{name}")


def _whole_number(key: str) -> int:
    value = load().get(key)
    if type(value) is not int:
        raise ParamsError(f"params.yaml: {key}: found {value!r}; expected a whole number")
    return value


def _entry(section: str, name: str) -> Any:
    entries = load().get(section) or {}
    if name not in entries:
        raise ParamsError(
            f"params.yaml has no {section.removesuffix('s')} {name!r}; it has: {', '.join(entries) or 'none'}"
        )
    return entries[name]
