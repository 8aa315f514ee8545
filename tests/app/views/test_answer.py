"""Names are shown as they are."""

import pytest

from app.views import answer


@pytest.mark.parametrize(
    "text", ["a_b*c*", "![x](http://x/y)", "<img src=x>", "$x$", ":red[x]", "a\nb", "`x`", "www.x.org"]
)
def test_no_name_is_taken_for_markdown(text):
    message = answer.plain(text)
    signs = [sign for sign in text if not sign.isalnum() and not sign.isspace()]
    assert all(f"\\{sign}" in message for sign in signs)
    assert "\n" not in message


def test_half_a_surrogate_pair_can_be_sent():
    assert answer.plain("\ud800.png") == r"?\.png"
