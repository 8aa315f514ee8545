"""Charts for reports: drawn with matplotlib's Agg canvas, the same bytes every time."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.stats import metrics

COLUMNS = 15  # of an importance plot
# Okabe and Ito's colours, which colour-blind readers tell apart
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")


def figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Return an empty figure of 5x4.2 inches with titles and no frame on two sides."""
    drawn = Figure(figsize=(5, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return drawn, axes


def save(drawn: Figure, path: Path) -> None:
    """Write a PNG without the name of the program that drew it, which would change with every version."""
    layout: Any = drawn.get_layout_engine()
    layout.execute(drawn)
    drawn.set_layout_engine("none")
    canvas: Any = drawn.canvas
    with artifacts.replacing(path) as part:
        canvas.print_png(part, metadata={"Software": None})  # savefig draws twice, the first time to lay out the axes


def roc(data: Dataset, proba: np.ndarray, auc: float, title: str, path: Path) -> None:
    """Draw the ROC curve of the positive class, or of each class against the rest."""
    drawn, axes = figure(title, "1 - specificity", "sensitivity")
    shown = [1] if data.positive else range(len(data.classes))
    for number, k in enumerate(shown):
        fpr, tpr, _ = metrics.roc_curve(data.y == k, proba[:, k])
        axes.plot(fpr, tpr, color=COLOURS[number % len(COLOURS)], label=data.classes[k], linewidth=1.8)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    axes.set_aspect("equal")
    axes.legend(title=f"AUC {auc:.3f}", loc="lower right", frameon=False, fontsize=9)
    save(drawn, path)


def precision_recall(data: Dataset, proba: np.ndarray, average: float, title: str, path: Path) -> None:
    """Draw precision over recall of the positive class, or of each class; dotted is what guessing would reach."""
    drawn, axes = figure(title, "recall (sensitivity)", "precision (positive predictive value)")
    shown = [1] if data.positive else range(len(data.classes))
    for number, k in enumerate(shown):
        colour, positives = COLOURS[number % len(COLOURS)], data.y == k
        fpr, tpr, _ = metrics.roc_curve(positives, proba[:, k])
        hits, alarms = tpr[1:] * positives.sum(), fpr[1:] * (~positives).sum()
        precision = hits / np.maximum(hits + alarms, 1)
        axes.step(tpr[1:], precision, color=colour, label=data.classes[k], linewidth=1.8, where="pre")
        axes.axhline(positives.mean(), color=colour, linewidth=0.8, linestyle=":")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    axes.legend(title=f"average precision {average:.3f}", loc="lower left", frameon=False, fontsize=9)
    save(drawn, path)


def confusion(matrix: np.ndarray, classes: list[str], title: str, path: Path) -> None:
    """Draw counts, rows the actual and columns the decided class, shaded by their share of the row."""
    drawn, axes = figure(f"{title}, out of fold", "decided", "actual")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        dark = share[row, column] > 0.5
        text = f"{count}\n{share[row, column]:.0%}"
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=10)
    ticks = range(len(classes))
    axes.set_xticks(
        ticks, classes, rotation=0 if len(classes) < 4 else 30, ha="center" if len(classes) < 4 else "right"
    )
    axes.set_yticks(ticks, classes)
    save(drawn, path)


def reliability(bins: pd.DataFrame, smooth: pd.DataFrame | None, positive: str | None, title: str, path: Path) -> None:
    """Draw the observed share over the mean predicted probability of each bin of `curves.reliability`, with its interval, and
    `curves.flexible` with its band.
    """
    sure = f"predicted probability of {positive}" if positive else "probability of the most probable class"
    drawn, axes = figure(title, sure, f"share of {positive}" if positive else "share that is right")
    beyond = [bins["observed"] - bins["low"], bins["high"] - bins["observed"]]
    if smooth is not None:
        axes.fill_between(smooth["predicted"], smooth["low"], smooth["high"], color=COLOURS[0], alpha=0.15, linewidth=0)
        axes.plot(smooth["predicted"], smooth["observed"], color=COLOURS[0], linewidth=1.2, linestyle=":")
    axes.errorbar(bins["predicted"], bins["observed"], beyond, color=COLOURS[0], marker="o", capsize=2, linewidth=1.2)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    axes.set_aspect("equal")
    save(drawn, path)


def decision_curve(table: pd.DataFrame, bounds: list[float] | None, title: str, path: Path) -> None:
    """Draw the net benefit of model, treating all and treating none over the threshold, within the `bounds` if there are any."""
    drawn, axes = figure(title, "threshold probability", "net benefit")
    shown = table[table["threshold"].between(bounds[0] - 1e-9, bounds[1] + 1e-9)] if bounds else table
    styles = (("model", COLOURS[0], "-"), ("all", COLOURS[1], "--"), ("none", COLOURS[7], ":"))
    for name, colour, style in styles:
        label = name if name == "model" else f"treat {name}"
        axes.plot(shown["threshold"], shown[name], color=colour, linestyle=style, label=label, linewidth=1.8)
    axes.fill_between(shown["threshold"], shown["model_low"], shown["model_high"], color=COLOURS[0], alpha=0.15)
    top = float(shown["model_high"].max())
    axes.set_ylim(-0.2 * max(top, 0.05), 1.1 * max(top, 0.05))
    axes.legend(frameon=False)
    save(drawn, path)


def coverage(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw the error over the share that is answered, see `evaluation.curves`."""
    drawn, axes = figure(title, "share answered", "share of these that is wrong")
    for colour, (by, part) in zip(COLOURS, table.groupby("by", sort=False), strict=False):
        axes.plot(part["coverage"], part["risk"], color=colour, label=f"by {by}", linewidth=1.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    save(drawn, path)


def importance(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw `training.importance` of the `COLUMNS` most important columns, the mean over folds and their range."""
    drawn, axes = figure(title, "log loss lost when permuted", "")
    shown = table.head(COLUMNS).iloc[::-1]
    beyond = [(shown["importance"] - shown["low"]).clip(0), (shown["high"] - shown["importance"]).clip(0)]
    axes.barh(range(len(shown)), shown["importance"], xerr=beyond, color=COLOURS[0], ecolor="#777777", capsize=2)
    axes.set_yticks(
        range(len(shown)), [name if len(name) <= 28 else f"{name[:27]}…" for name in shown["column"]], fontsize=8
    )
    axes.axvline(0, color="#999999", linewidth=0.8)
    save(drawn, path)


def history(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw the loss by epoch, mean over folds, on samples fitted on and on samples held out."""
    drawn, axes = figure(f"{title}, mean over folds", "epoch", "log loss")
    marker = "o" if len(table) == 1 else None
    axes.plot(table["epoch"], table["loss"], color=COLOURS[0], marker=marker, label="fitted on")
    axes.plot(table["epoch"], table["val_loss"], color=COLOURS[1], marker=marker, label="held out")
    axes.set_ylim(bottom=0)
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True, min_n_ticks=1)
    if len(table) == 1:
        axes.set_xticks(table["epoch"])
    axes.legend(frameon=False)
    save(drawn, path)
