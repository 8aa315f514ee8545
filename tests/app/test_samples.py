"""Labelled samples are stored."""

from pathlib import Path

from pipeline.data import upload_ledger
from tests.helpers.serving import running
from tests.helpers.textures import stored, texture
from tests.helpers.uploads import one_of


def test_samples_are_stored_only_with_a_key(upload_project):
    old, fresh = one_of("test").read_bytes(), texture(1001)
    path = "/v1/tasks/skin/samples?label=malignant&batch=b1&group=lesion%2077"
    with running() as client:
        assert client.send(path, ("a.png", old))[0] == 403
    with running("secret") as client:
        assert client.send(path, ("a.png", old))[0] == 401
        known = {"authorization": "Bearer secret"}
        status, content, _ = client.send(path, ("a.png", old), ("../b.jpg", stored(fresh)), **known)
        assert (status, content["task"], content["batch"]) == (200, "skin", "b1")
        assert [item["accepted"] for item in content["samples"]] == [False, True]
        assert "in the test set" in content["samples"][0]["reason"]
        status, content, _ = client.send(path, ("b.jpg", stored(fresh)), **known)
        assert (status, content["samples"][0]["accepted"]) == (422, False)
        assert client.send("/v1/tasks/skin/samples?batch=..", ("a.png", old), **known)[0] == 422
        assert client.send("/v1/tasks/nothing/samples", ("a.png", old), **known)[0] == 404
        Path("data/skin/split.csv").unlink()
        assert client.send(path, ("a.png", old), **known)[0] == 503
    (line,) = upload_ledger.samples("skin")
    assert (line.label, line.group, line.batch, line.source) == ("malignant", "lesion 77", "b1", "API")
    assert line.who.startswith("key ")
    assert "secret" not in line.who
