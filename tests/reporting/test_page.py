"""The report says what the artefacts say, in one file that needs nothing else and is the same every time."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import evaluate, holdout, report, select_best, sites
from pipeline.core import artifacts
from pipeline.core.errors import StageError
from pipeline.data.dataset import Dataset
from pipeline.reporting import model_card, results, tripod_ai
from pipeline.reporting.page import render
from tests.models import KERAS_NOISE, dataset, folder_of, image_project, mixed, score, train_and_evaluate, write_params

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
MODELS = {"line": {"estimator": "logreg"}, "near": {"estimator": "knn"}, "floor": {"estimator": "dummy"}}
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
            own = {"id": path, "path": path, "label": data.classes[y], "group": group}
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
        "data/t/audit.json", audit | {"confounders": [{"name": "width", "accuracy": 0.9, "majority": 0.5}]}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table project of which every stage before the report has run."""
    with folder_of(tmp_path_factory.mktemp("rows")) as folder:
        score(MODELS, n_dev=120, n_test=50)
        write_params(MODELS, subgroups={"age": [50]})
        for model in MODELS:
            evaluate.main(model)
        select_best.main("t")
        holdout.main("t")
        describe_data("table", {"dev": [f"row {n}" for n in range(120)], "test": [f"test {n}" for n in range(50)]})
    return folder


@pytest.fixture
def rows(made, tmp_path, monkeypatch):
    """A copy of it as the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """An image project of which every stage before the report has run."""
    with folder_of(tmp_path_factory.mktemp("pictures")) as folder:
        models = {"near": {"estimator": "knn", "n_neighbors": 3}}
        dev = image_project(tmp_path_factory.getbasetemp(), models)
        test = dataset(dev.X("embedding")[:12], dev.y[:12], folds=0)
        test.save(Path("data/t/test.npz"))
        train_and_evaluate(models)
        select_best.main("t")
        holdout.main("t")
        for n in range(12):
            shutil.copy(f"raw/{n}.png", f"raw/t{n}.png")
        describe_data("image", {"dev": [f"{n}.png" for n in range(24)], "test": [f"t{n}.png" for n in range(12)]})
    return folder


def test_the_file_asks_nobody_for_anything_and_runs_nothing(rows):
    tags = Page(render("t")).tags
    assert "script" not in {tag for tag, _ in tags}
    sources = [attrs[key] for _, attrs in tags for key in ("src", "href") if key in attrs]
    assert len(sources) > 20
    assert not [source for source in sources if not source.startswith(("data:", "#"))]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]
    assert "url(" not in render("t")


def test_the_same_results_give_the_same_bytes_wherever_the_project_lies(rows, made, monkeypatch):
    report.main("t")
    monkeypatch.chdir(made)
    assert (rows / "reports/t/report.html").read_bytes() == render("t").encode()


def test_every_figure_of_the_champion_stands_there_as_in_its_reports(rows):
    text = Page(render("t")).text
    found = results.read("t")
    for side in (found.cv, found.test):
        for key in ("roc_auc", "recall", "specificity", "brier_score_loss", "log_loss", "ece"):
            value, (low, high) = side[found.winner][key], side[found.winner]["ci"][key]
            assert f"{value:.3f} [{low:.3f} to {high:.3f}]" in text, key
        matrix = side[found.winner]["counts"]["confusion"]
        for row in matrix.values():
            assert all(f"{n} {n / sum(row.values()):.0%}" in text for n in row.values())
    assert found.verdict in text
    assert "roc_auc" not in text
    for row in found.cv[found.winner]["subgroups"]:
        assert f"age: {row['value']}" in text
    for digest in (found.selection["bundle"], found.dev.fingerprint):
        assert digest in text


def test_the_mistakes_are_the_wrong_answers_of_which_the_champion_was_surest(rows):
    found = results.read("t")
    sure = np.where(found.decided == 1, found.proba[:, 1], found.proba[:, 0])
    wrong = [i for i in np.argsort(-sure, kind="stable") if found.decided[i] != found.dev.y[i]]
    page = render("t")
    shown = re.findall(r'<th scope="row">(\d+\.png)</th><td>\w+</td><td>\w+</td><td class="n">(0\.\d+)', page)
    assert shown == [(found.dev.path[i], f"{sure[i]:.3f}") for i in wrong[:12]]
    assert f"{len(wrong)} of 120 development rows were decided wrongly" in Page(page).text


def test_the_version_to_share_has_no_picture_name_or_row_of_any_sample(drawn, monkeypatch, capsys):
    monkeypatch.chdir(drawn)
    full = render("t")
    assert "image/jpeg" in full
    report.main("t", "--no-images")
    shared = capsys.readouterr().out
    assert "image/jpeg" not in shared
    assert "image/png" in shared  # the charts stay
    for path in results.read("t").samples["path"]:
        assert f">{path}<" not in shared
    assert NASTY not in shared
    assert ".png<" not in shared
    assert not Path("reports/t/report.html").exists()
    report.main("t", "--no-images", "--out", "shared.html")
    assert Path("shared.html").read_text(encoding="utf-8") == shared


def test_a_picture_carries_no_metadata_of_its_file(drawn, monkeypatch):
    from PIL import Image

    from pipeline.reporting.embedded_images import sample

    monkeypatch.chdir(drawn)
    exif = Image.Exif()
    exif[0x010E] = "patient 4711"
    Image.open("raw/0.png").convert("RGB").save("named.jpg", exif=exif)
    assert b"4711" in Path("named.jpg").read_bytes()
    import base64

    assert b"4711" not in base64.b64decode(sample(Path("named.jpg")).split(",")[1])


def test_texts_of_the_data_are_shown_and_never_obeyed(rows):
    page = render("t")
    assert NASTY not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in page


def test_every_picture_has_words_every_link_a_target_and_every_table_a_caption(drawn, monkeypatch):
    monkeypatch.chdir(drawn)
    tags = Page(render("t")).tags
    images = [attrs for tag, attrs in tags if tag == "img"]
    assert len(images) > 6
    assert all(attrs.get("alt") for attrs in images)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in tags if tag == "a"} <= set(ids)
    names = [tag for tag, _ in tags]
    assert names.count("table") == names.count("caption") > 5
    assert names.count("h1") == 1


def test_the_checklist_has_the_27_items_of_tripod_ai_each_answered_or_left_to_the_author(rows):
    found = tripod_ai.checklist(results.read("t"))
    assert len(found) == 52
    assert {int(re.match(r"\d+", row.number).group()) for row in found} == set(range(1, 28))
    page = Page(render("t"))
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    answered = {row.number: row for row in found if row.answer}
    assert all(row.place in ids for row in answered.values())
    assert {"12a", "20a", "23a"} <= set(answered)
    assert not {"5b", "17", "18a"} & set(answered)  # no artefact can know these
    assert page.text.count("for the author") >= len(found) - len(answered)


def test_limits_are_found_in_the_artefacts(rows):
    said = " ".join(model_card.limits(results.read("t")))
    assert "fewer than 100 rows of a class" in said
    assert "width alone guesses the class right in 90.0%" in said
    assert "No column says which rows belong to one patient" in said
    assert "Not yet tried on data of another source" in said


def test_a_shipped_split_that_leaks_is_told_in_a_line(rows):
    samples = pd.read_csv("data/t/scan/samples.csv", dtype=str, keep_default_na=False)
    samples["shipped"] = ["test" if path.startswith("test") else "train" for path in samples["path"]]
    artifacts.write_csv("data/t/scan/samples.csv", samples)
    audit = artifacts.read_json("data/t/audit.json") | {"leaks": [["row 1", "test 1"]], "n_leaked": 1}
    artifacts.write_json("data/t/audit.json", audit)
    assert "As shipped, 1 of 50 test rows show what stands outside of the test set" in Page(render("t")).text


def test_more_than_two_classes_have_no_sensitivity_but_a_line_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = {"line": {"estimator": "logreg"}}
    write_params(models)
    dataset(*mixed(120, 4)).save(Path("data/t/dev.npz"))
    dataset(*mixed(60, 4, seed=5), folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    holdout.main("t")
    describe_data("table", {"dev": [f"row {n}" for n in range(120)], "test": [f"test {n}" for n in range(60)]})
    text = Page(render("t")).text
    assert "Each class against the rest" in text
    assert "The most probable class is decided." in text
    assert "Sensitivity" not in text


def test_a_stage_that_has_not_run_is_named(rows):
    Path("data/t/audit.json").unlink()
    with pytest.raises(StageError, match="run 'dvc repro audit@t'"):
        report.main("t")


def test_results_elsewhere_stand_in_the_answer_in_their_section_and_in_the_limits(rows):
    winner = results.read("t").winner
    here = artifacts.read_json(f"reports/t/test/{winner}.json")
    change = {"roc_auc": {"difference": -0.2, "ci": [-0.3, -0.1]}}
    found = here | {
        "roc_auc": 0.612,
        "overlap": {"n": 3, "of": 53, "dev": 3, "test": 0, "excluded": 0},
        "left_out": {"label": 2, "unreadable": 0},
        "change": change,
    }
    artifacts.write_json("reports/t/external/there.json", found)
    folder = Path(f"reports/t/figures/{winner}")
    shutil.copytree(folder, "reports/t/figures/there")
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("external: {}", "external: {there: {task: t, raw: x, read: {}}}"))
    text = Page(render("t")).text
    assert "On there, data of another source: ROC AUC 0.612" in text
    assert "3 of 53 show what is in the task’s own data ( 3 in development, 0 in test" in text.replace(
        "data (3", "data ( 3"
    )
    assert "-0.200 [-0.300 to -0.100]" in text
    assert "the ROC AUC is lower by 0.100 to 0.300 (95 %)" in text
    assert "Not yet tried on data of another source" not in text


def test_of_repeated_folds_the_mistakes_of_the_first_are_shown_and_what_was_tuned_is_said(rows):
    winner = artifacts.read_json("reports/t/selection.json")["winner"]
    once = results.read("t")
    path = f"models/t/candidates/{winner}/oof.npz"
    saved = dict(np.load(path))
    artifacts.write_npz(path, saved | {"proba": np.concatenate([saved["proba"], saved["proba"][::-1]])})
    cv = artifacts.read_json(f"reports/t/cv/{winner}.json")
    tuned = {
        "chosen": {"C": 1.0},
        "by_fold": [{"C": 1.0}] * 5,
        "tried": [{"C": c, "log_loss": 0.5} for c in (1.0, 2.0)],
    }
    artifacts.write_json(f"reports/t/cv/{winner}.json", cv | {"tuned": tuned})
    found = results.read("t")
    np.testing.assert_array_equal(found.decided, once.decided)
    answer = next(row.answer for row in tripod_ai.checklist(found) if row.number == "12c")
    assert "hyperparameters chosen of 2 combinations inside the training folds, none by the test set" in answer


def test_what_a_new_site_costs_stands_in_its_section_in_the_checklist_and_in_the_limits(rows):
    assert "No column says where rows come from" in Page(render("t")).text
    write_params(MODELS, subgroups={"age": [50]}, site="site")
    sites.main("t")
    content = artifacts.read_json("reports/t/sites.json")
    winner = results.read("t").winner
    first = content["models"][winner][0]
    first["difference"] = {"roc_auc": -0.1, "ci": [-0.2, -0.05]}
    artifacts.write_json("reports/t/sites.json", content)
    text = Page(render("t")).text
    assert f"{first['roc_auc']:.3f}" in text
    assert "-0.100 [-0.200 to -0.050]" in text
    assert "At a site that it has not seen the ROC AUC is lower by 0.050 to 0.200 (95 %)." in text
    assert "Each model fitted without each site, and scored there." in text
