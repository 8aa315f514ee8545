"""The legend of a map names its colours, and texts of the data in it stay texts."""

from app.views import explained
from pipeline.data.images.pixel_rule import PixelRule


def test_the_legend_escapes_the_class():
    legend = explained.legend("<b>ill</b>", (255, 214, 0), (0, 214, 255))
    assert "supports &lt;b&gt;ill&lt;/b&gt;" in legend
    assert "rgb(255, 214, 0)" in legend
    assert "rgb(0, 214, 255)" in legend


def test_a_dicom_file_is_shown_with_its_window():
    dicom = bytes(128) + b"DICM"
    assert explained.caption(dicom, "scan", PixelRule("lung")) == "scan, window lung (-1350 to 150)"
    assert explained.caption(dicom, "scan", PixelRule()) == "scan"
    assert explained.caption(b"\x89PNG", "scan", PixelRule("lung")) == "scan"
