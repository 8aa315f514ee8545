"""A champion is replaced by a sound one only."""

import json
from pathlib import Path

import pytest

from app import champions
from pipeline.core import artifacts
from pipeline.core.errors import BundleError
from tests.helpers.models import drawn_image
from tests.helpers.pages import first_page, text_of
from tests.helpers.serving import crown

pytestmark = pytest.mark.usefixtures("fresh_app")


def test_a_new_champion_takes_over_unless_it_is_damaged(project):
    first, note = champions.champion("skin")
    assert note == ""
    assert champions.champion("skin")[0] is first
    crown("skin", Path("candidates/other"))
    second, note = champions.champion("skin")
    assert (second.id.split("@")[0], note) == ("other", "")
    Path("reports/skin/selection.json").unlink()
    same, note = champions.champion("skin")
    assert same is second
    assert "is being selected again" in note
    crown("skin", Path("candidates/line"))
    model = Path("models/skin/best/model.joblib")
    model.write_bytes(model.read_bytes() + b"!")
    same, note = champions.champion("skin")
    assert same is second
    assert note.startswith("models/skin/best/model.joblib does not match bundle.json")
    assert note.endswith(f"{second.id} stays in use until then.")
    assert second.predict(drawn_image(1), "a.png")["class"]


def test_a_damaged_only_champion_is_reported(project):
    Path("models/skin/best/model.joblib").write_bytes(b"!")
    with pytest.raises(BundleError, match="does not match"):
        champions.champion("skin")
    page = first_page(task="skin")
    assert "models/skin/best/model.joblib does not match bundle.json" in page.error[0].value.replace("\\", "")
    assert not page.exception


def test_a_champion_failing_its_self_test_is_refused(project):
    path = Path("models/skin/best/bundle.json")
    content = json.loads(path.read_text())
    content["golden"][0]["probabilities"] = [2.0, -1.0]
    artifacts.write_json(path, content)
    artifacts.write_json("reports/skin/selection.json", {"bundle": artifacts.sha256(path.read_bytes())})
    page = first_page(task="skin")
    assert not page.exception
    assert "off by" in text_of(page)
    assert "golden prediction" in text_of(page)
