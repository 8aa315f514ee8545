"""The page Retrain in a real Chromium, from an upload over a challenge, whose app is restarted, to a promotion and back."""

import csv
import io
import sqlite3

from pipeline.data.synthetic.demo_set import lesion_photos
from soak.test_retrain import outcome
from tests.e2e.browser.conftest import browser  # noqa: F401 - a fixture
from tests.helpers.browser import app, hand_in, opened, settled

LONG = 300_000  # ms that a challenge of the small graph may take on a busy machine
ROOM = 1_000_000_000  # bytes of a file that the app's children may write


def subsets(project) -> dict[str, tuple[str, str]]:
    """Return {path: (subset, label)} of split.csv."""
    rows = csv.DictReader(io.StringIO(project.read("data/lesions/split.csv").decode()))
    return {row["path"]: (row["subset"], row["label"]) for row in rows}


def decisions(project) -> list[str]:
    """Return the names of the runs in the experiment of decisions, in order."""
    query = (
        "SELECT runs.name FROM runs JOIN experiments USING (experiment_id) WHERE experiments.name = 'lesions decisions' "
        "ORDER BY runs.start_time, runs.name"
    )
    with sqlite3.connect(project.folder / "mlflow/mlflow.db") as database:
        return [name for (name,) in database.execute(query)]


def test_a_batch_in_the_browser_survives_reload_and_restart(clone, browser):  # noqa: F811
    clone.change(retrain={"margin": 0.9, "guarded": ["roc_auc"]})  # an untrained network tells nothing apart
    clone.repro()
    before, old = outcome(clone), subsets(clone)
    photos = (lesion_photos(4711, index)[0] for index in range(100))
    files = [(f"{k}{item.suffix}", item.data) for k, item in enumerate(photos) if item.label == "malignant"][:12]
    with app(clone.folder, largest=ROOM) as (address, _), opened(browser, f"{address}/retrain?task=lesions") as page:
        hand_in(page, "malignant", "june", *files)
        assert clone.run("dvc", "status", "--quiet", ok=False).returncode == 0  # an upload alone changes nothing
        page.get_by_role("button", name="Try it").click()
        page.get_by_text("running: ").wait_for(timeout=LONG)
        page.reload()
        settled(page)
        page.get_by_role("progressbar").wait_for()
        page.get_by_role("button", name="Cancel").wait_for()
        assert outcome(clone) == before
    with app(clone.folder, largest=ROOM) as (address, _), opened(browser, f"{address}/retrain?task=lesions") as page:
        page.get_by_text("compared: ").wait_for(timeout=LONG)
        page.get_by_text("on the champion's").first.wait_for()
        page.locator("[aria-label^='Gain by the batch']").wait_for()
        page.get_by_role("tab", name="The batch itself").click()
        page.get_by_text("Drift: ").wait_for()
        assert outcome(clone) == before
        page.get_by_role("button", name="Promote", exact=True).click()
        page.get_by_text("promoted: ").wait_for(timeout=LONG)
        new = subsets(clone)
        added = {path: new[path] for path in new.keys() - old.keys()}
        assert {path: new[path] for path in old} == old
        assert len(added) == len(clone.read("data/uploads/lesions/included.csv").splitlines()) - 1 >= 8
        assert set(added.values()) == {("dev", "malignant")}
        assert clone.read("data/lesions/test.npz") == before["data/lesions/test.npz"]
        page.get_by_role("button", name="Roll back").click()
        page.get_by_text("rolled back: ").wait_for(timeout=LONG)
        assert outcome(clone) == before
        page.get_by_role("button", name="Reject").click()
        page.get_by_text("rejected: ").wait_for(timeout=LONG)
    assert not (clone.folder / ".cache/challenge").exists()
    assert len(list((clone.folder / "data/uploads/lesions/pictures").iterdir())) == len(added)  # it stays stored
    clone.run("python", "-m", "pipeline.track")
    assert sorted(decisions(clone)) == ["promoted june", "rejected june", "rolled back june"]
