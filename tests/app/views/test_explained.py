"""The legend of a map names its colours, and texts of the data in it stay texts."""

from app.views import explained


def test_the_legend_escapes_the_class():
    legend = explained.legend("<b>ill</b>", (255, 214, 0), (0, 214, 255))
    assert "supports &lt;b&gt;ill&lt;/b&gt;" in legend
    assert "rgb(255, 214, 0)" in legend
    assert "rgb(0, 214, 255)" in legend
