"""Bundles that the tests of this folder share."""

from pathlib import Path

import pytest

from pipeline import train
from tests.helpers.models import (
    dataset,
    drawn_image,
    export,
    image_project,
    mixed,
    train_and_evaluate,
    use_head,
    write_params,
)
from tests.helpers.predictors import EXPLAINED, IMAGE_MODELS
from tests.helpers.shared import project_once

HEADER = "age,size,site,empty,constant"


@pytest.fixture(scope="session")
def image_bundles(tmp_path_factory):
    """A project of drawn images with a bundle of each model, made once: copy it to change it."""
    session = tmp_path_factory.getbasetemp()
    return project_once(tmp_path_factory, "image_bundles", lambda: make_image_bundles(session))


def make_image_bundles(session):
    """Make that project in the working folder."""
    dev = image_project(session, IMAGE_MODELS | EXPLAINED)
    use_head(session, "net", dev)
    for name in IMAGE_MODELS | EXPLAINED:
        if name != "net":
            train.main(name)
        export(name, Path("bundles") / name)
    Path("broken.jpg").write_bytes(drawn_image(0, suffix="JPEG")[:900])
    Path("empty.png").write_bytes(b"")


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """A project of a table task with the bundle of a logistic regression."""
    folder = tmp_path_factory.mktemp("table")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        members = {"logreg": {}, "random_forest": {"n_estimators": 5}}
        write_params(
            {
                "line": {"estimator": "logreg"},
                "boosted": {"estimator": "hist_gradient_boosting", "max_iter": 20},
                "mean": {"estimator": "mean_of_two", "of": members},
            }
        )
        X, y = mixed(100)
        dataset(X, y).save(Path("data/t/dev.npz"))
        train_and_evaluate(["line", "boosted", "mean"])
        export("line", Path("best"))
        Path("good.csv").write_text(f"{HEADER}\n61.5,0.2,arm,,3\nNA,1.1,Mars,?,3\n")
        Path("bad.csv").write_text(f"{HEADER}\n61.5,0.2,arm,,3\nold,0.2,arm,,3\n")
        Path("other.csv").write_text(f"name;{HEADER.replace(',', ';')};label\nA;61.5;0.2;arm;;3;benign\n")
        Path("lacking.csv").write_text("age,site\n61.5,arm\n")
    return folder
