"""Forms with images, and with clinical columns: one value for all images, or one for each."""

import pytest

from app import limits
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import drawn_image
from tests.helpers.serving import GOOD, form

PATH = "/v1/tasks/whole/predict"


@pytest.fixture
def whole(server) -> Predictor:
    return Predictor("models/whole/best")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        ("application/json", b'{"rows": []}', 415, "expected multipart/form-data with the images under the"),
        ("", b"", 415, "Found no content type; expected multipart/form-data"),
        ("multipart/form-data", b"", 415, "expected multipart/form-data"),
        ("multipart/form-data; boundary=x", b"", 422, "ends before its closing boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\n(\r\n", 422, "The multipart form is damaged"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 422, "has no field 'files'; it has: none"),
    ],
)
def test_a_form_that_cannot_be_read_says_what_was_expected(server, content_type, body, status, message):
    answered, content, _ = server.ask("POST", "/v1/tasks/skin/predict", body, content_type=content_type)
    assert (answered, content["status"]) == (status, status)
    assert message in content["detail"]


def test_a_wrong_form_field_names_the_expected_one(server):
    status, content, _ = server.send("/predict/", ("a.png", GOOD), field="image")
    assert (status, content["detail"]) == (
        422,
        "The form has no field 'file'; it has: 'image'. Send the images under 'file'.",
    )


def test_file_names_are_returned_unchanged_and_missing_ones_numbered(server):
    names = ["../../etc/passwd", "ein Bild.png", "図.png", "a" * 300]
    _, content, _ = server.send("/v1/tasks/skin/predict", *((name, GOOD) for name in names))
    assert [item["file"] for item in content["predictions"]] == [*names[:3], "a" * 255]
    body = form(("", GOOD)).replace(b'; filename=""', b"")
    content_type = "multipart/form-data; boundary=a-boundary-that-no-file-holds"
    status, content, _ = server.ask("POST", "/v1/tasks/skin/predict", body, content_type=content_type)
    assert (status, content["predictions"][0]["file"]) == (200, "file 1")


def test_clinical_columns_apply_to_all_images_or_each_in_order(server, whole):
    files = [(f"{seed}.png", drawn_image(seed)) for seed in range(3)]
    status, content, _ = server.send_with(PATH, files, [("age", "52.5"), ("site", "")])
    assert status == 200
    row = {"age": "52.5", "site": ""}
    assert content["predictions"] == [whole.predict((data, row), name) for name, data in files]
    ages = ["40", "", "60"]
    _, content, _ = server.send_with(PATH, files, [*(("age", age) for age in ages), ("site", "leg")])
    expected = [whole.predict((d, {"age": age, "site": "leg"}), n) for (n, d), age in zip(files, ages, strict=True)]
    assert content["predictions"] == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [],
            "no field 'age', 'site'. The model also takes the clinical columns age, site: send each, empty if unknown",
        ),
        ([("age", "52")], "no field 'site'."),
        ([("age", "52"), ("age", "53"), ("age", "54"), ("site", "arm")], "The form has 3 values of 'age' for 2 images"),
        ([("age", "old"), ("site", "arm")], "column 'age': found 'old'; expected a number"),
    ],
)
def test_a_missing_or_wrong_clinical_column_is_named(server, values, message):
    status, content, headers = server.send_with(PATH, [("a.png", GOOD), ("b.png", GOOD)], values)
    assert (status, headers["content-type"]) == (422, "application/problem+json")
    assert message in content["detail"]


def test_values_and_parts_are_limited(server):
    long = "1" * (limits.VALUE_BYTES + 1)
    status, content, _ = server.send_with(PATH, [("a.png", GOOD)], [("age", long), ("site", "")])
    assert (status, "over 1000 bytes" in content["detail"]) == (413, True)
    many = [("a.png", b"x")] * (limits.FILES + 1)
    status, content, _ = server.send_with(PATH, many, [("age", ""), ("site", "")])
    assert status == 413
    status, _, _ = server.send_with(PATH, many[:-1], [("age", "")] * limits.FILES + [("site", "")] * limits.FILES)
    assert status == 422  # within the limits, but none is an image


def test_fields_that_the_model_does_not_take_are_named(server):
    status, content, _ = server.send_with("/v1/tasks/skin/predict", [("a.png", GOOD)], [("age", "52")])
    assert status == 200
    (item,), plain = content["predictions"], Predictor("models/skin/best").predict(GOOD, "a.png")
    assert item["reason"].endswith("not used by the model: age")
    assert item | {"reason": plain["reason"]} == plain


def test_the_columns_are_described_and_an_explanation_has_both(server):
    _, content, _ = server.get("/v1/tasks/whole")
    assert [field["name"] for field in content["schema"]] == ["age", "site"]
    assert content["schema"][0]["unit"] == "years"
    _, content, _ = server.send_with(f"{PATH}?explain=true", [("a.png", GOOD)], [("age", "52"), ("site", "arm")])
    why = content["predictions"][0]["explanation"]
    assert len(why["map"]) > 1
    assert {line["column"] for line in why["columns"]} == {"age", "site"}
    _, page, _ = server.get("/openapi.json")
    shape = page["paths"]["/v1/tasks/{task}/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert "clinical columns" in shape["additionalProperties"]["description"]
