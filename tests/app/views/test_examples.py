"""Examples are the task's own, or drawn for the demo."""

from app.views import examples
from pipeline.core import artifacts


def test_own_examples_replace_the_drawn_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert examples.names("lesions") == [""]
    assert examples.names("chest") == []
    artifacts.write_bytes("models/lesions/examples/b.png", b"b")
    artifacts.write_bytes("models/lesions/examples/a.png", b"a")
    assert examples.names("lesions") == ["a.png", "b.png"]
