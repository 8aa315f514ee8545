"""Blocks of params.yaml take what they name, as it is."""

import pytest
from pydantic import ValidationError

from pipeline.core.strict import Strict


class Block(Strict):
    """A block."""

    n: int = 1


@pytest.mark.parametrize("given", [{"m": 2}, {"n": "2"}, {"n": 2.0}, {"n": True}])
def test_unknown_keys_and_other_types_are_refused(given):
    assert Block(n=2).n == 2
    with pytest.raises(ValidationError):
        Block(**given)


def test_a_block_is_not_changed_once_it_is_read():
    with pytest.raises(ValidationError, match="frozen"):
        Block().n = 2
