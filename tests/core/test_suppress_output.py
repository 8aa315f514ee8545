"""Output of C++ libraries is discarded unless the block fails."""

import os

import pytest

from pipeline.core.suppress_output import quiet


def test_output_of_the_block_is_discarded(capfd):
    with quiet():
        os.write(1, b"noise\n")
        os.write(2, b"noise\n")
    os.write(1, b"after\n")
    assert capfd.readouterr() == ("after\n", "")


def fail() -> None:
    os.write(1, b"the reason\n")
    raise ValueError("bad")


def test_output_of_a_failing_block_is_shown(capfd):
    with pytest.raises(ValueError, match="bad"), quiet():
        fail()
    assert "the reason\n" in "".join(capfd.readouterr())
