"""Reports of scored projects: what scan, audit and split would have written, and the page as a reader sees it."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from pipeline.core import artifacts
from pipeline.data.dataset import Dataset

MODELS = {"line": {"estimator": "logreg"}, "floor": {"estimator": "dummy"}}
NASTY = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What of a page the tests look at: tags with their attributes, and the text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.texts, self.style = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.style = tag == "style"

    def handle_data(self, data):
        if not self.style:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def describe_data(kind: str, files: dict[str, list[str]]) -> None:
    """Write what scan, audit and split would have: `files` are the paths of the samples by subset; one more is unreadable."""
    blank = {"shipped": "", "width": "300", "height": "225", "mode": "RGB", "format": "PNG", "bytes": "9"}
    rows, places = [], []
    for subset, paths in files.items():
        data = Dataset.load(Path(f"data/t/{subset}.npz"))
        for path, y, group, fold in zip(paths, data.y, data.group, data.fold, strict=True):
            own = {"id": path, "path": path, "label": data.classes[y], "group": f"{subset} {group}"}
            rows.append(own | blank | {"error": ""} | ({"site": "arm"} if kind == "image" else {}))
            places.append(own | {"subset": subset, "fold": fold, "reason": ""})
    bad = {"id": "", "path": f"{NASTY}.png", "label": "benign", "group": ""}
    rows.append(bad | blank | {"error": "is broken"} | ({"site": ""} if kind == "image" else {}))
    places.append(bad | {"subset": "excluded", "fold": "", "reason": "unreadable: is broken"})
    artifacts.write_csv("data/t/scan/samples.csv", pd.DataFrame(rows))
    artifacts.write_csv("data/t/split.csv", pd.DataFrame(places))
    if kind == "table":
        tables = [Dataset.load(Path(f"data/t/{subset}.npz")).X("columns") for subset in files]
        artifacts.write_csv("data/t/scan/columns.csv", pd.concat([*tables, tables[0][:1]]))
    first = files["dev"][:2]
    audit = {"n_files": len(rows), "n_unreadable": 1, "n_leaked": 0, "leaks": [], "label_conflicts": [], "unjudged": []}
    audit |= {"groups": [first], "skipped": [], "unreadable": [{"path": bad["path"], "reason": "is broken"}]}
    audit |= {"pairs": [{"a": first[0], "b": first[1], "kind": "resized", "score": 0.97, "copy": True}]}
    artifacts.write_json(
        "data/t/audit.json",
        audit | {"confounders": [{"name": "width", "accuracy": 0.9, "majority": 0.5, "roc_auc": 0.95}]},
    )
