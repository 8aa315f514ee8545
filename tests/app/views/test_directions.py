"""Of the directions in which images differ, the strongest are shown by training images."""

from app.views import directions
from pipeline.monitoring.comparisons import Figure


def figure(name: str, beyond: float, differs: bool = True, alarm: bool = False) -> Figure:
    return Figure("place", name, (beyond - 0.1, beyond + 0.1), alarm, differs, beyond=beyond)


def test_alarms_come_first_then_the_largest_difference():
    figures = [figure("a", 0.9), figure("b", 0.2, alarm=True), figure("c", 0.6), figure("d", 0.95, differs=False)]
    figures += [Figure("distance", "", (0.6, 0.8), True, True, beyond=0.7), figure("e", 0.7)]
    assert [shown.name for shown in directions.strongest(figures)] == ["b", "a", "e"]
    assert directions.strongest([figure("d", 0.95, differs=False)]) == []
