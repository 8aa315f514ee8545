"""The model's file of a bundle answers as Assay answers, without Assay."""

import ast
import io
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image

from pipeline.estimators import _prepare, random_forest
from pipeline.prediction import bundle, portable, portable_files
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, drawn_image, folder_of, numbers
from tests.helpers.predictors import IMAGE_MODELS
from tests.helpers.projects import Project

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
SIGMOID = DecisionRule(0.3, Calibration("sigmoid", slope=1.7, intercept=-0.4))
TEMPERATURE = DecisionRule(calibration=Calibration("temperature", temperature=2.3))
# The project's packages cannot be imported, as if they were nowhere on this machine
ALONE = "import sys\nsys.modules['pipeline'] = None\n"


def run_readme(folder):
    """Return the probabilities by class that the lines of a bundle's README.md print in a Python without the project."""
    lines = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    done = Project(folder, warm=True).run("python", "-c", ALONE + lines, ok=False, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


def written(candidate, folder, rule=SIGMOID):
    bundle.write(folder, candidate, rule, {}, remake=portable_files.make)
    return folder


@pytest.mark.parametrize("name", IMAGE_MODELS)
def test_the_lines_of_an_image_bundle_answer_as_assay_does(image_bundles, tmp_path, name):
    with folder_of(image_bundles):
        folder = written(Path(f"models/t/candidates/{name}"), tmp_path / "best")
        plain = Predictor(f"bundles/{name}")
    (folder / "image.png").write_bytes(drawn_image(3))
    loaded = Predictor(folder)
    expected, uncalibrated = (each.score(each.load(drawn_image(3))).proba for each in (loaded, plain))
    np.testing.assert_allclose(expected, calibrate(uncalibrated[None], SIGMOID)[0])
    assert run_readme(folder) == pytest.approx(dict(zip(loaded.classes, expected, strict=True)), abs=1e-4)


@pytest.mark.parametrize("name", ["line", "boosted", "mean"])
def test_the_lines_of_a_table_bundle_answer_as_assay_does(table, tmp_path, name):
    with folder_of(table):
        folder = written(Path(f"models/t/candidates/{name}"), tmp_path / "best")
    loaded = Predictor(folder)
    row = {field.name: field.default for field in loaded.info.schema}
    expected = loaded.score(loaded.load(row)).proba
    assert run_readme(folder) == pytest.approx(dict(zip(loaded.classes, expected, strict=True)), abs=1e-9)
    model = joblib.load(folder / "model.joblib")
    for age, site in ((1e9, "arm"), (None, "x")):
        sample = loaded.load(row | {"age": age, "site": site})
        typed = sample.features.to_frame() if name == "line" else sample.features
        np.testing.assert_allclose(model.predict_proba(typed)[0], loaded.score(sample).proba, atol=1e-9)


@pytest.mark.parametrize(
    ("classes", "rule"),
    [
        (["no", "a"], DecisionRule()),
        (["no", "a"], SIGMOID),
        (list("cbad"), DecisionRule()),
        (list("cbad"), TEMPERATURE),
    ],
)
def test_calibration_and_names_are_inside(rule, classes):
    X, y = numbers(n_classes=len(classes))
    fitted = random_forest.build(random_forest.Params(n_estimators=5), 7).fit(X, y)
    wrapped = portable.wrap(fitted, rule, classes)
    assert wrapped.classes_.tolist() == classes
    proba = wrapped.predict_proba(X)
    np.testing.assert_allclose(proba, calibrate(fitted.predict_proba(X), rule), atol=1e-9)
    assert wrapped.predict(X).tolist() == [classes[k] for k in proba.argmax(axis=1)]
    file = io.BytesIO()
    joblib.dump(wrapped, file)
    assert set(portable.modules_of(file.getvalue())) == {"numpy", "sklearn"}
    np.testing.assert_array_equal(portable.unwrap(wrapped).predict_proba(X), fitted.predict_proba(X))


def test_a_model_of_an_older_bundle_is_unchanged():
    X, y = numbers()
    fitted = random_forest.build(random_forest.Params(n_estimators=5), 7).fit(X, y)
    assert portable.unwrap(fitted) is fitted
    assert isinstance(fitted[0], _prepare.Prepare)


def test_exporting_again_gives_the_same_bytes(image_bundles, tmp_path):
    with folder_of(image_bundles):
        for name in ("near", "net"):
            files = [
                {path.name: path.read_bytes() for path in written(Path(f"models/t/candidates/{name}"), to).iterdir()}
                for to in (tmp_path / name / "a", tmp_path / name / "b")
            ]
            assert files[0] == files[1]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16"])
def test_the_lines_of_an_image_bundle_do_not_answer_where_assay_reads_pixels_in_its_own_way(
    image_bundles, tmp_path, mode
):
    with folder_of(image_bundles):
        folder = written(Path("models/t/candidates/near"), tmp_path / "best")
    Image.new(mode, (40, 40)).save(folder / "image.png")
    lines = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    done = Project(folder, warm=True).run("python", "-c", ALONE + lines, ok=False, PYTHONPATH="")
    assert done.returncode == 1
    assert "are read by Assay alone" in done.stderr


def test_the_readme_of_a_table_says_how_categories_are_written(table, tmp_path):
    with folder_of(table):
        folder = written(Path("models/t/candidates/line"), tmp_path / "best")
    assert "anything else counts as none of them: 'site': " in (folder / "README.md").read_text()
