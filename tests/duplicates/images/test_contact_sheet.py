"""The sheet shows the pairs that matter first, and fits whatever is put on it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.data.audit_result import PathPair
from pipeline.duplicates.images import contact_sheet
from pipeline.duplicates.images.contact_sheet import COLUMNS, HEIGHT, MOST, WIDTH, draw, fitting, write
from tests.helpers.textures import stored, texture

pytestmark = pytest.mark.filterwarnings("error")


def pair(a="a.jpg", b="b.jpg", **more):
    return PathPair(a, b, **{"kind": "mirrored", "score": 0.98, "copy": True} | more)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.jpg").write_bytes(stored(texture(1)))
    (tmp_path / "b.jpg").write_bytes(stored(texture(1).resize((20, 300))))
    return tmp_path


def test_both_images_of_a_pair_are_on_the_sheet(folder):
    sheet = np.asarray(draw([(pair(), "train / test")], folder))
    assert sheet.shape == (HEIGHT, WIDTH, 3)
    left, right = sheet[: contact_sheet.SIDE, : WIDTH // 2], sheet[: contact_sheet.SIDE, WIDTH // 2 :]
    assert left.std() > 10
    assert right.std() > 10


def test_the_sheet_has_so_many_columns_and_pairs(folder):
    sheet = draw([(pair(), "")] * (MOST + 5), folder)
    assert sheet.size == (WIDTH * COLUMNS, HEIGHT * MOST // COLUMNS)


def test_a_sheet_without_pairs_says_so(folder):
    assert np.asarray(draw([], folder)).min() == 0


def test_a_long_name_loses_its_middle():
    pen, font = ImageDraw.Draw(Image.new("RGB", (9, 9))), ImageFont.load_default(11)
    short = fitting("train/" + "x" * 200 + "/7.png", pen, font)
    assert short.startswith("train/")
    assert short.endswith("/7.png")
    assert pen.textlength(short, font=font) <= WIDTH
    assert fitting("a.png", pen, font) == "a.png"


def test_the_same_pairs_give_the_same_bytes(folder):
    write(folder / "one.png", [(pair(), "")], folder)
    write(folder / "two.png", [(pair(), "")], folder)
    assert (folder / "one.png").read_bytes() == (folder / "two.png").read_bytes()
