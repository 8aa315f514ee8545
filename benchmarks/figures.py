"""A benchmark's figures, as a JSON file in `benchmarks/results/` and as a table in `benchmarks/README.md`."""

import datetime
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core import artifacts

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DATA = Path(os.environ.get("ASSAY_DATA", HERE.parents[1] / "shared" / "data"))  # public sets; never in the project
HEAD = """# Benchmarks

`make bench` measures all of this again and writes this page. A figure with a bar is a ratio within one run wherever that is
possible, because machines are noisy and differ; each line says what was divided by what.
"""


@dataclass(frozen=True)
class Figure:
    """One measured value, its bar if it has one (`at_least` or `at_most`), and in `how` what it was made of."""

    what: str
    value: float
    how: str
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side of its bar; True where there is none."""
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} to {self.at_most:g}"
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}" if self.at_most is not None else ""


def ratio(what: str, above: float, below: float, unit: str = "s", **bar: float) -> Figure:
    """Return the figure `above` / `below`, both in `unit`."""
    return Figure(what, above / below, f"{above:.3g} / {below:.3g} {unit}", **bar)


def save(name: str, title: str, figures: list[Figure], command: str = "") -> None:
    """Print the figures, write them to `results/<name>.json` and bring the pages up to date.

    `command` is what measures them, if it is not `python -m benchmarks.<name>`.
    """
    content = {
        "title": title,
        "command": command or f"python -m benchmarks.{name}",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
    }
    artifacts.write_json(RESULTS / f"{name}.json", content)
    print(table(figures))
    from benchmarks import before_after  # which imports this module

    artifacts.write_bytes(HERE / "README.md", page().encode())
    artifacts.write_bytes(HERE / "statistics.md", before_after.page().encode())


def page() -> str:
    """Return the page: a table for each file of results."""
    parts = [HEAD]
    for path in sorted(RESULTS.glob("*.json")):
        content = artifacts.read_json(path)
        parts.append(f"## {content['title']}\n\n`{content['command']}`, {content['date']}, {content['machine']}\n")
        parts.append(table([Figure(**figure) for figure in content["figures"]]))
    return "\n".join(parts)


def table(figures: list[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| figure | measured | bar | how |", "|---|---|---|---|"]
    for figure in figures:
        verdict = figure.bar + ("" if figure.passed else ": **missed**")
        lines.append(f"| {figure.what} | {figure.value:.3g} {figure.unit}".rstrip() + f" | {verdict} | {figure.how} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Return the processor, its number of cores and the Python, in words."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"
