"""The page Retrain, driven by Streamlit's own tester."""

from types import SimpleNamespace

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from app.views import retrain as page_code
from pipeline.core import artifacts
from pipeline.data import upload_ledger, uploads
from pipeline.data.uploads import Included
from pipeline.retraining import batch_status
from pipeline.retraining.records import Drift, SubgroupChange
from tests.helpers.comparisons import change, make_comparison, make_profile
from tests.helpers.pages import button, opened, table, text_of
from tests.helpers.samples import ROOT
from tests.helpers.textures import stored, texture
from tests.helpers.uploads import one_of


@pytest.fixture
def started(monkeypatch) -> list[list[str]]:
    """The commands that the page starts instead of starting them."""
    commands: list[list[str]] = []

    def start(command, **_):
        commands.append(command[2:])
        return SimpleNamespace(poll=lambda: None)  # it runs

    monkeypatch.setattr(page_code.subprocess, "Popen", start)
    return commands


def submit(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Submit images as benign, in the batch b."""
    page.selectbox[0].select("benign")
    page.text_input[1].input("b")
    for name, data in files:
        page.file_uploader[0].upload(name, data, "image/png")
    return page.button[0].click().run()


def test_labelled_images_are_submitted_and_refusals_give_the_reason(upload_project):
    page = opened("retrain", "skin")
    submit(page, ("new.png", stored(texture(1001), "PNG")), ("old.png", one_of("test").read_bytes()))
    assert not page.exception
    assert "1 stored, 1 refused" in page.warning[0].value
    assert "in the test set" in table(page, "Reason")["Reason"][0]
    (line,) = upload_ledger.samples("skin")
    assert (line.label, line.batch, line.source, line.who) == ("benign", "b", "app", "app")
    assert "1 samples (1 benign)" in text_of(page)


def made_comparison(passed: bool) -> None:
    """Write a comparison of the batch b."""
    nan = float("nan")
    metrics = {"accuracy": change(0.1, 0.0, 0.2), "roc_auc": change(nan, nan, nan)}
    development = {"benign": {"before": 20, "with_it": 21}, "malignant": {"before": 20, "with_it": 20}}
    batch = make_profile(
        n=1, labels={"benign": 1}, left_out={"leak": 1}, refused=0.25, development=development, drift=Drift(1, 0.7)
    )
    comparison = make_comparison(
        passed=passed,
        per_class={"benign": {"f1": change()}, "malignant": {"f1": change()}},
        subgroups=[SubgroupChange("sex", "male", 9, True, metrics)],
        recommendation="Promote: it is better." if passed else "Do not promote: it is worse.",
        cautions=["Worse of x."],
        batch=batch,
    )
    artifacts.write_json(batch_status.folder("skin", "b") / "comparison.json", comparison)
    batch_status.write("skin", "b", "compared", message=comparison.recommendation)


def labels(page: AppTest) -> list[str]:
    """Return what stands on the buttons that decide."""
    return [button.label for button in page.button][1:]


def test_buttons_try_promote_and_roll_back_a_batch(upload_project, started):
    page = opened("retrain", "skin")
    submit(page, ("new.png", stored(texture(1001), "PNG")))
    assert labels(page) == ["Try it", "Reject"]
    button(page, "Try it").click().run()
    assert started == [["pipeline.retrain", "skin", "--batch", "b", "--who", "app"]]
    made_comparison(passed=True)
    page = opened("retrain", "skin")
    assert {"Promote: it is better.", "- Worse of x."} <= set(text_of(page).splitlines())
    assert "excluded from 1 samples: 1 for leak" in text_of(page)
    assert "the champion refuses 25% of it" in text_of(page)
    assert table(page, "With the batch")["Figure"].tolist() == ["ROC AUC"]
    (folded,) = [element for element in page.expander if element.label == "By class and subgroup (4 figures)"]
    shown = folded.table[0].value.astype(str)
    assert shown["Figure"].str.replace("\\", "").tolist() == [
        "benign: F1",
        "malignant: F1",
        "sex male (9, few): Accuracy",
        "sex male (9, few): ROC AUC",
    ]
    differences = shown["Difference"].str.replace("\\", "").tolist()
    assert differences[-2:] == ["+0.100 [+0.000, +0.200]", "not defined"]
    assert table(page, "In the batch")["Development with it"].tolist() == ["21 (51%)", "20 (49%)"]
    assert labels(page) == ["Try again", "Promote", "Reject"]
    button(page, "Promote").click().run()
    uploads.write("skin", [Included(upload_ledger.samples("skin")[0].id, "benign", "", "b")])
    batch_status.write("skin", "b", "promoted")
    with upload_ledger.locked("skin"):
        line = upload_ledger.Decided(event="promoted", batch="b", who="app", by="the gate")
        upload_ledger.append("skin", line)
    page = opened("retrain", "skin")
    assert labels(page) == ["Roll back"]
    assert "UTC (app), decided by the gate." in page.info[0].value.replace("\\", "")
    assert "Promote: it is better." not in text_of(page)
    button(page, "Roll back").click().run()
    assert [command[2] for command in started] == ["--batch", "--promote", "--rollback"]
    assert "--force" not in started[1]


def test_a_person_can_override_the_gate_after_confirming(upload_project, started):
    submit(opened("retrain", "skin"), ("new.png", stored(texture(1001), "PNG")))
    made_comparison(passed=False)
    page = opened("retrain", "skin")
    assert "Do not promote: it is worse." in [element.value.replace("\\", "") for element in page.warning]
    assert button(page, "Promote").disabled
    page.checkbox[0].check().run()
    button(page, "Promote").click().run()
    assert started == [["pipeline.retrain", "skin", "--promote", "b", "--force", "--who", "app"]]


def test_why_a_process_that_was_started_ended_badly_is_said(upload_project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    submit(opened("retrain", "skin"), ("new.png", stored(texture(1001), "PNG")))
    page = opened("retrain", "skin")
    button(page, "Try it").click().run()  # there is no DVC here
    ((process, _),) = page_code.children()
    assert process.wait(60) == 2
    batch_status.folder("skin", "b").joinpath("status.json").unlink(missing_ok=True)
    page = opened("retrain", "skin")
    errors = "\n".join(element.value for element in page.error).replace("\\", "")
    assert "RetrainError: the champion of skin is out of date" in errors


def test_killed_promotions_and_rollbacks_are_finished(upload_project, started):
    submit(opened("retrain", "skin"), ("new.png", stored(texture(1001), "PNG")))
    rows = [Included(upload_ledger.samples("skin")[0].id, "benign", "", "b")]
    uploads.write("skin", rows)
    batch_status.write("skin", "b", "promoting")
    assert labels(opened("retrain", "skin")) == ["Finish the promotion", "Roll back"]
    uploads.write("skin", [])
    batch_status.write("skin", "b", "rolling back")
    assert "Roll back" in labels(opened("retrain", "skin"))


@pytest.mark.parametrize(
    ("label", "given", "sentence"), [("benign", False, "Choose files first"), (None, True, "Choose the label")]
)
def test_a_form_that_lacks_something_says_what(upload_project, label, given, sentence):
    page = opened("retrain", "skin")
    if label:
        page.selectbox[0].select(label)
    if given:
        page.file_uploader[0].upload("a.png", stored(texture(1001), "PNG"), "image/png")
    page.button[0].click().run()
    assert sentence in "\n".join(element.value for element in page.error)
    assert page.selectbox[0].value == label  # what was entered is kept
    assert len(page.file_uploader[0].value) == given
    assert upload_ledger.samples("skin") == []


def test_a_new_session_finds_and_cancels_a_running_process(upload_project, started):
    with upload_ledger.locked("skin"):
        upload_ledger.append("skin", upload_ledger.Collected(id="0" * 16, label="benign", batch="b"))
    batch_status.write("skin", "b", "running", stage="scan@skin", done=3, total=9, seconds_left=40)
    artifacts.write_bytes(batch_status.folder("skin", "b") / "log.txt", b"Running stage 'scan@skin':\n")
    with FileLock(batch_status.LOCK):
        page = opened("retrain", "skin")
        assert "running" in text_of(page)
        assert "Running stage 'scan@skin':" in page.code[0].value
        assert labels(page) == ["Cancel"]
        button(page, "Cancel").click().run()
        batch_status.write("skin", "b", "promoting", stage="train@skin", done=3, total=9, seconds_left=40)
        progress = opened("retrain", "skin").get("progress")[0].proto
        assert (progress.value, progress.text.replace("\\", "")) == (
            33,
            "Promoting: train@skin, 3 of 9, about 40 s left",
        )
        batch_status.write("skin", "b", "running")
    assert (batch_status.folder("skin", "b") / "cancel").exists()
    page = opened("retrain", "skin")
    assert "interrupted" in text_of(page)
    assert labels(page) == ["Try it", "Reject"]
    assert started == []


def test_a_server_without_the_packages_for_training_says_so(upload_project, monkeypatch):
    monkeypatch.setattr(page_code, "lacking", lambda: "cv2")
    assert "cv2 is not installed here" in text_of(opened("retrain", "skin"))
