"""Pages of the site that are made from the code: params.yaml, the command line, the HTTP interface; and the benchmarks.

MkDocs runs this at each build (`make docs`), so these pages cannot differ from the code.
"""

import importlib
import inspect
import json
import os
import re
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from pipeline.assay import COMMANDS
from pipeline.core import params_models, read_params
from pipeline.core.augment_params import AugmentParams
from pipeline.core.command_line import CALLED_AS

BLOCKS = (  # (heading, model) in the order of params.yaml
    ("demo", params_models.DemoParams),
    ("backbone", params_models.BackboneParams),
    ("retrain", params_models.RetrainParams),
    ("mlflow", params_models.MlflowParams),
    ("cache", params_models.CacheParams),
    ("tasks.NAME", params_models.TaskParams),
    ("tasks.NAME.read", read_params.ReadParams),
    ("tasks.NAME.audit", params_models.AuditParams),
    ("tasks.NAME.split", params_models.SplitParams),
    ("tasks.NAME.preprocess", params_models.PreprocessParams),
    ("tasks.NAME.preprocess.augment", AugmentParams),
    ("tasks.NAME.select", params_models.SelectParams),
    ("tasks.NAME.select.operating_point", params_models.OperatingPointParams),
    ("models.NAME", params_models.ModelParams),
    ("external.NAME", params_models.ExternalParams),
)
BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
LIMITS = {"gt": "over", "ge": "at least", "lt": "below", "le": "at most"}


def type_in_words(kind: Any) -> str:
    """Return a type as a reader of YAML knows it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin in (Union, UnionType):
        return " or ".join(type_in_words(part) for part in args)
    if origin is list:
        return f"list of {type_in_words(args[0])}"
    if origin is dict:
        return f"{type_in_words(args[0])}: {type_in_words(args[1])}"
    if hasattr(kind, "__metadata__"):
        return type_in_words(args[0])
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return "a block"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "nothing"}
    return names.get(kind, "anything")


def default_in_words(field: Any) -> str:
    """Return the default of a field as it would stand in YAML."""
    if field.is_required() or field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, BaseModel):
        return ""
    return f"`{json.dumps(field.default)}`"


def limits_of(field: Any) -> str:
    """Return the permitted range of a field."""
    limits = [(word, getattr(item, name, None)) for item in field.metadata for name, word in LIMITS.items()]
    return ", ".join(f"{word} {limit}" for word, limit in limits if limit is not None)


def params_page() -> str:
    """Return the page on params.yaml."""
    lines = [
        "# params.yaml",
        "",
        "Every value that can be tuned. `check` refuses unknown keys, wrong types and values out of range before anything runs;",
        "comments in the shipped file say when to change which. Made from the models in `pipeline/core/params_models.py`.",
    ]
    for heading, model in BLOCKS:
        lines += [
            "",
            f"## {heading}",
            "",
            inspect.cleandoc(model.__doc__ or ""),
            "",
            "| key | value | default |",
            "|---|---|---|",
        ]
        for name, field in model.model_fields.items():
            value = "; ".join(filter(None, [type_in_words(field.annotation), limits_of(field)])).replace("|", "\\|")
            lines.append(f"| `{name}` | {value} | {default_in_words(field)} |")
    return "\n".join(lines) + "\n"


def command_line_page() -> str:
    """Return the page on `assay`."""
    lines = [
        "# Command line",
        "",
        "`assay COMMAND` works in every folder of a project. Where it is not installed, `python -m` and the module do the same",
        "in the project's folder.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        "| 0 | done |",
        "| 2 | something has to be mended first; one line says what was found, where, what was expected and what to do |",
        "| 3 | the data can be read, but a figure would be wrong before you decide something; the message says what |",
        "| 130 | interrupted; no half-written file is kept |",
        "| 1 | a bug, with a traceback: please report it |",
    ]
    for name, command in COMMANDS.items():
        lines += [
            "",
            f"## assay {name}",
            "",
            f"{command.help[0].upper()}{command.help[1:]}. Module: `{' '.join(command.starts)}`.",
            "",
        ]
        if command.starts[1].startswith("pipeline."):
            os.environ[CALLED_AS] = f"assay {name}"
            os.environ["COLUMNS"] = "100"
            parser = importlib.import_module(command.starts[1]).build_parser()
            lines += ["```text", parser.format_help().rstrip(), "```"]
    os.environ.pop(CALLED_AS, None)
    return "\n".join(lines) + "\n"


def http_page() -> str:
    """Return the page on the HTTP interface."""
    from app.api import create_app

    interface = create_app(1, []).app.openapi()
    lines = [
        "# HTTP",
        "",
        "`assay api` serves this on `http://127.0.0.1:8000`; `/docs` of the server lets you try it, offline too. Errors are",
        "problem documents (RFC 9457) whose `detail` says what was found, what was expected and what to do.",
    ]
    for path, methods in interface["paths"].items():
        for method, route in methods.items():
            lines += ["", f"## {method.upper()} {path}", "", route.get("description", route["summary"]), ""]
            given = route.get("parameters", [])
            if given:
                lines += ["| parameter | in | meaning |", "|---|---|---|"]
                lines += [f"| `{item['name']}` | {item['in']} | {item.get('description', '')} |" for item in given]
                lines.append("")
            statuses = ", ".join(f"`{status}`" for status in route["responses"])
            lines.append(f"Answers: {statuses}.")
    return "\n".join(lines) + "\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    for name, page in (("params", params_page), ("command-line", command_line_page), ("http", http_page)):
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    for path in sorted(BENCHMARKS.glob("*.md")) + sorted(BENCHMARKS.glob("*.png")):
        files.append(File.generated(config, f"benchmarks/{path.name}", content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead links to the benchmarks to their copy in the site; name other files of the repository without a link."""
    markdown = markdown.replace("](../benchmarks/", "](benchmarks/").replace("](../../benchmarks/", "](../benchmarks/")
    return re.sub(r"\[([^\]]+)\]\((?:\.\./)+[A-Z]+\.md\)", r"\1", markdown)
