"""Rows of a JSON body."""

import pytest


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        ("multipart/form-data; boundary=x", b"--x--\r\n", 415, "expected application/json: this task takes"),
        ("application/json", b"", 422, "The body is not JSON"),
        ("application/json", b'{"rows": [{"age": NaN}]}', 422, "NaN is not JSON: send null for a missing"),
        ("application/json", b"[]", 422, 'does not contain rows; expected {"rows"'),
        ("application/json", b'{"rows": [{"age": [1]}]}', 422, "Row 1, column 'age': expected a number, a"),
        ("application/json", b'{"rows": [{"age": 1, "age": 2}]}', 422, "the key 'age' is there more than once"),
        ("application/json", b"[" * 100_000, 422, "nested too deeply"),
    ],
)
def test_a_body_without_rows_says_what_was_expected(server, content_type, body, status, message):
    answered, content, _ = server.ask("POST", "/v1/tasks/patients/predict", body, content_type=content_type)
    assert (answered, content["status"]) == (status, status)
    assert message in content["detail"]
