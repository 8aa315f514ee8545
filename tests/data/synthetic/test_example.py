"""An example belongs to nobody, is the same for each number, and another one for another number."""

from pipeline.data.images import decoding
from pipeline.data.synthetic.example import example


def test_examples_differ_by_number_alone():
    assert example(3) == example(3) != example(4)
    assert decoding.decode(example(3)).format == "JPEG"
