"""Every sentence that a report may hold, with what it has to agree with in the artefacts.

`unproven(study, html)` returns the sentences of a page that no claim covers, or whose claim does not hold. A new sentence needs
a claim here; one that defines a term, and so speaks of no artefact, stands in `DEFINITIONS`.
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.data.images.limits import FORMATS
from pipeline.evaluation import by_group, scoring, selection
from pipeline.evaluation.metric_names import NAMES, PROMISE
from pipeline.reporting import limits, tripod_ai
from pipeline.reporting.results import Study
from tests.helpers.projects import ROOT

N, F, S, P = r"(\d+)", r"(-?\d\.\d{3})", r"([+-]\d\.\d{3})", r"(\d+\.\d)%"
SIGN, SHARE = r"([+-]?\d+\.\d+)", r"(\d+)%"
Check = Callable[..., bool]


class Blocks(HTMLParser):
    """The text of each paragraph, item, caption and answer of a page, without tables of numbers, lists of samples and links."""

    TAGS = ("p", "li", "dd", "figcaption", "td")

    def __init__(self, page: str):
        super().__init__()
        self.texts: list[str] = []
        self._tag, self._section, self._nav = "", "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._nav = tag == "nav" or self._nav
        self._section = given.get("aria-labelledby", self._section) if tag == "section" else self._section
        is_cell = tag == "td" and self._section != "tripod"
        is_sample = tag in ("figcaption", "li") and self._section in ("mistakes", "suspects", "data", "audit")
        if tag in self.TAGS and not (self._nav or is_cell or is_sample):
            self._tag = tag
            self.texts.append("")

    def handle_endtag(self, tag):
        self._tag = "" if tag == self._tag else self._tag
        self._nav = self._nav and tag != "nav"

    def handle_data(self, data):
        if self._tag:
            self.texts[-1] += data


def sentences(page: str) -> list[str]:
    """Return the sentences of a page, each once."""
    texts = (re.sub(r" ?§ ?[\w-]+$", "", " ".join(text.split())) for text in Blocks(page).texts)
    parts = (re.split(r"(?<=[.?])\s+(?=[A-Z“])", text) for text in texts)
    asked = {cell for item in tripod_ai.ITEMS for cell in item} | {"for the author", ""}
    return [part for part in dict.fromkeys(part for each in parts for part in each) if part not in asked]


def close(shown: tuple[str | None, ...], *expected: float, digits: int = 3) -> bool:
    """Return whether the numbers shown are those expected at so many digits; None and NaN are alike."""
    numbers = [np.nan if text is None else float(text) for text in shown]
    return len(numbers) == len(expected) and np.allclose(
        numbers, np.array(expected, float), atol=0.51 * 10**-digits, equal_nan=True
    )


def decisions(study: Study) -> pd.Series:
    """Return whether each development sample was decided rightly out of fold."""
    return pd.Series(study.decided == study.dev.y)


def curve(study: Study) -> pd.DataFrame:
    """Return the champion's decision curve, within the range that is named."""
    table = pd.read_csv(TaskPaths(study.name).figures(study.winner) / "decision_curve.csv")
    low, high = study.task.select.operating_point.threshold_range or (0, 1)
    return table[table["threshold"].between(low - 1e-9, high + 1e-9)]


def useful(study: Study, better: str, n: str, low: str, high: str, worse: str, unnamed: str | None) -> bool:
    """Check the sentence on the decision curve."""
    table = curve(study)
    counts = int((table["gain_low"] > 0).sum()), len(table), int((table["gain_high"] < 0).sum())
    named = study.task.select.operating_point.threshold_range
    return (
        counts == (int(better), int(n), int(worse))
        and close((low, high), table["threshold"].min(), table["threshold"].max())
        and (unnamed is None or not named)
    )


def of_a_hundred(study: Study, where: str, positive: str, name: str, hits: str, missed: str) -> bool:
    """Check what becomes of the positive ones among a hundred samples."""
    named = study.task.select.operating_point.prevalence
    n = round(100 * (named or float(np.mean(study.dev.y == 1))))
    n_hits = round(n * study.cv["recall"])
    is_here = where == ("at the place of use" if named else "like these")
    return is_here and (name, int(positive), int(hits), int(missed)) == (study.dev.positive, n, n_hits, n - n_hits)


def of_the_others(study: Study, n: str, wrong: str, name: str) -> bool:
    """Check how many of the negative ones among a hundred samples are called positive."""
    alarms = round(int(n) * (1 - study.cv["specificity"]))
    return (int(wrong), name) == (alarms, study.dev.positive)


def figure_in_words(study: Study, text: str) -> bool:
    """Check a list such as "Accuracy 0.783 [0.664 to 0.869], Specificity 6 of 6" against the report on the test set."""
    keys = {name: key for key, name in NAMES.items()}
    for name, counts, value, ends in re.findall(rf"([A-Z][\w() ]*?) (?:(\d+ of \d+)|{F})((?: \[.+?\])?)(?:, |$)", text):
        key = keys[name]
        if counts:
            if [int(n) for n in counts.split(" of ")] != study.test.cases[key]:
                return False
        elif not close((value, *re.findall(r"\d\.\d{3}", ends)), study.test[key], *study.test.ci[key]):
            return False
    return "ROC AUC" in text or study.metric != "roc_auc"


def verdict(study: Study, sentence: str) -> bool:
    """Check the verdict: the figures, who is tied, and whether the champion is better than guessing."""
    chosen = selection.read(study.name)
    cv, per = study.cv.of_unit(study.bundle.rule.unit), by_group.per(study.bundle.rule.unit)
    numbers = re.search(rf"selected \({NAMES[study.metric]}{per} {F}\)", sentence)
    return (
        sentence.rstrip(".") == chosen.reason
        and sentence.startswith(chosen.winner)
        and close(numbers.groups(), cv[study.metric])
        and all(f"tied with {chosen.tied[0]}" in sentence for _ in chosen.tied[:1])
        and (bool(chosen.tied) or "tied with" not in sentence)
        and ("not better than guessing" in sentence) == bool(chosen.warning)
        and ("the only model" in sentence) == (len(study.task.models) == 1)
        and "wins" not in sentence
    )


def calibrated(study: Study, method: str | None, before: str | None, after: str | None) -> bool:
    """Check the sentence on calibration."""
    how = study.cv.calibration
    if method is None:
        return how is None or how.method == "none"
    scores = how.before["brier_score_loss"], how.after["brier_score_loss"]
    return study.bundle.rule.calibration.method == how.method == method and close((before, after), *scores)


def sizes(study: Study, n: str, events: str, parameters: str, per: str) -> bool:
    """Check the sentence on the sample size."""
    groups = {name: len(set(study.dev.group[study.dev.y == k])) for k, name in enumerate(study.classes)}
    given = int(n), int(events), int(parameters)
    size = study.cv.sample_size
    return given == (len(set(study.dev.group)), min(groups.values()), size.parameters) and close(
        (per,), int(events) / int(parameters), digits=1
    )


def more_data(study: Study, gain: str, low: str, high: str, verdict: str) -> bool:
    """Check what the learning curve is said to promise."""
    doubled = study.learning.doubled["roc_auc"]
    worth = verdict == "more data are worth collecting"
    return close((gain, low, high), doubled.gain, *doubled.ci) and worth == (doubled.ci[0] > 0)


def few_test(study: Study, listed: str) -> bool:
    """Check which classes are said to have few test samples."""
    few = {name: n for name, n in zip(study.classes, np.bincount(read(study, "test")), strict=True)}
    return listed == ", ".join(f"{name} {n}" for name, n in few.items() if n < limits.EVENTS)


def read(study: Study, subset: str) -> np.ndarray:
    """Return the classes, int (n,), of the samples in a subset."""
    labels = study.split.loc[study.split["subset"] == subset, "label"]
    return np.array([study.classes.index(label) for label in labels])


def n_of(study: Study, subset: str) -> int:
    """Return the number of samples in a subset."""
    return int((study.split["subset"] == subset).sum())


def refused(study: Study, *shares: str) -> bool:
    """Check the shares that are refused, in percent."""
    return close(shares, 100 * study.cv["refused"], 100 * study.test["refused"], digits=1)


def kept(study: Study, sentence: str) -> bool:
    """Check the accuracy on answered samples: figures and intervals, or counts."""
    expected = [study.cv.kept, study.test.kept]
    shown = sentence.removeprefix("Accuracy on answered samples: ").rstrip(" .").split(" and ")
    return all(
        text.strip() == f"{scores.cases['accuracy'][0]} of {scores.cases['accuracy'][1]}"
        if "accuracy" in scores.cases
        else close(tuple(re.findall(r"\d\.\d{3}", text)), scores["accuracy"], *scores.ci["accuracy"])
        for text, scores in zip(shown, expected, strict=True)
    )


def of_repeated(sentence: str, study: Study) -> bool:
    """Return whether a sentence of the report's notes stands in one of the two."""
    notes = [f"Out of fold: {note}." for note in study.cv.notes] + [f"Test: {note}." for note in study.test.notes]
    return sentence in [*notes, *(study.cv.by_group.notes if study.cv.by_group else [])]


def rests_on(study: Study, side: str, *shown: str) -> bool:
    """Check of how many samples the groups of a side are."""
    names = study.dev.group if side == "Out of fold" else study.split.loc[study.split["subset"] == "test", "group"]
    sizes = pd.Series(names).value_counts()
    return [int(n) for n in shown] == [len(sizes), sizes.max(), len(names)]


def pooling(study: Study, chosen: str, tried: str, by_fold: str) -> bool:
    """Check how samples are said to become one answer: by what the bundle does, chosen among those that are allowed."""
    losses = {name: loss for name, loss in re.findall(rf"(\w+) {F}", tried)}
    report = study.cv.by_group.pooling
    return (
        chosen == study.bundle.rule.pooling
        and list(losses) == study.task.select.poolings
        and close(tuple(losses.values()), *(each.log_loss for each in report.tried))
        and set(by_fold.split(", ")) == set(report.by_fold)
        and len(report.by_fold) == study.task.split.folds
    )


def cited() -> dict:
    """Return the content of CITATION.cff."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def is_positive(study: Study) -> bool:
    """Return whether there are two classes."""
    return len(study.classes) == 2


def sites_known(study: Study) -> bool:
    """Return whether each model was fitted without each site."""
    return bool(study.task.select.site) and TaskPaths(study.name).sites.exists()


def has_columns(study: Study) -> bool:
    """Return whether clinical columns take part."""
    return "columns" in study.bundle.features


def suspect_rows(study: Study) -> pd.DataFrame:
    """Return the samples whose label is suspect: each has a probability out of fold of its label below that of another class."""
    table = pd.read_csv(TaskPaths(study.name).suspects(study.winner))
    row_of = {path: row for row, path in enumerate(study.dev.path)}
    likely = [study.classes[study.proba[row_of[path]].argmax()] for path in table["path"]]
    assert likely == table["instead"].tolist()
    return table


def no_group_in_two_folds(study: Study) -> bool:
    """Return whether each development group lies in one fold."""
    return pd.Series(study.dev.fold).groupby(study.dev.group).nunique().max() == 1


def groups_apart(study: Study) -> bool:
    """Return whether no group is in development and test."""
    sides = study.split[study.split["subset"].isin(["dev", "test"])]
    return sides.groupby("group")["subset"].nunique().max() == 1


def graph_is_kept() -> bool:
    """Return whether selection.json was written before the first test report: its content does not depend on one."""
    return Path("reports/t/selection.json").stat().st_mtime_ns <= min(
        path.stat().st_mtime_ns for path in Path("reports/t/test").glob("*.json")
    )


def any_external(study: Study) -> int:
    """Return the number of reports on external data."""
    return len(list((TaskPaths(study.name).reports / "external").glob("*.json")))


def elsewhere(study: Study, name: str) -> tuple[dict, dict, dict]:
    """Return the report on an external data set, and of what the rule's unit is its figures and those of the test set."""
    outside = artifacts.read_json(TaskPaths(study.name).external(name))
    inside = artifacts.read_json(TaskPaths(study.name).test_report(study.winner))
    if study.bundle.rule.unit != by_group.SAMPLE:
        return outside, outside["by_group"], inside["by_group"]
    return outside, outside, inside


def unit_named(study: Study, per: str | None) -> bool:
    """Return whether a figure is said to be of the unit that it is of: " per group", or nothing of samples."""
    unit = study.bundle.rule.unit
    return (per or "") == ("" if unit == by_group.SAMPLE else f" per {unit}")


def external_figure(study: Study, name: str, per: str | None, *shown: str | None) -> bool:
    """Check the ROC AUC on external data, and that the difference is of the same figures."""
    report, outside, inside = elsewhere(study, name)
    difference, auc = report["change"]["roc_auc"], outside["roc_auc"]
    expected = [auc, *outside["ci"]["roc_auc"], auc - inside["roc_auc"], *difference["ci"]]
    return unit_named(study, per) and close(shown, *(np.nan if x is None else x for x in expected))


def external_counts(study: Study, n: str, groups: str, *counts: str | None) -> bool:
    """Check how many samples an external data set has, and how many of them are left out for what reason."""
    for path in (TaskPaths(study.name).reports / "external").glob("*.json"):
        report = artifacts.read_json(path)
        own, left = report["overlap"], report["left_out"]
        known = [own["n"], own["of"], own["dev"], own["test"], own["excluded"]] if own["n"] else [own["of"]]
        known += [number for number in (left["label"], left["unreadable"]) if number]
        shown = [int(count) for count in counts if count is not None]
        if (int(n), int(groups), shown) == (report["counts"]["n"], report["counts"]["n_groups"], known):
            return sum((own["of"], left["unreadable"])) >= int(n) + own["n"] + left["label"]
    return False


def external_shares(study: Study, positive: str, per: str | None, observed: str, predicted: str) -> bool:
    """Check the shares of the positive class on external data, the observed one by the counts of the same unit."""
    for path in (TaskPaths(study.name).reports / "external").glob("*.json"):
        report, outside, _ = elsewhere(study, path.stem)
        negatives, positives = (sum(row.values()) for row in outside["counts"]["confusion"].values())
        share = 100 * positives / (negatives + positives)
        if close((observed, predicted), share, 100 * report["calibration_in_the_large"]["predicted"], digits=0):
            return positive == study.dev.positive and unit_named(study, per)
    return False


def lower_elsewhere(study: Study, where: str, per: str | None, least: str, most: str) -> bool:
    """Check by how much the ROC AUC is lower at other sites or on external data."""
    if where == "At a site not seen in training":
        low, high = artifacts.read_json(f"reports/{study.name}/sites.json")["models"][study.winner][0]["difference"][
            "ci"
        ]
        return not per and close((least, most), -high, -low)
    name = where.removeprefix("On ").removesuffix(" (external data)")
    low, high = elsewhere(study, name)[0]["change"]["roc_auc"]["ci"]
    return unit_named(study, per) and high < 0 and close((least, most), -high, -low)


def guesses(study: Study) -> bool:
    """Return whether the champion is the dummy, tied with it, or has an expected ROC AUC whose interval contains .5."""
    dummies = {name for name in study.task.models if params.model(name).estimator == "dummy"}
    low, high = study.selection.expected.ci if study.selection.expected else (np.nan, np.nan)
    return study.winner in dummies or bool(dummies & set(study.selection.tied)) or low <= 0.5 <= high


def cross_fitted(study: Study) -> bool:
    """Return whether a threshold is asked for, and the report's accuracy is not that of the threshold in use."""
    report = artifacts.read_json(TaskPaths(study.name).cv(study.winner))
    return bool(study.bundle.rule.chosen_for) and close((str(report["accuracy"]),), decisions(study).mean(), digits=5)


def intervals_where_said(study: Study) -> bool:
    """Return whether each figure that is defined has an interval, apart from the calibration error; curves of risk have none."""
    without = {name for name, value in study.cv.figures.items() if name not in study.cv.ci and value == value}
    coverage = pd.read_csv(TaskPaths(study.name).figures(study.winner) / "coverage.csv")
    return without == {"ece"} and "low" not in coverage.columns


DEFINITIONS = {
    "A share of fewer than ten cases is given as counts.",
    "The dashed line is chance.",
    "Dotted: the share of the class, which chance would reach.",
    "Whether probabilities can be taken at their word: on the dashed line they can.",
    "At each threshold treating all or treating none is the alternative, whichever is better.",
    "Band: 95 % interval of the model’s.",
    "Below the dotted line it would be better to treat nobody, below the dashed one to treat everybody.",
    "On the dashed line, predicted probabilities match observed shares.",
    "Each point has a tenth of the samples, or more where probabilities are equal.",
    "Share of wrong answers if only the most confident samples, or only those closest to the training data, are answered.",
    "A model that is fitted in one step has one point each.",
    "Differences between subgroups may be due to chance if their intervals overlap widely.",
    "Not defined: a class is missing.",
    "A difference whose interval contains 0 may be due to chance.",
    "After Mitchell et al. 2019, “Model cards for model reporting”.",
    "Leaks and contradicting labels come first, then the least similar pairs.",
    "Research use; it is not a medical device.",
    "See Limitations.",
    "See the figures, subgroups and external data.",
    "By Bayes’ rule from sensitivity and specificity, which are taken to be the same at every prevalence "
    "(Altman and Bland 1994).",
    "How does the model perform at a new site?",
    "List columns such as age (in bands), sex or site under select.subgroups in params.yaml.",
    "Reasons are for the author.",
    "Its meaning for care is for the author.",
    "Other limitations are for the author.",
    "Expertise needed: for the author.",
    "How and when they were labelled is for the author.",
}
CLAIMS: list[tuple[str, Check]] = [
    (
        rf"Of 100 \w+s (like these|at the place of use), {N} are (.+): the model finds {N} of them and misses {N}\.",
        of_a_hundred,
    ),
    (rf"Of the {N} others it calls {N} (.+) wrongly \(out of fold, rounded\)\.", of_the_others),
    (
        rf"Refused as out of distribution, so without an answer: {F} \[{F} to {F}\] out of fold, {F} \[{F} to {F}\] of the test "
        r"set\.",
        lambda s, *f: close(f, *(x for r in (s.cv, s.test) for x in (r["refused"], *r.ci["refused"]))),
    ),
    (r"Net benefit out of fold: the model is worth using where .*", is_positive),
    (rf"(Out of fold|Test): {N} groups of 1 to {N} samples, {N} in all\.", rests_on),
    (
        r"Samples become one answer by (\w+), chosen by log loss \((.+)\); for Brier score, log loss and ECE each fold by what "
        r"the others choose \((.+)\)\.",
        pooling,
    ),
    (r"Intervals are over groups\.", lambda s: s.cv.by_group.counts.n_groups == len(set(s.dev.group))),
    (
        r"The champion, its threshold and its calibration were chosen per (\w+)\.",
        lambda s, unit: unit == s.task.select.unit == s.bundle.rule.unit,
    ),
    (r"Clinical columns: Numbers are imputed and scaled, .*", has_columns),
    (
        r"If you publish results of it, please cite: (.+) \((\d+)\)\.",
        lambda s, name, year: cited()["authors"] == [{"name": name}] and str(cited()["date-released"]).startswith(year),
    ),
    (r"(Assay: .+)\.", lambda s, title: title == cited()["title"]),
    (r"Version (.+)\.", lambda s, version: version == cited()["version"]),
    (r"Report on a classifier of medical (images|tables), generated .*", lambda s, k: k == f"{s.task.kind}s"),
    (r"(It shows single samples|This version shows no single sample).*", lambda s, _: True),
    (r"For the author: .*", lambda s: True),
    (r"How well are .* distinguished in an image( with .+)?\?", lambda s, w: has_columns(s) == bool(w)),
    (rf"How well are .* distinguished by a row of {N} columns\?", lambda s, n: int(n) == len(s.bundle.schema)),
    (r"The positive class, to which sensitivity refers, is (.+)\.", lambda s, name: name == s.dev.positive),
    (r"(\S+ selected \(.*)", verdict),
    (
        rf"Expected on new patients: .+? {F} \[{F}, {F}\](?:, .*)?\.",
        lambda s, *f: close(f, s.selection.expected.figure, *s.selection.expected.ci),
    ),
    (
        rf"On {N} test \w+ of {N} groups, opened after the model was selected: (.*)\.",
        lambda s, n, g, text: (
            (int(n), int(g)) == (n_of(s, "test"), s.test.counts.n_groups) and figure_in_words(s, text)
        ),
    ),
    (
        r"The decision is (.+) at a probability of ([\d.]+) or more \((?:the default|chosen out of fold for (.+))\)\.",
        lambda s, name, t, why: (
            (name, float(t), why or "")
            == (s.dev.positive, float(f"{s.bundle.rule.threshold:g}"), s.bundle.rule.chosen_for)
        ),
    ),
    (r"The answer is the most probable class\.", lambda s: not is_positive(s)),
    (r"In brackets are 95 % intervals for (.+?); they account .*", lambda s, promise: promise == PROMISE),
    (r"“Out of fold”: each development .* without its group\.", lambda s: no_group_in_two_folds(s)),
    (
        rf"The test set is drawn by a hash of each group's name: about {SHARE} of the groups, .*",
        lambda s, n: s.task.split.by == "hash" and close((n,), 100 * s.task.split.test_fraction, digits=0),
    ),
    (r"The test set is the newest groups by .*", lambda s: s.task.split.by == "time"),
    (r"The test set is the one that the data set ships with, .*", lambda s: s.task.split.by == "shipped"),
    (
        r"No column names groups; a group is one \w+ with its copies\.",
        lambda s: not (s.task.read.group or s.task.read.group_from or s.task.read.dicom_group),
    ),
    (r"A group is all \w+s with the same .*", lambda s: bool(s.task.read.group or s.task.read.group_from)),
    (
        rf"Left out: {N} for “(.+)”\.",
        lambda s, n, why: int(n) == n_of(s, "excluded") and s.split["reason"].str.startswith(why).sum() == int(n),
    ),
    (
        r"Images: all (\d+)x(\d+) px\.",
        lambda s, w, h: set(zip(s.samples["width"], s.samples["height"], strict=True)) == {(w, h)},
    ),
    (r"No group is in both sets\.", lambda s: groups_apart(s)),
    (
        rf"The development set is divided into {N} folds, the same for every model\.",
        lambda s, n: int(n) == len(set(s.dev.fold)) == s.task.split.folds,
    ),
    (
        r"((?:Candidates are compared|Among those whose|A baseline \(dummy\)|Tied with the champion are).*)",
        lambda s, t: t in s.selection.rule,
    ),
    (
        r"The test set was opened after the model was selected, and no choice was based on it\.",
        lambda s: graph_is_kept(),
    ),
    (
        rf"It has been evaluated for at least {N} different candidates? so far\.",
        lambda s, n: int(n) == len(pd.read_csv(TaskPaths(s.name).test_set_evaluations)),
    ),
    (r"(?:ROC|Precision and recall|Net benefit)(?:,)? out of fold\.", lambda s: len(s.oof) == len(s.dev.y)),
    (
        rf"Deciding by the model is better .* at {N} of {N} thresholds from ([\d.]+) to ([\d.]+), .* worse at {N}(; select.*)?\.",
        useful,
    ),
    (r"The net benefit is true positives less .* for each (\w+) .*", lambda s, what: is_positive(s) and what == s.what),
    (r"Probabilities are not calibrated\.()()()", lambda s, *_: s.cv.calibration is None),
    (
        r"Probabilities are not calibrated: (\w+) was tried and did not improve the Brier score out of fold\.",
        lambda s, tried: calibrated(s, None, None, None) and tried == s.cv.calibration.tried,
    ),
    (rf"Probabilities are calibrated \((\w+)\): Brier score {F} before, {F} after, out of fold\.", calibrated),
    (
        rf"Expected calibration error: {F} out of fold, {F} on the test set\.",
        lambda s, *f: close(f, s.cv["ece"], s.test["ece"]) and "ece" not in s.cv.ci,
    ),
    (
        r"Bars( and band)?: 95 % intervals(?:; dotted: a smooth curve through all samples)?\.",
        lambda s, band: bool(band) == (TaskPaths(s.name).figures(s.winner) / "calibration_curve.csv").exists(),
    ),
    (
        rf"Refused as out of distribution: {F} \[{F} to {F}\] of the development set, {F} \[{F} to {F}\] of the test set\.",
        lambda s, *f: close(f, *(x for r in (s.cv, s.test) for x in (r["refused"], *r.ci["refused"]))),
    ),
    (r"(Accuracy on answered samples: .*)", kept),
    (r"All other figures include refused samples\.", lambda s: sum(s.test.counts.actual.values()) == n_of(s, "test")),
    (r"Log loss, mean over folds\.", lambda s: TaskPaths(s.name).plot("history", s.winner).exists()),
    (rf"{N} groups of samples, {N} of the rarest class, for {N} parameters: (\d+\.\d) events per parameter\.", sizes),
    (
        rf"The minimum for a regression without penalty \(Riley et al\. 2020\) is {N}: (met|not met)\.",
        lambda s, n, met: (
            int(n) == max(s.cv.sample_size.criteria.values()) and (met == "met") == (len(set(s.dev.group)) >= int(n))
        ),
    ),
    (rf"With twice the training data the ROC AUC is expected to change by {S} \[{S}, {S}\]: (.+)\.", more_data),
    (
        r"Extrapolated by a power law from fits on ([\d, ]+) samples\.",
        lambda s, n: (
            [int(x) for x in n.split(", ")] == [step.n for step in s.learning.steps]
            and int(n.split(", ")[-1]) == round(len(s.dev.y) * (1 - 1 / s.task.split.folds))
        ),
    ),
    (r"No learning curve: .*", lambda s: not s.learning.steps),
    (
        rf"{N} of {N} development \w+ were misclassified out of fold\.",
        lambda s, k, n: (int(k), int(n)) == (int((~decisions(s)).sum()), len(s.dev.y)),
    ),
    (rf"The {N} most confident ones: .*", lambda s, n: int(n) <= int((~decisions(s)).sum())),
    (
        rf"{N} of {N} development \w+ (?:has|have) a label that contradicts .*",
        lambda s, k, n: (int(k), int(n)) == (len(suspect_rows(s)), len(s.dev.y)),
    ),
    (rf"No label of the {N} development .*", lambda s, n: not len(suspect_rows(s)) and int(n) == len(s.dev.y)),
    (rf"The first {N}, with the probability of the label; .*", lambda s, n: int(n) == min(12, len(suspect_rows(s)))),
    (r"They are not listed in this version\.", lambda s: True),
    (rf"“few”: under {N} samples.*", lambda s, n: int(n) == scoring.FEW),
    (r"“near”: possibly two (\w+)s of the same object\.", lambda s, what: what == s.what),
    (r"No subgroups are defined\.", lambda s: not s.task.select.bands),
    (r"No column says where \w+ come from\. .*", lambda s: not s.task.select.site),
    (r"Each site was left out in turn: .* \(column (.+)\)\.", lambda s, c: sites_known(s) and c == s.sites.column),
    (r"The figure out of fold is for the same \w+, from models trained on other samples of their site\.", sites_known),
    (r"The decision threshold is that of all sites\.", lambda s: sites_known(s) and is_positive(s)),
    (r"The test set was not used\.", sites_known),
    (r"(?:All sites: for two|\w+s of different sites are not compared).*", sites_known),
    (r"The model has not been tested on external data; .*", lambda s: not any_external(s)),
    (r"Not yet tested on external data, .*", lambda s: not any_external(s)),
    (
        rf"On (\S+) \(external data\): ROC AUC( per .+?)? {F} \[{F} to {F}\], a difference to the internal test of {S}"
        rf"(?: \[{S} to {S}\])?\.",
        external_figure,
    ),
    (
        rf"{N} \w+s of {N} groups from another source; (?:{N} of {N} duplicate the task’s own data \({N} in development, {N} in "
        rf"test, {N} left out there\), and are left out here|the audit found none of the {N} in the task’s own data, "
        rf"development or test)\.(?: {N} have a label outside the classes\.)?(?: {N} cannot be read\.)?",
        external_counts,
    ),
    (
        rf"Refused as out of distribution: {F} \[{F} to {F}\]\.",
        lambda s, *f: any(
            close(f, r["refused"], *r["ci"]["refused"])
            for r in map(artifacts.read_json, (TaskPaths(s.name).reports / "external").glob("*.json"))
        ),
    ),
    (rf"Observed share of (.+?)( per .+)?: {SHARE}; mean predicted probability: {SHARE}\.", external_shares),
    (r"(?:ROC|Reliability) on (.+)", lambda s, name: TaskPaths(s.name).external(name).exists()),
    (r"(.+), the ROC AUC( per .+?)? is lower by (\d\.\d{3}) to (\d\.\d{3}) \(95 %\)\.", lower_elsewhere),
    (
        r"Performance on data of other sources, with the difference to the internal test\.",
        lambda s: any_external(s) > 0,
    ),
    (r"The difference between the sources, with its interval\.", lambda s: any_external(s) > 0),
    (
        rf"The test set holds fewer than {N} \w+ of a class \((.+)\): .*",
        lambda s, n, few: int(n) == limits.EVENTS and few_test(s, few),
    ),
    (
        r"The test set was evaluated (\w+)(?: times)? or more, for different candidates; .*",
        lambda s, n: int(n) == s.n_evaluations > 1,
    ),
    (r"No choice was based on it\.", lambda s: graph_is_kept()),
    (r"No column says which \w+ belong to one patient .*", lambda s: not s.task.read.group),
    (
        r"(.+) alone predicts the class with an ROC AUC of (\d\.\d\d): .*",
        lambda s, name, f: close((f,), {c.name: c.roc_auc for c in s.audit.confounders}[name], digits=2),
    ),
    (
        r"Some subgroups are too small in the test set for a conclusion: (.+)\.",
        lambda s, t: t == ", ".join(f"{r.column} {r.value}" for r in s.test.subgroups if r.n < scoring.FEW),
    ),
    (r"Not distinguishable from the champion: (.+)\.", lambda s, t: t.split(", ") == s.selection.tied),
    (r"The champion is (not better than guessing.*)\.", lambda s, t: t == s.selection.warning and guesses(s)),
    (
        rf"Predictive values among the figures apply only at the test set's prevalence of (.+), {P}; for others see Decisions\.",
        lambda s, name, n: name == s.dev.positive and close((n,), 100 * np.mean(read(s, "test") == 1), digits=1),
    ),
    (
        r"(\S+): (\w+) \((.*)\)\.",
        lambda s, *t: (
            (t[0], t[1]) == (s.winner, params.model(s.winner).estimator) and f'features "{s.bundle.features}"' in t[2]
        ),
    ),
    (r"Created with (.+)\.", lambda s, t: t == ", ".join(f"{k} {v}" for k, v in s.bundle.versions.items())),
    (r"To distinguish (.+); it has no other answer\.", lambda s, t: t.split(", ") == s.classes),
    (rf"It takes rows of {N} columns\.", lambda s, n: int(n) == len(s.bundle.schema)),
    (
        r"It takes (.+) from \d+ px a side(?:, with the clinical columns (.+); each may be unknown)?\.",
        lambda s, t, c: t.split(", ")[:-1] == list(FORMATS) and bool(c) == has_columns(s),
    ),
    (
        rf"(?:A row with a number far outside the training range|An out-of-distribution image) is refused: {P} .*, {P} .*",
        refused,
    ),
    (r"Reported separately by (.+)\.", lambda s, t: t.split(", ") == sorted(s.task.select.bands)),
    (r"No subgroup is named in select\.subgroups, so none is reported\.", lambda s: not s.task.select.bands),
    (r"Selected by (.+) and log loss out of fold\.", lambda s, name: name == NAMES[s.metric]),
    (
        rf"{N} \w+s of {N} groups; see Data and Split\.",
        lambda s, *n: [int(x) for x in n] == [len(s.dev.y), len(set(s.dev.group))],
    ),
    (
        rf"{N} \w+s of {N} groups, from the same source, opened after the model was selected; see Split\.",
        lambda s, n, g: (int(n), int(g)) == (n_of(s, "test"), s.test.counts.n_groups),
    ),
    (
        rf"Collins et al\., .* {N} of {N} rows are answered from artefacts, .*",
        lambda s, *n: [int(x) for x in n] == [sum(bool(r.answer) for r in tripod_ai.checklist(s)), 52],
    ),
    (
        rf"Development, and validation on held-out data of the same source(?:, and on {N} of another source)?\.",
        lambda s, n: n is None or int(n) == any_external(s),
    ),
    (r"Decoding and quality checks are the same code .*", lambda s: True),
    (r"Predicted: (.+), as labelled\.", lambda s, t: t.split(", ") == s.classes),
    (rf"{N} columns, listed under Characteristics; .*", lambda s, n: int(n) == len(s.bundle.schema)),
    (
        rf"The image alone, at {N}x{N} px; .*",
        lambda s, *n: not has_columns(s) and [int(x) for x in n] == [s.bundle.input["width"], s.bundle.input["height"]],
    ),
    (r"The image, at .*, and the clinical columns (.+); .*", lambda s, c: c.split(", ") == s.bundle.clinical_columns),
    (
        rf"All {N} \w+s available: {N} for development, {N} for testing; .*",
        lambda s, *n: [int(x) for x in n] == [len(s.samples), n_of(s, "dev"), n_of(s, "test")],
    ),
    (rf"{N} \w+s left out, by reason under Data\.", lambda s, n: int(n) == n_of(s, "excluded")),
    (r"Missing values are imputed within the model, .*", lambda s: s.task.kind == "table"),
    (r"Missing values of clinical columns are imputed .*", has_columns),
    (r"A file that cannot be read whole is refused\.", lambda s: s.task.kind == "image"),
    (
        rf"{N} development \w+s in {N} folds, {N} test \w+s; no group is in both\.",
        lambda s, *n: (
            [int(x) for x in n] == [n_of(s, "dev"), len(set(s.dev.fold)), n_of(s, "test")] and groups_apart(s)
        ),
    ),
    (r"Numbers are imputed and scaled, .*", lambda s: s.bundle.features == "columns"),
    (r"The image becomes the embedding .*", lambda s: s.bundle.features.startswith("embedding")),
    (
        rf"(\w+), (?:the only model|selected out of {N} models on the same folds by the rule given there); "
        r"hyperparameters (.+), none by the test set\.",
        lambda s, name, n, tuned: (
            name == s.bundle.estimator
            and int(n or 1) == len(s.task.models)
            and tuned.startswith("as set") == (s.cv.tuned is None)
        ),
    ),
    (r"Internal validation: cross-fitting\.", lambda s: no_group_in_two_folds(s)),
    (
        r"Neither a calibrator nor a threshold was fitted\.",
        lambda s: s.cv.calibration.method == "none" and not s.bundle.rule.chosen_for,
    ),
    (
        r"Scores of probabilities are by calibrators that did not see the sample\.",
        lambda s: s.cv.calibration.method != "none",
    ),
    (r"Decisions out of fold are by thresholds that did not see it; .*", lambda s: cross_fitted(s)),
    (
        r"Discrimination, calibration and decisions .* except for the expected calibration error and shares of few cases; .*",
        intervals_where_said,
    ),
    (r"By the bundle's Predictor, .*", lambda s: True),
    (
        r"Classes are (not weighted, because .*|weighted equally in training)\.",
        lambda s, t: t.startswith("not") == (not s.bundle.hyperparameters.get("class_weight")),
    ),
    (
        r"Performance is reported by (.+); nothing was corrected\.",
        lambda s, t: t.split(", ") == sorted(s.task.select.bands),
    ),
    (r"Probabilities of (.+)\.", lambda s, t: t.split(", ") == s.classes),
    (r"The test set comes from the same source; .*", lambda s: n_of(s, "test") > 0),
    (r"(?:The code is the project|The bundle and its SHA-256).*", lambda s: TaskPaths(s.name).bundle.exists()),
    (
        r"(?:As a flow diagram|Characteristics of development and test set|Development and test set side by side).*",
        lambda s: True,
    ),
    (
        r"Development: (.+); test: (.+)\.",
        lambda s, *t: (
            list(t)
            == [
                ", ".join(f"{n} {k}" for n, k in zip(s.classes, np.bincount(read(s, side)).tolist(), strict=True))
                for side in ("dev", "test")
            ]
        ),
    ),
    (
        rf".+: test {F} \[{F}, {F}\], out of fold {F} \[{F}, {F}\]\.",
        lambda s, *f: close(f, *(x for r in (s.test, s.cv) for x in (r[s.metric], *r.ci[s.metric]))),
    ),
    (
        r"(?:Each model was fitted without each site in turn|The difference between sites seen and not seen).*",
        sites_known,
    ),
    (
        r"Found in the artefacts; test set evaluated (once|\d+)(?: times)? or more\.",
        lambda s, n: s.n_evaluations == (1 if n == "once" else int(n)),
    ),
    (r"Users submit one (\w+); .*", lambda s, what: what == s.what),
    (rf"In a clone of the project .* from seed {N}:", lambda s, n: int(n) == params.seed()),
    (
        r"The champion answers with python -m pipeline.predict models/(\w+)/best FILE, .*",
        lambda s, name: name == s.name,
    ),
]


def unproven(study: Study, page: str) -> list[str]:
    """Return each sentence of a page that no claim covers, and each that does not hold."""
    bad = []
    for sentence in sentences(page):
        if sentence in DEFINITIONS or of_repeated(sentence, study):
            continue
        matched = [(re.fullmatch(pattern, sentence), check) for pattern, check in CLAIMS]
        claims = [(match, check) for match, check in matched if match]
        if not claims:
            bad.append(f"no claim covers: {sentence}")
        bad += [f"does not hold: {sentence}" for match, check in claims if not check(study, *match.groups())]
    return bad
