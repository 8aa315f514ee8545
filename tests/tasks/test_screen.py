"""What init_task says fits on one screen."""

from pipeline.tasks.screen import LINES, WIDTH, Message, fit


def test_output_fits_one_screen_with_warnings_first():
    long = " ".join(f"word{n}" for n in range(80))
    lines = [(f"fact {n}", long) for n in range(20)] + [("warning", long)] * 9 + [("unreadable", "3\na\nb\nc")]
    shown = fit(Message("data", lines, ["next", "then"]))
    assert len(shown) <= LINES
    assert max(map(len, shown)) <= WIDTH
    assert shown[1].split()[0] == "warning"
    assert shown[-1] == "Some lines are cut; --json prints everything."


def test_short_messages_are_not_cut():
    assert fit(Message("data", [("found", "3 images")], ["next"])) == ["data", "  found  3 images", "next"]
