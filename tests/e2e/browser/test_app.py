"""The app in a real Chromium, on the bundles of the small graph."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from app.views.answer import percent
from pipeline.data.images.decoding import decode
from pipeline.data.synthetic.demo_set import lesion_photos
from pipeline.prediction.files import show
from pipeline.prediction.predictor import Predictor
from tests.app.test_api_hostile import FILES
from tests.e2e.test_api import make_champion
from tests.helpers.browser import app, hand_in, opened, settled, upload
from tests.helpers.models import chessboard, lesion
from tests.helpers.textures import stored

PAGES = ("predict", "compare", "data", "monitor", "retrain")
HOSTILE = ("empty", "random", "bomb png", "bomb text chunk", "polyglot png and html", "csv", "float tiff of NaN")
NAME = "![x](http://elsewhere.example/x.png) <img src=http://elsewhere.example/y> $a$ :red[b].jpg"


def answer(page) -> tuple[str, str]:
    """Return the class that the page shows, and what its chart says to a screen reader."""
    chart = page.locator("[aria-label^='Probabilities: ']")
    chart.first.wait_for()
    settled(page)
    return page.locator("h3").inner_text(), chart.first.get_attribute("aria-label")


def shown_of(item: dict) -> tuple[str, str]:
    """Return what `answer` should, for an item of the predictor."""
    shares = [f"{name} {percent(share)}" for name, share in item["probabilities"].items()]
    return item["class"], f"Probabilities: {', '.join(shares)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_opens_in_each_theme_with_the_notice(browser, address, scheme):
    with opened(browser, f"{address}/?task=breast", color_scheme=scheme) as page:
        for name in PAGES:
            page.get_by_test_id("stSidebarNav").get_by_text(name.capitalize()).click()
            page.get_by_role("heading", name=name.capitalize(), exact=True, level=1).wait_for()
            settled(page)
            page.get_by_text("Research use, not a medical device").wait_for()
            # A chart has its alternative text at its frame; its marks are not read one by one.
            marks = {"exclude": [["[data-testid=stVegaLiteChart] svg"]]}
            violations = Axe().run(page, context=marks).response["violations"]
            serious = [item for item in violations if item["impact"] in ("serious", "critical")]
            assert not serious, [(item["id"], [node["html"] for node in item["nodes"]]) for item in serious]
            page.get_by_role("radio", name="breast", checked=True).wait_for(state="attached")
        colour = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 384) == (scheme == "light")


def test_jpg_jpeg_and_png_are_answered_as_by_the_predictor(browser, address, project):
    loaded = Predictor(project.folder / "models/lesions/best")
    files = {"a.jpg": "JPEG", "b.jpeg": "JPEG", "c.png": "PNG"}
    with opened(browser, f"{address}/?task=lesions") as page:
        for name, suffix in files.items():
            data = lesion(len(name), 1200, 900, suffix)  # the PNG is of 3 MB: over what would go to a temporary file
            upload(page, (name, data))
            page.get_by_test_id("stImageCaption").get_by_text(name).wait_for()
            assert answer(page) == shown_of(loaded.predict(data, name))
            page.reload()
            settled(page)


def test_many_files_are_answered_in_a_table_and_csv(browser, address, project):
    loaded = Predictor(project.folder / "models/lesions/best")
    files = [(f"{number}.png", lesion(number, suffix="PNG")) for number in range(11)]
    files += [(NAME, b"nothing"), ("chess.png", chessboard())]
    with opened(browser, f"{address}/?task=lesions") as page:
        upload(page, *files)
        page.get_by_text("11 predicted, 2 could not be used").wait_for()
        settled(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as CSV", exact=True).click()
        items = [loaded.predict(data, name) for name, data in files]
        assert Path(download.value.path()).read_text(encoding="utf-8") == show(items, loaded.classes, "csv")
        assert answer(page) == shown_of(items[0])


def test_refused_bad_and_hostile_files_show_their_reason(browser, address):
    with opened(browser, f"{address}/?task=lesions") as page:
        upload(page, ("chess.png", chessboard()))
        reason = page.get_by_test_id("stAlertContainer").get_by_text("too different from the training data")
        reason.wait_for()
        assert reason.inner_text().startswith("chess.png: too different from the training data: distance ")
        page.get_by_test_id("stImageCaption").get_by_text("chess.png").wait_for()
        page.reload()
        settled(page)
        upload(page, (NAME, b"nothing"))
        reason = page.get_by_test_id("stAlertContainer").get_by_text("not a readable image")
        reason.wait_for()
        assert reason.inner_text().startswith(NAME)
        page.reload()
        settled(page)
        upload(page, *[(f"{name}.png", FILES[name]) for name in HOSTILE], ("good.png", lesion(1)))
        page.get_by_text(re.compile(r"\d predicted, \d could not be used")).wait_for()
        settled(page)


def test_an_example_is_answered_and_another_one_otherwise(browser, address):
    with opened(browser, f"{address}/?task=lesions") as page:
        page.get_by_role("button", name="Example", exact=True).or_(page.get_by_role("radio", name="Example")).click()
        first = answer(page)
        page.get_by_role("button", name="Another example").click()
        page.get_by_test_id("stImageCaption").get_by_text("example 2").wait_for()
        assert answer(page) != first


def test_the_camera_is_asked_for_only_when_chosen(browser, address):
    with opened(browser, address) as page:
        page.context.add_init_script(
            "window.asked = 0; const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
            "navigator.mediaDevices.getUserMedia = (...given) => { window.asked += 1; return real(...given) }"
        )
        page.goto(f"{address}/?task=lesions")
        settled(page)
        assert page.evaluate("window.asked") == 0
        page.get_by_role("button", name="Camera").or_(page.get_by_role("radio", name="Camera")).click()
        page.get_by_test_id("stCameraInput").wait_for()
        page.wait_for_function("window.asked > 0")
        settled(page)
        page.get_by_text("camera").first.wait_for()
        page.get_by_role("button", name="Files").or_(page.get_by_role("radio", name="Files")).click()
        page.get_by_test_id("stFileUploader").wait_for()


def test_a_form_works_by_keyboard_alone(browser, address, project):
    loaded = Predictor(project.folder / "models/breast/best")
    row = {field.name: field.default for field in loaded.info.schema}
    with opened(browser, f"{address}/?task=breast") as page:
        for name, value in (row | {"mean radius": 30}).items():
            tab_to(page, name)
            page.keyboard.type(f"{value}")
        tab_to(page, "Predict", "Shift+Tab")
        page.keyboard.press("Enter")
        assert answer(page) == shown_of(loaded.predict(row | {"mean radius": 30}, "the form"))
        page.get_by_text("outside the range of the training data: 'mean radius' is 30").wait_for()


def tab_to(page, name: str, key: str = "Tab") -> None:
    """Press `key` until what is named so, by its label or its text, has the focus."""
    for _ in range(120):
        page.keyboard.press(key)
        focus = "document.activeElement.ariaLabel || document.activeElement.innerText || ''"
        if page.evaluate(focus).strip() == name:
            return
    pytest.fail(f"{name!r} cannot be reached by {key}")


def test_a_csv_and_its_template_are_answered_by_row(browser, address, project):
    loaded = Predictor(project.folder / "models/breast/best")
    with opened(browser, f"{address}/?task=breast") as page:
        page.get_by_role("button", name="CSV file").or_(page.get_by_role("radio", name="CSV file")).click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download a template").click()
        (header,) = csv.reader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())
        usual = {column.name: column.default for column in loaded.info.schema}
        row = [str(usual[name]) for name in header]
        out = io.StringIO()
        csv.writer(out).writerows([[*header, "name"], [*row, "a"], ["30", *row[1:], "b"], ["many", *row[1:], "c"]])
        upload(page, ("rows.csv", out.getvalue().encode()))
        page.get_by_text("2 predicted, 1 could not be used").wait_for()
        assert answer(page) == shown_of(loaded.predict(dict(zip(header, row, strict=True)), "rows.csv row 1"))
        page.get_by_text("2 predicted, 1 could not be used").click()
        page.get_by_text("not used by the model: name").wait_for()
        page.get_by_text("1 of 2 cells lie outside of").wait_for()
        upload(page, ("rows.csv", b"a,b\n1,2\n"))
        page.get_by_text("missing columns: mean radius").wait_for()


def test_images_are_submitted_and_test_copies_refused(browser, address, project):
    with (project.folder / "data/lesions/split.csv").open(encoding="utf-8") as file:
        path = next(row["path"] for row in csv.DictReader(file) if row["subset"] == "test")
    test = Image.open(project.folder / "data/demo/lesions" / path).convert("RGB")
    fresh = lesion_photos(99, 0)[0].data
    files = [
        (f"{NAME}.png", fresh),
        ("../../etc/x", stored(test.rotate(90, expand=True), quality=90)),
        ("no.png", b"x"),
    ]
    with opened(browser, f"{address}/retrain?task=lesions", viewport={"width": 390, "height": 844}) as page:
        hand_in(page, "malignant", "a_batch", *files)
        page.get_by_text("1 stored, 2 refused").wait_for()
        page.get_by_text("the same image (rotated").or_(page.get_by_text("in the test set")).first.wait_for()
        page.get_by_text("unreadable: not a readable image").wait_for()
        page.get_by_text("collected: 1 samples (1 malignant)").wait_for()
        page.get_by_role("button", name="Try it").wait_for()
        assert width(page) <= 390
        page.get_by_role("textbox", name="Batch").fill("../x")
        upload(page, ("again.png", fresh))
        page.get_by_test_id("stFileChip").first.wait_for()
        page.get_by_role("button", name="Submit", exact=True).click()
        page.get_by_text("Choose the label").wait_for()
    kept = [path.name for path in (project.folder / "data/uploads/lesions/pictures").iterdir()]
    assert kept == [f"{decode(fresh).id}.png"]


def test_nothing_is_wider_than_a_phone(browser, address):
    with opened(browser, f"{address}/?task=lesions", viewport={"width": 390, "height": 844}) as page:
        upload(page, *[(f"{number}.png", lesion(number)) for number in range(3)])
        page.get_by_text("3 predicted").wait_for()
        answer(page)
        assert width(page) <= 390
        for path in ("?task=breast", "compare?task=lesions", "data?task=lesions", "retrain?task=breast"):
            page.goto(f"{address}/{path}")
            settled(page)
            assert width(page) <= 390, path
            tables = "[...document.querySelectorAll('[data-testid=stTable]')].map(each => each.scrollWidth - each.clientWidth)"
            assert max(page.evaluate(tables), default=0) <= 1, path
            shown = "getComputedStyle(document.querySelector('[data-testid=stExpandSidebarButton]'), '::after').content"
            assert page.evaluate(shown) == '"Menu"'


def width(page) -> int:
    """Return the px that the page's content takes."""
    return page.evaluate(
        "Math.max(document.body.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)"
    )


def test_with_keys_nothing_is_shown_until_one_fits(browser, project):
    with app(project.folder, ASSAY_API_KEYS="first, second") as (address, _), opened(browser, address) as page:
        assert not page.get_by_test_id("stSidebarNav").count()
        page.get_by_label("Key", exact=True).fill("third")
        page.keyboard.press("Enter")
        page.get_by_text("not one of the server's keys").wait_for()
        assert not page.get_by_text("lesions").count()
        page.get_by_label("Key", exact=True).fill("second")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Predict").wait_for()


def test_a_new_champion_is_served_a_damaged_one_not(browser, address, project):
    selection, best = project.folder / "reports/lesions/selection.json", project.folder / "models/lesions/best"
    other = {"lesions-logreg", "lesions-knn"} - {json.loads(selection.read_text())["winner"]}
    with opened(browser, f"{address}/?task=lesions") as page:
        for model in (*sorted(other), "lesions-mobilenetv2"):  # two `.joblib` or more, and a `.keras`
            make_champion(project, model)
            page.reload()
            upload(page, ("a.png", lesion(3)))
            assert answer(page) == shown_of(Predictor(best).predict(lesion(3), "a.png"))
            page.get_by_text(f"{model}@").wait_for()
        assert (best / "model.keras").exists()
        kept = selection.read_bytes()
        selection.unlink()
        page.reload()
        page.get_by_text("is being selected again").wait_for()
        selection.write_bytes(kept)
        whole = (best / "model.tflite").read_bytes()
        (best / "model.tflite").write_bytes(whole[:-1] + b"!")
        page.reload()
        page.get_by_text("does not match bundle.json").wait_for()
        upload(page, ("a.png", lesion(3)))
        answer(page)
        (best / "model.tflite").write_bytes(whole)


def test_other_addresses_lead_to_a_page(browser, address):
    with opened(browser, f"{address}/predict?task=breast") as page:
        for path, title in [
            *((name, "Predict") for name in ("predict", "nowhere", "predict/x", "a/b", "static/x")),
            ("data/x", "Data"),
        ]:
            page.goto(f"{address}/{path}?task=breast")
            settled(page)
            page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
            page.get_by_role("radio", name="breast", checked=True).wait_for(state="attached")
