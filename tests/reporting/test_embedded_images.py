"""Images within a report."""

from pathlib import Path

import pytest

from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_an_embedded_image_has_no_metadata(drawn, monkeypatch):
    from PIL import Image

    from pipeline.data.images.pixel_rule import AS_IT_WAS
    from pipeline.reporting.embedded_images import sample

    monkeypatch.chdir(drawn)
    exif = Image.Exif()
    exif[0x010E] = "patient 4711"
    Image.open("raw/0.png").convert("RGB").save("named.jpg", exif=exif)
    assert b"4711" in Path("named.jpg").read_bytes()
    import base64

    assert b"4711" not in base64.b64decode(sample(Path("named.jpg"), AS_IT_WAS).split(",")[1])
