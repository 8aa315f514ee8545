"""What 50 users of benchmarks/locustfile.py see of a server, with a chart."""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure

CHART = Path(__file__).with_name("locust.png")


def locust(image: Path, port: int) -> list[Figure]:
    """Return what 50 users of the Locust file see, and draw it."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "locust", "-f", "benchmarks/locustfile.py", "--headless", "--users", "50"]
        command += ["--spawn-rate", "10", "--run-time", "40s", "--host", f"http://127.0.0.1:{port}"]
        command += ["--csv", f"{scratch}/seen", "--csv-full-history", "--reset-stats", "--only-summary"]
        subprocess.run(command, env=os.environ | {"PICTURE": str(image)}, capture_output=True, check=False)
        total = next(row for row in read_csv(f"{scratch}/seen_stats.csv") if row["Name"] == "Aggregated")
        draw([row for row in read_csv(f"{scratch}/seen_stats_history.csv") if row["Name"] == "Aggregated"])
    how = f"{total['Request Count']} requests of 50 users, each waiting 1 to 3 s"
    return [
        Figure("Locust, 50 users: median", float(total["Median Response Time"]), how, at_most=20, unit="ms"),
        Figure("Locust, 50 users: p95", float(total["95%"]), how, at_most=50, unit="ms"),
        Figure("Locust, 50 users: failures", float(total["Failure Count"]), how, at_most=0),
    ]


def read_csv(path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def draw(history: list[dict[str, str]]) -> None:
    """Draw Locust's history, a row a second, to benchmarks/locust.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    history = [row for row in history if float(row["Requests/s"]) > 0]  # not the seconds around the reset
    seconds = [int(row["Timestamp"]) - int(history[0]["Timestamp"]) for row in history]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(7, 4), sharex=True, layout="constrained")
    top.plot(seconds, [float(row["Requests/s"]) for row in history], label="requests/s", color="#0072b2")
    top.plot(seconds, [float(row["User Count"]) for row in history], label="users", color="#999999")
    top.plot(seconds, [float(row["Failures/s"]) for row in history], label="failures/s", color="#d55e00")
    for share, colour in (("50%", "#0072b2"), ("95%", "#e69f00")):
        bottom.plot(seconds, [float(row[share]) for row in history], label=f"{share} within", color=colour)
    bottom.set(xlabel="seconds", ylabel="ms", ylim=(0, None))
    for axes in (top, bottom):
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        axes.grid(alpha=0.3)
    figure.savefig(CHART, dpi=100, metadata={"Software": None})
    plt.close(figure)
