"""The app's shell and its page Predict, driven by Streamlit's own tester."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from app import champions, limits
from app.views import answer, form
from pipeline.core import artifacts
from pipeline.core.errors import BundleError
from pipeline.data import tables
from pipeline.prediction.files import read_rows
from pipeline.prediction.predictor import Predictor
from tests.models import picture
from tests.serving import crown, make_project

config.set_option("server.address", "127.0.0.1")  # as .streamlit/config.toml, which no temporary folder has
MAIN = Path(__file__).resolve().parents[2] / "app/shell.py"


@pytest.fixture
def project(tmp_path, monkeypatch, program):
    """The working folder as a project with champions of an image and a table task, and an app that has seen nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSAY_API_KEYS", raising=False)
    monkeypatch.setattr(sys, "argv", ["app/shell.py"])
    st.cache_resource.clear()
    make_project(program)
    test = {"roc_auc": 0.8, "recall": 0.7, "specificity": 0.9, "ci": {"roc_auc": [0.6, 0.9]}}
    artifacts.write_json("reports/skin/test/line.json", test | {"counts": {"n": 30, "n_groups": 20}})


def opened(**query: str) -> AppTest:
    """Return the app's first page."""
    page = AppTest.from_file(str(MAIN), default_timeout=60)
    page.query_params.update(query)
    return page.run()


def texts(page: AppTest) -> str:
    """Return what the page says, without the escapes of markdown."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.error, page.warning, page.info)
    return "\n".join(one.value for kind in kinds for one in kind).replace("\\", "")


# Tasks


def test_the_task_and_the_address_follow_each_other(project):
    page = opened(task="patients")
    assert page.selectbox(key="task").value == "patients"
    page.selectbox(key="task").select("skin").run()
    assert page.query_params["task"] in ("skin", ["skin"])
    assert "not a medical device" in texts(page)


def test_an_unknown_task_in_the_address_is_passed_over(project):
    page = opened(task="../../etc")
    assert page.selectbox(key="task").value in ("skin", "patients")
    assert not page.exception


def test_without_a_champion_the_page_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = opened()
    assert not page.exception
    assert "make demo" in page.info[0].value


def test_the_first_page_waits_for_no_heavy_library():
    heavy = "{'PIL', 'numpy', 'pandas', 'altair', 'sklearn', 'tensorflow', 'mlflow', 'app.serving'}"
    heavy += " | {'pipeline.prediction.predictor'}"
    code = f"import sys, app.champions, app.access, app.views.predict; print(sorted(({heavy}) & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=MAIN.parents[1], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


# Keys and addresses


def test_with_keys_nothing_else_is_shown_until_one_fits(project, monkeypatch):
    monkeypatch.setenv("ASSAY_API_KEYS", "first, second")
    page = opened()
    assert not page.selectbox
    page.text_input[0].input("third")
    page.button[0].click().run()
    assert page.error[0].value == "This is not one of the server's keys."
    assert not page.selectbox
    page.text_input[0].input(" second ")
    page.button[0].click().run()
    assert page.selectbox(key="task").value in ("skin", "patients")
    monkeypatch.setenv("ASSAY_API_KEYS", "fourth")
    assert not page.run().selectbox  # a key that is taken away lets nobody in, not even who was in


@pytest.mark.parametrize("address", ["0.0.0.0", "", "192.168.1.5", "::"])
def test_a_public_address_without_keys_shows_nothing(project, monkeypatch, address):
    config = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else config(name))
    page = opened()
    assert not page.selectbox
    assert "ASSAY_API_KEYS" in page.error[0].value
    monkeypatch.setattr(sys, "argv", ["app/shell.py", "--without-keys"])
    assert opened().selectbox


def test_a_bug_shows_a_sentence_and_logs_only_its_location(project, monkeypatch, caplog):
    def broken(task: str) -> None:
        raise RuntimeError("-".join(["what", "somebody", "sent"]))  # the log shows this line, not what it makes

    monkeypatch.setattr(champions, "champion", broken)
    page = opened()
    assert not page.exception
    assert "an internal error" in page.error[0].value
    assert "broken" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "what-somebody" not in caplog.text + texts(page)


# Champions


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
    assert second.predict(picture(1), "a.png")["class"]


def test_a_damaged_only_champion_is_reported(project):
    Path("models/skin/best/model.joblib").write_bytes(b"!")
    with pytest.raises(BundleError, match="does not match"):
        champions.champion("skin")
    page = opened(task="skin")
    assert "models/skin/best/model.joblib does not match bundle.json" in page.error[0].value.replace("\\", "")
    assert not page.exception


def test_a_champion_failing_its_self_test_is_refused(project):
    path = Path("models/skin/best/bundle.json")
    content = json.loads(path.read_text())
    content["golden"][0]["probabilities"] = [2.0, -1.0]
    artifacts.write_json(path, content)
    artifacts.write_json("reports/skin/selection.json", {"bundle": artifacts.sha256(path.read_bytes())})
    page = opened(task="skin")
    assert not page.exception
    assert "off by" in texts(page)
    assert "golden prediction" in texts(page)


# Answers


def test_each_image_is_answered_once_as_by_the_predictor(project, monkeypatch):
    loaded = Predictor("models/skin/best")
    page = opened(task="skin")
    files = [(f"{number}.png", picture(number), "image/png") for number in range(3)]
    page.file_uploader[0].set_value(files).run()
    assert list(page.dataframe[0].value["class"]) == [loaded.predict(data, "")["class"] for _, data, _ in files]
    asked = []
    monkeypatch.setattr(champions.Champion, "predict", lambda *given: asked.append(given))
    page.run()
    assert not asked


def test_what_an_answer_rests_on_is_shown_on_demand(project):
    page = opened(task="skin")
    page.file_uploader[0].set_value([("a.png", picture(1), "image/png")]).run()
    assert "speak for" not in texts(page)
    page.toggle[0].set_value(True).run()
    assert not page.exception
    answered = Predictor("models/skin/best").predict(picture(1), "")["class"]
    assert f"Orange regions support {answered}, blue regions contradict it" in texts(page)
    page = opened(task="patients")
    page.button[0].click().run()
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "Contribution of each value to the log-odds of" in texts(page)


def test_clinical_columns_start_empty_on_the_page(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    make_project(program, whole=True)
    loaded, files = Predictor("models/whole/best"), [("a.png", picture(1), "image/png")]
    page = opened(task="whole")
    site = next(box for box in page.selectbox if box.label == "site")
    assert [page.number_input[0].value, site.value] == [None, None]
    assert "Unknown: age, site" in texts(page)
    page.file_uploader[0].set_value(files).run()
    shown = [loaded.predict((picture(1), {"age": age, "site": None}), "a.png")["probabilities"] for age in (None, 70)]
    assert f"malignant {shown[0]['malignant']:.1%}" in bars(page)
    page.number_input[0].set_value(70.0).run()
    assert f"malignant {shown[1]['malignant']:.1%}" in bars(page)
    assert "Unknown: site" in texts(page)
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "The bars show the clinical columns" in texts(page)


def bars(page: AppTest) -> str:
    """Return what the charts of a page say."""
    return "; ".join(chart.proto.alt for chart in page.get("vega_lite_chart"))


def test_surplus_files_are_left_out_with_a_notice(project, monkeypatch):
    monkeypatch.setattr(limits, "PAGE_FILES", 2)
    page = opened(task="skin")
    page.file_uploader[0].set_value([(f"{number}.png", picture(number), "image/png") for number in range(3)]).run()
    assert "The first 2 images are used, 1 are left out" in page.warning[0].value
    assert len(page.dataframe[0].value) == 2


def test_rows_of_a_csv_are_answered_as_by_the_predictor(project):
    page = opened(task="patients")
    page.segmented_control[0].set_value("CSV file").run()
    data = b"age,size,site,empty,constant\n61,0.2,arm,,3\nold,0.2,arm,,3\n9999,0.2,nose,,3\n"
    page.file_uploader[0].set_value(("rows.csv", data, "text/csv")).run()
    loaded = Predictor("models/patients/best")
    given, doubts = read_rows(loaded.info.schema, "rows.csv", data)
    expected = [loaded.predict(row, name) for name, row in given]
    shown = page.dataframe[0].value
    assert list(shown["file"]) == [item["file"] for item in expected]
    assert list(shown["class"].fillna("")) == [item["class"] for item in expected]
    assert list(shown["reason"]) == [item["reason"] for item in expected]
    assert [warning.value.replace("\\", "") for warning in page.warning] == doubts


def test_the_form_shows_units_and_ranges_and_accepts_missing_values(project):
    page = opened(task="patients")
    age = page.number_input[0]
    assert age.label.replace("\\", "") == "age (years)"
    assert age.help.startswith("In training: ")
    site = next(box for box in page.selectbox if box.label == "site")
    assert [*site.options] == ["arm", "leg", "unknown"]
    site.select_index(2)
    page.button[0].click().run()
    row = {field.name: field.default for field in Predictor("models/patients/best").info.schema}
    expected = Predictor("models/patients/best").predict(row | {"site": None}, "the form")
    assert page.subheader[0].value == expected["class"]
    assert expected["decision"].split(": ")[1] in texts(page).replace("The probability", "the probability")


def test_the_template_is_a_csv_that_is_answered(project):
    info = Predictor("models/patients/best").info
    given, doubts = read_rows(info.schema, "x.csv", form.template(info.schema).encode())
    assert len(given) == 1
    assert doubts == []
    assert tables.to_frame(given[0][1], info.schema).shape == (1, 5)


@pytest.mark.parametrize(
    "text", ["a_b*c*", "![x](http://x/y)", "<img src=x>", "$x$", ":red[x]", "a\nb", "`x`", "www.x.org"]
)
def test_no_name_is_taken_for_markdown(text):
    said = answer.plain(text)
    signs = [sign for sign in text if not sign.isalnum() and not sign.isspace()]
    assert all(f"\\{sign}" in said for sign in signs)
    assert "\n" not in said


def test_half_a_surrogate_pair_can_be_sent():
    assert answer.plain("\ud800.png") == r"?\.png"
